//! Programs of others with what ceremonies made: they see what lies on a YubiKey, and open what they should and no more.

use std::{fs, process::Command};

use officiant::{root::Dialect, trust::Held};

use super::Bench;
use super::genesis::on_one_token;
use super::identity;
use super::on_paper::{on_paper, passphrase};
use super::reshare::custody;
use crate::harness::{
    command::{command, run},
    media::may_mount,
    pty::Pty,
    yubikey::Readers,
};

#[test]
fn programs_of_others_see_keys_certificates_and_policies_of_a_yubikey() {
    if !may_mount("programs_of_others_see_keys_certificates_and_policies_of_a_yubikey") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.7.1");
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_bound(&["officer-a"], |_| ("yubikey = 1001\n".to_owned(), String::new()));
    bench.write_answers(&["officer-a"], "");
    bench.write_plan(&on_one_token());
    run(&mut readers.beside(&bench.conducting())).ok();
    let custody = bench.custody();
    let (root, attest) = (&custody.keys[0].public, custody.tokens[0].attest.as_ref().unwrap());
    // By name: a second reader is there, and empty.
    let ykman = |arguments: &[&str]| {
        let reader = ["ykman", "--reader", "Yubico YubiKey OTP+FIDO+CCID 0 00 00", "piv"];
        readers.tool(&[&reader[..], arguments].concat())
    };
    let piv_tool = |arguments: &[&str]| readers.tool(&[&["yubico-piv-tool"], arguments].concat());
    // Each writes a name in its own order.
    let as_made = (piv_tool(&["--action=status"]), "OU=root-a, CN=root");
    for (told, name) in [as_made, (ykman(&["info"]), "CN=root,OU=root-a")] {
        let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for (slot, key) in [("9a", "CN=officer-a attest"), ("9c", name)] {
            let of = format!(
                "Slot {slot}: Algorithm: ECCP256 Subject DN: {key} Issuer DN: CN=officer-a attest"
            );
            assert!(words.contains(&of), "{of}: {told}");
        }
    }
    let kept = "Management key is stored on the YubiKey, protected by PIN.";
    assert!(ykman(&["info"]).contains(kept));
    for certificate in [
        ykman(&["certificates", "export", "9c", "-"]),
        piv_tool(&["--action=read-certificate", "--slot=9c"]),
        ykman(&["keys", "attest", "9c", "-"]),
    ] {
        let key = readers.piped(&["openssl", "x509", "-noout", "-pubkey"], &certificate);
        assert_eq!(key, root.to_pem());
    }
    // What it attests of the root key: the PIN once, a touch that lasts a while.
    let attested = piv_tool(&["--action=attest", "--slot=9c"]);
    let parts = readers.piped(&["openssl", "asn1parse"], &attested);
    let (_, policy) = parts.split_once("OBJECT            :1.3.6.1.4.1.41482.3.8\n").unwrap();
    assert!(policy.lines().next().unwrap().ends_with("[HEX DUMP]:0203"), "{parts}");
    for module in ["libykcs11.so", "opensc-pkcs11.so"] {
        let path = format!("/usr/lib/x86_64-linux-gnu/{module}");
        let seen = readers.tool(&["pkcs11-tool", "--module", &path, "--list-objects"]);
        for key in [root, attest] {
            let point: String = key.material().iter().map(|byte| format!("{byte:02x}")).collect();
            let of = format!("EC_POINT:   0441{point}\n");
            assert_eq!(seen.matches(&of).count(), 1, "{module}: {seen}");
        }
        assert!(seen.contains("subject:    DN: OU=root-a, CN=root\n"), "{module}: {seen}");
    }
}

#[test]
fn age_opens_the_share_of_a_recipient_by_the_identity_and_no_other_share() {
    let (bench, _) = identity::after_genesis();
    let Held::Shares { set, .. } = &custody(&bench, 1).keys[0].held else { panic!("no shares") };
    let opened = |index: u8, name: &str| {
        let file = bench.path(&format!("media/room-1/custody/{set}/{index}.age"));
        let identity = format!("{name}.txt");
        let mut age = command("age", bench.scratch.path());
        let ran =
            run(age.args(["--decrypt", "--output", "opened", "--identity", &identity]).arg(file));
        let share = fs::read(bench.path("opened")).ok();
        let _ = fs::remove_file(bench.path("opened"));
        (ran.code(), share)
    };
    for (index, name) in [(2, "lawyer"), (3, "notary")] {
        let (code, share) = opened(index, name);
        let share = share.unwrap();
        // A share as it was made: its beginning, its index, and the length that every share has.
        assert!(code == 0 && share.starts_with(b"OFSH\x01") && share.len() == 176);
        assert_eq!(share[21], index);
    }
    for (index, name) in [(1, "lawyer"), (3, "lawyer"), (2, "notary")] {
        assert_eq!(opened(index, name), (1, None), "{index} {name}");
    }
}

#[test]
fn age_opens_a_share_by_the_words_of_its_paper_and_without_the_token_none_of_a_token() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&["share-1"]);
    bench.write_answers(&["share-1"], "");
    bench.write_plan(&on_paper());
    let screen = bench.conduct().ok().stderr;
    let words = passphrase(&screen, "sheet-a");
    let Held::Shares { set, .. } = &bench.custody().keys[0].held else { panic!("no shares") };
    let file = |index: u8| bench.path(&format!("media/room-1/custody/{set}/{index}.age"));
    let age = |arguments: &[&str], index: u8| -> Command {
        let mut age = command("age", bench.scratch.path());
        age.args(["--decrypt", "--output", "opened"]).args(arguments).arg(file(index));
        age
    };
    let mut pty = Pty::start(&age(&[], 2));
    pty.expect("Enter passphrase: ");
    pty.send_line(&words);
    assert!(pty.finish().status.success());
    // A share as it was made: its beginning, and the length that every share has.
    let opened = fs::read(bench.path("opened")).unwrap();
    assert!(opened.starts_with(b"OFSH\x01") && opened.len() == 176);
    fs::remove_file(bench.path("opened")).unwrap();
    // That of the token: by no passphrase, and by no key that is not in it.
    run(command("age-keygen", bench.scratch.path()).args(["--output", "identity"])).ok();
    for arguments in [&[][..], &["--identity", "identity"]] {
        let ran = run(&mut age(arguments, 1));
        let said = "age: error: no identity matched any of the recipients\n";
        assert!(ran.stderr.starts_with(said) && ran.code() == 1, "{}", ran.stderr);
        assert!(!bench.path("opened").exists());
    }
}
