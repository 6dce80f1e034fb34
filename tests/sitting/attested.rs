//! What YubiKeys attest, in record, report and verification.

use std::fs;

use officiant::{
    attestation::{PinPolicy, TouchPolicy},
    ceremony::fact::Attested,
    record::Body,
    root::Dialect,
};

use super::Bench;
use super::genesis::on_one_token;
use crate::harness::{
    command::{flat, run},
    media::may_mount,
    yubikey::Readers,
};

fn recorded(bench: &Bench) -> Vec<Attested> {
    let record = bench.record();
    let said = record.entries().iter().filter_map(|entry| match &entry.body {
        Body::Done { fact } => {
            Some(fact.attested().map(|(_, said)| said.clone()).collect::<Vec<_>>())
        }
        _ => None,
    });
    said.flatten().collect()
}

#[test]
fn what_a_yubikey_attests_is_in_the_record_and_held_against_its_certificates() {
    if !may_mount("what_a_yubikey_attests_is_in_the_record_and_held_against_its_certificates") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 19_042_155, "5.7.1");
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_bound(&["officer-a"], |_| ("yubikey = 19042155\n".to_owned(), String::new()));
    bench.write_answers(&["officer-a"], "");
    bench.write_plan(&on_one_token());
    run(&mut readers.beside(&bench.conducting())).ok();
    let said = recorded(&bench);
    let told: Vec<_> =
        said.iter().map(|s| (s.firmware.as_str(), s.pin, s.touch, s.by_maker)).collect();
    let once = |touch| ("5.7.1", PinPolicy::Once, touch, false);
    assert_eq!(told, [once(TouchPolicy::Never), once(TouchPolicy::Cached)]);
    let report = flat(&bench.officiant(&["report", "media/out-1a"]).ok().stdout);
    for part in
        ["officer-a attest", "every fifteen seconds | unknown", "No maker that is known signed"]
    {
        assert!(report.contains(part), "{report}");
    }
    for (path, bytes) in super::refused::files(&bench.path("media/out-1a")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("19042155"), "{path} names the serial");
    }
    // Without the custody folder it is the record's word, and with it the certificates'.
    let alone = flat(&bench.officiant(&["verify", "media/out-1a"]).ok().stdout);
    assert!(
        alone.contains(
            "That 2 keys were made on tokens, as their makers attest, rests on the records"
        ),
        "{alone}"
    );
    let verify = ["verify", "media/out-1a", "--custody", "media/room-1"];
    let whole = flat(&bench.officiant(&verify).ok().stdout);
    assert!(
        whole.contains("2 keys are attested by the makers of tokens: the certificates"),
        "{whole}"
    );
    // One certificate is lost, and then all are of another token.
    let folder = bench.path("media/room-1/custody/attestations");
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2);
    let kept = fs::read(&files[0]).unwrap();
    fs::remove_file(&files[0]).unwrap();
    let less = flat(&bench.officiant(&verify).ok().stdout);
    assert!(less.contains("1 key is attested by the makers of tokens"), "{less}");
    assert!(
        less.contains("The custody folder lacks certificates of keys on `officer-a`"),
        "{less}"
    );
    fs::write(&files[0], kept).unwrap();
    let identities = bench.path("media/room-1/custody/tokens");
    fs::remove_dir_all(identities).unwrap();
    let ran = bench.officiant(&verify);
    let told = "of token `officer-a`: the custody folder does not know the serial of this token [TOKEN-ATTESTED]";
    assert!(ran.code() == 1 && ran.stderr.contains(told), "{}", ran.stderr);
}
