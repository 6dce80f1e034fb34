//! Signers: added, listed and removed by one tool, seen and used by the others.

use super::{GUN, Team, digest_of};

/// A repository that ada's notary made, and a signer bob whose key docker made.
fn with_bob() -> Team {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    team.docker("bob", "trust key generate bob").ok();
    team.courier("ada", &format!("signer add bob {GUN} --key ../bob/bob.pub")).ok();
    team
}

#[test]
fn a_signer_whom_courier_added_signs_with_notary_and_docker_shows_both() {
    let team = with_bob();
    let digest = digest_of("1.0");
    let line =
        format!("addhash -p {GUN} 1.0 528 --sha256 {digest} -r targets/releases -r targets/bob");
    team.notary("bob", &line).ok();
    let inspected = team.docker("eve", &format!("trust inspect --pretty {GUN}")).ok().stdout;
    assert!(inspected.contains(&format!("1.0          {digest}   bob")), "{inspected}");
    let verified = team.courier("eve", &format!("verify {GUN}:1.0")).ok().stdout;
    assert_eq!(verified, format!("{GUN}@sha256:{digest}\n"));
    let listed = team.courier("eve", &format!("list {GUN}")).ok().stdout;
    assert_eq!(
        listed,
        format!(
            "0.1  {}       528  targets\n1.0  {digest}       528  targets/bob\n",
            digest_of("0.1")
        )
    );
    assert_eq!(
        team.courier("eve", &format!("lookup {GUN} 1.0")).ok().stdout,
        format!("1.0 sha256:{digest} 528\n")
    );
}

#[test]
fn a_signer_whom_docker_added_is_removed_for_good_by_courier() {
    let team = with_bob();
    team.docker("eve", "trust key generate eve").ok();
    let eve = team.home("eve").join("eve.pub");
    team.docker("ada", &format!("trust signer add eve {GUN} --key {}", eve.display())).ok();
    let signers = team.courier("ada", &format!("signer list {GUN}")).ok().stdout;
    let names: Vec<_> = signers.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["bob", "eve"]);

    let ran = team.courier("ada", &format!("signer remove eve {GUN}")).ok();
    assert_eq!(
        ran.stdout,
        format!(
            "{GUN}\n  `eve` signs no longer\n  `targets` names 1 target as before: signed again with it\n  `targets` version 6: signed, uploaded, fetched back and equal\n"
        )
    );
    let inspected = team.docker("guest", &format!("trust inspect {GUN}")).ok().stdout;
    assert!(inspected.contains("\"bob\"") && !inspected.contains("\"eve\""), "{inspected}");
    let line =
        format!("addhash -p {GUN} 6.6 528 --sha256 {} -r targets/releases", digest_of("6.6"));
    assert_ne!(team.notary("eve", &line).code(), 0);
}
