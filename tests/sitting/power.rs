//! The power goes: whatever was written and not synced is lost, in the work folder and on media alike.

use std::{fs, process::Command};

use officiant::root::Dialect;

use super::{
    Bench,
    chain::{At, Death},
    failing_media::shortest,
    kill::Stage,
    refused::files,
};
use crate::harness::{
    command::{Ran, command, run},
    killer::{Killer, When},
    media::{Medium, may_mount},
};

/// All processes end, and these volumes are shut down as they stand, without their journals' last words.
struct PowerCut {
    killer: Killer,
    media: Vec<Medium>,
    /// How often something was lost.
    losses: usize,
}

impl PowerCut {
    /// Puts volumes into the place of folders, with what is in these.
    fn of(bench: &Bench, folders: &[&str]) -> Self {
        let media = folders.iter().map(|folder| volume(bench, folder)).collect();
        Self { killer: Killer::new(), media, losses: 0 }
    }

    /// What happens to them at a death.
    fn go(&mut self) {
        let stand = |media: &[Medium]| -> Vec<_> {
            media.iter().map(|medium| files(medium.path())).collect()
        };
        let before = stand(&self.media);
        Medium::pull_all(&self.media.iter().collect::<Vec<_>>());
        self.media.iter().for_each(Medium::put_in_again);
        self.losses += usize::from(stand(&self.media) != before);
    }

    /// Nothing is lost any more when all was said to be done.
    #[track_caller]
    fn go_at_the_end(mut self) {
        let losses = self.losses;
        self.go();
        assert_eq!(self.losses, losses, "what was said to be done is lost");
    }
}

fn volume(bench: &Bench, folder: &str) -> Medium {
    let there = bench.scratch.folder(folder);
    let aside = there.with_extension("aside");
    fs::rename(&there, &aside).unwrap();
    let medium = Medium::ext4(&bench.scratch, folder, 24);
    run(command("cp", bench.scratch.path()).arg("-a").arg(aside.join(".")).arg(&there)).ok();
    run(command("sync", bench.scratch.path()).arg("-f").arg(&there)).ok();
    fs::remove_dir_all(aside).unwrap();
    medium
}

impl Death for PowerCut {
    fn run(&mut self, command: &Command, at: At) -> (Ran, bool) {
        let (ran, died) = Death::run(&mut self.killer, command, at);
        if died {
            self.go();
        }
        (ran, died)
    }

    fn last(&self) -> String {
        Death::last(&self.killer)
    }

    /// Media are mounted in it.
    fn leaves_room(&self) -> bool {
        false
    }
}

/// At every 5th call where this program writes itself; enrolments and shares, where SoftHSM does, at every 61st.
#[test]
fn a_genesis_goes_on_after_power_cuts_that_lose_what_was_not_synced() {
    if !may_mount("a_genesis_goes_on_after_power_cuts_that_lose_what_was_not_synced") {
        return;
    }
    let stage = Stage::new(Dialect::Notary, false, None);
    work_folder(&stage, &|step| if matches!(step, 5..=7 | 9..=13) { 61 } else { 5 });
}

/// At every 5th call where this program writes itself; enrolments and shares at every 97th.
#[test]
fn a_rotation_goes_on_after_power_cuts_that_lose_what_was_not_synced() {
    if !may_mount("a_rotation_goes_on_after_power_cuts_that_lose_what_was_not_synced") {
        return;
    }
    let stage = Stage::new(Dialect::Tuf, true, None);
    work_folder(&stage, &|step| if matches!(step, 6 | 7 | 12..=16) { 97 } else { 5 });
}

/// The power goes in all steps of a ceremony.
#[track_caller]
fn work_folder(stage: &Stage, stride: &dyn Fn(u64) -> usize) {
    let mut death = PowerCut::of(&stage.bench, &[&format!("work-{}", stage.bench.number)]);
    let deaths = stage.die_and_compare(stride, &mut death);
    assert!(deaths.count > 50 && death.losses > 2, "{} {deaths:?}", death.losses);
    death.go_at_the_end();
}

#[test]
fn room_media_are_gone_on_with_after_power_cuts_at_every_call_on_them() {
    if !may_mount("room_media_are_gone_on_with_after_power_cuts_at_every_call_on_them") {
        return;
    }
    media(&shortest(), "media/room-2", &["renameat2 candidate-", "fsync custody/tokens"]);
}

#[test]
fn out_media_are_gone_on_with_after_power_cuts_at_every_call_on_them() {
    if !may_mount("out_media_are_gone_on_with_after_power_cuts_at_every_call_on_them") {
        return;
    }
    media(
        &Stage::new(Dialect::Notary, false, None),
        "media/out-1a",
        &["syncfs", "renameat2 trust"],
    );
    media(&Stage::new(Dialect::Tuf, true, None), "media/out-2b", &["syncfs", "renameat2 trust"]);
}

/// The power goes before each call on a media, for it and for the work folder alike; the same media is put in again. Calls
/// are counted anew when something more than before stands on it. Among the calls are these.
#[track_caller]
fn media(stage: &Stage, folder: &str, played: &[&str]) {
    let bench = &stage.bench;
    let mut cut = PowerCut::of(bench, &[folder, &format!("work-{}", bench.number)]);
    let under = format!("{}", bench.path(folder).display());
    let (mut number, mut calls, mut stood) = (1, Vec::new(), files(cut.media[0].path()));
    loop {
        let command = bench.going_on();
        let when = When { number, under: &under, ..When::NEVER };
        let (ran, died) = cut.killer.run(&command, when);
        if !died {
            ran.ok();
            break;
        }
        let call = Death::last(&cut.killer);
        calls.push(call.replace(&under, ""));
        assert!(calls.len() < 200, "{calls:#?}");
        cut.go();
        let stands = files(cut.media[0].path());
        number = if stands == stood { number + 1 } else { 1 };
        stood = stands;
    }
    stage.compare(calls.len());
    for call in played {
        let words: Vec<&str> = call.split(' ').collect();
        let is_it = |made: &&String| words.iter().all(|word| made.contains(word));
        assert!(calls.iter().any(|made| is_it(&made)), "{call}: {calls:#?}");
    }
    assert!(cut.losses > 5, "{}", cut.losses);
    cut.go_at_the_end();
}
