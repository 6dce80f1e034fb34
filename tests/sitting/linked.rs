//! Media that are not what they seem: links to others, pipes, and two that are one.

use std::fs;
use std::os::unix::fs::symlink;

use officiant::{digest::Digest, root::Dialect};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::bad_token::as_a_ceremony;
use super::genesis::on_one_token;
use super::officer::Officer;
use super::{Bench, PlanText};
use crate::harness::{
    command::{command, run},
    media::{Medium, may_mount},
    scratch::Scratch,
    shim::Shim,
    softhsm::MODULE,
};

const TOKENS: [&str; 1] = ["officer-a"];
const PLAIN: &str = "hint: media carries plain files and folders alone; have it written again";

fn genesis() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_one_token());
    bench
}

#[track_caller]
fn refuses_link(bench: &Bench, name: &str) {
    let ran = bench.conduct();
    let told = bench.told(&ran);
    let expected =
        format!("error: `{name}` is a symbolic link, expected a regular file or folder\n{PLAIN}\n");
    assert!(told.contains(&expected), "{told}");
    assert_eq!(ran.code(), 3);
}

#[test]
fn a_folder_that_is_a_link_to_the_other_media_is_no_second_copy() {
    let bench = genesis();
    let link = bench.path("media/out-1b/trust");
    symlink("../out-1a/trust", &link).unwrap();
    refuses_link(&bench, "media/out-1b/trust");
    fs::remove_file(link).unwrap();
    bench.resume().ok();
    let mut same = command("diff", bench.scratch.path());
    run(same.args(["-r", "media/out-1a", "media/out-1b"])).ok();
}

#[test]
fn the_custody_folder_is_written_behind_no_link() {
    let bench = genesis();
    let link = bench.path("media/room-2/custody");
    symlink("../in-1", &link).unwrap();
    refuses_link(&bench, "media/room-2/custody");
    // Serials and labels never leave the room.
    assert!(!bench.path("media/in-1/tokens").exists());
    fs::remove_file(link).unwrap();
    bench.resume().ok();
    assert!(bench.path("media/room-2/custody/tokens").is_dir());
}

#[test]
fn a_pipe_on_media_is_named_and_makes_nobody_wait() {
    for (name, found) in [
        ("media/in-1/officiant-media", "a device, expected a regular file"),
        ("media/in-1/request/pipe", "a pipe, expected a regular file or folder"),
        ("media/in-1/proofs", "a pipe, expected a regular file or folder"),
        ("media/in-1/request-2", "a pipe, expected a regular file or folder"),
    ] {
        let bench = genesis();
        let path = bench.path(name);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        let ran = bench.conduct();
        let told = format!("error: `{name}` is {found}\n{PLAIN}\n{}\n", super::refused::NOTHING);
        assert_eq!((bench.told(&ran), ran.code()), (told, 3));
    }
}

#[test]
fn two_places_that_lead_to_one_folder_are_one_media() {
    let bench = genesis();
    let second = bench.path("media/out-1b");
    fs::remove_dir_all(&second).unwrap();
    symlink("out-1a", &second).unwrap();
    let ran = bench.conduct();
    let told = "error: media `media/out-1a` and `media/out-1b` are one folder [MEDIA-TWO]\n\
                hint: put each on a stick of its own, and mount each at its own place\n";
    assert!(bench.told(&ran).contains(told), "{}", ran.stderr);
    assert_eq!(ran.code(), 1);
    assert_eq!(fs::read_dir(bench.path("media/out-1a")).unwrap().count(), 1, "it was written");
    fs::remove_file(second).unwrap();
    bench.scratch.file("media/out-1b/officiant-media", "out\n");
    bench.resume().ok();
}

/// A ceremony that is no practice: its token says that it is a real one, and its plan pins the module that says so.
fn for_real(scratch: &Scratch) -> (Bench, Shim) {
    let rule = "C_GetTokenInfo every after model Maker_of_tokens Hard_1";
    let shim = Shim::before(scratch, "all", MODULE, &[rule]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&TOKENS, shim.module().to_str().unwrap());
    let pinned = format!("modules = [\"{}\"]\n", Digest::of(&fs::read(shim.module()).unwrap()));
    as_a_ceremony(&bench, &PlanText { extra: pinned, ..on_one_token() });
    (bench, shim)
}

#[test]
fn a_ceremony_takes_no_two_media_on_one_disk() {
    let scratch = Scratch::new();
    let (bench, shim) = for_real(&scratch);
    let refused = |ended: &str, first: &str, second: &str| {
        let top = bench.scratch.path().display();
        let told = format!(
            "error: media `{top}/media/{first}` and `{top}/media/{second}` are one file system [MEDIA-TWO]\n\
             hint: put each on a stick of its own, and mount each at its own place\n"
        );
        assert!(ended.contains(&told), "{ended}");
    };
    let room = bench.path("room-1.toml");
    let text = fs::read_to_string(&room).unwrap();
    bench.scratch.file("media/in-2/officiant-media", "in\n");
    let two = text.replace("in = [\"media/in-1\"]", "in = [\"media/in-1\", \"media/in-2\"]");
    fs::write(&room, two).unwrap();
    let ended = Officer::before(&bench).sit(&bench.sitting());
    refused(&ended.transcript, "in-1", "in-2");
    assert_eq!((ended.status.code(), shim.calls()), (Some(1), Vec::new()));
    assert!(!bench.path("work-1").exists());
    fs::write(&room, text).unwrap();
    let ended = Officer::before(&bench).sit(&bench.sitting());
    refused(&ended.transcript, "room-1", "room-2");
    assert_eq!(fs::read_dir(bench.path("media/room-1")).unwrap().count(), 1, "it was written");
}

#[test]
fn a_ceremony_is_held_on_media_that_are_file_systems_of_their_own() {
    if !may_mount("a_ceremony_is_held_on_media_that_are_file_systems_of_their_own") {
        return;
    }
    let scratch = Scratch::new();
    let (bench, _shim) = for_real(&scratch);
    let mounted = ["out-1a", "out-1b", "room-1", "room-2"].map(|name| {
        let medium = Medium::full_at(&bench.scratch, &format!("media/{name}"), 4096);
        let kind = name.split('-').next().unwrap();
        fs::write(medium.path().join("officiant-media"), format!("{kind}\n")).unwrap();
        medium
    });
    let ended = Officer::before(&bench).sit(&bench.sitting());
    assert!(ended.status.success(), "{}", ended.transcript);
    assert!(ended.transcript.contains("CEREMONY: "), "{}", ended.transcript);
    bench.officiant(&["verify", "media/out-1b"]).ok();
    drop(mounted);
}
