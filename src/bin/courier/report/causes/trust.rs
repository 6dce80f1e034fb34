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
        E::Change(error) => super::change::of_change(error),
        E::Folder(error) => of_publish(error),
        E::Key(key) => of_key(key),
        E::Media(media) => of_media(media, ""),
        E::Net(net) => of_net(net),
        E::Notary(error) => of_notary(error),
        E::Image(image) => of_image(image),
        E::Store(error) => super::super::key::of_store(error),
        E::Halfway { error } => {
            let standing = "no digest was trusted; the trust cache has what was verified before";
            return of_trust(error).standing(standing);
        }
        E::NoList { .. } => new(Exit::Usage).hint("name a file of names, or `REGISTRY/REPOSITORY`"),
        E::Task => new(Exit::Ours).hint(super::AGAIN),
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
        E::Cache { .. } => "name a trust folder or a pin, and move the cache away",
        E::Content { .. } => "take no part of it: fetch it anew, or find out who changed it",
        E::Fork { .. } => {
            "one of the two is of somebody else: find out which before anything is pulled"
        }
        E::NoAnchor { .. } => {
            "name the trust folder by `--trust-folder`, or pin its root keys; `--trust-on-first-use` believes the server once"
        }
        E::NotPinned { .. } => {
            "compare the ids with the owner's; `courier inspect` shows those of the server"
        }
        E::Unsound { why: "has expired", role, .. } if role != "timestamp" => {
            "who publishes renews it, and what hangs from it, by `courier witness REPOSITORY targets`"
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
