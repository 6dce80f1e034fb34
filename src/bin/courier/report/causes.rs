//! Each error of courier, with its exit code and what to do about it.
//!
//! Annex; pure.

mod change;
mod consumer;
mod trust;

use officiant::refusal::{Exit, Refusal};
use officiant::request;
use officiant::room::media::{self, Kind};

use crate::{credentials, fetch, journal, keys, net, notary, prove, publish, tuf};

pub(super) use consumer::{of_digest, of_pull, of_run};
use consumer::{of_image, of_registry};

/// Why nothing was fetched.
pub(super) fn of_fetch(error: &fetch::Error) -> Refusal {
    use fetch::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    let refusal = match error {
        E::Media(media) => return of_media(media, "no request was written"),
        E::Budget(_) | E::Many { .. } => new(Exit::Refused).hint(FEWER),
        E::Clock => new(Exit::Device).hint("set the clock"),
        E::Journal(journal) => of_journal(journal),
        E::Key(key) => of_key(key),
        E::List { .. } => new(Exit::Usage).hint("one name a line"),
        E::Name(_) => new(Exit::Usage).hint("name it as the server or the plan does"),
        E::Net(net) => of_net(net),
        E::Notary(error) => of_notary(error),
        E::Option { option, .. } => {
            new(Exit::Usage).hint(format!("`courier help fetch` says what `{option}` is for"))
        }
        E::Request(request::Error::Keys { .. }) => {
            new(Exit::Refused).hint("offer each key once, and at most as many as that")
        }
        E::Request(_) => new(Exit::Refused).hint(FEWER),
        E::Task => new(Exit::Ours).hint(AGAIN),
        E::Tuf(error) => of_tuf(error),
        E::Twice { .. } => new(Exit::Usage).hint("name it once, here or in the list"),
    };
    refusal.standing("nothing was written")
}

/// Why nothing was proved.
pub(super) fn of_prove(error: &prove::Error) -> Refusal {
    use prove::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    let refusal = match error {
        E::Media(media) => return of_media(media, "no proof was written whole"),
        E::Key(key) => of_key(key),
        E::Name(_) => new(Exit::Usage).hint("name it as the plan does"),
        E::NoKey { .. } => {
            new(Exit::Usage).hint("name its file by `--key`, or load it by `courier key load`")
        }
        E::Store(error) => super::key::of_store(error),
        E::List { .. } | E::Nothing { .. } => {
            new(Exit::Usage).hint("name the list that the plan names")
        }
        E::Unpinned { .. } => new(Exit::Usage)
            .hint("name the file of each key by `--key`, or take the repository out of the list"),
        E::Plan { .. } => new(Exit::Usage).hint("name the plan's file"),
        E::Role(_) | E::Timestamp => new(Exit::Usage).hint("`targets` and `snapshot` have owners"),
    };
    refusal.standing("nothing was written")
}

pub(super) use trust::of_trust;

/// Why something is not published.
pub(super) fn of_publish(error: &publish::Error) -> Refusal {
    use publish::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Journal(journal) => of_journal(journal),
        E::Key(key) => of_key(key),
        E::Media(media) => of_media(media, ""),
        E::Net(net) => of_net(net),
        E::Notary(error) => of_notary(error),
        E::Apart { .. } => new(Exit::Usage).hint("`courier publish --help` says what it is for"),
        E::Lists(error) => of_trust(error),
        E::Keys(error) => super::key::of_store(error),
        E::Words(refusal) => refusal.clone(),
        E::Dialect { .. } => new(Exit::Usage)
            .hint("`--server` is for `notary`, `--directory` and `--bucket` are for `tuf`"),
        E::Name(_) => new(Exit::Usage).hint("name it as the plan does"),
        E::NoFolder { .. } => new(Exit::Usage).hint("make it, or correct the path"),
        E::NoPlace => {
            new(Exit::Usage).hint("name it by `--server`, `--directory` or `--bucket`")
        }
        E::OnePlace { .. } => new(Exit::Usage).hint("each repository has a place of its own"),
        E::Other { .. } => {
            new(Exit::Usage).hint("`officiant show` names the repositories of a trust folder")
        }
        E::NoRoots { .. } => {
            new(Exit::Usage).hint("name the trust folder, or the `out` media that holds it")
        }
        E::Store { because, .. } => new(Exit::Device).hint(
            "the AWS variables of the environment say which store it is, and with whose credentials",
        ).because(because),
        E::Task => new(Exit::Ours).hint(AGAIN),
        _ => new(Exit::Refused).hint(hint_of_publish(error)),
    }
}

/// What to do where a rule refused.
fn hint_of_publish(error: &publish::Error) -> &'static str {
    use publish::Error as E;
    match error {
        E::TargetsUnsigned { .. } => {
            "name the private targets key by `--targets-key`, where its owner publishes"
        }
        E::OnlineUnsigned { .. } => {
            "have its service sign what is served with the new keys too, beside the old ones; then publish"
        }
        E::SnapshotClient { .. } => {
            "plan a root whose snapshot key is the one that `courier fetch` brought from the server"
        }
        E::TimestampForeign { .. } => {
            "plan a root whose timestamp key is the one that `courier fetch` brought from this server"
        }
        E::Ended { .. } => {
            "so it does when the certificates of its newest root have ended: ask who runs the server"
        }
        E::Fork { .. } | E::Behind { .. } | E::Meanwhile { .. } | E::RootJson { .. } => {
            "find out who published it; the room's next ceremony needs what is there now"
        }
        E::Compared { .. } => {
            "clients may be cut off now: call who runs the server, and fetch again to see"
        }
        E::Unsound { .. } => {
            "clients do not take it either, or somebody stands between this machine and the server: find out which"
        }
        E::Trust { .. } => {
            "compare with another copy of the trust folder; `officiant verify` says more"
        }
        E::Walk { .. } => "`officiant check` shows every client and every start",
        _ => "publish what a ceremony closed, unchanged",
    }
}

pub(super) fn of_journal(error: &journal::Error) -> Refusal {
    let refusal = Refusal::new(Exit::Device, error.to_string());
    match error {
        journal::Error::Failed { source, .. } => {
            refusal.hint("`--journal` names another folder for it").because(source)
        }
        journal::Error::Locked { .. } => refusal.hint("wait until it has ended"),
    }
}

pub(super) fn of_key(error: &keys::Error) -> Refusal {
    use keys::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Encrypted { .. } => new(Exit::Usage).hint("run courier at a terminal"),
        E::Passphrase { .. } => new(Exit::Refused).hint(
            "keys of `notary`, `docker trust` and OpenSSL are read: PBES2, PBKDF2, AES-256-CBC",
        ),
        E::OldEncryption { .. } => {
            new(Exit::Usage).hint("`openssl pkcs8 -topk8 -in OLD -out NEW` writes it anew")
        }
        E::Label { expected: "PUBLIC KEY", .. } => {
            new(Exit::Usage).hint("the public half is wanted, or a certificate")
        }
        E::Label { .. } => new(Exit::Usage).hint("the private half is wanted"),
        E::Media(media) => of_media(media, ""),
        E::Key { .. } | E::Private { .. } | E::Unprovable { .. } => {
            new(Exit::Usage).hint("make a key of ECDSA P-256, Ed25519 or RSA")
        }
        E::Pem { .. } => new(Exit::Usage).hint("name a key file as OpenSSL or `notary` writes it"),
        E::Random => new(Exit::Ours).hint("see that this machine gives randomness"),
        E::Signature { .. } => {
            new(Exit::Ours).hint("the two halves in the file may not belong together")
        }
    }
}

/// The hints of the room speak of room.toml and `resume`; here there is neither.
fn of_media(error: &media::Error, standing: &str) -> Refusal {
    let refusal = error.refusal(standing);
    let hint = match error {
        media::Error::Vanished { .. } => "insert it again, or a fresh one, and run `courier` again",
        media::Error::WrongKind { expected: Kind::Out, .. } => {
            "published is what lies on `out` media"
        }
        media::Error::WrongKind { .. } => "take an empty volume, or one that is marked `in`",
        media::Error::Foreign { .. } => {
            "take an empty volume; one that is in use already carries a file `officiant-media` with the line `in`"
        }
        _ => return refusal,
    };
    Refusal { hints: vec![hint.to_owned()], ..refusal }
}

fn of_net(error: &net::Error) -> Refusal {
    use net::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    let mut refusal = match error {
        E::Authority { .. } | E::Identity { .. } => new(Exit::Usage).hint("name files in PEM"),
        E::Client { .. } => new(Exit::Ours).hint(AGAIN),
        E::Credentials(credentials::Error::Notary) => new(Exit::Usage).hint(CREDENTIALS),
        E::Credentials(credentials::Error::Helper { registry, .. }) => new(Exit::Device)
            .hint(format!("see that the helper is in PATH, or `docker login {registry}` anew")),
        E::Credentials(credentials::Error::File { .. }) => {
            new(Exit::Usage).hint("`docker login` writes it; `DOCKER_CONFIG` says where it is")
        }
        E::Elsewhere { host, .. } => new(Exit::Refused).hint(format!(
            "if that is the token server of this one, let it have them by `--token-host {host}`"
        )),
        E::Large { .. } => {
            new(Exit::Device).hint("no repository has such a file: ask who runs the server")
        }
        E::Plain { .. } | E::Url { .. } => new(Exit::Usage).hint("name it as `https://HOST`"),
        E::Slow { .. } => new(Exit::Device).hint("`--timeout` gives it more seconds"),
        E::Status { .. } => new(Exit::Device).hint("ask who runs the server"),
        E::Unauthorized { given, registry, notary, .. } => {
            new(Exit::Device).hint(hint_of_login(*given, registry.as_deref(), *notary))
        }
        E::Unreachable { .. } => {
            new(Exit::Device).hint("see that it runs, and that nothing stands between")
        }
    };
    refusal.because = error.because().map(str::to_owned);
    refusal
}

/// Where the credentials come from that a server wants.
fn hint_of_login(given: bool, registry: Option<&str>, notary: bool) -> String {
    match (registry, notary) {
        (Some(registry), false) => format!("`docker login {registry}`, as somebody who may"),
        (_, _) if given => "NOTARY_AUTH must be of somebody who may, and not be mistyped".into(),
        (Some(registry), true) => {
            format!("{CREDENTIALS}, or `docker login {registry}` as somebody who may")
        }
        (None, _) => CREDENTIALS.into(),
    }
}

fn of_notary(error: &notary::Error) -> Refusal {
    use notary::Error as E;
    let new = || Refusal::new(Exit::Device, error.to_string());
    match error {
        E::Budget(_) => Refusal::new(Exit::Refused, error.to_string()).hint(FEWER),
        E::Net(net) => of_net(net),
        E::Damaged { .. } => new().hint(
            "an upload damaged it, and no other can mend it: ask who runs the server, before anything is planned",
        ),
        E::Gap { .. } => {
            new().hint("a client that was away cannot follow either: ask who runs the server")
        }
        E::NoKey { .. } | E::NoVersion { .. } => new().hint("see that it is a Notary server"),
        E::TwoLatest { .. } => {
            new().hint("a root is being published now, or the server is broken: fetch again")
        }
    }
}

fn of_tuf(error: &tuf::Error) -> Refusal {
    use tuf::Error as E;
    let new = || Refusal::new(Exit::Device, error.to_string());
    match error {
        E::Budget(_) => Refusal::new(Exit::Refused, error.to_string()).hint(FEWER),
        E::Cut { .. } => {
            new().hint("every version stays published for ever: restore it, or see who may read it")
        }
        E::Media(media) => of_media(media, ""),
        E::NoFirst { .. } => {
            new().hint("every version stays published for ever: restore the first ones")
        }
        E::Net(net) => of_net(net),
    }
}

const AGAIN: &str = "run it again, and tell us what was done if it says so again";
const CREDENTIALS: &str = "put base64 of user:password into NOTARY_AUTH, as for `notary`";
const FEWER: &str = "fetch fewer repositories at once, and plan them apart";
