//! Errors of the publisher's and the consumer's side, with exit codes and what to do about them.
//!
//! Annex; pure.

use officiant::refusal::{Exit, Refusal};
use officiant::wording::List;

use super::{of_image, of_key, of_media, of_net, of_notary, of_publish};
use crate::trust;

/// Why a repository is not trusted, or not changed.
pub(in super::super) fn of_trust(error: &trust::Error) -> Refusal {
    use trust::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    let refusal = match error {
        E::Folder(error) => of_publish(error),
        E::Key(key) => of_key(key),
        E::Media(media) => of_media(media, ""),
        E::Net(net) => of_net(net),
        E::Notary(error) => of_notary(error),
        E::Image(image) => of_image(image),
        E::Registry(error) => super::of_registry(error),
        E::Store(error) => super::super::key::of_store(error),
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
        E::Halfway { error } => {
            let standing = "no digest was trusted; the trust cache has what was verified before";
            return of_trust(error).standing(standing);
        }
        E::Sent { error } => {
            return of_trust(error).standing(
                "the change was sent: `courier inspect` shows whether the server has it",
            );
        }
        E::After { error, done } => {
            let refusal = of_trust(error);
            let standing =
                format!("done before: {}; here {}", List::names(&done.names), refusal.standing);
            return refusal.standing(standing);
        }
        E::Unvouched { shown, .. } => new(Exit::Refused).hint(format!(
            "read what it says, compare it with whom it is from, then `--agree {}` signs it",
            shown.digits()
        )),
        E::Late { .. } => new(Exit::Device).hint("`--timeout` gives it more seconds"),
        E::NotInFolder { .. } => new(Exit::Usage)
            .hint("bring the newest trust folder, or name the repository as the plan does"),
        E::Pins { .. } => new(Exit::Usage).hint("`trust_pinning` is written as for `notary`"),
        E::Unknown { .. } => {
            new(Exit::Refused).hint("see that it is named rightly, and that this is its server")
        }
        _ => new(Exit::Refused).hint(hint(error)),
    };
    refusal.standing("nothing was trusted and nothing was changed")
}

/// What to do where a rule refused.
fn hint(error: &trust::Error) -> &'static str {
    use trust::Error as E;
    match error {
        E::Begun { .. } => {
            "a root that is there goes offline by a plan for `rotate`: `courier fetch`"
        }
        E::Broken { .. } => "`courier witness` signs again what it says, after you have read it",
        E::Cache { .. } => "name a trust folder or a pin, and move the cache away",
        E::Content { .. } => "take no part of it: fetch it anew, or find out who changed it",
        E::NotListed { .. } => "`courier list --role` shows what a list names",
        E::Disagreed { .. } => "read the change again, and compare with whom it is from",
        E::Stale { .. } => "have it made anew on what is there now",
        E::Stranger { .. } => "find out who put it there; the change without it is another folder",
        E::Few { .. } => "bring more of the keys, or sign apart by `--apart`",
        E::Fork { .. } => {
            "one of the two is of somebody else: find out which before anything is pulled"
        }
        E::NoAnchor { .. } => {
            "name the trust folder by `--trust-folder`, or pin its root keys; `--trust-on-first-use` believes the server once"
        }
        E::LeavesUnsigned { .. } => {
            "have a signer who stays do it, or all of them by `--apart`; or `--leave-unsigned`, and a signer witnesses the list then"
        }
        E::NoKey { .. } => "`courier delegation list` shows the ids of its keys",
        E::NoSigner { .. } => {
            "the targets key's owner adds you by `courier signer add`, or signs by `--role targets`; `courier key list` shows your keys"
        }
        E::Path { .. } => "`courier delegation add` gives a role more paths",
        E::NotOurs { .. } => "who holds one revokes; or a targets key removes the delegation",
        E::Threshold { .. } => "add keys, or say another `--threshold`",
        E::NoRole { .. } => "`courier delegation list` shows the roles that it has",
        E::NoSnapshotKey { .. } => {
            "who holds it publishes; or the next root gives the role to the server: `courier server rotate-key`"
        }
        E::NotPinned { .. } => {
            "compare the ids with the owner's; `courier inspect` shows those of the server"
        }
        E::Gone { .. } | E::Long { .. } | E::Older { .. } | E::Twice { .. } | E::Unsound { .. } => {
            "somebody stands between this machine and the server, or the server is broken: find out which"
        }
        E::TagOther { .. } | E::TagUnsigned { .. } => {
            "`courier list` shows what is signed; its publisher signs by `courier sign`"
        }
        E::Walk { .. } => {
            "a newer trust folder may lead on, by `--trust-folder`; else ask its owner"
        }
        _ => "ask the repository's owner",
    }
}
