//! A token whose signatures are not good: each is found before anything of it is recorded, and made anew afterwards.

use officiant::{ceremony::fact::Fact, record::Body, root::Dialect};

use super::Bench;
use super::bad_answer::waits_at;
use super::genesis::on_one_token;
use crate::harness::{scratch::Scratch, shim::Shim, softhsm::MODULE};

const TOKEN: [&str; 1] = ["officer-a"];
/// What the other library says of a signature of which every bit was turned.
const SPOILED: &str = "the signature is not by this key over these bytes";

#[test]
fn a_signature_that_a_token_spoils_is_named_and_made_anew() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one", "localhost:5000/two"]);
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "one", MODULE, &[]);
    bench.write_room_with(&TOKEN, shim.module().to_str().unwrap());
    bench.write_answers(&TOKEN, "");
    bench.write_plan(&on_one_token());
    let own = format!("token `officer-a`: {SPOILED} [SIGNATURE-GOOD]");
    let use_another = "a token whose signatures are not good is not to be trusted: use another";
    let two = "`localhost:5000/two`";
    // Which signature of the run is spoiled: each restart makes those of its step again. `cryptoki` calls twice for one.
    let rows = [
        ("the proof of the attest key", 1, own.clone(), use_another, 5),
        ("the proof of the root key", 2, own, use_another, 6),
        (
            "the certificate of the second repository",
            4,
            format!("certificate for {two}: {SPOILED} [SIGNATURE-GOOD]"),
            "run `resume`: it signs anew; if it stays so, use another token",
            6,
        ),
        (
            "the root of the second repository",
            4,
            format!("{two}: {SPOILED} [SIGNATURE-GOOD]"),
            "run `resume`: it signs anew; if it stays so, use another token",
            9,
        ),
    ];
    for (name, number, told, hint, step) in &rows {
        shim.rules(MODULE, &[&format!("C_Sign {} after garbage", 2 * number)]);
        let is_first = *number == 1;
        let run = || if is_first { bench.conduct() } else { bench.resume() };
        bench.stops(run, 1, [told, hint, &waits_at(*step)]);
        assert_eq!(shim.counts()["C_Sign"], 2 * number, "{name}: it went on");
        assert!(!signed(&bench), "{name}: it was recorded");
    }
    shim.rules(MODULE, &[]);
    bench.resume().ok();
    assert!(signed(&bench));
}

/// Whether the record has the signatures of a root key.
fn signed(bench: &Bench) -> bool {
    let record = bench.record();
    let is_signed = |body: &Body| matches!(body, Body::Done { fact: Fact::RootsSigned { .. } });
    record.entries().iter().any(|entry| is_signed(&entry.body))
}
