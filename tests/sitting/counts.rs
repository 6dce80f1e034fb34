//! What a rotation asks of its tokens, call by call.

use std::collections::BTreeMap;

use officiant::root::Dialect;

use super::genesis::on_one_token;
use super::{Bench, Holding, PlanText};
use crate::harness::{scratch::Scratch, shim::Shim, softhsm::MODULE};

/// How often each function was called in a rotation of so many repositories from one token's key to another's, and what
/// the screen said.
fn rotation(many: usize) -> (BTreeMap<String, usize>, String) {
    let names: Vec<String> = (1..=many).map(|n| format!("localhost:5000/number-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let module = shim.module().display().to_string();
    let mut bench = Bench::new(Dialect::Notary, &names);
    let genesis = on_one_token();
    bench.write_room_with(&["officer-a"], &module);
    bench.write_answers(&["officer-a"], "");
    bench.write_plan(&genesis);
    bench.conduct().ok();
    bench.next_room();
    let tokens = ["officer-a", "officer-b"];
    bench.write_room_with(&tokens, &module);
    bench.write_answers(&tokens, "");
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![("root-b", "ecdsa-p256", Holding::Token("officer-b"))],
        root: vec!["root-b"],
        roles: Vec::new(),
        ..genesis
    });
    shim.rules(MODULE, &[]);
    let ran = bench.conduct().ok();
    (shim.counts(), ran.stderr)
}

#[test]
fn repositories_cost_one_signing_for_each_signature_and_nothing_else() {
    // More than are signed without a word about how far it is.
    let ((one, alone), (many, screen)) = (rotation(1), rotation(18));
    let more = |function: &str| many[function] - one[function];
    // For each repository: a certificate of the new key, a signature of the old key, and one of the new.
    assert_eq!(more("C_SignInit"), 3 * 17);
    // cryptoki asks for the length first.
    assert_eq!(more("C_Sign"), 2 * 3 * 17);
    let same = |counts: &BTreeMap<String, usize>| {
        let others = counts.iter().filter(|(name, _)| !name.starts_with("C_Sign"));
        others.map(|(name, count)| (name.clone(), *count)).collect::<Vec<_>>()
    };
    assert_eq!(same(&one), same(&many));
    // Beside those of each repository: attest and root key of the new token prove themselves, and the token says that it
    // made the root key.
    assert_eq!((one["C_SignInit"], one["C_Sign"]), (3 + 3, 2 * (3 + 3)));
    // One login for each act at a token, as user or (three times, at the enrolment) as security officer.
    assert_eq!((one["C_Login"], one["C_Logout"]), (LOGINS, LOGINS));
    assert_eq!(screen.matches("certified: 18 of 18\n").count(), 1, "{screen}");
    assert_eq!(screen.matches("\nsigned: 18 of 18\n").count(), 2, "{screen}");
    assert_eq!(screen.matches("walked by every client: 18 of 18\n").count(), 2, "{screen}");
    assert!(!alone.contains(" of 1\n"), "{alone}");
}

/// Enrolment: set the PIN as security officer, log in, discard the SO PIN. Then the key, and two signatures.
const LOGINS: usize = 3 + 1 + 2;
