//! What a child's failure means to the people in the room.
//!
//! Roof: values only.

use super::Error;
use super::vault::Refused;
use crate::refusal::{Exit, Refusal};
use crate::room::pkcs11;

impl Error {
    /// The refusal, with `standing` as what is now true.
    pub fn refusal(&self, standing: impl Into<String>) -> Refusal {
        let refusal = Refusal::new(self.exit(), self.to_string()).standing(standing);
        match self {
            Self::Start { source, .. } => refusal.because(source.kind()),
            Self::Lost { .. } => {
                refusal.hint("look at the token and its module, then run `resume`")
            }
            Self::Token(error) => match token_hint(error) {
                Some(hint) => refusal.hint(hint),
                None => refusal,
            },
            Self::Vault(_) => refusal,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Token(pkcs11::Error::LabelUnfit { .. } | pkcs11::Error::NotSelected { .. })
            | Self::Start { .. }
            | Self::Vault(
                Refused::KeyMissing { .. } | Refused::KeyTaken { .. } | Refused::SecretMissing,
            ) => Exit::Ours,
            Self::Vault(_) => Exit::Refused,
            Self::Lost { .. } | Self::Token(_) => Exit::Device,
        }
    }
}

fn token_hint(error: &pkcs11::Error) -> Option<&'static str> {
    use pkcs11::Error as E;
    Some(match error {
        E::AttributeDiffers { .. } | E::SecretUnreadable { .. } | E::Wrapped { .. } => {
            "this kind of token cannot hold such a key safely: use another model"
        }
        E::Device { .. } | E::Nonsense { .. } => {
            "take the token out, put it in again and run `resume`; if it stays so, use its spare"
        }
        E::Full { .. } => "use an empty token; nothing on this one is removed to make room",
        E::KeyTaken { .. } | E::LabelTaken { .. } | E::ObjectTaken { .. } => {
            "use an empty token, or give the new one another name in the plan"
        }
        E::KeyMissing { .. } | E::ObjectMissing { .. } => {
            "compare its serial with the custody folder"
        }
        E::ManyBlanks { .. } => "insert one new token at a time",
        E::Module { .. } => "correct the path of the module in the room file, or install it",
        E::NoBlank => "insert the new token; what is initialised already is never wiped here",
        E::NoToken { .. } => "insert it; `officiant token list` shows what is present",
        E::PinUnfit { .. } => "choose a PIN of the length and letters that this token takes",
        E::Removed { .. } => "insert it and run `resume`",
        E::TwinLabel { .. } | E::TwinSerial { .. } => "remove the token that is not meant",
        E::WriteProtected { .. } => "set the switch of the token, or its reader, to write",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_token_is_to_be_inserted_again() {
        let name = pkcs11::Name { label: "root-a".to_owned(), serial: "19042155".to_owned() };
        let error =
            Error::Token(pkcs11::Error::Removed { token: name, doing: "signing".to_owned() });
        let refusal = error.refusal("nothing was written");
        assert_eq!(refusal.what, "token `root-a` (serial 19042155) was removed while signing");
        assert_eq!(refusal.hints, ["insert it and run `resume`"]);
        assert_eq!(refusal.exit, Exit::Device);
    }
}
