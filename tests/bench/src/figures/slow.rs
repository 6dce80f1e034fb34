//! Tokens that take five milliseconds for a signature, one or several at once: the share of what they can do.

use std::path::{Path, PathBuf};

use super::batch::{ours, raw_through};
use crate::figure::{Figure, Target};
use crate::soft::{MODULE, Soft};
use crate::suite::Suite;

/// Beside the raw loop on one of them.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let folder = suite.folder("slow");
    let tokens: Vec<(PathBuf, PathBuf)> = (1..=4)
        .map(|number| {
            let token =
                Soft::make(&folder.join(format!("token-{number}")), &format!("token-{number}"));
            let rules = "C_Sign every before work 5\n";
            (shim(suite, &folder.join(format!("shim-{number}")), rules), token.folder)
        })
        .collect();
    let title = "tokens that take 5 ms for a signature: signatures for each token, all at once";
    let mut figure = Figure::new("slow", title, "per s");
    let count = suite.size.slow;
    for _ in 0..suite.size.rounds {
        let (module, token) = &tokens[0];
        let seconds = raw_through(suite, None, (&Soft::at(token), module), count);
        figure.reference("raw loop on one of them", count as f64 / seconds);
        for at_once in [1, 2, 4] {
            let seconds = suite.seconds(&mut ours(suite, None, &tokens[..at_once], count));
            let who = format!("children of officiant, each verified, {at_once} at once");
            figure.ours(&who, Target::AtLeast(0.95), count as f64 / seconds);
        }
    }
    vec![figure]
}

/// A copy of the module that counts and disturbs calls, before SoftHSM.
pub(super) fn shim(suite: &Suite, folder: &Path, rules: &str) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let module = folder.join("libshim.so");
    std::fs::copy(suite.peer("shim/libshim.so"), &module).expect("the shim");
    let text = format!("module {MODULE}\n{rules}");
    std::fs::write(folder.join("shim.conf"), text).expect("its rules");
    module
}
