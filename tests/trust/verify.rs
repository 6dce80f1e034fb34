//! `courier verify`: what a tag means, and what it is trusted by.

use std::fs;

use super::{GUN, Team, cached, digest_of};

#[test]
fn a_tag_is_verified_by_the_cache_that_docker_and_notary_keep_or_by_first_use_that_says_so() {
    let team = Team::new();
    team.made_by_notary("ada", GUN, "1.0");
    let right = format!("{GUN}@sha256:{}\n", digest_of("1.0"));

    let ran = team.courier("bob", &format!("verify {GUN}:1.0"));
    assert_eq!(ran.code(), 1);
    assert_eq!(ran.stdout, "");
    assert_eq!(
        ran.stderr,
        "error: repository `localhost:5000/admin/demo`: nothing says which root is its own: no pin, no trust cache, \
         no trust folder [TRUST-ANCHOR]\n\
         hint: name the trust folder by `--trust-folder`, or pin its root keys; `--trust-on-first-use` believes the \
         server once\n\
         nothing was trusted and nothing was changed\n"
    );
    let ran = team.courier("bob", &format!("verify --trust-on-first-use {GUN}:1.0")).ok();
    assert_eq!(ran.stdout, right);
    assert_eq!(team.courier("bob", &format!("verify {GUN}:1.0")).ok().stdout, right);

    // What docker saw is seen here, and the other way round.
    team.docker("eve", &format!("trust inspect {GUN}")).ok();
    assert_eq!(team.courier("eve", &format!("verify {GUN}:1.0")).ok().stdout, right);
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let file = |who| fs::read(cached(&team.home(who), GUN, role)).unwrap();
        assert_eq!(file("bob"), file("eve"), "{role}");
    }
    let listed = team.notary("bob", &format!("lookup {GUN} 1.0")).ok().stdout;
    assert!(listed.contains(&digest_of("1.0").to_string()), "{listed}");
}

#[test]
fn a_tag_that_nobody_signed_and_another_digest_are_refused() {
    let team = Team::new();
    team.made_by_notary("ada", GUN, "1.0");
    let ran = team.courier("ada", &format!("verify {GUN}:2.0"));
    assert_eq!((ran.code(), ran.stdout.as_str()), (1, ""));
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "error: `localhost:5000/admin/demo:2.0` is not signed [TAG-UNSIGNED]"
    );
    let (right, other) = (digest_of("1.0"), digest_of("2.0"));
    team.courier("ada", &format!("verify {GUN}:1.0@sha256:{right}")).ok();
    let ran = team.courier("ada", &format!("verify {GUN}:1.0@sha256:{other}"));
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        format!(
            "error: `localhost:5000/admin/demo:1.0` is signed for sha256:{right}, not for sha256:{other} [TAG-UNSIGNED]"
        )
    );
    let ran = team.courier("ada", "verify localhost:5000/none:1.0 --trust-on-first-use");
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "error: the server has no trust data for `localhost:5000/none`"
    );
}
