//! Lists that hold no more, and whether they are signed again: what a signer never saw is nobody's word.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jiff::{Timestamp, ToSpan};
use officiant::key::file::{KeyFile, inner};
use officiant::root::Expiry;

use super::publisher::{plain, signed, tagged};
use super::{GUN, Team, agreed, digest_of};
use crate::courier::made::Soft;
use crate::harness::command::{command, faketime, run};
use crate::harness::notary::PASSPHRASE;

/// Bob and eve release; bob has signed what is released, and is a signer no more.
fn without_bob() -> Team {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    for who in ["bob", "eve"] {
        team.key(who);
        team.courier("ada", &format!("signer add {who} {GUN} --key ../{who}/{who}.pub")).ok();
    }
    let add = format!("addhash -p {GUN} 1 528 --sha256 {}", digest_of("1"));
    team.notary("bob", &format!("{add} -r targets/releases -r targets/bob")).ok();
    team
}

#[test]
fn a_list_that_too_few_have_signed_is_read_before_it_is_signed_again() {
    let team = without_bob();
    team.courier("ada", &format!("signer remove bob {GUN} --leave-unsigned")).ok();
    let witness = format!("witness {GUN} targets/releases --trust-on-first-use");
    let ran = team.courier("eve", &witness);
    assert_eq!(ran.code(), 1);
    let digest = agreed(&ran.stdout);
    let digits = &digest[..16];
    assert_eq!(
        ran.stderr,
        format!(
            "error: repository `{GUN}`: too few of their keys have signed `targets/releases`: whoever has the server may have written that\n\
             hint: read what it says, compare it with whom it is from, then `--agree {digits}` signs it\n\
             nothing was trusted and nothing was changed\n"
        )
    );
    let adds = format!("    adds `1`: sha256:{}, 528 bytes\n", digest_of("1"));
    assert!(ran.stdout.contains(&adds), "{}", ran.stdout);
    let ran = team.courier("eve", &format!("{witness} --agree {}", "0".repeat(16)));
    let first = format!(
        "error: the digest of this change is {digest}, and that is not what `--agree` says"
    );
    assert_eq!(ran.stderr.lines().next(), Some(first.as_str()));
    assert_eq!(team.version(GUN, "targets/releases"), 1);
    team.courier("eve", &format!("{witness} --agree {digits}")).ok();
    let listed = team.notary("guest", &format!("list {GUN}")).ok().stdout;
    assert!(listed.contains("targets/releases"), "{listed}");
    // Notary's own witness is as before, and so is ours where nothing is wrong.
    team.notary("eve", &format!("witness -p {GUN} targets/releases")).ok();
    let ran = team.courier("eve", &format!("witness {GUN} targets/releases")).ok().stdout;
    assert!(
        ran.ends_with("`targets/releases` version 4: signed, uploaded, fetched back and equal\n"),
        "{ran}"
    );
}

#[test]
fn a_threshold_that_is_raised_leaves_no_list_behind_unsaid() {
    let team = without_bob();
    let add = format!("signer add eve {GUN} --key ../eve/eve.pub --releases-threshold 2");
    let ran = team.courier("ada", &add);
    let first = format!(
        "error: repository `{GUN}`: `1` in `targets/releases` would be signed by too few of its keys"
    );
    assert_eq!(ran.stderr.lines().next(), Some(first.as_str()));
    // All of them sign it apart.
    let ran = team.courier("ada", &format!("{add} --apart ../one")).ok().stdout;
    assert!(
        ran.contains("  `1` in `targets/releases`: to be signed again by the others\n"),
        "{ran}"
    );
    let digest = agreed(&ran);
    let line = format!("countersign ../one --agree {digest} --trust-on-first-use --out ../two");
    team.courier("bob", &line).ok();
    let line = format!("countersign ../two --agree {digest} --trust-on-first-use");
    team.courier("eve", &line).ok();
    let inspected = team.docker("guest", &format!("trust inspect {GUN}")).ok().stdout;
    assert!(inspected.contains(&digest_of("1").to_string()), "{inspected}");
}

#[test]
fn what_becomes_of_the_tags_of_a_signer_who_goes_is_said() {
    let team = without_bob();
    let gone = |line: &str| team.courier("ada", &format!("signer remove bob {GUN}{line}"));
    let told = gone(" --leave-unsigned").ok().stdout;
    let line =
        "  `1` in `targets/releases`: not signed until another signer does, by `courier witness`\n";
    assert!(told.contains(line), "{told}");
    // Revoked where it is signed, it would come back by a witness.
    let digest = digest_of("1");
    team.courier("ada", &format!("add {GUN} 1 --sha256 {digest} --length 528")).ok();
    let told = team.courier("ada", &format!("revoke {GUN}:1")).ok().stdout;
    assert_eq!(
        told.lines().skip(1).take(2).collect::<Vec<_>>(),
        ["  1 tag revoked: `1`", "  `targets/releases` names some of them, too: do not witness it"]
    );

    let team = without_bob();
    team.key("ada");
    team.courier("ada", &format!("signer add ada {GUN} --key ada.pub")).ok();
    let told = team.courier("ada", &format!("signer remove bob {GUN}")).ok().stdout;
    let line = "  `1` in `targets/releases`: signed again by those who stay\n";
    assert!(told.contains(line), "{told}");
    let inspected = team.docker("guest", &format!("trust inspect {GUN}")).ok().stdout;
    assert!(inspected.contains(&digest.to_string()) && !inspected.contains("bob"), "{inspected}");
}

#[test]
fn a_witness_who_is_not_enough_has_the_others_read_all_of_it_too() {
    let team = without_bob();
    let line = format!("signer add eve {GUN} --key ../eve/eve.pub --releases-threshold 2");
    team.courier("ada", &format!("{line} --leave-unsigned")).ok();
    let witness = format!("witness {GUN} targets/releases --trust-on-first-use --apart ../one");
    let ran = team.courier("bob", &witness);
    assert_eq!(ran.code(), 1);
    let read = agreed(&ran.stdout);
    let digest = agreed(&team.courier("bob", &format!("{witness} --agree {read}")).ok().stdout);
    let shown = team.courier("eve", "countersign ../one --trust-on-first-use").ok().stdout;
    assert_eq!(agreed(&shown), digest);
    let says = format!("    adds `1`: sha256:{}, 528 bytes\n", digest_of("1"));
    assert!(shown.contains(&format!("  `targets/releases` version 2\n{says}")), "{shown}");
    team.courier("eve", &format!("countersign ../one --agree {digest}")).ok();
    let inspected = team.docker("guest", &format!("trust inspect {GUN}")).ok().stdout;
    assert!(inspected.contains(&digest_of("1").to_string()), "{inspected}");
}

#[test]
fn a_list_that_has_expired_is_signed_again_by_its_own_keys_without_a_question() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    let soft = Soft::new();
    let key = team.scratch.file("bob/bob-key.pem", soft.pkcs8());
    run(command("chmod", &team.home("bob")).arg("600").arg(&key)).ok();
    team.courier("bob", "key load bob-key.pem --name bob").ok();
    let mut openssl = command("openssl", &team.home("bob"));
    run(openssl.args("pkey -in bob-key.pem -pubout -out bob.pem".split(' '))).ok();
    team.courier("ada", &format!("signer add bob {GUN} --key ../bob/bob.pem")).ok();
    let mut list = tagged(1, &["1"]);
    list.expires = Expiry::at(Timestamp::now() + 30.minutes());
    let file = team.scratch.file("bob/list", signed(&list.value(), &[(&plain(&soft), &soft)]));
    team.upload("targets/releases", &file);

    let library = faketime();
    let in_an_hour = |line: &str| {
        let mut courier = team.server.courier(&team.home("bob"));
        courier.env("LD_PRELOAD", &library).env("FAKETIME", "+1h").env("DONT_FAKE_MONOTONIC", "1");
        run(courier.args(line.split_whitespace()))
    };
    let listed = in_an_hour(&format!("list {GUN} --trust-on-first-use")).ok().stdout;
    assert!(
        listed.ends_with("`targets/releases` is passed over: its list has expired\n"),
        "{listed}"
    );
    let layout = team.layout("bob", "2");
    let ran = in_an_hour(&format!("sign {GUN}:2 --layout {layout}"));
    assert_eq!(
        ran.stderr,
        format!(
            "error: repository `{GUN}`: the list of `targets/releases` has expired\n\
             hint: `courier witness` signs again what it says, after you have read it\n\
             nothing was trusted and nothing was changed\n"
        )
    );
    let ran = in_an_hour(&format!("witness {GUN} targets/releases")).ok().stdout;
    assert_eq!(
        ran,
        format!(
            "{GUN}\n  `targets/releases`: 1 target vouched for\n  `targets/releases` version 2: signed, uploaded, fetched back and equal\n"
        )
    );
    in_an_hour(&format!("sign {GUN}:2 --layout {layout}")).ok();
    in_an_hour(&format!("verify {GUN}:1")).ok();
}

/// The targets key that the notary of a person made.
fn targets_key(team: &Team, who: &str) -> Soft {
    let folder = team.home(who).join("docker/trust/private");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.map(|file| std::fs::read_to_string(file).unwrap());
    let text = texts.into_iter().find(|text| text.contains("role: targets")).unwrap();
    let block = KeyFile::read(text.as_bytes()).unwrap();
    let der = block.open(PASSPHRASE.as_bytes()).unwrap();
    let der = inner(&der).unwrap();
    Soft::of(EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der).unwrap())
}

#[test]
fn the_list_of_a_repository_itself_is_renewed_after_it_has_expired() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    let (key, version) = (targets_key(&team, "ada"), team.version(GUN, "targets"));
    let mut list = tagged(version + 1, &["1"]);
    list.expires = Expiry::at(Timestamp::now() + 30.minutes());
    let file = signed(&list.value(), &[(&plain(&key), &key)]);
    team.upload("targets", &team.scratch.file("ada/list", file));
    let in_an_hour = |who: &str, line: &str| {
        let mut courier = team.server.courier(&team.home(who));
        let faked = courier.env("LD_PRELOAD", faketime()).env("FAKETIME", "+1h");
        run(faked.env("DONT_FAKE_MONOTONIC", "1").args(line.split_whitespace()))
    };
    for (who, line) in [
        ("guest", format!("verify {GUN}:1 --trust-on-first-use")),
        ("ada", format!("add {GUN} 2 --sha256 {} --length 1", digest_of("2"))),
    ] {
        let ran = in_an_hour(who, &line);
        assert_eq!((ran.code(), ran.stdout.as_str()), (1, ""));
        let words = format!(
            "error: repository `{GUN}`: what the server has for `targets` has expired [TRUST-SERVED]\n\
             hint: who publishes renews it, and what hangs from it, by `courier witness REPOSITORY targets`\n"
        );
        assert!(ran.stderr.starts_with(&words), "{}", ran.stderr);
    }
    let told = in_an_hour("ada", &format!("witness {GUN} targets")).ok().stdout;
    let next = version + 2;
    let told_line =
        format!("  `targets` version {next}: signed, uploaded, fetched back and equal\n");
    assert!(told.ends_with(&told_line), "{told}");
    in_an_hour("guest", &format!("verify {GUN}:1 --trust-on-first-use")).ok();
    in_an_hour("ada", &format!("add {GUN} 2 --sha256 {} --length 1", digest_of("2"))).ok();
}
