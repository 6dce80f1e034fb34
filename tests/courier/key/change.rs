//! Keys that are made, changed and removed at a terminal, and where a passphrase may not stand.

use std::fs;
use std::path::Path;

use officiant::key::file::KeyFile;

use super::{done, file_of, id_of, ids, key, names, private, with_passphrase};
use crate::harness::command::{command, run};
use crate::harness::memory::{Keeper, Search, Searched};
use crate::harness::notary::PASSPHRASE;
use crate::harness::pty::{Ended, Pty};
use crate::harness::scratch::Scratch;

/// Types one answer to each question, and gives what stood on the screen.
#[track_caller]
fn answered(home: &Path, arguments: &[&str], answers: &[(&str, &str)]) -> Ended {
    let mut pty = Pty::start(&key(home, arguments));
    for (question, answer) in answers {
        pty.expect(question);
        pty.send_line(answer);
    }
    pty.finish()
}

const OTHER: &str = "another passphrase";

fn opens(home: &Path, id: &str, passphrase: &str) -> bool {
    let block = KeyFile::read(&fs::read(file_of(home, id)).unwrap()).unwrap();
    block.open(passphrase.as_bytes()).is_ok_and(|der| officiant::key::file::scalar(&der).is_ok())
}

#[test]
fn a_passphrase_is_typed_twice_alike_and_trimmed_as_notary_trims_it() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let new = "[1] owner of the key — new passphrase for ada, 8 characters or more: ";
    let again = "[2] owner of the key — the same passphrase again: ";
    let ended = answered(
        &home,
        &["generate", "ada"],
        &[
            (new, "short"),
            (&format!("that is too short\n{new}"), PASSPHRASE),
            (again, OTHER),
            (&format!("the two differ\n{new}"), &format!("  {PASSPHRASE} ")),
            (again, PASSPHRASE),
        ],
    );
    assert!(ended.status.success(), "{}", ended.transcript);
    assert!(!ended.transcript.contains(PASSPHRASE) && !ended.transcript.contains(OTHER));
    let id = id_of(&home.join("ada.pub"));
    assert!(ended.transcript.contains(&format!("key       {id}\n")), "{}", ended.transcript);
    assert!(opens(&home, &id, PASSPHRASE));

    // After three that do not fit, it ends.
    let ended = answered(&home, &["generate", "bob"], &[(BOB, "a"), (BOB, "b"), (BOB, "c")]);
    assert_eq!(ended.status.code(), Some(1));
    let words = "error: no new passphrase was typed twice alike in 3 attempts\n\
                 hint: run it again\nnothing was written\n";
    assert!(ended.transcript.ends_with(words), "{}", ended.transcript);
    assert_eq!(ids(&home), [id]);
    assert_eq!(names(&home), ["ada.pub", "docker"]);
}

const BOB: &str = "new passphrase for bob, 8 characters or more: ";

#[test]
fn a_passphrase_is_changed_by_who_knows_the_old_one() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    let id = ids(&home).remove(0);
    let short = &id[..7];
    let old = format!("[1] owner of the key — passphrase of key {short} (ada): ");
    let before = fs::read(file_of(&home, &id)).unwrap();
    let ended = answered(&home, &["passwd", short], &[(&old, OTHER)]);
    assert_eq!(ended.status.code(), Some(1));
    let words = format!(
        "error: key {short} (ada) is not opened by the passphrase that was typed\n\
         hint: nothing was locked: run it again with the right passphrase\nthe key is as it was\n"
    );
    assert!(ended.transcript.ends_with(&words), "{}", ended.transcript);
    assert_eq!(fs::read(file_of(&home, &id)).unwrap(), before);

    let new = format!("new passphrase for key {short} (ada), 8 characters or more: ");
    let again = "the same passphrase again: ";
    let ended =
        answered(&home, &["passwd", &id], &[(&old, PASSPHRASE), (&new, OTHER), (again, OTHER)]);
    assert!(ended.status.success(), "{}", ended.transcript);
    assert!(!ended.transcript.contains(OTHER) && !ended.transcript.contains(PASSPHRASE));
    assert!(opens(&home, &id, OTHER) && !opens(&home, &id, PASSPHRASE));
    assert_eq!(ids(&home), [id.as_str()]);

    // The one that is set in the environment is the old one now, and it is said where it came from.
    let ran = run(&mut with_passphrase(&home, &["passwd", short]));
    let words = format!(
        "error: key {short} (ada) is not opened by any passphrase that is set in the environment\n\
         hint: nothing was locked: run it again with the right passphrase\nthe key is as it was\n"
    );
    assert_eq!((ran.stderr, ran.status.code()), (words, Some(1)));
    // Each variable that is set may be the one.
    let mut both = with_passphrase(&home, &["passwd", short]);
    let mut pty = Pty::start(both.env("NOTARY_DELEGATION_PASSPHRASE", OTHER));
    pty.expect(&new);
    pty.send("\u{3}");
    let ended = pty.finish();
    let words = format!(
        "error: nobody was asked for the passphrase of key {short} (ada)\n\
         because stopped by Ctrl-C\n\
         hint: set it in the environment, or run courier at a terminal\nthe key is as it was\n"
    );
    assert!(ended.transcript.ends_with(&words), "{}", ended.transcript);
}

#[test]
fn a_key_is_removed_by_the_letters_of_its_id_and_a_root_key_never() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    let id = ids(&home).remove(0);
    let short = &id[..7];
    let question = "type the first 7 letters of its id to remove it: ";
    let ended = answered(&home, &["remove", &id], &[(question, "yes")]);
    assert_eq!(ended.status.code(), Some(1));
    let words = format!(
        "error: key {short} (ada) was not confirmed\n\
         hint: compare the id with `courier key list` and run it again\nnothing was removed\n"
    );
    assert!(ended.transcript.ends_with(&words), "{}", ended.transcript);
    assert_eq!(ids(&home), [id.as_str()]);
    let ended = answered(&home, &["remove", short], &[(question, short)]);
    assert!(ended.status.success(), "{}", ended.transcript);
    assert!(private(&home).read_dir().unwrap().next().is_none());

    done(&home, &["generate", "ada", "--dir", "docker"]);
    let id = ids(&home).remove(0);
    let text = fs::read_to_string(file_of(&home, &id)).unwrap();
    fs::write(file_of(&home, &id), text.replace("role: ada", "role: root")).unwrap();
    let ran = run(&mut key(&home, &["remove", &id]));
    let words = format!(
        "error: key {} (root) is a root key\n\
         hint: a ceremony takes it into the room by `import` in its plan, and `retire` ends it\n\
         nothing was removed\n",
        &id[..7]
    );
    assert_eq!((ran.stderr, ran.status.code()), (words, Some(1)));
    assert_eq!(ids(&home), [id]);
}

#[test]
fn a_key_that_is_not_encrypted_leaves_the_store_only_when_it_is() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    let id = ids(&home).remove(0);
    let short = &id[..7];
    // As notary leaves it when the passphrase is empty.
    let block = KeyFile::read(&fs::read(file_of(&home, &id)).unwrap()).unwrap();
    let plain = block.open(PASSPHRASE.as_bytes()).unwrap();
    let plain = officiant::key::file::write("PRIVATE KEY", &[("role", "ada")], &plain);
    fs::write(file_of(&home, &id), plain).unwrap();
    let listed = run(&mut key(&home, &["list"])).ok().stdout;
    assert!(listed.ends_with("docker/trust/private, not encrypted\n"), "{listed}");
    for arguments in [&["export"][..], &["export", "-o", "key.pem"]] {
        let ran = run(&mut key(&home, arguments));
        let words = format!(
            "error: key {short} (ada) is not encrypted, and is not written anywhere as it is\n\
             hint: `courier key passwd {short}` encrypts it\nnothing was written\n"
        );
        assert_eq!((ran.stderr, ran.stdout.as_str()), (words, ""));
    }
    let new = format!("new passphrase for key {short} (ada), 8 characters or more: ");
    let again = "the same passphrase again: ";
    let ended = answered(&home, &["passwd", short], &[(&new, OTHER), (again, OTHER)]);
    assert!(ended.status.success(), "{}", ended.transcript);
    assert!(opens(&home, &id, OTHER));
    assert!(run(&mut key(&home, &["export"])).ok().stdout.contains("ENCRYPTED"));
}

#[test]
fn no_passphrase_and_no_key_is_left_in_memory_at_the_end() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let keeper = Keeper::new();
    let start = |arguments: &[&str], answers: &[(&str, &str)]| {
        let mut pty = Pty::start(&keeper.wrap(&key(&home, arguments)));
        for (question, answer) in answers {
            pty.expect(question);
            pty.send_line(answer);
        }
        pty
    };
    let (new, again) = ("8 characters or more: ", "the same passphrase again: ");
    let made = start(&["generate", "ada"], &[(new, PASSPHRASE), (again, PASSPHRASE)]).finish();
    assert!(made.status.success(), "{}", made.transcript);
    let id = ids(&home).remove(0);
    let mut changing = start(&["passwd", &id], &[("passphrase of key", PASSPHRASE), (new, OTHER)]);
    changing.expect(again);
    keeper.look(changing.pid());
    changing.send_line(OTHER);
    let changed = changing.finish();
    assert!(changed.status.success(), "{}", changed.transcript);

    let block = KeyFile::read(&fs::read(file_of(&home, &id)).unwrap()).unwrap();
    let der = block.open(OTHER.as_bytes()).unwrap();
    let scalar = officiant::key::file::scalar(&der).unwrap();
    let searched = |name: &str, bytes: &[u8]| {
        let (name, bytes) = (name.to_owned(), bytes.to_vec());
        Search::of(&[Searched { name, bytes }])
    };
    let old = searched("passphrase", PASSPHRASE.as_bytes());
    let new = searched("new passphrase", OTHER.as_bytes());
    // As files have it, and as a library that calculates with it does.
    let backwards: Vec<u8> = scalar.expose().iter().rev().copied().collect();
    let scalar =
        [searched("private key", &scalar.expose()[..]), searched("private key", &backwards)];
    let found = |moment: &str| {
        let memories: Vec<_> = keeper.kept().filter(|kept| kept.of.starts_with(moment)).collect();
        let ours = memories.iter().filter(|kept| kept.of.contains("courier key")).count();
        let held = |search: &Search| memories.iter().flat_map(|kept| kept.holds(search)).count();
        let keys: usize = scalar.iter().map(held).sum();
        (ours, [held(&old) > 0, held(&new) > 0, keys > 0])
    };
    // Between the two there are the key and its next passphrase, and no longer the old one.
    assert_eq!(found("now"), (1, [false, true, true]));
    assert_eq!(found("end"), (2, [false, false, false]));
}

#[test]
fn a_passphrase_stands_in_no_argument_and_in_no_file() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let mut pty = Pty::start(&key(&home, &["generate", "ada"]));
    pty.expect("new passphrase for ada, 8 characters or more: ");
    pty.send_line(PASSPHRASE);
    pty.expect("the same passphrase again: ");
    let process = |file: &str| fs::read(format!("/proc/{}/{file}", pty.pid())).unwrap();
    for file in ["cmdline", "environ"] {
        let text = String::from_utf8_lossy(&process(file)).into_owned();
        assert!(text.contains("courier") || file == "environ", "{text}");
        assert!(!text.contains(PASSPHRASE), "{text}");
    }
    pty.send_line(PASSPHRASE);
    let ended = pty.finish();
    assert!(ended.status.success() && !ended.transcript.contains(PASSPHRASE));
    let mut grep = command("grep", &home);
    assert_eq!(run(grep.args(["-rlaF", PASSPHRASE, "."])).stdout, "");
    // Standard input is not read: what is piped in is no passphrase.
    let mut session = command("setsid", &home);
    let asked = key(&home, &["generate", "bob"]);
    session.arg("--wait").arg(asked.get_program()).args(asked.get_args());
    let piped = format!("{PASSPHRASE}\n{PASSPHRASE}\n");
    let limit = crate::harness::command::LIMIT;
    let ran = crate::harness::command::run_with(&mut session, &piped, limit);
    assert_eq!(ran.code(), 2, "{}", ran.stderr);
}
