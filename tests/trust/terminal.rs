//! What a publisher is asked at a terminal.

use std::process::Command;

use super::{GUN, Team, digest_of};
use crate::harness::notary::PASSPHRASE;
use crate::harness::pty::{Ended, Pty};

/// `courier` of somebody whose environment says no passphrase.
fn typing(team: &Team, who: &str, line: &str) -> Command {
    let mut courier = team.server.courier(&team.home(who));
    for name in ["ROOT", "REPOSITORY"] {
        courier.env_remove(format!("DOCKER_CONTENT_TRUST_{name}_PASSPHRASE"));
    }
    courier.args(line.split_whitespace());
    courier
}

/// Answers each question.
fn answered(command: &Command, answers: &[(&str, &str)]) -> Ended {
    let mut pty = Pty::start(command);
    for (question, answer) in answers {
        pty.expect(question);
        pty.send_line(answer);
    }
    pty.finish()
}

/// The first letters of the id of the key whose owner this is.
fn short(team: &Team, who: &str, owner: &str) -> String {
    let listed = team.courier(who, "key list").ok().stdout;
    let row = listed.lines().find(|line| line.contains(owner)).expect("a key");
    let id = row.split_whitespace().find(|word| word.len() == 64).expect("an id");
    id[..7].to_owned()
}

#[test]
fn a_publisher_is_asked_once_for_each_key_that_signs_and_for_no_other() {
    let team = Team::new();
    team.notary("ada", &format!("init -p {GUN}")).ok();
    team.key("bob");
    let (targets, snapshot) = (short(&team, "ada", "targets"), short(&team, "ada", "snapshot"));
    let ask = |id: &str, owner: &str| format!("passphrase of key {id} ({owner} of {GUN}): ");
    let (targets, snapshot) = (ask(&targets, "targets"), ask(&snapshot, "snapshot"));
    let add = format!("add {GUN} 1 --sha256 {} --length 528", digest_of("1"));
    let ended =
        answered(&typing(&team, "ada", &add), &[(&targets, PASSPHRASE), (&snapshot, PASSPHRASE)]);
    assert!(ended.status.success(), "{}", ended.transcript);
    assert_eq!(ended.transcript.matches("passphrase of").count(), 2, "{}", ended.transcript);
    // Nothing is asked for where nothing is signed.
    let ended = answered(&typing(&team, "ada", &add), &[]);
    assert!(
        ended.transcript.contains("nothing was changed: it is so already"),
        "{}",
        ended.transcript
    );
    assert!(!ended.transcript.contains("passphrase"), "{}", ended.transcript);
    let ended =
        answered(&typing(&team, "ada", &format!("revoke {GUN}:1")), &[(&targets, "wrong one")]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.transcript.ends_with(
            "hint: nothing was locked: run it again with the right passphrase\n\
             nothing was trusted and nothing was changed\n"
        ),
        "{}",
        ended.transcript
    );
}
