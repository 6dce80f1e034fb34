//! What is known of an abandon before it is held: its steps follow from the work folder that it closes.

use std::collections::BTreeSet;

use officiant::root::Dialect;

use super::Bench;
use super::abandon::write_abandon;
use super::genesis::on_tokens;
use super::paper::rows;
use crate::harness::command::flat;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];

/// A genesis that stopped at its reading, and the plan that abandons it.
fn abandoning() -> Bench {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    bench.write_answers(&TOKENS, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, None);
    bench
}

#[test]
fn an_abandon_has_no_script_and_no_outlook_without_its_room() {
    let bench = abandoning();
    for verb in ["check", "script"] {
        let ran = bench.officiant(&[verb, "plan-2.toml"]);
        assert_eq!(
            ran.stderr,
            "error: the plan abandons a ceremony whose work folder is not here\n\
             hint: `--room` names the room file, whose `unfinished` is that work folder\n\
             nothing was signed and nothing was written\n"
        );
        assert_eq!((ran.code(), ran.stdout.as_str()), (2, ""));
    }
}

#[test]
fn script_outlook_screen_and_report_of_an_abandon_count_the_same_steps() {
    let bench = abandoning();
    let script = bench.officiant(&["script", "plan-2.toml", "--room", "room-2.toml"]).ok().stdout;
    let outlook = bench.officiant(&["check", "plan-2.toml", "--room", "room-2.toml"]).ok().stdout;
    let screen = bench.conduct().ok().stderr;
    let report = bench.officiant(&["report", "media/out-2a"]).ok().stdout;
    // Plan, clock, room, what was left; three tokens; close and export.
    let expected: BTreeSet<u32> = (1..=9).collect();
    assert_eq!(rows(&script), expected, "{script}");
    assert_eq!(rows(&report), expected, "{report}");
    for number in expected {
        assert!(screen.contains(&format!("\n[{number}/9] ")), "{number}: {screen}");
    }
    let outlook = flat(&outlook);
    assert!(outlook.contains("steps 1 to 9, in 3 parts"), "{outlook}");
    let told = "The unfinished ceremony is the one that the plan names, and no token meant to sign in it, or its roots are complete and stay in the room.";
    assert!(outlook.contains(told), "{outlook}");
    for paper in [flat(&script), outlook] {
        for said in ["can sign", "can stop", "request is the one", "0 repositories"] {
            assert!(!paper.contains(said), "{said}: {paper}");
        }
    }
}
