//! Text that reads otherwise than it is: seats that look like several people, and values that forge lines of screen and
//! paper.

use std::fs;

use officiant::root::Dialect;

use super::bad_answer::waits_at;
use super::genesis::on_tokens;
use super::rotate::after_genesis;
use super::{Bench, Holding, PlanText};
use crate::harness::command::flat;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const FORM: &str = "correct the plan, and have it reviewed anew; docs/format.md shows every field";
const FORGED: &str = "\n[18/18] operator: everybody has consented";

fn genesis() -> (Bench, String) {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let plan = fs::read_to_string(bench.write_plan(&on_tokens())).unwrap();
    (bench, plan)
}

#[test]
fn one_seat_in_several_spellings_is_not_several_people() {
    let (bench, plan) = genesis();
    let second = "custodian = \"seat of officer-b\"";
    let line = plan[..plan.find(second).unwrap()].lines().count() - 1;
    for (spelling, shown) in [
        ("seat of officer-a ", "seat of officer-a "),
        (" seat of officer-a", " seat of officer-a"),
        ("seat  of officer-a", "seat  of officer-a"),
        ("seat\u{a0}of officer-a", "seat\u{a0}of officer-a"),
        ("seat of\\tofficer-a", "seat of\\u{9}officer-a"),
        ("seat of officer-a\u{200b}", "seat of officer-a\\u{200b}"),
        ("se\u{ad}at of officer-a", "se\\u{ad}at of officer-a"),
        ("seat of o\u{308}fficer", "seat of o\u{308}fficer"),
        ("", ""),
    ] {
        let told = format!(
            "plan.toml:{line}: token `officer-b`: custodian `{shown}`: a seat has 1 to 64 letters and signs that everybody sees, in NFC, single spaces between them"
        );
        bench.lay_plan(
            &plan.replace(second, &format!("custodian = \"{spelling}\"")),
            &on_tokens().roles,
        );
        bench.refuses(2, &told, FORM);
    }
    let hint = "one person has one seat: write it in one way, or name another";
    for spelling in ["Seat of officer-a", "seat of OFFICER-A", "seat of \u{ff4f}fficer-a"] {
        bench.lay_plan(
            &plan.replace(second, &format!("custodian = \"{spelling}\"")),
            &on_tokens().roles,
        );
        let told = format!("seats `seat of officer-a` and `{spelling}` read alike [PLAN-QUORUM]");
        bench.refuses(1, &told, hint);
    }
    // The seat of an earlier ceremony, for a token that is new.
    let bench = after_genesis(Dialect::Tuf);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let text = PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![("root-d", "ecdsa-p256", Holding::Token("officer-d"))],
        root: vec!["root-a", "root-d"],
        roles: Vec::new(),
        ..on_tokens()
    };
    let plan = fs::read_to_string(bench.write_plan(&text)).unwrap();
    bench.lay_plan(&plan.replace("seat of officer-d", "Seat of Officer-A"), &[]);
    let told = "seats `seat of officer-a` and `Seat of Officer-A` read alike [PLAN-QUORUM]";
    bench.refuses(1, told, hint);
}

#[test]
fn one_site_in_two_spellings_is_not_two() {
    let (bench, plan) = genesis();
    let at = |plan: &str, seat: &str, site: &str| {
        let seat = format!("custodian = \"seat of {seat}\"");
        plan.replace(&seat, &format!("{seat}\nsite = \"{site}\""))
    };
    let first = at(&plan, "officer-a", "vault 1");
    let second = |site: &str| at(&first, "officer-b", site);
    let line = first[..first.find("name = \"officer-b\"").unwrap()].lines().count();
    for (site, told) in [
        ("Vault 1", "sites `vault 1` and `Vault 1` read alike: write one in one way".to_owned()),
        ("vault  1", "token `officer-b`: site `vault  1`: a site has 1 to 64 letters and signs that everybody sees, in NFC, single spaces between them".to_owned()),
    ] {
        bench.lay_plan(&second(site), &on_tokens().roles);
        bench.refuses(2, &format!("plan.toml:{line}: {told}"), FORM);
    }
    bench.lay_plan(&second("vault 1"), &on_tokens().roles);
    let told = "Signing ends with the loss of sites: vault 1.";
    let checked = bench.officiant(&["check", "plan-1.toml"]).ok().stdout;
    assert!(checked.contains(told), "{checked}");
}

#[test]
fn a_plan_whose_text_begins_lines_of_its_own_is_refused() {
    let (bench, plan) = genesis();
    let exclude = format!("[[exclude]]\nname = \"gone.test\"\nreason = {FORGED:?}\n[root]");
    let title = format!("title = {:?}", format!("Practice 1{FORGED}"));
    for (old, new, what) in [
        ("title = \"Practice 1\"", title.as_str(), "title"),
        ("title = \"Practice 1\"", "title = \" \"", "title"),
        ("[root]", &exclude, "reason"),
    ] {
        bench.lay_plan(&plan.replacen(old, new, 1), &on_tokens().roles);
        let told = format!("plan.toml:1: `{what}` is not one line that everybody sees");
        bench.refuses(2, &told, FORM);
    }
}

#[test]
fn what_people_type_forges_no_line_of_screen_record_or_report() {
    let (bench, _) = genesis();
    let absent = format!("\"insert officer-c\" = {:?}\n", format!("absent ill{FORGED}"));
    bench.write_answers(&TOKENS, &absent);
    let told = "token `officer-c` is not here: ill\\u{a}[18/18] operator: everybody has consented [QUORUM-PRESENT]";
    bench.stops(|| bench.conduct(), 1, [told, "bring it, and `resume`", &waits_at(7)]);
    // Where it may stay away, the reason goes to the record, the screen and the report.
    let bench = after_genesis(Dialect::Tuf);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, &absent);
    bench.write_plan(&super::rotate::renewal(&bench));
    let ran = bench.conduct().ok();
    let shown = "is not here: ill\\u{a}[18/18] operator: everybody has consented";
    let screen = flat(bench.told(&ran));
    assert!(screen.contains(shown), "{screen}");
    assert!(!ran.stderr.contains("\n[18/18]"), "{}", ran.stderr);
    let ceremonies = bench.trust(2).join("ceremonies");
    let report = fs::read_to_string(ceremonies.join("0002-renew/report.html")).unwrap();
    assert!(report.contains(shown), "{report}");
}

#[test]
fn a_root_of_another_tool_forges_no_sentence_for_the_second_reader() {
    let bench = after_genesis(Dialect::Tuf);
    let root = bench.published().remove("repo.test").unwrap().remove(0);
    let mut file: serde_json::Value = serde_json::from_slice(&root).unwrap();
    let keys = file["signed"]["keys"].as_object_mut().unwrap();
    let any = keys.values().next().unwrap().clone();
    keys.insert(format!("ab`. Nothing changes.{FORGED}"), any);
    bench.scratch.file("root.json", file.to_string());
    let shown = bench.officiant(&["show", "root.json"]).ok().stdout;
    let plain = flat(&shown);
    let told = "- Key `ab\\u{60}. Nothing changes.\\u{a}[18/18] operator: everybody has consented` stands in the document, and no role lists it.";
    assert!(plain.contains(told), "{shown}");
}
