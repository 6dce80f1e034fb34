//! A kill at any moment: nothing half-written counts, and the next run finishes.

use std::fs;

use officiant::key::file::{KeyFile, scalar};

use super::{done, file_of, id_of, ids, names, with_passphrase};
use crate::harness::command::run;
use crate::harness::kill::{NAMES, SYNCS, WRITES, Whose, kill_at_every};
use crate::harness::notary::PASSPHRASE;
use crate::harness::pty::Pty;
use crate::harness::scratch::Scratch;

#[test]
fn whoever_is_killed_while_a_key_is_made_runs_it_again_and_has_one_key() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let calls = [WRITES, SYNCS, NAMES].concat();
    let mut kept = 0;
    let clear = || {
        for name in names(&home) {
            let path = home.join(name);
            let removed =
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.unwrap();
        }
    };
    let deaths = kill_at_every(
        &scratch,
        (&calls, Whose::Own),
        |strace| {
            clear();
            let ran = run(&mut strace.wrap(&with_passphrase(&home, &["generate", "ada"])));
            if strace.point().is_none() {
                ran.ok();
            }
        },
        |point| {
            let private = super::private(&home);
            let found = if private.exists() { names(&private) } else { Vec::new() };
            let keys: Vec<_> = found.iter().filter(|name| name.ends_with(".key")).collect();
            // What docker and notary see is whole, or is not there.
            for name in &keys {
                let block = KeyFile::read(&fs::read(private.join(name)).unwrap()).unwrap();
                let der = block.open(PASSPHRASE.as_bytes()).unwrap();
                assert!(scalar(&der).is_ok(), "{point:?}");
            }
            let before = keys.first().map(|name| name.trim_end_matches(".key").to_owned());
            kept += usize::from(before.is_some());
            if home.join("ada.pub").exists() {
                // All was done but to say it.
                assert_eq!(before, Some(id_of(&home.join("ada.pub"))), "{point:?}");
                return;
            }
            done(&home, &["generate", "ada"]);
            let id = id_of(&home.join("ada.pub"));
            assert_eq!(ids(&home), [id.as_str()], "{point:?}");
            assert!(before.is_none_or(|before| before == id), "{point:?}");
            assert_eq!(names(&home), ["ada.pub", "docker"], "{point:?}");
        },
    );
    assert!(deaths.values().sum::<usize>() > 8 && kept > 2, "{deaths:?} {kept}");
}

#[test]
fn whoever_is_killed_while_a_passphrase_is_changed_has_the_key_under_the_old_or_the_new_one() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    let id = ids(&home).remove(0);
    let before = fs::read(file_of(&home, &id)).unwrap();
    let opens = |passphrase: &str| {
        let block = KeyFile::read(&fs::read(file_of(&home, &id)).unwrap()).unwrap();
        let der = block.open(passphrase.as_bytes());
        der.is_ok_and(|der| scalar(&der).is_ok())
    };
    // What is asked is asked before: whoever dies at one of these has answered.
    let calls = [SYNCS, NAMES].concat();
    let deaths = kill_at_every(
        &scratch,
        (&calls, Whose::Own),
        |strace| {
            fs::write(file_of(&home, &id), &before).unwrap();
            let mut pty = Pty::start(&strace.wrap(&with_passphrase(&home, &["passwd", &id])));
            pty.expect("8 characters or more: ");
            pty.send_line("another passphrase");
            pty.expect("the same passphrase again: ");
            pty.send_line("another passphrase");
            let ended = pty.finish();
            assert!(ended.status.success() || strace.point().is_some(), "{}", ended.transcript);
        },
        |point| {
            assert!(opens(PASSPHRASE) != opens("another passphrase"), "{point:?}");
        },
    );
    assert!(deaths.contains_key("fsync") && deaths.contains_key("rename"), "{deaths:?}");
}
