//! The last try of a PIN, by what a token says and by our own count; and PINs that are typed on a token's own pad.

use std::fs;

use officiant::{ceremony::fact::Fact, record::Body, root::Dialect};

use super::abandon::write_abandon;
use super::bad_answer::waits_at;
use super::bad_token::renewing;
use super::genesis::on_one_token;
use super::{Bench, PlanText};
use crate::harness::{
    command::run, media::may_mount, scratch::Scratch, shim::Shim, softhsm::MODULE, yubikey::Readers,
};

/// Who said that a last try is used, each time.
fn confirmed(bench: &Bench) -> Vec<[String; 2]> {
    let record = bench.record();
    let by = record.entries().iter().filter_map(|entry| match &entry.body {
        Body::Done { fact: Fact::LastTryConfirmed { by, .. } } => Some(by.clone()),
        _ => None,
    });
    by.collect()
}

/// SoftHSM never locks, and does not say which try is the last: two wrong ones in a row are enough here.
#[test]
fn after_two_wrong_pins_the_next_is_asked_for_when_two_people_say_so() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let bench = renewing(shim.module().to_str().unwrap());
    let wrong = "[pin]\nofficer-a = \"000000\"\nofficer-b = \"135792\"\nofficer-c = \"135792\"\n";
    bench.scratch.file("answers-2.toml", wrong);
    assert_eq!((bench.conduct().code(), bench.resume().code()), (1, 1));
    assert_eq!(confirmed(&bench), Vec::<[String; 2]>::new());
    let hint = "look for the PIN, or leave this token out; `resume` asks again";
    for (answers, who) in [
        ("\"last-try officer-a\" = \"1\"\n", "seat of officer-a"),
        // One person, or one that nobody knows, is not a second one.
        ("\"last-try-other officer-a\" = \"seat of officer-a officer-a\"\n", "another person"),
        ("\"last-try-other officer-a\" = \"passer-by officer-a\"\n", "another person"),
        ("\"last-try-other officer-a\" = \"witness officer-b\"\n", "another person"),
    ] {
        bench.write_answers(&["officer-a", "officer-b", "officer-c"], answers);
        shim.rules(MODULE, &[]);
        let told = format!("{who} did not say that the last try is used [TOKEN-LAST-TRY]");
        bench.stops(|| bench.resume(), 1, [&told, hint, &waits_at(9)]);
        assert_eq!(shim.counts().get("C_Login"), None, "{answers}");
    }
    let answers = "\"last-try-other officer-a\" = \"seat of officer-b officer-a\"\n";
    bench.write_answers(&["officer-a", "officer-b", "officer-c"], answers);
    bench.resume().ok();
    let seats = ["seat of officer-a".to_owned(), "seat of officer-b".to_owned()];
    assert_eq!(confirmed(&bench), [seats]);
    let report = bench.officiant(&["report", "media/out-2a"]).ok().stdout;
    let said = "what could be the last try of token officer-a: seat of officer-a and seat of officer-b said that its PIN is asked for";
    let report = crate::harness::command::flat(&report);
    assert!(report.contains(said), "{report}");
    bench.officiant(&["verify", "media/out-2a"]).ok();
}

#[test]
fn wrong_pins_of_an_abandoned_ceremony_count_in_the_next_one() {
    let mut bench = renewing(MODULE);
    let wrong = "[pin]\nofficer-a = \"000000\"\nofficer-b = \"135792\"\nofficer-c = \"135792\"\n";
    bench.scratch.file("answers-2.toml", wrong);
    assert_eq!((bench.conduct().code(), bench.resume().code()), (1, 1));
    let again = fs::read_to_string(bench.path("plan-2.toml")).unwrap();
    let tokens = ["officer-a", "officer-b", "officer-c"];
    let first = bench.closing(1);
    bench.next_room();
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "");
    write_abandon(&bench, Some(&first));
    bench.conduct().ok();
    let third = bench.closing(3);
    bench.next_room();
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "\"last-try officer-a\" = \"no\"\n");
    bench.scratch.file("plan-4.toml", again.replace(&first, &third));
    let request = bench.path("media/in-2");
    fs::remove_dir_all(bench.path("media/in-4")).unwrap();
    fs::rename(request, bench.path("media/in-4")).unwrap();
    let ran = bench.conduct();
    let told = "seat of officer-a did not say that the last try is used [TOKEN-LAST-TRY]";
    assert!(ran.code() == 1 && ran.stderr.contains(told), "{}", ran.stderr);
}

#[test]
fn a_yubikey_that_has_one_try_left_is_asked_for_its_pin_when_two_people_say_so() {
    if !may_mount("a_yubikey_that_has_one_try_left_is_asked_for_its_pin_when_two_people_say_so") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.7.1");
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let bind = |bench: &Bench| {
        bench.write_room_bound(&["officer-a"], |_| ("yubikey = 1001\n".to_owned(), String::new()));
        bench.write_answers(&["officer-a"], "");
    };
    bind(&bench);
    bench.write_plan(&on_one_token());
    run(&mut readers.beside(&bench.conducting())).ok();
    bench.next_room();
    bind(&bench);
    let after = Some(bench.closing(1));
    let (keys, roles) = (Vec::new(), Vec::new());
    bench.write_plan(&PlanText { ceremony: "renew", after, keys, roles, ..on_one_token() });
    // Somebody, elsewhere.
    let wrong = "00:20:00:80:08:30:30:30:30:30:30:FF:FF";
    readers.send(&["00:A4:04:00:05:A0:00:00:03:08", wrong, wrong]);
    let screen = run(&mut readers.beside(&bench.conducting())).ok().stderr;
    assert!(screen.contains("PIN for token officer-a (1 try left)"), "{screen}");
    assert_eq!(confirmed(&bench), [["seat of officer-a".to_owned(), "operator".to_owned()]]);
}
