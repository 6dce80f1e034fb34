//! Errors about keys of the store, with their exit codes and what to do.
//!
//! Annex; pure.

use officiant::child::Error as ChildError;
use officiant::refusal::{Exit, Refusal};
use officiant::room::{media, pkcs11};

use super::causes::of_key;
use crate::key::Error;
use crate::store::{self, Wanted};

/// Why a command about keys was not done.
pub(super) fn of_command(error: &Error) -> Refusal {
    use Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Exists { .. } => new(Exit::Refused)
            .hint("nothing is ever overwritten: take another name, or another folder by `--dir`"),
        E::Gun(_) => new(Exit::Usage).hint("name the repository as docker does"),
        E::Named { .. } => {
            new(Exit::Usage).hint("leave `--name` or `--role` away to load it as what it is")
        }
        E::NoneOf { .. } => new(Exit::Usage).hint("`courier key list` shows what is there"),
        E::NoToken { .. } => new(Exit::Usage).hint("leave it away"),
        E::NotPrivate { .. } => new(Exit::Usage).hint("the private half is wanted"),
        E::OnToken { .. } => new(Exit::Usage)
            .hint("it never leaves it, and its PIN is changed by the tool of its maker"),
        E::Open { path, .. } => new(Exit::Refused)
            .hint(format!("see who read it, then close it by `chmod 600 {}`", path.display())),
        E::Plain { stored } => {
            new(Exit::Refused).hint(format!("`courier key passwd {}` encrypts it", stored.short()))
        }
        E::Reserved { .. } => new(Exit::Usage).hint("take another name"),
        E::Role { .. } => new(Exit::Usage).hint(
            "root keys are made in the room by a ceremony, the key of `timestamp` by the server",
        ),
        E::Root { .. } => new(Exit::Refused).hint(
            "a ceremony takes it into the room by `import` in its plan, and `retire` ends it",
        ),
        E::Signer { .. } => new(Exit::Usage).hint("take a name that docker takes, too"),
        E::Store(error) => of_store(error),
        E::Unnamed { .. } => {
            new(Exit::Usage).hint("say it by `--name NAME`, or by `--role targets --gun NAME`")
        }
    }
}

/// What is wrong with a key of the store.
pub(super) fn of_store(error: &store::Error) -> Refusal {
    use store::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Absent { .. } | E::Tokens { .. } => {
            new(Exit::Device).hint("insert the one that is meant, and no other that fits")
        }
        E::Crypto => {
            new(Exit::Ours).hint("run it again, and tell us what was done if it says so again")
        }
        E::Damaged { .. } | E::Other { .. } => {
            new(Exit::Device).hint("put a copy of the right file into its place, or move it away")
        }
        E::Key(key) => of_key(key),
        E::Keys { .. } => new(Exit::Usage).hint(
            "name the key by `object` or `id`; `p11tool --list-all` and `pkcs11-tool -O` show them",
        ),
        E::Kind { .. } => new(Exit::Usage).hint("make a key of ECDSA P-256"),
        E::Line { .. } => new(Exit::Usage).hint("give it another name"),
        E::Many { .. } => new(Exit::Usage).hint("name more letters of it"),
        E::Media(error) => of_files(error),
        E::None { .. } => new(Exit::Usage).hint("`courier key list` shows what is there"),
        E::Passphrase { .. } => {
            new(Exit::Refused).hint("nothing was locked: run it again with the right passphrase")
        }
        E::Pin { .. } => {
            new(Exit::Refused).hint("it was tried once: run it again with the right PIN")
        }
        E::Root { .. } => {
            new(Exit::Refused).hint("roots are signed in the room, by `officiant conduct`")
        }
        E::Short { .. } => new(Exit::Usage).hint("`courier key list` shows whole ids"),
        E::SoMakes { .. } => new(Exit::Refused)
            .hint("make it by the tool of its maker, and take it up by `courier key load`"),
        E::Token(error) => of_token(error),
        E::Tries { .. } => new(Exit::Refused)
            .hint("give it the right PIN by the tool of its maker, or unlock it there"),
        E::Variable { .. } => new(Exit::Usage).hint("leave it away"),
        E::Uri { .. } => new(Exit::Usage).hint("`courier help key load` shows one"),
        E::Unasked { wanted, source, .. } => {
            let hint = match wanted {
                Wanted::Passphrase => "set it in the environment, or run courier at a terminal",
                Wanted::Consent | Wanted::Pin => "run courier at a terminal",
            };
            new(source.refusal("").exit).because(source).hint(hint)
        }
        E::Unconfirmed { .. } => {
            new(Exit::Refused).hint("compare the id with `courier key list` and run it again")
        }
        E::Untyped => new(Exit::Refused).hint("run it again"),
        E::Weak => new(Exit::Refused).hint("set a longer one for new keys"),
    }
}

/// The hints of the room speak of room.toml and of ceremonies; here there is neither.
fn of_token(error: &ChildError) -> Refusal {
    let refusal = error.refusal("");
    let hint = match error {
        ChildError::Token(pkcs11::Error::Module { .. }) => {
            "see that `module-path` names a PKCS#11 module, and say what it needs: `courier help key load` lists it"
        }
        ChildError::Token(pkcs11::Error::Factory { .. }) => {
            "change it first, by the tool of its maker"
        }
        ChildError::Token(pkcs11::Error::KeyTaken { .. }) => {
            "name another by `object`; one that an interrupted run made is taken up by `courier key load`"
        }
        _ => "see that the token is there and works with the tools of its maker",
    };
    Refusal { hints: vec![hint.to_owned()], check: None, ..refusal }
}

/// The hints of the room speak of media; here it is a folder of this machine.
fn of_files(error: &media::Error) -> Refusal {
    let refusal = error.refusal("");
    let hint = match error {
        media::Error::Locked { .. } => "another `courier` writes to it now: run it again",
        media::Error::Exists { .. } => "nothing is ever overwritten",
        _ => "see that this account may read and write it, and that there is room",
    };
    Refusal { hints: vec![hint.to_owned()], check: None, ..refusal }
}
