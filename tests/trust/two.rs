//! A root that wants two keys for `targets`: two publishers, each with one.

use officiant::root::Role;

use super::offline::Offline;
use super::{GUN, agreed, digest_of};
use crate::e2e::genesis::TOKENS;
use crate::e2e::journey::write_plan;
use crate::harness::command::{command, run};
use crate::sitting::{PlanText, genesis};

/// Two of two keys sign `targets`: ada's and bob's.
fn two_of_two() -> Offline {
    let offline = Offline::of(GUN);
    for who in ["ada", "bob"] {
        let home = offline.home(who);
        let openssl = |line: &str| run(command("openssl", &home).args(line.split(' '))).ok();
        openssl(
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -out key.pem",
        );
        openssl("pkey -in key.pem -pubout -out pub.pem");
    }
    let server = format!("--server {} --ca ../notary/ca.crt", offline.journey.server.url());
    let keys = "--targets-key pub.pem --targets-key ../bob/pub.pem";
    offline.courier("ada", &format!("fetch {GUN} {server} {keys} --out ../media/in-1")).ok();
    let plan = PlanText { roles: vec![Role::Snapshot, Role::Timestamp], ..genesis::on_tokens() };
    let targets = "[[role]]\nname = \"targets\"\nkeys = \"request\"\nthreshold = 2\n";
    write_plan(&offline.journey.bench, &plan, targets);
    for who in ["ada", "bob"] {
        let at = format!("--repository {GUN} --role targets --out ../media/in-1");
        offline.courier(who, &format!("prove ../plan-1.toml {at} --key key.pem")).ok();
    }
    offline.journey.conduct(&TOKENS);
    offline
}

#[test]
fn two_publishers_of_whom_each_has_one_key_sign_the_lists_of_a_repository_apart() {
    let offline = two_of_two();
    let server = format!("--server {} --ca ../notary/ca.crt", offline.journey.server.url());
    let publish = format!("publish ../media/out-1a {server} --targets-key key.pem");
    let alone = offline.courier("ada", &publish);
    assert_eq!(
        alone.stderr.lines().next().unwrap(),
        format!(
            "error: repository `{GUN}`: version 1 needs 2 of its targets keys to sign, 1 can [TARGETS-UNSIGNED]"
        )
    );
    // The first list, too, is signed apart: its root is only in the trust folder yet.
    let told = offline.courier("ada", &format!("{publish} --apart ../first")).ok().stdout;
    assert!(told.contains("`targets`: 1 signed, 2 needed\n"), "{told}");
    let digest = agreed(&told);
    let folder = "--trust-folder ../media/out-1a";
    let load = format!("key load key.pem --gun {GUN} --role targets");
    offline.courier("bob", &load).ok();
    let sign = format!("countersign ../first {folder} --agree {digest}");
    let ran = offline.courier("bob", &sign);
    assert_eq!(ran.code(), 2);
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "error: name a new folder by `--out`: `courier publish --signed` puts this up with its root"
    );
    let told = offline.courier("bob", &format!("{sign} --out ../both")).ok().stdout;
    assert!(told.contains("`targets`: 2 signed, 2 needed\n"), "{told}");
    let other = offline.courier("ada", &format!("{publish} --signed ../first"));
    assert!(other.stderr.contains("[TARGETS-UNSIGNED]"), "{}", other.stderr);
    offline.courier("ada", &format!("publish ../media/out-1a {server} --signed ../both")).ok();
    offline.courier("ada", &load).ok();
    let trusted = "--trust-folder ../media/out-1a";
    let add = format!("add {GUN} 1 --sha256 {} --length 528 {trusted}", digest_of("1"));
    let alone = offline.courier("ada", &add);
    assert_eq!(
        alone.stderr.lines().next().unwrap(),
        format!(
            "error: repository `{GUN}`: `targets` must be signed by 2 of its keys, with 1 at hand"
        )
    );
    let digest = agreed(&offline.courier("ada", &format!("{add} --apart ../change")).ok().stdout);
    let sign = format!("countersign ../change --agree {digest} {trusted}");
    let said = offline.courier("bob", &sign).ok().stdout;
    assert!(
        said.ends_with("`targets` version 2: signed, uploaded, fetched back and equal\n"),
        "{said}"
    );
    let inspected = offline.trust("guest", &format!("inspect {GUN}")).ok().stdout;
    assert!(inspected.contains(&digest_of("1").to_string()), "{inspected}");
    // Neither notary nor docker can, with one of the keys.
    let line = format!("addhash -p {GUN} 2 528 --sha256 {}", digest_of("2"));
    assert_ne!(offline.notary("bob", &line).code(), 0);
}
