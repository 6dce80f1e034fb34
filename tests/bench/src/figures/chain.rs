//! A long chain of roots with a new key in each, walked from the first by ours and by the clients of the world.

use std::path::Path;
use std::process::Command;

use crate::figure::Figure;
use crate::process;
use crate::suite::Suite;

/// In each dialect, beside bare verification of the signatures on the way.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let folder = suite.folder("chain");
    let count = suite.size.chain;
    let mut make = suite.own(None);
    process::run(make.arg("make-chains").arg(&folder).arg(count.to_string()));
    let title = |what| format!("a chain of {count} {what} roots, a new key in each");
    let mut notary = Figure::new("chain-notary", title("Notary"), "ms");
    let mut tuf = Figure::new("chain-tuf", title("TUF"), "ms");
    for _ in 0..suite.size.rounds {
        let at = |dialect: &str| folder.join(dialect).join("chain");
        let ours = |profile: &str, dialect: &str| {
            let mut walk = suite.own(Some("0"));
            suite.seconds(walk.args(["walk", profile]).arg(at(dialect))) * 1e3
        };
        let raw = |dialect: &str| {
            let mut raw = suite.own(Some("0"));
            suite.seconds(raw.args(["walk-raw", dialect]).arg(at(dialect))) * 1e3
        };
        notary.reference("bare verification of its signatures", raw("notary"));
        notary.peer("ours, strictest reader", ours("notary-strictest", "notary"));
        notary.peer("ours, as Notary's client walks", ours("notary", "notary"));
        let walk =
            |suite: &Suite| peer(suite, &suite.peer("walk/walk"), &[], &folder.join("notary"));
        notary.peer("notary client", walk(suite));
        tuf.reference("bare verification of its signatures", raw("tuf"));
        tuf.peer("ours, strictest reader", ours("tuf-strictest", "tuf"));
        let python = suite.peer("python/venv/bin/python");
        let program = suite.top.join("tests/peers/walk/walk.py");
        tuf.peer("python-tuf", peer(suite, &python, &[&program], &folder.join("tuf")));
        let tough = suite.peer("tough/tough-walk");
        tuf.peer("tough", peer(suite, &tough, &[], &folder.join("tuf")));
    }
    notary.lead(2);
    tuf.lead(1);
    vec![notary, tuf]
}

/// The milliseconds that a peer says its walk of the one chain in a folder took, its start not counted.
fn peer(suite: &Suite, program: &Path, first: &[&Path], folder: &Path) -> f64 {
    let mut walk = Command::new("taskset");
    walk.args(["-c", "0"]).arg(program).args(first);
    suite.seconds(walk.arg("time").arg(folder)) * 1e3
}
