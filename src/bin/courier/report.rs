//! Errors as refusals: what is wrong, what to do, what is now true; and the exit code.
//!
//! Annex; the one place where an error of courier gets its hints.

use officiant::digest::Digest;
use officiant::refusal::{Exit, Refusal};
use officiant::room::media;

use super::{fetch, keys, net, notary, prove, publish, tuf};

/// The digest as four lines of six words, after `head` and then blanks of its width.
pub(crate) fn words(head: &str, digest: &Digest) -> String {
    let mut text = String::new();
    for (at, line) in digest.words().chunks(6).enumerate() {
        let head = if at == 0 { head.to_owned() } else { " ".repeat(head.len()) };
        text += &format!("{head}{}\n", line.join(" "));
    }
    text
}

impl From<fetch::Error> for Refusal {
    fn from(error: fetch::Error) -> Self {
        use fetch::Error as E;
        let what = error.to_string();
        let refusal = match &error {
            E::Media(media) => return of_media(media),
            E::Clock => Self::new(Exit::Device, what).hint("set the clock"),
            E::Key(key) => of_key(key),
            E::List { .. } => Self::new(Exit::Usage, what).hint("one name a line"),
            E::Name(_) | E::Option { .. } | E::Twice { .. } => Self::new(Exit::Usage, what),
            E::Net(net) => of_net(net),
            E::Notary(error) => of_notary(error),
            E::Request(_) => {
                Self::new(Exit::Refused, what).hint("fetch fewer repositories at once")
            }
            E::Task => Self::new(Exit::Ours, what),
            E::Tuf(error) => of_tuf(error),
        };
        refusal.standing(NOTHING)
    }
}

impl From<prove::Error> for Refusal {
    fn from(error: prove::Error) -> Self {
        use prove::Error as E;
        let what = error.to_string();
        let refusal = match &error {
            E::Media(media) => return of_media(media),
            E::Key(key) => of_key(key),
            E::Name(_) | E::Role(_) | E::Timestamp => Self::new(Exit::Usage, what),
            E::Plan { .. } => Self::new(Exit::Usage, what).hint("name the plan's file"),
        };
        refusal.standing(NOTHING)
    }
}

impl From<publish::Failure> for Refusal {
    fn from(failure: publish::Failure) -> Self {
        of_publish(&failure.error).standing(failure.standing())
    }
}

fn of_publish(error: &publish::Error) -> Refusal {
    use publish::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Key(key) => of_key(key),
        E::Media(media) => of_media(media),
        E::Net(net) => of_net(net),
        E::Notary(error) => of_notary(error),
        E::Name(_) | E::NoPlace | E::OnePlace { .. } | E::Other { .. } => new(Exit::Usage),
        E::NoRoots { .. } => new(Exit::Usage).hint("name the trust folder, or the `out` media that holds it"),
        E::Store { because, .. } => new(Exit::Device).because(because),
        E::Task => new(Exit::Ours),
        E::TargetsUnsigned { .. } => {
            new(Exit::Refused).hint("name the private targets key by `--targets-key`, where its owner publishes")
        }
        E::SnapshotClient { .. } => new(Exit::Refused)
            .hint("plan a root whose snapshot key is the one that `courier fetch` brought from the server"),
        E::Fork { .. } | E::Behind { .. } | E::RootJson { .. } => {
            new(Exit::Refused).hint("find out who published it; the room's next ceremony needs what is there now")
        }
        E::Compared { .. } => {
            new(Exit::Refused).hint("clients may be cut off now: call who runs the server, and fetch again to see")
        }
        E::Gap { .. } => new(Exit::Refused).hint("bring the media that holds the versions between"),
        E::Walk { .. } => new(Exit::Refused).hint("`officiant check` shows every client and every start"),
        E::Targets { .. } => new(Exit::Refused),
        E::Bytes { .. }
        | E::Custody { .. }
        | E::Rehearsal { .. }
        | E::Root { .. }
        | E::Signature { .. }
        | E::Stranger { .. }
        | E::Succession { .. }
        | E::Threshold { .. } => new(Exit::Refused).hint("publish what a ceremony closed, unchanged"),
    }
}

fn of_key(error: &keys::Error) -> Refusal {
    use keys::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Encrypted { .. } => new(Exit::Usage).hint("run courier at a terminal"),
        E::Passphrase { .. } => new(Exit::Refused).hint(
            "keys of `notary`, `docker trust` and OpenSSL are read: PBES2, PBKDF2, AES-256-CBC",
        ),
        E::Label { expected: "PUBLIC KEY", .. } => {
            new(Exit::Usage).hint("the public half is wanted, or a certificate")
        }
        E::Media(media) => of_media(media),
        E::Key { .. } | E::Label { .. } | E::Pem { .. } | E::Private { .. } => new(Exit::Usage),
        E::Signature { .. } => new(Exit::Ours),
    }
}

/// What stands on media after an error of writing is under a name of ours that nobody reads.
fn of_media(error: &media::Error) -> Refusal {
    error.refusal("nothing complete was written")
}

fn of_net(error: &net::Error) -> Refusal {
    use net::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    let mut refusal = match error {
        E::Authority { .. } | E::Plain { .. } | E::Url { .. } => new(Exit::Usage),
        E::Client { .. } => new(Exit::Ours),
        E::Slow { .. } => new(Exit::Device).hint("`--timeout` gives it more seconds"),
        E::Unauthorized { .. } => {
            new(Exit::Device).hint("put base64 of user:password into NOTARY_AUTH, as for `notary`")
        }
        E::Large { .. } | E::Status { .. } | E::Unreachable { .. } => new(Exit::Device),
    };
    refusal.because = error.because().map(str::to_owned);
    refusal
}

fn of_notary(error: &notary::Error) -> Refusal {
    use notary::Error as E;
    let new = || Refusal::new(Exit::Device, error.to_string());
    match error {
        E::Net(net) => of_net(net),
        E::Gap { .. } => {
            new().hint("a client that was away cannot follow either: ask who runs the server")
        }
        E::NoKey { .. } | E::NoVersion { .. } => new(),
        E::TwoLatest { .. } => {
            new().hint("a root is being published now, or the server is broken: fetch again")
        }
    }
}

fn of_tuf(error: &tuf::Error) -> Refusal {
    use tuf::Error as E;
    match error {
        E::Media(media) => of_media(media),
        E::NoFirst { .. } => Refusal::new(Exit::Device, error.to_string())
            .hint("every version stays published for ever: restore the first ones"),
        E::Net(net) => of_net(net),
    }
}

const NOTHING: &str = "nothing was written";
