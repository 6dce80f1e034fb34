//! The first ceremony, in both dialects and both ways of holding a key.

use officiant::{
    root::{Dialect, Role},
    trust::Held,
};

use super::left::planned;
use super::rotate::enough;
use super::{Bench, Holding, PlanText};
use crate::harness::{
    command::{command, run},
    scratch::Scratch,
    shim::Shim,
    softhsm::MODULE,
};

/// A genesis with keys on tokens: 2 of 3.
pub(crate) fn on_tokens() -> PlanText {
    PlanText {
        ceremony: "genesis",
        after: None,
        keys: vec![
            ("root-a", "ecdsa-p256", Holding::Token("officer-a")),
            ("root-b", "ecdsa-p256", Holding::Token("officer-b")),
            ("root-c", "ecdsa-p256", Holding::Token("officer-c")),
        ],
        root: vec!["root-a", "root-b", "root-c"],
        threshold: 2,
        roles: Role::ONLINE.to_vec(),
        extra: String::new(),
    }
}

/// A genesis with one key on one token.
pub(crate) fn on_one_token() -> PlanText {
    PlanText {
        keys: vec![("root-a", "ecdsa-p256", Holding::Token("officer-a"))],
        root: vec!["root-a"],
        threshold: 1,
        ..on_tokens()
    }
}

/// A genesis with one key in shares: 3 of 5.
pub(crate) fn in_shares() -> PlanText {
    let tokens = &["share-1", "share-2", "share-3", "share-4", "share-5"];
    PlanText {
        keys: vec![("root-s", "ecdsa-p256", Holding::Shares(3, tokens))],
        root: vec!["root-s"],
        threshold: 1,
        ..on_tokens()
    }
}

#[test]
fn keys_on_tokens_sign_a_first_tuf_root() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = ["officer-a", "officer-b", "officer-c"];
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "");
    bench.write_plan(&on_tokens());
    let ran = bench.conduct().ok();
    assert!(ran.stdout.contains("closed 0001-genesis"), "{}", ran.stdout);
    let all = "2 of root-a root-b root-c, signed by root-a root-b root-c";
    assert_eq!(bench.shape("repo.test", 1), all);
    assert_eq!(bench.remarks(), [""; 0]);
}

#[test]
fn a_key_in_shares_signs_a_first_notary_root() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one", "localhost:5000/two"]);
    let tokens = ["share-1", "share-2", "share-3", "share-4", "share-5"];
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "");
    bench.write_plan(&in_shares());
    bench.conduct().ok();
    for name in &bench.repositories {
        assert_eq!(bench.shape(name, 1), "1 of root-s, signed by root-s");
        assert_eq!(bench.certificates(name, 1), planned(name, 1));
    }
    assert_eq!(bench.remarks(), [23, 24].map(enough));
    let Held::Shares { threshold, shares, .. } = &bench.custody().keys[0].held else {
        panic!("no shares");
    };
    assert_eq!((*threshold, shares.len()), (3, 5));
    assert!(shares.iter().all(|share| share.on_token && tokens.contains(&share.holder.as_str())));
}

#[test]
fn an_account_that_may_not_lock_memory_is_told_where_keys_could_go() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = ["officer-a", "officer-b", "officer-c"];
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "");
    bench.write_plan(&on_tokens());
    let conducting = bench.conducting();
    let mut limited = command("prlimit", bench.scratch.path());
    limited.arg("--memlock=65536");
    if rustix::process::geteuid().is_root() {
        limited.args(["setpriv", "--inh-caps=-ipc_lock", "--bounding-set=-ipc_lock"]);
    }
    limited.arg(conducting.get_program()).args(conducting.get_args());
    let said = "this account may not lock memory: see that the machine has no swap";
    assert_eq!(run(&mut limited).ok().stderr.matches(said).count(), 1);
}

#[test]
fn where_nothing_can_try_to_carry_a_key_away_the_screen_says_that_the_token_is_believed() {
    let scratch = Scratch::new();
    // No key to wrap with is made: the mechanism is invalid.
    let shim = Shim::before(&scratch, "all", MODULE, &["C_GenerateKey every before return 0x70"]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = ["officer-a", "officer-b", "officer-c"];
    bench.write_room_with(&tokens, &shim.module().display().to_string());
    bench.write_answers(&tokens, "");
    bench.write_plan(&on_tokens());
    let screen = bench.conduct().ok().stderr;
    let words: Vec<&str> = screen.split_whitespace().collect();
    for key in ["officer-a attest", "root-a"] {
        let said =
            format!("key {key}: that it cannot leave its token is only what the token says;");
        assert_eq!(words.join(" ").matches(&said).count(), 1, "{screen}");
    }
}
