//! Media that are not what their place is for, and folders that somebody changed.

use std::fs;

use officiant::root::Dialect;

use super::Bench;
use super::bad_answer::waits_at;
use super::genesis::on_tokens;
use super::rotate::{after_genesis, renewal};
use crate::harness::command::{command, run};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const MARK: &str = "mount the media at this place; a new one is marked by a file `officiant-media` with one line: `in`, `out` or `room`";
const PLACE: &str = "put the media into the place of its own kind in room.toml";
const UNTOUCHED: &str = "bring the work folder as it was left: nothing in it is to be edited";
const EARLIER: &str = "this run did nothing; what earlier runs signed and wrote stands";

fn genesis() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_tokens());
    bench
}

/// A bench before the renewal of its second ceremony.
fn renewing() -> Bench {
    let bench = after_genesis(Dialect::Tuf);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&renewal(&bench));
    bench
}

/// What a room says at a step after everything was signed.
fn signed(step: u32) -> String {
    format!(
        "3 keys signed, recorded; out and room media are not complete; `resume` goes on at step {step}"
    )
}

#[test]
fn media_without_their_marker_or_with_anothers_are_refused() {
    let bench = genesis();
    let marker = "media/in-1/officiant-media";
    for (text, told, hint) in [
        ("out\n", "media `media/in-1` is marked `out`, expected `in` [MEDIA-KIND]", PLACE),
        (
            "inn\n",
            "media `media/in-1`: the marker file `officiant-media` says `inn`, expected `in`, `out` or `room` [MEDIA-KIND]",
            MARK,
        ),
        (
            "",
            "media `media/in-1`: the marker file `officiant-media` says ``, expected `in`, `out` or `room` [MEDIA-KIND]",
            MARK,
        ),
    ] {
        bench.scratch.file(marker, text);
        bench.refuses(1, told, hint);
    }
    fs::remove_file(bench.path(marker)).unwrap();
    let told = "media `media/in-1` has no marker file `officiant-media` [MEDIA-KIND]";
    bench.refuses(1, told, MARK);
    fs::rename(bench.path("media/in-1"), bench.path("media/gone")).unwrap();
    bench.refuses(1, told, MARK);
}

#[test]
fn room_media_in_the_place_of_out_media_and_back_are_refused_where_they_are_used() {
    let bench = genesis();
    bench.scratch.file("media/room-2/officiant-media", "out\n");
    let told = "media `media/room-2` is marked `out`, expected `room` [MEDIA-KIND]";
    bench.stops(|| bench.conduct(), 1, [told, PLACE, &waits_at(11)]);
    bench.scratch.file("media/room-2/officiant-media", "room\n");
    bench.scratch.file("media/out-1b/officiant-media", "room\n");
    let ran = bench.resume();
    let told = "error: media `media/out-1b` is marked `room`, expected `out` [MEDIA-KIND]";
    let last = format!("{told}\nhint: {PLACE}\n{}\n", signed(18));
    assert!(bench.told(&ran).ends_with(&last), "{}", ran.stderr);
    bench.scratch.file("media/out-1b/officiant-media", "out\n");
    // Another ceremony's files on it.
    bench.scratch.file("media/out-1b/trust/custody.json", "{}");
    bench.scratch.file("media/out-1b/letter.txt", "hello");
    let ran = bench.resume();
    let told = "error: media `media/out-1b` holds `letter.txt`, which this ceremony did not write [MEDIA-OWN]";
    let hint = "use a volume that holds nothing but its marker file";
    let last = format!("{told}\nhint: {hint}\n{}\n", signed(18));
    assert!(bench.told(&ran).ends_with(&last), "{}", ran.stderr);
    fs::remove_file(bench.path("media/out-1b/letter.txt")).unwrap();
    let ran = bench.resume();
    let hint = "use an empty volume; nothing is ever overwritten";
    let whole = "everything is signed, and the trust folder is whole on `media/out-1a`: keep that in the room; \
                 `resume` goes on at step 18";
    let last = format!(" [MEDIA-OWN]\nhint: {hint}\n{whole}\n");
    assert!(bench.told(&ran).ends_with(&last), "{}", ran.stderr);
    assert_eq!(fs::read(bench.path("media/out-1b/trust/custody.json")).unwrap(), b"{}");
    fs::remove_dir_all(bench.path("media/out-1b/trust")).unwrap();
    bench.resume().ok();
    let mut same = command("diff", bench.scratch.path());
    run(same.args(["-r", "media/out-1a", "media/out-1b"])).ok();
}

#[test]
fn room_media_that_differ_are_refused() {
    let bench = renewing();
    let folder = bench.path("media/room-2/custody/tokens");
    let one = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).min().unwrap();
    let text = fs::read_to_string(&one).unwrap();
    fs::write(&one, text.replace("\"label\"", "\"Label\"")).unwrap();
    let name = one.file_name().unwrap().to_str().unwrap();
    let told =
        format!("media `media/room-1` and `media/room-2` differ at `tokens/{name}` [MEDIA-TWO]");
    let hint = "find out which of the two was changed; bring a third copy if there is one";
    bench.refuses(1, &told, hint);
}

#[test]
fn a_trust_folder_with_one_changed_byte_is_refused() {
    let bench = renewing();
    let hint = "bring the trust folder as the last ceremony wrote it";
    let trust = bench.trust(1);
    for (file, told) in [
        ("custody.json", "`custody.json` is not the file that `0001-genesis` vouches for"),
        (
            "metadata/repo.test/1.root.json",
            "`metadata/repo.test/1.root.json` is not the file that `0001-genesis` vouches for",
        ),
    ] {
        let path = trust.join(file);
        let good = fs::read(&path).unwrap();
        let text = String::from_utf8(good.clone()).unwrap();
        fs::write(&path, text.replacen("ecdsa", "ecdsb", 1)).unwrap();
        let ran = bench.conduct();
        let last = format!(" [TRUST-FOLDER]\nhint: {hint}\n{}\n", super::refused::NOTHING);
        assert!(bench.told(&ran).ends_with(&last), "{}", ran.stderr);
        assert_eq!(ran.code(), 1);
        // In the same form, with another value.
        fs::write(&path, text.replacen("\"officer-a\"", "\"officer-x\"", 1)).unwrap();
        if fs::read(&path).unwrap() != good {
            bench.refuses(1, &format!("{told} [TRUST-FOLDER]"), hint);
        }
        fs::write(&path, good).unwrap();
    }
    fs::write(trust.join("notes.txt"), "hello").unwrap();
    let told = "`notes.txt` is in the trust folder, and no ceremony vouches for it [TRUST-FOLDER]";
    bench.refuses(1, told, hint);
}

#[test]
fn a_plan_for_another_past_is_refused() {
    let bench = renewing();
    let plan = fs::read_to_string(bench.path("plan-2.toml")).unwrap();
    let (closing, other) = (bench.closing(1), "a".repeat(64));
    bench.lay_plan(&plan.replace(&closing, &other), &[]);
    let told =
        format!("the plan follows {other}, the trust folder ends with {closing} [PLAN-AFTER]");
    let hint = "bring the trust folder that the plan follows, or the plan that follows this one";
    bench.refuses(1, &told, hint);
}

#[test]
fn a_work_folder_that_somebody_edited_is_not_gone_on_with() {
    let bench = genesis();
    bench.write_answers(&TOKENS, "\"insert officer-c\" = \"absent on the train\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.write_answers(&TOKENS, "");
    let refused = |told: &str, hint: &str| {
        let ran = bench.resume();
        let lines = format!("error: {told}\nhint: {hint}\n{EARLIER}\n");
        assert_eq!((bench.told(&ran), ran.code()), (lines, 1));
    };
    let edit = |file: &str, from: &str, to: &str| {
        let path = bench.path(file);
        let good = fs::read_to_string(&path).unwrap();
        assert!(good.contains(from), "{good}");
        fs::write(&path, good.replacen(from, to, 1)).unwrap();
        good
    };
    let good = edit("work-1/inputs.tar", "threshold = 2", "threshold = 1");
    let told =
        "the inputs in the work folder are not those that the record began with [MEDIA-ONCE]";
    refused(told, UNTOUCHED);
    bench.scratch.file("work-1/inputs.tar", good);
    let whole = "find the machine or media that holds the whole record";
    let good = edit("work-1/record.jsonl", "\"wrong\":0", "\"wrong\":1");
    refused("record line 3 does not continue the line before it [RESUME-HEAD]", whole);
    bench.scratch.file("work-1/record.jsonl", &good);
    // A second ceremony in the same work folder.
    let ran = bench.conduct();
    let told = "error: `work-1` holds the record of a ceremony [MEDIA-OWN]\n\
                hint: `officiant resume` goes on with it; a new ceremony needs another work folder\n";
    assert_eq!(bench.told(&ran), format!("{told}{}\n", super::refused::NOTHING));
    bench.resume().ok();
}

#[test]
fn what_is_missing_is_named() {
    let bench = genesis();
    fs::remove_file(bench.path("plan-1.toml")).unwrap();
    bench.refuses(2, "`plan-1.toml` is missing", super::plan_alone::NAMED);
    let ran = bench.resume();
    let told = "error: `work-1` holds no record of a ceremony\n\
                hint: begin one with `officiant conduct`\n\
                this run did nothing; what earlier runs signed and wrote stands\n";
    assert_eq!(bench.told(&ran), told);
    assert_eq!(ran.code(), 2);
}
