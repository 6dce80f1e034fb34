//! A repository of 5,000 tags.

use std::fmt::Write as _;
use std::time::Duration;

use officiant::digest::Digest;

use super::{GUN, Team, lists_re_encode};
use crate::harness::command::{LIMIT, run_with};

const TAGS: usize = 5_000;

/// Adds names to the one image of a layout.
fn name_all(team: &Team, layout: &str, manifest: Digest) {
    let blob =
        std::fs::read(team.home("bob").join(layout).join(format!("blobs/sha256/{manifest}")));
    let size = blob.unwrap().len();
    let mut all = String::new();
    for tag in 0..TAGS {
        let comma = if tag == 0 { "" } else { "," };
        let _ = write!(
            all,
            r#"{comma}{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{manifest}","size":{size},"annotations":{{"org.opencontainers.image.ref.name":"t{tag}"}}}}"#
        );
    }
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{all}]}}"#);
    team.scratch.file("bob/layout/index.json", index);
}

#[test]
fn a_repository_of_five_thousand_tags_is_signed_at_once_and_goes_on_with_every_client() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    team.key("bob");
    team.courier("ada", &format!("signer add bob {GUN} --key ../bob/bob.pub")).ok();
    let layout = team.layout("bob", "1");
    let manifest = team.manifest(&layout);
    name_all(&team, &layout, manifest);
    let mut courier = team.server.courier(&team.home("bob"));
    courier.args(["sign", "--layout", &layout, "--trust-on-first-use"]);
    courier.args((0..TAGS).map(|tag| format!("{GUN}:t{tag}")));
    // Also in a build without optimization, on a machine that does other things.
    run_with(&mut courier, "", LIMIT + Duration::from_secs(60)).ok();

    let digest = super::digest_of("n");
    let roles = "-r targets/releases -r targets/bob";
    team.notary("bob", &format!("addhash -p {GUN} n 528 --sha256 {digest} {roles}")).ok();
    let said = team.courier("bob", &format!("revoke {GUN}:t7")).ok().stdout;
    assert!(
        said.contains("  `targets/releases` names 5000 targets as before: signed again with it\n"),
        "{said}"
    );
    let verified = team.courier("guest", &format!("verify {GUN}:t4999 --trust-on-first-use")).ok();
    assert_eq!(verified.stdout, format!("{GUN}@sha256:{manifest}\n"));
    let inspected = team.docker("guest", &format!("trust inspect {GUN}")).ok().stdout;
    assert_eq!(inspected.matches("\"SignedTag\"").count(), TAGS + 1);
    // A change that concerns them all names their number.
    let ran = team.courier("ada", &format!("signer remove bob {GUN}"));
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        format!(
            "error: repository `{GUN}`: 5000 targets in `targets/releases` would be signed by too few of its keys"
        )
    );
    assert!(lists_re_encode(team.scratch.path()) > 2);
}
