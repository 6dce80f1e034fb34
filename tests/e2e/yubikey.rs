//! A root key that a ceremony made on a YubiKey, and the `notary` program that signs with it.

use officiant::root::{
    Dialect, Role, SignedRoot,
    threshold::{Counting, tally},
};

use super::Journey;
use super::journey::GUN;
use crate::harness::{
    command::{command, run},
    media::may_mount,
    notary::NotaryServer,
    pty::Pty,
    yubikey::Readers,
};
use crate::sitting::{PIN, genesis};

#[test]
fn the_notary_program_lists_and_uses_a_root_key_that_a_ceremony_made_on_a_yubikey() {
    if !may_mount("the_notary_program_lists_and_uses_a_root_key_that_a_ceremony_made_on_a_yubikey")
    {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.7.1");
    let journey = Journey::new(NotaryServer::memory);
    journey.fetch(&["--targets-key", "targets.pem"]);
    journey.plan(&genesis::on_one_token(), "");
    let bench = &journey.bench;
    bench.write_room_bound(&["officer-a"], |_| ("yubikey = 1001\n".to_owned(), String::new()));
    bench.write_answers(&["officer-a"], "");
    run(&mut readers.beside(&bench.conducting())).ok();
    journey.publish().ok();
    let first = journey.newest();

    let officer = journey.person("officer");
    let listed = run(readers.beside(&journey.server.notary(&officer)).args(["key", "list"])).ok();
    let mut rows = listed.stdout.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.first() == Some(&"root"));
    assert_eq!(row.and_then(|row| row.last().copied()), Some("yubikey"), "{}", listed.stdout);

    // The server gets another snapshot key, which takes a root.
    let mut notary = journey.server.notary(&officer);
    // It would be given to the YubiKey as its PIN.
    notary.env_remove("NOTARY_DELEGATION_PASSPHRASE");
    let mut rotate = readers.beside(&notary);
    rotate.args(["key", "rotate", "--server-managed", GUN, "snapshot"]);
    let mut pty = Pty::start(&rotate);
    while pty
        .until(|screen| screen.trim_end().ends_with("for the attached Yubikey:").then_some(()))
        .is_some()
    {
        pty.send_line(PIN);
    }
    let ended = pty.finish();
    assert!(ended.status.success(), "{}", ended.transcript);
    assert_eq!(ended.transcript.matches("Enter the User Pin").count(), 1, "{}", ended.transcript);
    let mut curl = command("curl", &officer);
    curl.args(["--silent", "--fail", "--cacert"]).arg(journey.server.ca());
    curl.arg(format!("{}/v2/{GUN}/_trust/tuf/root.json", journey.server.url()));
    let second = run(&mut curl).ok().stdout;
    let second = SignedRoot::parse(Dialect::Notary, second.as_bytes()).unwrap();
    let ids = |root: &SignedRoot| {
        let keys = root.root().role_keys(Role::Root);
        keys.map(|(id, _)| id.clone()).collect::<Vec<_>>()
    };
    assert_eq!((first.version().get(), second.version().get()), (1, 2));
    assert_eq!(ids(&first), ids(&second));
    let counted = tally(second.root(), &second, Counting::STRICTEST).unwrap().counted;
    assert_eq!(counted.len(), 1);
}
