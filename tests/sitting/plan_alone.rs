//! What the plan alone tells is refused before there is a room, and in the same words in it.

use std::fs;

use jiff::{ToSpan, civil::Date};
use officiant::{
    digest::Digest,
    root::{Dialect, Role},
};

use super::genesis::{in_shares, on_tokens};
use super::rotate::after_genesis;
use super::{Bench, Holding, PlanText};

pub(super) const FORM: &str =
    "correct the plan, and have it reviewed anew; docs/format.md shows every field";
pub(super) const NAMED: &str =
    "PLAN.TOML names the reviewed plan, with its list beside it; docs/format.md shows both";

/// A bench for a genesis, and its plan as text.
fn genesis(dialect: Dialect, text: &PlanText) -> (Bench, String) {
    let bench = Bench::new(dialect, &["localhost:5000/one"]);
    bench.write_room(&[]);
    bench.write_answers(&[], "");
    let plan = fs::read_to_string(bench.write_plan(text)).unwrap();
    (bench, plan)
}

/// `check` without a room and `conduct` refuse the plan in these words when one text in it is put in place of another.
#[track_caller]
fn refused(bench: &Bench, plan: &str, (old, new): (&str, &str), (what, hint): (&str, &str)) {
    assert!(plan.contains(old), "{old}");
    bench.lay_plan(&plan.replacen(old, new, 1), &[Role::Targets]);
    let ran = bench.officiant(&["check", "plan-1.toml"]);
    let told = format!("error: {what}\nhint: {hint}\nnothing was signed and nothing was written\n");
    let code = if what.ends_with(']') { 1 } else { 2 };
    assert_eq!((ran.code(), ran.stdout.as_str(), ran.stderr.as_str()), (code, "", told.as_str()));
    bench.refuses(code, what, hint);
}

#[test]
fn a_kind_of_ceremony_says_in_good_sentences_what_it_lacks() {
    let (bench, plan) = genesis(Dialect::Tuf, &on_tokens());
    for (kind, told) in [
        ("abandon", "plan.toml:1: an abandon needs `[abandon]`"),
        ("renew", "plan.toml:1: a renew has no `[[key]]`: the keys stay"),
    ] {
        let kind = format!("ceremony = \"{kind}\"");
        refused(&bench, &plan, ("ceremony = \"genesis\"", &kind), (told, FORM));
    }
    let token = "[[token]]\nname = \"officer-a\"\ncustodian = \"seat of officer-a\"\n";
    let told = "token `officer-a` is named by a key, and by no `[[token]]`";
    let hint = "add a `[[token]]` with its custodian for each";
    refused(&bench, &plan, (token, ""), (told, hint));
    let (bench, plan) = genesis(Dialect::Tuf, &in_shares());
    let first = plan.find("[[token]]\nname = \"share-1\"").unwrap();
    let third = plan.find("[[token]]\nname = \"share-3\"").unwrap();
    let told = "tokens `share-1` and `share-2` are named by a key, and by no `[[token]]`";
    refused(&bench, &plan, (&plan[first..third], ""), (told, hint));
}

#[test]
fn keys_that_no_token_share_or_client_takes_are_refused_before_any_token_is_initialised() {
    let key = |name: &str| format!("name = \"{name}\"\nalgorithm = \"ecdsa-p256\"");
    let (bench, plan) = genesis(Dialect::Notary, &on_tokens());
    let with = |algorithm: &str| key("root-b").replace("ecdsa-p256", algorithm);
    let line = plan[..plan.find(&key("root-b")).unwrap()].lines().count();
    for (algorithm, told) in [
        ("ed25519", "key `root-b`: a notary root takes no key of ed25519"),
        (
            "ecdsa-p521",
            "key `root-b` is of `ecdsa-p521`, expected one of `ecdsa-p256`, `ecdsa-p384`, `ed25519`, `rsa-3072` and `rsa-4096`",
        ),
        (
            "rsa-2048",
            "key `root-b` is of `rsa-2048`, expected one of `ecdsa-p256`, `ecdsa-p384`, `ed25519`, `rsa-3072` and `rsa-4096`",
        ),
    ] {
        let told = format!("plan.toml:{line}: {told}");
        refused(&bench, &plan, (&key("root-b"), &with(algorithm)), (&told, FORM));
    }
    let line = plan[..plan.find("[root]").unwrap()].lines().count() + 1;
    for name in ["one".to_owned(), "*one".to_owned(), format!("{}*", "a".repeat(255))] {
        let told = format!(
            "plan.toml:{line}: `certificate_name` is `{name}`, expected `gun`, or a host, whole segments and `/*`, at most 255 bytes"
        );
        let new = format!("certificate_name = \"{name}\"");
        refused(&bench, &plan, ("certificate_name = \"gun\"", &new), (&told, FORM));
    }
    let (bench, plan) = genesis(Dialect::Tuf, &in_shares());
    let line = plan[..plan.find(&key("root-s")).unwrap()].lines().count();
    for algorithm in ["ecdsa-p384", "rsa-3072", "rsa-4096"] {
        let told = format!(
            "plan.toml:{line}: key `root-s` of {algorithm} cannot be held in shares, expected ecdsa-p256 or ed25519"
        );
        let new = key("root-s").replace("ecdsa-p256", algorithm);
        refused(&bench, &plan, (&key("root-s"), &new), (&told, FORM));
    }
    bench.lay_plan(&plan.replace("ecdsa-p256", "ed25519"), &[Role::Targets]);
    bench.officiant(&["check", "plan-1.toml"]).ok();
}

#[test]
fn a_list_that_would_stand_where_a_ceremony_writes_is_refused_by_its_name() {
    let (bench, plan) = genesis(Dialect::Tuf, &on_tokens());
    let at = plan.find("[[repository]]").unwrap();
    let end = at + plan[at..].find("[[token]]").unwrap();
    let pins: String =
        Role::ONLINE.map(|role| format!(" {role}={}", bench.online[&role].public().id())).concat();
    let list = format!("localhost:5000/one 0 -{pins}\n");
    let named = |name: &str| {
        format!("[repositories]\nlist = \"{name}\"\nsha256 = \"{}\"\n", Digest::of(list.as_bytes()))
    };
    let line = plan[..at].lines().count() + 2;
    let rule = "the name of a list has 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`, a letter or digit first, `.txt` last";
    for name in [
        "Report.html",
        "sha256sums",
        "metadata",
        "previous",
        "ROOM.TOML",
        "trust",
        "record.jsonl",
        "proofs",
        "request",
        "unfinished",
        "custody",
        "trust-sha256sums",
        ".officiant-new-x.txt",
        "a b.txt",
        "",
        "../list.txt",
        "list.txt.",
        "list.TXT",
    ] {
        let told = format!("plan.toml:{line}: list `{name}`: {rule}");
        refused(&bench, &plan, (&plan[at..end], &named(name)), (&told, FORM));
    }
    let told = format!("plan.toml:{line}: list `Con.list.txt`: it is a device on other systems");
    refused(&bench, &plan, (&plan[at..end], &named("Con.list.txt")), (&told, FORM));
    let both = format!("{}{}", named("list.txt"), &plan[at..end]);
    let told =
        format!("plan.toml:{line}: `[repositories]` and `[[repository]]` exclude each other");
    refused(&bench, &plan, (&plan[at..end], &both), (&told, FORM));
    let told = "the plan names the list `List-1.txt`, which is not beside it";
    refused(&bench, &plan, (&plan[at..end], &named("List-1.txt")), (told, FORM));
    bench.scratch.file("List-1.txt", vec![b'#'; (16 << 20) + 1]);
    let told = "`List-1.txt` is larger than 16777216 bytes";
    refused(&bench, &plan, (&plan[at..end], &named("List-1.txt")), (told, NAMED));
    bench.scratch.file("List-1.txt", &list);
    bench.officiant(&["check", "plan-1.toml"]).ok();
}

#[test]
fn a_plan_that_is_not_there_is_a_mistake_on_the_command_line() {
    let (bench, _) = genesis(Dialect::Tuf, &on_tokens());
    for (path, what) in [
        ("plan-2.toml", "`plan-2.toml` is missing"),
        ("media", "`media` is a folder, expected a regular file"),
    ] {
        let told =
            format!("error: {what}\nhint: {NAMED}\nnothing was signed and nothing was written\n");
        for verb in [
            vec!["check", path],
            vec!["check", path, "--room", "room-1.toml"],
            vec!["script", path],
            vec!["rehearse", path, "--room", "room-1.toml"],
            vec!["conduct", path, "--room", "room-1.toml"],
        ] {
            let ran = bench.officiant(&verb);
            assert_eq!((ran.code(), ran.stderr.as_str()), (2, told.as_str()), "{verb:?}");
        }
    }
}

#[test]
fn people_names_and_certificates_are_checked_before_there_is_a_room() {
    let (bench, plan) = genesis(Dialect::Notary, &on_tokens());
    let (until, expires) = (day(&plan, "certificates_until"), day(&plan, "expires"));
    let least = expires.checked_add(2.years()).unwrap();
    let end = |day: Date| format!("certificates_until = {day}");
    let short = least.yesterday().unwrap();
    let told = format!(
        "certificates until {short}, and the root until {expires}: at least two years are needed between [CERT-OUTLIVES-ROOT]"
    );
    let hint = "set `certificates_until` two years after `expires`, or later";
    refused(&bench, &plan, (&end(until), &end(short)), (&told, hint));
    let told = "2 people can sign (seat of officer-a and seat of officer-b), the plan asks for 3 [PLAN-QUORUM]";
    let hint = "spread tokens and shares over more custodians";
    refused(&bench, &plan, ("quorum_people = 1", "quorum_people = 3"), (told, hint));
    bench.lay_plan(&plan.replace(&end(until), &end(least)), &[Role::Targets]);
    bench.officiant(&["check", "plan-1.toml"]).ok();
    let other = plan.replace("localhost:5000/one", "registry.example.com/one");
    bench.lay_plan(&other, &[]);
    let ran = bench.officiant(&["check", "plan-1.toml"]);
    let told = "error: `registry.example.com/one` is no name for a practice [PRACTICE-NAMES]\n";
    assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
}

/// The day that a field of the plan has.
fn day(plan: &str, field: &str) -> Date {
    let line = plan.lines().find_map(|line| line.strip_prefix(&format!("{field} = "))).unwrap();
    line.parse().unwrap()
}

#[test]
fn a_certificate_that_is_kept_lasts_as_long_as_the_plan_says() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&[]);
    bench.write_answers(&[], "");
    let text = PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![("root-d", "ecdsa-p256", Holding::Token("officer-d"))],
        root: vec!["root-a", "root-d"],
        roles: Vec::new(),
        ..on_tokens()
    };
    let plan = fs::read_to_string(bench.write_plan(&text)).unwrap();
    let until = day(&plan, "certificates_until");
    let check = ["check", "plan-2.toml", "--trust", "media/out-1a"];
    bench.officiant(&check).ok();
    let later = plan.replace(&until.to_string(), &until.tomorrow().unwrap().to_string());
    bench.lay_plan(&later, &[]);
    let told = "`localhost:5000/one`: the certificate of key `root-a` ends before `certificates_until` [CERT-OUTLIVES-ROOT]";
    let hint = "hold a `renew` instead: it makes new ones";
    let ran = bench.officiant(&check);
    assert!(ran.stderr.starts_with(&format!("error: {told}\nhint: {hint}\n")), "{}", ran.stderr);
    assert_eq!(ran.code(), 1);
    bench.refuses(1, told, hint);
}
