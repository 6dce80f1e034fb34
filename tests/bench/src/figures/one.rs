//! One rotation: the whole process, by the time that it takes on processors.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::figure::{Figure, Target};
use crate::keys::SoftKey;
use crate::process;
use crate::soft::{KEY, MODULE, PIN, Soft};
use crate::suite::Suite;

/// Beside a bare process with one signature.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let folder = suite.folder("one");
    let token = Soft::make(&folder.join("token"), "token");
    let room = suite.room(1);
    let title = "one rotation, whole process, time on processors";
    let mut figure = Figure::new("one", title, "ms");
    let keys: Vec<_> = ["targets", "snapshot", "timestamp", "old", "new"]
        .map(|name| folder.join(name))
        .into_iter()
        .inspect(|key| fs::write(key, SoftKey::new().pkcs8()).expect("a file"))
        .collect();
    for round in 0..suite.size.rounds {
        let mut raw = token.command(std::env::current_exe().expect("this program"));
        raw.args(["raw-sign", MODULE, "1"]);
        figure.reference("bare process: load, log in, find, one C_Sign", cost(&mut raw));
        let target = Target::AtMost(1.4);
        let spent = room.copy(&folder.join(format!("round-{round}"))).conduct(suite, 2);
        let took = spent.processor.as_secs_f64() * 1e3;
        figure.ours("officiant conduct: 2 tokens, 3 signatures, each verified", target, took);
        figure.peer("pkcs11-tool: 1 signature", cost(&mut tool(&token, &folder)));
        let mut tough = Command::new(suite.peer("tough/tough-walk"));
        tough.arg("make").arg(&folder).args(&keys);
        figure.peer("tough, the library of tuftool, keys in files: 3 signatures", cost(&mut tough));
        figure.peer("python-tuf, HSMSigner: 3 signatures", cost(&mut python(suite, &token, 3)));
    }
    vec![figure]
}

fn cost(command: &mut Command) -> f64 {
    process::run(command).processor.as_secs_f64() * 1e3
}

/// So many signatures by python-tuf on a token.
pub(super) fn python(suite: &Suite, token: &Soft, count: usize) -> Command {
    let mut python = token.command(suite.peer("python/venv/bin/python"));
    python.env("PYKCS11LIB", MODULE).arg(suite.top.join("tests/peers/sign/hsm.py"));
    python.args([&token.label, KEY.1, PIN, &count.to_string()]);
    python
}

/// One signature by OpenSC's tool.
pub(super) fn tool(token: &Soft, folder: &Path) -> Command {
    let (digest, signature) = (folder.join("digest"), folder.join("signature"));
    fs::write(&digest, [7; 32]).expect("a file");
    let mut tool = token.tool(Path::new(MODULE));
    tool.args(["--sign", "--id", KEY.1, "--mechanism", "ECDSA", "--input-file"]).arg(digest);
    tool.arg("--output-file").arg(signature);
    tool
}
