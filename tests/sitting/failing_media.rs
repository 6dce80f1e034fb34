//! Media that fill, turn read-only, vanish or lie at each thing that a ceremony does to them: the right three lines,
//! and `resume` onto fresh media finishes.

use std::fs;

use officiant::root::{Dialect, Role};

use super::{Bench, Holding, PlanText};
use crate::harness::{
    command::Ran,
    lying::LyingMedium,
    media::{Medium, may_mount},
};

/// What stands once the key has signed.
const SIGNED: &str = "1 key signed, recorded; nothing is on out media; `resume` goes on at step ";
/// What stands once one of the media has it all.
const WHOLE: &str = "everything is signed, and the trust folder is whole on `media/out-1a`";
const TOKENS: [&str; 1] = ["officer-a"];

/// A first TUF root by one key on one token: the shortest ceremony that there is.
fn bench() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&PlanText {
        ceremony: "genesis",
        after: None,
        keys: vec![("root-a", "ecdsa-p256", Holding::Token("officer-a"))],
        root: vec!["root-a"],
        threshold: 1,
        roles: Role::ONLINE.to_vec(),
        extra: String::new(),
    });
    bench
}

/// Three lines, exit code 3, the media named, and a standing line that tells the truth.
#[track_caller]
fn told(bench: &Bench, ran: &Ran, lie: &str, media: &str, standing: &[&str]) {
    let told = bench.told(ran);
    let last: Vec<&str> = told.lines().rev().take(3).collect();
    assert_eq!(ran.code(), 3, "{lie}: {told}");
    assert!(last[2].starts_with("error: media `") && last[2].contains(media), "{lie}: {last:?}");
    assert!(last[1].starts_with("hint: "), "{lie}: {last:?}");
    assert!(standing.iter().any(|line| last[0].starts_with(line)), "{lie}: {last:?}");
}

/// The operations of a run in peace, each with one way to go wrong.
fn lies(operations: &[String]) -> Vec<String> {
    let ways = ["fail EIO", "vanish", "fail ENOSPC", "fail EROFS"];
    let wrong = |(at, line): (usize, &String)| {
        let mut words = line.split(' ');
        let (number, kind) = (words.next().unwrap(), words.next().unwrap());
        let way = match (kind, at % 5) {
            ("write", 0) => "flip",
            ("write", 1) => "lose",
            _ => ways[at % 4],
        };
        format!("{kind} {number} {way}")
    };
    operations.iter().enumerate().map(wrong).collect()
}

/// Puts a media that lies in the place of another, marked; returns it with the number of operations that took.
fn put(bench: &Bench, media: &str, kind: &str, lies: &[&str]) -> (LyingMedium, usize) {
    let _ = fs::remove_dir_all(bench.path(media));
    let medium = LyingMedium::new(&bench.scratch, media, lies);
    fs::write(medium.path().join("officiant-media"), format!("{kind}\n")).unwrap();
    let before = medium.operations().len();
    (medium, before)
}

/// Lets a ceremony stop at every operation on one media, and finish on a fresh one.
fn stop_at_every_operation(media: &str, kind: &str, first: &str, standing: &[&str]) {
    let bench = bench();
    let operations = {
        let peace = self::bench();
        let (medium, before) = put(&peace, media, kind, &[]);
        peace.conduct().ok();
        medium.operations()[before..].to_vec()
    };
    assert!(operations.len() > 10, "{operations:?}");
    // The first refusal leaves a ceremony that waits at the media's step; the others only resume it.
    let (medium, _) = put(&bench, media, kind, &[first]);
    told(&bench, &bench.conduct(), first, media, standing);
    drop(medium);
    let mut stopped = 0;
    for lie in lies(&operations) {
        let (medium, _) = put(&bench, media, kind, &[&lie]);
        let ran = bench.resume();
        drop(medium);
        if ran.status.success() {
            // What happens after the ceremony's last word on this media.
            break;
        }
        told(&bench, &ran, &lie, media, standing);
        stopped += 1;
    }
    assert!(stopped > 5, "{stopped} of {}", operations.len());
    let _ = fs::remove_dir_all(bench.path(media));
    bench.scratch.file(&format!("{media}/officiant-media"), format!("{kind}\n"));
    bench.resume().ok();
    bench.officiant(&["verify", "media/out-1b"]).ok();
}

#[test]
fn out_media_may_fail_vanish_or_lie_at_any_operation() {
    if !may_mount("out_media_may_fail_vanish_or_lie_at_any_operation") {
        return;
    }
    stop_at_every_operation("media/out-1a", "out", "mkdir 1 fail ENOSPC", &[SIGNED, WHOLE]);
}

#[test]
fn room_media_may_fail_vanish_or_lie_at_any_operation() {
    if !may_mount("room_media_may_fail_vanish_or_lie_at_any_operation") {
        return;
    }
    // It takes the candidates before anything is signed, and the custody folder at the end.
    let drafted = "nothing was signed; the record holds what was done; `resume` goes on at step ";
    let standing = &[drafted, SIGNED, WHOLE];
    stop_at_every_operation("media/room-2", "room", "mkdir 1 fail ENOSPC", standing);
}

#[test]
fn a_full_or_read_only_media_is_called_so() {
    if !may_mount("a_full_or_read_only_media_is_called_so") {
        return;
    }
    let bench = bench();
    let media = "media/out-1b";
    fs::remove_dir_all(bench.path(media)).unwrap();
    let medium = Medium::full_at(&bench.scratch, media, 16);
    fs::write(medium.path().join("officiant-media"), "out\n").unwrap();
    let standing = &[WHOLE];
    let ran = bench.conduct();
    told(&bench, &ran, "full", media, standing);
    assert!(bench.told(&ran).contains("error: media `media/out-1b` is full at `"));
    assert!(bench.told(&ran).contains("hint: use a larger or an empty volume\n"));
    medium.turn_read_only();
    let ran = bench.resume();
    told(&bench, &ran, "read-only", media, standing);
    assert!(bench.told(&ran).contains("error: media `media/out-1b` is read-only, `"));
    drop(medium);
    bench.scratch.file(&format!("{media}/officiant-media"), "out\n");
    bench.resume().ok();
}

#[test]
fn a_work_folder_that_fails_is_gone_on_with_when_it_works_again() {
    if !may_mount("a_work_folder_that_fails_is_gone_on_with_when_it_works_again") {
        return;
    }
    let operations = {
        let peace = bench();
        let medium = LyingMedium::new(&peace.scratch, "work-1", &[]);
        peace.conduct().ok();
        medium.operations()
    };
    let kinds = ["create", "write", "sync", "rename", "mkdir"];
    let chosen = operations.iter().filter(|line| kinds.iter().any(|kind| line.contains(kind)));
    for (at, line) in chosen.enumerate().filter(|(at, _)| at % 11 == 5) {
        let mut words = line.split(' ');
        let (number, kind) = (words.next().unwrap(), words.next().unwrap());
        let way = ["fail EIO", "fail ENOSPC", "fail EROFS"][at % 3];
        let lie = format!("{kind} {number} {way}");
        let bench = bench();
        let _medium = LyingMedium::new(&bench.scratch, "work-1", &[&lie]);
        let ran = bench.conduct();
        if ran.status.success() {
            continue;
        }
        told(&bench, &ran, &lie, "work-1", &[""]);
        if fs::read(bench.path("work-1/record.jsonl")).is_ok_and(|record| !record.is_empty()) {
            bench.resume().ok();
        } else {
            bench.conduct().ok();
        }
    }
}
