//! A batch on one token: signatures per second, every one verified.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::one::{python, tool};
use crate::figure::{Figure, Target};
use crate::process;
use crate::soft::{MODULE, Soft};
use crate::suite::Suite;

/// Beside the raw loop, which verifies nothing.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let folder = suite.folder("batch");
    let token = Soft::make(&folder.join("token"), "token");
    let size = suite.size;
    let mut figure = Figure::new("batch", "signatures in a batch on one token", "per s");
    for _ in 0..size.rounds {
        let rate = size.batch as f64 / raw(suite, &token, size.batch);
        figure.reference("raw loop: C_SignInit, C_Sign", rate);
        let tokens = [(PathBuf::from(MODULE), token.folder.clone())];
        for (processors, who, bound) in [
            ("0", "child of officiant, each verified, one core", 0.45),
            ("0,1", "child of officiant, each verified, two cores", 0.80),
        ] {
            let mut ours = ours(suite, Some(processors), &tokens, size.batch);
            let rate = size.batch as f64 / suite.seconds(&mut ours);
            figure.ours(who, Target::AtLeast(bound), rate);
        }
        let began = std::time::Instant::now();
        for _ in 0..size.few {
            process::run(&mut tool(&token, &folder));
        }
        let rate = size.few as f64 / began.elapsed().as_secs_f64();
        figure.peer("pkcs11-tool, a process for each", rate);
        let rate = size.few as f64 / suite.seconds(&mut python(suite, &token, size.few));
        figure.peer("python-tuf, HSMSigner", rate);
        let mut notary = Command::new(suite.peer("walk/walk"));
        let seconds = suite.seconds(notary.args(["sign", &size.batch.to_string()]));
        figure.peer("Notary's own code, key in memory", size.batch as f64 / seconds);
    }
    vec![figure]
}

/// The seconds of the raw loop on one core.
pub(super) fn raw(suite: &Suite, token: &Soft, count: usize) -> f64 {
    raw_through(suite, Some("0"), (token, Path::new(MODULE)), count)
}

/// The same through another module.
pub(super) fn raw_through(
    suite: &Suite,
    processors: Option<&str>,
    (token, module): (&Soft, &Path),
    count: usize,
) -> f64 {
    let mut raw = suite.own(processors);
    raw.env("SOFTHSM2_CONF", token.configuration());
    suite.seconds(raw.arg("raw-sign").arg(module).arg(count.to_string()))
}

/// What signs by children of `officiant`, one for each token, so much with each, and verifies. A token is its module and
/// its folder.
pub(super) fn ours(
    suite: &Suite,
    processors: Option<&str>,
    tokens: &[(PathBuf, PathBuf)],
    count: usize,
) -> Command {
    let mut ours = suite.own(processors);
    ours.arg("child-sign").arg(&suite.officiant).arg(count.to_string());
    for (module, folder) in tokens {
        ours.arg(module).arg(folder);
    }
    ours
}
