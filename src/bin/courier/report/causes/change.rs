//! Errors of changes of a repository's lists, with exit codes and what to do about them.
//!
//! Annex; pure.

use officiant::refusal::{Exit, Refusal};

use crate::trust::change::Unchanged;

/// Why a repository's lists are not changed.
pub(super) fn of_change(error: &Unchanged) -> Refusal {
    use Unchanged as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Registry(error) => super::of_registry(error),
        E::Upload { because, .. } => {
            new(Exit::Device).hint("ask who runs the server").because(because)
        }
        E::Compared { .. } => {
            new(Exit::Device).hint("fetch again to see; call who runs the server")
        }
        E::Meanwhile { .. } => new(Exit::Device).hint("run it again"),
        E::NoCandidate { .. } | E::NoNewFolder { .. } => new(Exit::Usage)
            .hint("a change to sign is written by `--apart FOLDER`, into a new folder"),
        E::Custom { .. } => new(Exit::Usage).hint("numbers are whole, and no key stands twice"),
        E::Hex { .. } => new(Exit::Usage).hint("`sha256sum` and `sha512sum` print it"),
        E::Kind { .. } => new(Exit::Usage).hint("take a key of ECDSA P-256, Ed25519 or RSA"),
        E::NotASigner { .. } | E::Nothing { .. } | E::Role(_) | E::Top => {
            new(Exit::Usage).hint("`courier help` and the command's `--help` say how it is written")
        }
        E::Unvouched { shown, .. } => new(Exit::Refused).hint(format!(
            "read what it says, compare it with whom it is from, then `--agree {}` signs it",
            shown.digits()
        )),
        _ => new(Exit::Refused).hint(hint(error)),
    }
}

/// What to do where a rule refused.
fn hint(error: &Unchanged) -> &'static str {
    use Unchanged as E;
    match error {
        E::Begun { .. } => {
            "a root that is there goes offline by a plan for `rotate`: `courier fetch`"
        }
        E::Broken { .. } => "`courier witness` signs again what it says, after you have read it",
        E::NotListed { .. } => "`courier list --role` shows what a list names",
        E::Disagreed { .. } => "read the change again, and compare with whom it is from",
        E::Stale { .. } => "have it made anew on what is there now",
        E::Stranger { .. } => "find out who put it there; the change without it is another folder",
        E::Few { .. } => "bring more of the keys, or sign apart by `--apart`",
        E::LeavesUnsigned { .. } => {
            "have a signer who stays do it, or all of them by `--apart`; or `--leave-unsigned`, and a signer witnesses the list then"
        }
        E::NoSigner { .. } => {
            "the targets key's owner adds you by `courier signer add`, or signs by `--role targets`; `courier key list` shows your keys"
        }
        E::Path { .. } => "`courier delegation add` gives a role more paths",
        E::NotOurs { .. } => "who holds one revokes; or a targets key removes the delegation",
        E::Threshold { .. } => "add keys, or say another `--threshold`",
        E::NoSnapshotKey { .. } => {
            "who holds it publishes; or the next root gives the role to the server: `courier server rotate-key`"
        }
        _ => "`courier delegation list` shows the roles and the ids of their keys",
    }
}
