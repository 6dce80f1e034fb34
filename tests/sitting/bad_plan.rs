//! Plans, rooms and answers that nobody should have written: refused before anything is written.

use officiant::root::{Dialect, Role};

use super::genesis::{in_shares, on_tokens};
use super::plan_alone::FORM;
use super::rotate::after_genesis;
use super::{Bench, Holding, PlanText};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];

/// A bench for a genesis, and its plan as text.
fn genesis(text: &PlanText) -> (Bench, String) {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(text);
    let plan = std::fs::read_to_string(bench.path("plan-1.toml")).unwrap();
    (bench, plan)
}

/// The plan is refused with these words when one text in it is put in place of another.
#[track_caller]
fn refused(bench: &Bench, plan: &str, (old, new): (&str, &str), code: i32, told: (&str, &str)) {
    assert!(plan.contains(old), "{old}");
    bench.lay_plan(&plan.replacen(old, new, 1), &[Role::Targets]);
    bench.refuses(code, told.0, told.1);
}

#[test]
fn a_plan_with_anything_unknown_double_or_trailing_is_refused_with_its_line() {
    let (bench, plan) = genesis(&on_tokens());
    let lines = plan.lines().count();
    let deep = format!("title = {}", "[".repeat(100_000));
    let rows: [(&str, &str, String); 9] = [
        ("practice = true", "practise = true", "plan.toml:5: unknown field `practise`".into()),
        ("practice = true", "practice = true\npractice = true", "plan.toml:6: duplicate key".into()),
        ("practice = true", "practice = yes", "plan.toml:5: string values must be quoted, expected literal string".into()),
        ("[root]", "[root]\n\u{0}", format!("plan.toml:{}: key with no value, expected `=`", line(&plan, "[root]") + 1)),
        ("name = \"officer-b\"", "name = \"officer-a\"", format!("plan.toml:{}: two tokens are called `officer-a`", line(&plan, "name = \"officer-b\"") - 1)),
        ("token = \"officer-b\"", "token = \"officer-b\"\npin = \"1234\"", format!("plan.toml:{}: unknown field `pin`", line(&plan, "token = \"officer-b\"") + 1)),
        ("name = \"root-b\"", "name = \"root-a\"", format!("plan.toml:{}: two keys are called `root-a`", line(&plan, "name = \"root-b\"") - 1)),
        ("title = \"Practice 1\"", &deep, "plan.toml:2: cannot recurse further; max recursion depth met".into()),
        ("ceremony = \"genesis\"", "ceremony = \"genisis\"", "plan.toml:1: unknown variant `genisis`, expected one of `abandon`, `drill`, `genesis`, `renew`, `reshare`, `restore`, `rotate`".into()),
    ];
    for (old, new, told) in rows {
        refused(&bench, &plan, (old, new), 2, (&told, FORM));
    }
    bench.lay_plan(&format!("{plan}trailing"), &[Role::Targets]);
    let told = format!("plan.toml:{}: key with no value, expected `=`", lines + 1);
    bench.refuses(2, &told, FORM);
    bench.scratch.file("plan-1.toml", vec![b'#'; 5 << 20]);
    bench.refuses(2, "`plan-1.toml` is larger than 4194304 bytes", super::plan_alone::NAMED);
    bench.scratch.file("plan-1.toml", [0xff, 0xfe]);
    bench.refuses(2, "the plan is not UTF-8 text", FORM);
}

#[test]
fn a_key_from_a_file_stays_in_a_root_for_some_weeks_alone() {
    let (bench, plan) = genesis(&on_tokens());
    let today = super::bench::today();
    let last = today.checked_add(jiff::ToSpan::days(93)).unwrap();
    let late = last.tomorrow().unwrap();
    let pin = officiant::digest::Digest::of(b"old");
    let line = line(&plan, "name = \"root-b\"") - 1;
    let shares = |more: &str| {
        format!(
            "import = \"{pin}\"\n{more}shares = {{ threshold = 2, tokens = [\"officer-a\", \"officer-b\"] }}"
        )
    };
    let dated = |day: &jiff::civil::Date| shares(&format!("rotate_by = {day}\n"));
    let on_token = format!("token = \"officer-b\"\nrotate_by = {last}");
    let rows = [
        (
            shares(""),
            "key `root-b` comes from a file and stays in `[root]`: `rotate_by` is missing"
                .to_owned(),
        ),
        (
            dated(&late),
            format!(
                "`rotate_by` of key `root-b` is {late}, and {last} is the last day that it may be"
            ),
        ),
        (
            on_token,
            "key `root-b` has `rotate_by`, which only a key from a file has that stays in `[root]`"
                .to_owned(),
        ),
    ];
    for (new, told) in rows {
        let told = format!("plan.toml:{line}: {told}");
        refused(&bench, &plan, ("token = \"officer-b\"", &new), 2, (&told, FORM));
    }
}

/// The line of a text, from 1.
fn line(plan: &str, text: &str) -> usize {
    plan[..plan.find(text).unwrap()].lines().count() + 1
}

#[test]
fn a_plan_that_breaks_a_rule_is_refused_by_its_name() {
    let (bench, plan) = genesis(&on_tokens());
    let root = "keys = [\"root-a\", \"root-b\", \"root-c\"]";
    let today = super::bench::today();
    let until = today.checked_add(jiff::ToSpan::days(3000)).unwrap();
    let expires = today.checked_add(jiff::ToSpan::days(2000)).unwrap();
    let near = expires.checked_add(jiff::ToSpan::years(2)).unwrap().yesterday().unwrap();
    let (old_end, near_end) =
        (format!("certificates_until = {until}"), format!("certificates_until = {near}"));
    let near_told = format!(
        "certificates until {near}, and the root until {expires}: at least two years are needed between [CERT-OUTLIVES-ROOT]"
    );
    let after =
        "after = \"4c9184f37cff01bcdc32dc486ec36961f7d45a1b3b9b0d1d3d4c5c2b0d3a9b11\"\n[when]";
    let rows: [(&str, &str, &str, &str); 7] = [
        (
            "quorum_people = 1",
            "quorum_people = 3",
            "2 people can sign (seat of officer-a and seat of officer-b), the plan asks for 3 [PLAN-QUORUM]",
            "spread tokens and shares over more custodians",
        ),
        (
            "\nthreshold = 2",
            "\nthreshold = 4",
            "role `root`: threshold 4 needs 1 to 3 of the 3 keys that the plan lists [ROOT-KEYS]",
            "correct `threshold` or `keys` in `[root]`",
        ),
        (
            root,
            "keys = [\"root-a\", \"root-b\", \"root-c\", \"root-x\"]",
            "key `root-x` in `[root]` is neither in the plan nor in the trust folder [ROOT-KEYS]",
            "add a `[[key]]`, or correct the name",
        ),
        (
            "[when]",
            after,
            "the plan follows 4c9184f37cff01bcdc32dc486ec36961f7d45a1b3b9b0d1d3d4c5c2b0d3a9b11, and no trust folder is here [PLAN-AFTER]",
            "bring the trust folder that the plan follows, or the plan that follows this one",
        ),
        (
            "ceremony = \"genesis\"",
            "ceremony = \"rotate\"",
            "a rotate follows a ceremony, and no trust folder is here [PLAN-AFTER]",
            "name the trust folder in room.toml, and `after` in the plan",
        ),
        (
            &old_end,
            &near_end,
            &near_told,
            "set `certificates_until` two years after `expires`, or later",
        ),
        (
            "certificate_name = \"gun\"",
            "certificate_name = \"localhost:9999/*\"",
            "certificate name `localhost:9999/*` does not cover `localhost:5000/one` [ROOT-SHARED]",
            "give it a plan of its own, or every repository its own certificates",
        ),
    ];
    for (old, new, told, hint) in rows {
        refused(&bench, &plan, (old, new), 1, (told, hint));
    }
    // Its proofs would be for another repository, so there are none.
    bench.lay_plan(&plan.replace("localhost:5000/one", "registry.example.com/one"), &[]);
    bench.refuses(
        1,
        "`registry.example.com/one` is no name for a practice [PRACTICE-NAMES]",
        "a practice names hosts `localhost`, `127.0.0.1`, or below `.test` or `.invalid`",
    );
    // Whatever does not end at a whole host or segment covers the names of others.
    for name in ["*", "lo*", "localhost:5000*", "localhost:5000/o*", "/*", "localhost:5000//*"] {
        let told = format!(
            "plan.toml:{}: `certificate_name` is `{name}`, expected `gun`, or a host, whole segments and `/*`, at most 255 bytes",
            line(&plan, "[root]")
        );
        let new = format!("certificate_name = \"{name}\"");
        refused(&bench, &plan, ("certificate_name = \"gun\"", &new), 2, (&told, FORM));
    }
    refused(
        &bench,
        &plan,
        ("certificate_name = \"gun\"", "certificate_name = \"registry.example.com/*\""),
        1,
        (
            "`registry.example.com/*` is no name for a practice [PRACTICE-NAMES]",
            "a practice names hosts `localhost`, `127.0.0.1`, or below `.test` or `.invalid`",
        ),
    );
    // No root would vouch for it in a later ceremony.
    let told = format!(
        "plan.toml:{}: key `root-c` is made, and `keys` in `[root]` does not list it",
        line(&plan, "[root]")
    );
    refused(&bench, &plan, (root, "keys = [\"root-a\", \"root-b\"]"), 2, (&told, FORM));
    // A practice's answers come from a file; a ceremony's never do.
    bench.lay_plan(&plan.replace("practice = true\n", ""), &[Role::Targets]);
    bench.refuses(
        1,
        "answers come from a file only in a practice [PRACTICE-ONLY]",
        "leave out --answers, and answer on the terminal",
    );
}

#[test]
fn shares_that_one_person_or_too_few_could_use_are_refused() {
    let (bench, plan) = genesis(&in_shares());
    let shares = "threshold = 3, tokens";
    for (k, told) in [
        (1, "key `root-s`: 1 of 5 shares, expected 2 or more and at most all [SHARE-THRESHOLD]"),
        (6, "key `root-s`: 6 of 5 shares, expected 2 or more and at most all [SHARE-THRESHOLD]"),
    ] {
        let hint = "correct `threshold` or the holders of its `shares`";
        let new = format!("threshold = {k}, tokens");
        refused(&bench, &plan, (shares, &new), 1, (told, hint));
    }
    refused(
        &bench,
        &plan,
        ("custodian = \"seat of share-2\"", "custodian = \"seat of share-1\""),
        1,
        (
            "key `root-s`: seat of share-1 holds two shares, on `share-1` and `share-2` [SHARE-HOLDER]",
            "give each share of a set to another custodian",
        ),
    );
    refused(
        &bench,
        &plan,
        ("\"share-1\", \"share-2\"", "\"share-1\", \"share-1\""),
        2,
        (
            &format!(
                "plan.toml:{}: key `root-s` has two shares on one token",
                line(&plan, "name = \"root-s\"") - 1
            ),
            FORM,
        ),
    );
    let many: String = (3..=33).map(|n| format!(", \"share-{n}\"")).collect();
    refused(
        &bench,
        &plan,
        (", \"share-3\", \"share-4\", \"share-5\"", &many),
        2,
        (
            &format!(
                "plan.toml:{}: key `root-s` has 33 shares, at most 32",
                line(&plan, "name = \"root-s\"") - 1
            ),
            FORM,
        ),
    );
}

#[test]
fn a_plan_of_more_seats_than_can_be_counted_is_refused() {
    let keys: Vec<(&str, &str)> =
        (1..=21).map(|n| (&*format!("root-{n}").leak(), &*format!("officer-{n}").leak())).collect();
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens: Vec<&str> = keys.iter().map(|(_, token)| *token).collect();
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "");
    let text = PlanText {
        root: keys.iter().map(|(key, _)| *key).collect(),
        keys: keys.iter().map(|(k, t)| (*k, "ecdsa-p256", Holding::Token(t))).collect(),
        ..on_tokens()
    };
    bench.write_plan(&text);
    bench.refuses(
        1,
        "21 seats hold keys or shares, and who can sign is counted for at most 20 [PLAN-QUORUM]",
        "give fewer seats a part",
    );
}

#[test]
fn a_token_of_another_custodian_than_custody_says_is_refused() {
    let bench = after_genesis(Dialect::Tuf);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let text = PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![("root-d", "ecdsa-p256", Holding::Token("officer-a"))],
        root: vec!["root-d", "root-b"],
        roles: Vec::new(),
        ..on_tokens()
    };
    let plan = std::fs::read_to_string(bench.write_plan(&text)).unwrap();
    let seats = ("seat of officer-a", "seat of somebody");
    let told = "`officer-a` is held by `seat of officer-a` by the trust folder, by `seat of somebody` in the plan";
    refused(&bench, &plan, seats, 2, (told, "name the custodian who holds it"));
}

#[test]
fn one_root_key_for_repositories_of_different_owners_is_refused() {
    let bench = Bench::new(Dialect::Tuf, &["a.test", "b.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let mut request = bench.request(&Default::default());
    let other = super::Publisher::new();
    let second = request.repositories.values_mut().nth(1).unwrap();
    second.keys.insert(Role::Targets, vec![other.public()]);
    let digest = bench.lay_request(&request);
    let plan = bench.plan_toml(&on_tokens(), digest);
    // The second repository's own pin and proof.
    let id = bench.online[&Role::Targets].public().id().to_string();
    let at = plan.rfind(&id).unwrap();
    let plan = format!("{}{}{}", &plan[..at], other.public().id(), &plan[at + id.len()..]);
    bench.lay_plan(&plan, &[Role::Targets]);
    bench.lay_proof("b.test", Role::Targets, &other, plan.as_bytes());
    bench.refuses(
        1,
        "`a.test` and `b.test` would share root keys, and have different targets keys [ROOT-SHARED]",
        "nothing in a root names its repository: whoever owns one could take over the other",
    );
}

#[test]
fn one_root_key_for_a_repository_of_another_owner_in_a_later_plan_is_refused() {
    // A second repository in a second plan, with the keys of the first and somebody else's targets.
    let mut bench = after_genesis(Dialect::Tuf);
    bench.repositories = vec!["other.test".to_owned()];
    bench.online.insert(Role::Targets, super::Publisher::new());
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let text = PlanText {
        after: Some(bench.closing(1)),
        keys: vec![("root-d", "ecdsa-p256", Holding::Token("officer-c"))],
        root: vec!["root-a", "root-d"],
        ..on_tokens()
    };
    bench.write_plan(&text);
    bench.refuses(
        1,
        "`other.test` and `repo.test` would share root keys, and have different targets keys [ROOT-SHARED]",
        "nothing in a root names its repository: whoever owns one could take over the other",
    );
}

#[test]
fn a_wildcard_over_a_repository_of_an_earlier_plan_and_another_owner_is_refused() {
    let mut bench = after_genesis(Dialect::Notary);
    bench.repositories = vec!["localhost:5000/two".to_owned()];
    bench.online.insert(Role::Targets, super::Publisher::new());
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let text = PlanText {
        after: Some(bench.closing(1)),
        keys: vec![("root-d", "ecdsa-p256", Holding::Token("officer-c"))],
        root: vec!["root-d"],
        threshold: 1,
        ..on_tokens()
    };
    let plan = std::fs::read_to_string(bench.write_plan(&text)).unwrap();
    refused(
        &bench,
        &plan,
        ("certificate_name = \"gun\"", "certificate_name = \"localhost:5000/*\""),
        1,
        (
            "`localhost:5000/one` and `localhost:5000/two` would share root keys, and have different targets keys [ROOT-SHARED]",
            "nothing in a root names its repository: whoever owns one could take over the other",
        ),
    );
}

#[test]
fn a_room_or_answers_that_cannot_be_read_are_refused_with_their_line() {
    let (bench, _) = genesis(&PlanText {
        keys: vec![("root-a", "ecdsa-p256", Holding::Token("officer-a"))],
        root: vec!["root-a"],
        threshold: 1,
        ..on_tokens()
    });
    let room = std::fs::read_to_string(bench.path("room-1.toml")).unwrap();
    let hint = "correct the room file; docs/format.md shows every field";
    let twice = room.replace("\"tokens/officer-b\"", "\"tokens/officer-a\"");
    for (text, told) in [
        (format!("pin = \"1\"\n{room}"), "room-1.toml:1: unknown field `pin`"),
        (format!("work = \"x\"\n{room}"), "room-1.toml:2: duplicate key"),
        (twice, "room-1.toml:16: folder `tokens/officer-a` stands here twice"),
        (
            room.replace("name = \"officer-b\"", "name = \"officer-a\""),
            "room-1.toml:14: name `officer-a` stands here twice",
        ),
    ] {
        bench.scratch.file("room-1.toml", text);
        bench.refuses(2, told, hint);
    }
    bench.scratch.file("room-1.toml", room);
    bench.scratch.file("answers-1.toml", "[pin]\nofficer-a = \"\"\n");
    bench.refuses(
        2,
        "answers-1.toml:2: a PIN is 1 to 255 bytes of text without control characters",
        "correct the file of answers",
    );
}
