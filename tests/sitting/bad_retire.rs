//! Retirements that are refused: of what is in use, of what is not published, and of what a record makes up.

use std::fs;

use jiff::ToSpan;
use officiant::ceremony::fact::Fact;
use officiant::digest::Digest;
use officiant::record::Body;
use officiant::request::{Request, Served};
use officiant::root::Dialect;
use officiant::trust::Held;

use super::bench::today;
use super::forged::forge;
use super::reshare::custody;
use super::retire::{
    BOTH, BOTH_AT_ONCE, TOKENS, after_rotation, by_server, fetched, listed, named, refused,
    rotation, served, two, write_retire,
};
use super::{PlanText, Publisher};

#[test]
fn a_record_that_says_of_a_token_that_something_else_went_is_not_gone_on_with() {
    let bench = after_rotation(Dialect::Notary);
    write_retire(&bench, BOTH_AT_ONCE, &two(&bench));
    bench.write_answers(&TOKENS, "\"retire share-1\" = \"no\"\n");
    assert_eq!(bench.conduct().code(), 1);
    let saved = bench.save();
    bench.write_answers(&TOKENS, "");
    let other = |statement: bool| {
        bench.restore(&saved);
        forge(&bench, |body| match body.clone() {
            Body::Done {
                fact: Fact::TokenRetired { token, keys, shares, seal, statement: said },
            } => {
                let said = if statement { None } else { said };
                let keys = if statement { keys } else { Vec::new() };
                let fact = Fact::TokenRetired { token, keys, shares, seal, statement: said };
                Some(Body::Done { fact })
            }
            body => Some(body),
        });
        bench.write_answers(&TOKENS, "");
        bench.resume()
    };
    refused(
        &other(true),
        1,
        "token `officer-a` did not say what the record says that it did [TOKEN-STATEMENT]\n",
    );
    refused(
        &other(false),
        1,
        "something else was destroyed on token `officer-a` than was to go [FACT-ORDER]\n",
    );
}

#[test]
fn a_key_that_a_newest_root_lists_and_a_set_in_use_are_not_retired() {
    let bench = after_rotation(Dialect::Notary);
    write_retire(&bench, "keys = [\"root-b\"]\nhold = 0", &two(&bench));
    refused(&bench.conduct(), 1, "error: a newest root lists key `root-b` [RETIRE-LIVE]\n");
    let Held::Shares { set, .. } = &custody(&bench, 2).keys[1].held else { panic!("no shares") };
    write_retire(&bench, &format!("sets = [\"{set}\"]"), &[]);
    let what = format!("error: set {set} is the one that opens key `root-s` today [RETIRE-LIVE]\n");
    refused(&bench.conduct(), 1, &what);
    write_retire(&bench, "keys = [\"root-z\"]\nhold = 0", &two(&bench));
    refused(&bench.conduct(), 2, "error: key `root-z` is not in the trust folder\n");
}

#[test]
fn a_key_is_not_retired_before_the_newest_root_was_served_for_long_enough() {
    let bench = after_rotation(Dialect::Notary);
    let name = &bench.repositories[0];
    let now = today();
    write_retire(&bench, BOTH, &two(&bench));
    refused(
        &bench.conduct(),
        1,
        &format!(
            "error: the requests were fetched on {now} and {now}, less than 30 days apart [RETIRE-PUBLISHED]\n"
        ),
    );
    let mut early = two(&bench);
    early[0].fetched -= 24.hours();
    write_retire(&bench, BOTH_AT_ONCE, &early);
    let day = early[0].fetched.strftime("%Y-%m-%d");
    refused(
        &bench.conduct(),
        1,
        &format!(
            "error: `{name}`: a request of {day} is not from after the ceremony that made root 2 [RETIRE-PUBLISHED]\n"
        ),
    );
    let mut late = two(&bench);
    late[1].fetched += 24.hours();
    write_retire(&bench, BOTH_AT_ONCE, &late);
    let day = late[1].fetched.strftime("%Y-%m-%d");
    refused(
        &bench.conduct(),
        1,
        &format!("error: a request was fetched on {day}, and today is {now} [RETIRE-PUBLISHED]\n"),
    );
    let stranger = Publisher::new();
    type Change<'a> = &'a dyn Fn(&[Vec<u8>], &mut Option<Served>);
    let changes: [(&str, Change<'_>); 4] = [
        ("timestamp", &|_, served| *served = None),
        ("timestamp", &|_, served| {
            let there = served.as_mut().unwrap();
            let meta = named("snapshot", &there.snapshot);
            there.timestamp = by_server("Timestamp", 1, &meta, &stranger);
        }),
        ("timestamp", &|_, served| served.as_mut().unwrap().snapshot.push(b' ')),
        ("snapshot", &|roots, there| *there = Some(served(&bench, &roots[0], 1))),
    ];
    let said = [
        "is missing",
        "is not signed by the keys that are named for it",
        "names another snapshot",
        "names another root than root 2",
    ];
    for ((file, change), said) in changes.into_iter().zip(said) {
        let mut requests = two(&bench);
        for repository in requests[0].repositories.values_mut() {
            change(&repository.roots, &mut repository.served);
        }
        write_retire(&bench, BOTH_AT_ONCE, &requests);
        let what = format!(
            "error: `{name}`: the {file} in the request of {now} {said} [RETIRE-PUBLISHED]\n"
        );
        refused(&bench.conduct(), 1, &what);
    }
}

#[test]
fn a_plan_that_names_too_little_or_too_much_to_retire_is_refused_with_its_line() {
    let bench = after_rotation(Dialect::Notary);
    let set = "0".repeat(32);
    let none: [Request; 0] = [];
    let both = two(&bench);
    let one = &both[..1];
    let rows: [(String, &[Request], &str); 8] = [
        (String::new(), &none, "`[retire]` names neither `keys` nor `sets`"),
        ("keys = [\"root-a\", \"root-a\"]".into(), &both, "`[retire]` names a key or set twice"),
        ("sets = [\"0f\"]".into(), &none, "set `0f`: a set id has 32 of 0-9 and a-f"),
        (BOTH.into(), &none, "a retire of `keys` needs `[request]`"),
        (BOTH.into(), one, "a retire of Notary keys needs `second` in `[request]`"),
        (format!("sets = [\"{set}\"]"), one, "a retire of `sets` alone has no `[request]`"),
        (format!("{BOTH}\nhold = 9999"), &both, "`hold` is 9999, expected 1 to 3650 days"),
        (
            format!("sets = [\"{set}\"]\nhold = 3"),
            &none,
            "`hold` is for keys of Notary repositories alone",
        ),
    ];
    for (retire, requests, what) in rows {
        write_retire(&bench, &retire, requests);
        refused(&bench.conduct(), 2, &format!("error: plan.toml:10: {what}\n"));
    }
    for (more, what) in [
        ("[abandon]\nplan = \"PIN\"\n", "a retire has no `[abandon]`"),
        (
            "[[token]]\nname = \"officer-a\"\ncustodian = \"x\"\n",
            "a retire has no `[[token]]`, `[[paper]]` or `[[recipient]]`: custody.json says who holds what",
        ),
    ] {
        write_retire(&bench, BOTH, &both);
        let path = bench.path("plan-3.toml");
        let more = more.replace("PIN", &Digest::of(b"plan").to_string());
        let text = fs::read_to_string(&path).unwrap() + &more;
        fs::write(path, text).unwrap();
        refused(&bench.conduct(), 2, &format!("error: plan.toml:1: {what}\n"));
    }
}

#[test]
fn two_people_say_what_their_own_clients_show_where_no_server_signs() {
    let bench = after_rotation(Dialect::Tuf);
    write_retire(&bench, BOTH, &[fetched(&bench, 1)]);
    bench.rehearse().ok();
    bench.write_answers(&TOKENS, "\"published-version repo.test witness\" = \"1\"\n");
    let ran = bench.conduct();
    refused(
        &ran,
        1,
        "error: `repo.test`: the client of witness does not show root 2 [RETIRE-PUBLISHED]\n",
    );
    bench.write_answers(&TOKENS, "\"published-seat repo.test witness\" = \"operator\"\n");
    refused(
        &bench.resume(),
        1,
        "error: `repo.test`: two people did not see its newest root [RETIRE-PUBLISHED]\n",
    );
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
    assert!(!listed(&bench, "officer-a").contains("root-a"));
    bench.officiant(&["verify", "media/out-3a"]).ok();
}

#[test]
fn a_key_that_was_retired_comes_into_no_root_again() {
    let mut bench = after_rotation(Dialect::Notary);
    write_retire(&bench, BOTH_AT_ONCE, &two(&bench));
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&PlanText {
        after: Some(bench.closing(3)),
        keys: Vec::new(),
        root: vec!["root-a", "root-b"],
        ..rotation(&bench)
    });
    refused(&bench.conduct(), 1, "error: key `root-a` in `[root]` was retired [ROOT-KEYS]\n");
}
