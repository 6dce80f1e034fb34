//! Media that fill, turn read-only, vanish or lie at each thing that a ceremony does to them: the right three lines,
//! and `resume` onto fresh media finishes.

use std::{collections::BTreeSet, fs};

use officiant::root::{Dialect, Role};

use super::{Bench, Holding, PlanText, kill::Stage, refused::NOTHING};
use crate::harness::command::flat;
use crate::harness::{
    command::{Ran, command, run},
    lying::{Lie, LyingMedium, every_lie, lies_in_turn},
    media::{Medium, may_mount},
};

const TOKENS: [&str; 1] = ["officer-a"];

/// Where a media of some kind is put in.
#[derive(Clone, Copy)]
pub(super) struct Place(&'static str, &'static str);

pub(super) const OUT: Place = Place("media/out-1a", "out");
const SECOND_OUT: Place = Place("media/out-1b", "out");
const ROOM: Place = Place("media/room-2", "room");

impl Place {
    /// Marks what is there, as it should be or otherwise.
    fn mark(self, bench: &Bench, is_right: bool) {
        let Self(media, kind) = self;
        let mark = match (is_right, kind) {
            (true, _) => kind,
            (false, "out") => "room",
            (false, _) => "out",
        };
        bench.scratch.file(&format!("{media}/officiant-media"), format!("{mark}\n"));
    }

    /// Puts an empty media here, which lies.
    fn put_lying(self, bench: &Bench, lies: &[&str]) -> LyingMedium {
        let _ = fs::remove_dir_all(bench.path(self.0));
        let medium = LyingMedium::new(&bench.scratch, self.0, &[]);
        self.mark(bench, true);
        medium.lay(lies);
        medium
    }

    /// Puts an empty media here, which works.
    fn put_fresh(self, bench: &Bench) {
        let _ = fs::remove_dir_all(bench.path(self.0));
        self.mark(bench, true);
    }

    /// Goes on until the ceremony wants this media. This is then true.
    #[track_caller]
    pub(super) fn reach(self, bench: &Bench, standing: &str) {
        self.mark(bench, false);
        let ran = run(&mut bench.going_on());
        let told = bench.told(&ran);
        let lines: Vec<&str> = told.lines().rev().take(3).collect();
        let wanted = format!("error: media `{}` is marked `", self.0);
        assert!(ran.code() == 1 && lines[2].starts_with(&wanted), "{told}");
        assert!(standings(standing).contains(lines[0]), "{told}");
        self.mark(bench, true);
    }
}

/// What may be true then: at the export, with the media that were written before the one that fails.
pub(super) fn standings(standing: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([standing.to_owned()]);
    if let Some((_, goes_on)) = standing.split_once("out and room media are not complete; ") {
        for n in [1, 2] {
            let first = format!("`media/out-{n}a`");
            for whole in [first.clone(), format!("{first} and `media/out-{n}b`")] {
                all.insert(whole_on(&whole, goes_on));
            }
        }
    }
    all
}

fn whole_on(media: &str, goes_on: &str) -> String {
    format!(
        "everything is signed, and the trust folder is whole on {media}: keep that in the room; {goes_on}"
    )
}

/// A first TUF root by one key on one token: the shortest ceremony that there is.
pub(super) fn shortest() -> Stage {
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
    Stage::before(bench, &TOKENS)
}

/// Three lines: this kind of failure of this media, what to do about it, and one of these as what is true. Exit code 3.
#[track_caller]
pub(super) fn assert_told(
    bench: &Bench,
    ran: &Ran,
    lie: &Lie,
    media: &str,
    standing: &BTreeSet<String>,
) {
    let told = bench.told(ran);
    let mut lines = told.lines().rev();
    let (stands, hint, what) = (lines.next(), lines.next(), lines.next());
    let what = what.and_then(|line| line.strip_prefix("error: ")).unwrap_or_default();
    let hint = hint.and_then(|line| line.strip_prefix("hint: ")).unwrap_or_default();
    let is_right = ran.code() == 3
        && lie.is_told(media, what, hint)
        && standing.contains(stands.unwrap_or_default());
    assert!(is_right, "{}: {}\n{told}\nexpected: {standing:#?}", lie.rule(), ran.status);
}

/// What was wrong stood on the screen, and the media were asked for once more.
#[track_caller]
fn assert_asked_again(bench: &Bench, ran: &Ran, lie: &Lie, media: &str) {
    let told = bench.told(ran);
    let screen = flat(&told);
    let is_told = screen.contains(&format!("media `{media}` vanished while `{media}"));
    let asked = screen.matches("— put in both out media, empty, and both room media").count();
    assert!(is_told && asked == 2, "{}: {told}", lie.rule());
}

/// A step of a ceremony that wants a media.
struct Wanted<'a> {
    place: Place,
    /// What is true then.
    standing: &'a str,
    /// The step that wants the next media, where this is not the last one.
    then: Option<&'a Wanted<'a>>,
}

/// The ceremony stops at operations on a media, each time on another one, and from time to time finishes on a fresh one.
/// At the end it waits for the media as before.
#[track_caller]
fn stop_at(stage: &Stage, wanted: &Wanted<'_>, choose: fn(&[String]) -> Vec<Lie>) {
    let (bench, place) = (&stage.bench, wanted.place);
    let standing = standings(wanted.standing);
    place.reach(bench, wanted.standing);
    let saved = bench.save();
    let operations = {
        let medium = place.put_lying(bench, &[]);
        match wanted.then {
            Some(next) => next.place.reach(bench, next.standing),
            None => drop(bench.resume().ok()),
        }
        medium.operations()
    };
    bench.restore(&saved);
    let lies = choose(&operations);
    assert!(lies.len() >= operations.iter().filter(|line| line.contains(" sync ")).count());
    for lies in lies.chunks(50) {
        for lie in lies {
            let medium = place.put_lying(bench, &[&lie.rule()]);
            let ran = bench.resume();
            assert!(medium.has_lied(), "{} was not reached", lie.rule());
            if ran.status.success() {
                // It failed once, at a look before anything was written: people were asked again, and it was well.
                assert_asked_again(bench, &ran, lie, place.0);
                drop(medium);
                bench.restore(&saved);
                continue;
            }
            assert_told(bench, &ran, lie, place.0, &standing);
        }
        place.put_fresh(bench);
        finish(stage);
        bench.restore(&saved);
    }
}

/// It finishes on media that work, and leaves what it leaves when nothing stops it; whoever gets either of the two trust
/// folders can verify it.
#[track_caller]
fn finish(stage: &Stage) {
    let bench = &stage.bench;
    bench.resume().ok();
    copy_candidates(bench);
    stage.compare(0);
    for copy in ["a", "b"] {
        bench.officiant(&["verify", &format!("media/out-{}{copy}", bench.number)]).ok();
    }
}

/// A fresh room media at the end gets the custody folder alone; the candidates are on the one that was there before.
fn copy_candidates(bench: &Bench) {
    for entry in fs::read_dir(bench.path("media/room-1")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("candidate-") && !bench.path(ROOM.0).join(&name).exists() {
            let mut copy = command("cp", &bench.path("media/room-1"));
            run(copy.args(["-a", &name, "../room-2"])).ok();
        }
    }
}

/// The last step of [`shortest`], which writes the folders.
pub(super) const EXPORTS: &str =
    "1 key signed, recorded; out and room media are not complete; `resume` goes on at step 12";

#[test]
fn out_media_may_fail_in_every_way_at_every_write() {
    if !may_mount("out_media_may_fail_in_every_way_at_every_write") {
        return;
    }
    let out = Wanted { place: OUT, standing: EXPORTS, then: None };
    stop_at(&shortest(), &out, every_lie);
}

#[test]
fn the_second_out_media_may_fail_when_the_first_is_written() {
    if !may_mount("the_second_out_media_may_fail_when_the_first_is_written") {
        return;
    }
    let out = Wanted { place: SECOND_OUT, standing: EXPORTS, then: None };
    stop_at(&shortest(), &out, lies_in_turn);
}

/// They take the candidates before anything is signed, and the custody folder at the end.
#[test]
fn room_media_may_fail_in_every_way_at_every_write() {
    if !may_mount("room_media_may_fail_in_every_way_at_every_write") {
        return;
    }
    let stage = shortest();
    let out = Wanted { place: OUT, standing: EXPORTS, then: None };
    let drafts = "nothing was signed; the record holds what was done; `resume` goes on at step 7";
    stop_at(&stage, &Wanted { place: ROOM, standing: drafts, then: Some(&out) }, every_lie);
    OUT.reach(&stage.bench, EXPORTS);
    stop_at(&stage, &Wanted { place: ROOM, standing: EXPORTS, then: None }, every_lie);
}

/// They are read once, before anything is written.
#[test]
fn in_media_may_fail_at_every_read() {
    if !may_mount("in_media_may_fail_at_every_read") {
        return;
    }
    let stage = shortest();
    let bench = &stage.bench;
    let (saved, folder) = (bench.save(), bench.path("media/in-1"));
    let put = || {
        fs::rename(&folder, bench.path("media/held")).unwrap();
        let medium = LyingMedium::new(&bench.scratch, "media/in-1", &[]);
        run(command("cp", &folder).args(["-a", "../held/.", "."])).ok();
        medium.lay(&[]);
        medium
    };
    let medium = put();
    bench.conduct().ok();
    let operations = medium.operations();
    drop(medium);
    bench.restore(&saved);
    let medium = put();
    let lies = every_lie(&operations);
    assert!(lies.len() > 20, "{lies:?}");
    for lie in &lies {
        medium.lay(&[&lie.rule()]);
        let ran = bench.conduct();
        assert!(medium.has_lied(), "{} was not reached", lie.rule());
        assert_told(bench, &ran, lie, "media/in-1", &BTreeSet::from([NOTHING.to_owned()]));
        assert!(!bench.path("work-1").exists(), "{}", lie.rule());
    }
    medium.lay(&[]);
    bench.conduct().ok();
    stage.compare(0);
}

/// Certificates, shares in the custody folder, a trust folder with a past.
#[test]
fn media_of_notary_and_of_a_rotation_may_fail_too() {
    if !may_mount("media_of_notary_and_of_a_rotation_may_fail_too") {
        return;
    }
    let stage = Stage::new(Dialect::Notary, false, None);
    let drafts = "nothing was signed; the record holds what was done; `resume` goes on at step 14";
    let exports =
        "2 keys signed, recorded; out and room media are not complete; `resume` goes on at step 22";
    let out = Wanted { place: OUT, standing: exports, then: None };
    stop_at(&stage, &Wanted { place: ROOM, standing: drafts, then: Some(&out) }, lies_in_turn);
    stop_at(&stage, &out, lies_in_turn);
    stop_at(&stage, &Wanted { place: ROOM, standing: exports, then: None }, lies_in_turn);
    let stage = Stage::new(Dialect::Tuf, true, None);
    let exports =
        "4 keys signed, recorded; out and room media are not complete; `resume` goes on at step 29";
    let out = Wanted { place: Place("media/out-2a", "out"), standing: exports, then: None };
    stop_at(&stage, &out, lies_in_turn);
}

#[test]
fn a_full_or_read_only_media_is_called_so() {
    if !may_mount("a_full_or_read_only_media_is_called_so") {
        return;
    }
    let stage = shortest();
    let bench = &stage.bench;
    let media = SECOND_OUT.0;
    fs::remove_dir_all(bench.path(media)).unwrap();
    let medium = Medium::full_at(&bench.scratch, media, 16);
    SECOND_OUT.reach(bench, EXPORTS);
    let refused = |what: &str, hint: &str| {
        let ran = bench.resume();
        let told = bench.told(&ran);
        assert_eq!(ran.code(), 3, "{told}");
        let what = format!("\nerror: media `{media}` {what}");
        let stands = whole_on("`media/out-1a`", "`resume` goes on at step 12");
        let last = format!("\nhint: {hint}\n{stands}\n");
        assert!(told.contains(&what) && told.ends_with(&last), "{told}");
    };
    refused("is full at `media/out-1b/.officiant-new-trust/", "use a larger or an empty volume");
    medium.turn_read_only();
    refused(
        "is read-only, `media/out-1b/.officiant-new-trust` cannot be written",
        "set the switch of the media to write, or mount it for writing",
    );
    drop(medium);
    SECOND_OUT.put_fresh(bench);
    finish(&stage);
}
