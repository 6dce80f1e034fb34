//! Thresholds above 1: each holder signs apart, and no machine has two of the keys.

use super::{GUN, Team, agreed, digest_of};

/// A repository in which two of two signers release.
fn two_of_two() -> Team {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    for who in ["bob", "eve"] {
        team.docker(who, &format!("trust key generate {who}")).ok();
    }
    team.courier("ada", &format!("signer add bob {GUN} --key ../bob/bob.pub")).ok();
    let line = format!("signer add eve {GUN} --key ../eve/eve.pub --releases-threshold 2");
    team.courier("ada", &line).ok();
    team
}

#[test]
fn two_signers_who_never_meet_release_a_tag_that_docker_then_takes() {
    let team = two_of_two();
    let layout = team.layout("bob", "1.0");
    let sign = format!("sign {GUN}:1.0 --layout {layout} --trust-on-first-use");
    let ran = team.courier("bob", &sign);
    assert_eq!(ran.code(), 1);
    assert!(
        ran.stderr.starts_with(&format!(
            "error: repository `{GUN}`: `targets/releases` must be signed by 2 of its keys, with 1 at hand\n"
        )),
        "{}",
        ran.stderr
    );
    let told = team.courier("bob", &format!("{sign} --apart ../change")).ok().stdout;
    assert!(told.contains("`targets/bob`: 1 signed, 1 needed\n"), "{told}");
    assert!(told.contains("`targets/releases`: 1 signed, 2 needed\n"), "{told}");
    let digest = agreed(&told);

    let shown = team.courier("eve", "countersign ../change --trust-on-first-use").ok().stdout;
    assert!(shown.contains("adds `1.0`: sha256:"), "{shown}");
    assert_eq!(agreed(&shown), digest);
    let other = team.courier("eve", &format!("countersign ../change --agree {}", "0".repeat(64)));
    assert_eq!(other.code(), 1);
    assert!(other.stderr.contains(&format!("the digest of this change is {digest}")));
    let line = format!("countersign ../change --agree {digest}");
    let done = team.courier("eve", &line).ok().stdout;
    assert!(
        done.contains("`targets/releases` version 1: signed, uploaded, fetched back and equal")
    );

    let verified = team.courier("guest", &format!("verify {GUN}:1.0 --trust-on-first-use")).ok();
    let manifest = team.manifest(&layout);
    assert_eq!(verified.stdout, format!("{GUN}@sha256:{manifest}\n"));
    let inspected = team.docker("guest", &format!("trust inspect {GUN}")).ok().stdout;
    assert!(inspected.contains(&manifest.to_string()), "{inspected}");
    // What went up once is not signed again for what follows it.
    let stale = team.courier("eve", &line);
    assert!(
        stale.stderr.contains("the change makes version 1 of `targets/bob`, and the next is 2")
    );
    assert!(!verified.stdout.contains(&digest_of("1.0").to_string()));
}

#[test]
fn a_change_with_a_signature_that_is_not_its_own_or_with_another_file_is_refused() {
    let team = two_of_two();
    let layout = team.layout("bob", "1.0");
    let line = format!("sign {GUN}:1.0 --layout {layout} --trust-on-first-use --apart ../change");
    let digest = agreed(&team.courier("bob", &line).ok().stdout);
    let folder = team.home("change").join("metadata/localhost%3a5000%2fadmin%2fdemo");
    let file = folder.join("1.targets%2freleases.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, sig) = text.split_once("\"sig\":\"").unwrap();
    let other = if sig.starts_with('A') { "B" } else { "A" };
    std::fs::write(&file, format!("{head}\"sig\":\"{other}{}", &sig[1..])).unwrap();
    let line = format!("countersign ../change --agree {digest} --trust-on-first-use");
    let ran = team.courier("eve", &line);
    assert_eq!(ran.code(), 1);
    assert!(
        ran.stderr.starts_with("error: `targets/releases`: the signature under key `"),
        "{}",
        ran.stderr
    );
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.join("notes"), "").unwrap();
    let ran = team.courier("eve", &line);
    assert_eq!(ran.code(), 2);
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "error: `../change` is no change to sign: it holds a file that belongs to no candidate"
    );
}
