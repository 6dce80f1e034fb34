//! What a child's failure means to the people in the room.
//!
//! Roof: values only.

use super::Error;
use super::vault::Refused;
use crate::check::Check;
use crate::refusal::{Exit, Refusal};
use crate::room::pkcs11;
use crate::{seal, share};

impl Error {
    /// The rule that refused, if one did.
    pub fn check(&self) -> Option<Check> {
        match self {
            Self::Lost { .. } | Self::Start { .. } | Self::Unfenced { .. } => None,
            Self::Picture(_) => Some(Check::SharePaper),
            Self::Token(error) => of_token(error),
            Self::Vault(refused) => of_vault(refused),
        }
    }

    /// The refusal, with `standing` as what is now true.
    pub fn refusal(&self, standing: impl Into<String>) -> Refusal {
        let mut refusal = Refusal::new(self.exit(), self.to_string()).standing(standing);
        refusal.check = self.check();
        refusal.hints.extend(self.hint().map(str::to_owned));
        match self {
            Self::Start { source, .. } => refusal.because(source.kind()),
            _ => refusal,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Token(pkcs11::Error::LabelUnfit { .. } | pkcs11::Error::NotSelected { .. })
            | Self::Start { .. }
            | Self::Vault(
                Refused::KeyMissing { .. }
                | Refused::KeyTaken { .. }
                | Refused::PassphraseGone { .. }
                | Refused::SecretMissing,
            ) => Exit::Ours,
            Self::Picture(_) | Self::Vault(_) => Exit::Refused,
            Self::Token(_) if self.check().is_some() => Exit::Refused,
            Self::Lost { .. } | Self::Token(_) | Self::Unfenced { .. } => Exit::Device,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Lost { child, .. } if child == super::scan::NAME => {
                Some("take another picture, a smaller one, or type the lines")
            }
            Self::Lost { .. } => Some("look at the token and its module, then run `resume`"),
            Self::Picture(_) => {
                Some("give a PNG or JPEG of the paper, or the text file of its typed lines")
            }
            Self::Start { .. } => None,
            Self::Token(error) => token_hint(error),
            Self::Unfenced { .. } => {
                Some("use a machine whose kernel has seccomp and Landlock, as Debian's has")
            }
            Self::Vault(refused) => vault_hint(refused),
        }
    }
}

fn of_token(error: &pkcs11::Error) -> Option<Check> {
    use pkcs11::Error as E;
    Some(match error {
        E::AttributeDiffers { .. } | E::DoesMore { .. } | E::Wrapped { .. } => Check::TokenKeyHeld,
        E::KeyMissing { .. } => Check::TokenKey,
        E::KeyTaken { .. } | E::KeyTwice { .. } => Check::TokenKeyTaken,
        E::LabelTaken { .. } | E::TwinLabel { .. } | E::TwinSerial { .. } => Check::TokenOne,
        E::Factory { .. } => Check::TokenFactory,
        E::ModuleChanged { .. } => Check::RoomModules,
        E::NotBlank { .. } => Check::TokenInit,
        E::ObjectTaken { .. } => Check::TokenObjectTaken,
        E::SecretUnreadable { .. } => Check::TokenSeal,
        _ => return None,
    })
}

fn of_vault(refused: &Refused) -> Option<Check> {
    use share::Error as E;
    Some(match refused {
        Refused::Challenge | Refused::Seal(_) => Check::TokenSeal,
        Refused::OtherKey { .. } => Check::ShareKey,
        Refused::SealKeyTwice { .. } => Check::ShareHolder,
        Refused::SealedShare { refused: seal::Error::OtherIdentity, .. } => Check::ShareIdentity,
        Refused::SealedShare { refused: seal::Error::OtherPassphrase, .. } => {
            Check::SharePassphrase
        }
        Refused::SealedShare { .. } => Check::ShareCommitment,
        Refused::Share(error) => match error {
            E::Combined => Check::ShareKey,
            E::Damaged { .. } | E::Forged { .. } | E::OtherKey { .. } => Check::ShareCommitment,
            E::Duplicate { .. }
            | E::IndexBeyond { .. }
            | E::IndexZero { .. }
            | E::OtherIndex { .. } => Check::ShareIndex,
            E::OtherSet { .. } => Check::ShareSet,
            E::NoShares { .. } | E::Threshold { .. } => Check::ShareThreshold,
            E::TooFew { .. } => Check::ShareQuorum,
            E::NoEntropy | E::NotAKey | E::NotASetId => return None,
        },
        Refused::OtherFile { .. } => Check::AdoptInChain,
        Refused::Unwrappable { .. } => Check::TokenUnwraps,
        Refused::KeyFile(_)
        | Refused::KeyMissing { .. }
        | Refused::KeyTaken { .. }
        | Refused::PassphraseGone { .. }
        | Refused::SealKeys { .. }
        | Refused::SecretMissing
        | Refused::Signature { .. } => return None,
    })
}

fn token_hint(error: &pkcs11::Error) -> Option<&'static str> {
    use pkcs11::Error as E;
    Some(match error {
        E::AttributeDiffers { .. } | E::DoesMore { .. } | E::Wrapped { .. } => {
            "this kind of token cannot hold such a key safely: use another model"
        }
        E::Device { .. } | E::Nonsense { .. } => {
            "take the token out, put it in again and run `resume`; if it stays so, use its spare"
        }
        E::Factory { .. } => "give it another one; an enrolment asks for a PIN and draws the rest",
        E::Full { .. } | E::NotKept { .. } => {
            "make room on it by its maker's tool, or use an empty token; nothing is removed here"
        }
        E::KeyTaken { .. } | E::LabelTaken { .. } | E::ObjectTaken { .. } => {
            "use an empty token, or give the new one another name in the plan"
        }
        E::KeyMissing { .. } | E::ObjectMissing { .. } => {
            "compare its serial with the custody folder"
        }
        E::ManyBlanks { .. } => "insert one new token at a time",
        E::Module { .. } => "correct the path of the module in the room file, or install it",
        E::ModuleChanged { .. } => "put back the module with which the ceremony began",
        E::NotBlank { .. } => {
            "use an empty token, or reset it with its maker's tool if nothing on it is needed"
        }
        E::Untouched { .. } => "run `resume`, and touch it each time that it blinks",
        E::NoBlank => "insert the new token; what is initialised already is never wiped here",
        E::NoToken { .. } => "insert it; `officiant token list` shows what is present",
        E::PadOnly { .. } => {
            "make it ready with its maker's tool, and name it by a `uri` in room.toml"
        }
        E::PinLength { .. } | E::PinUnfit { .. } => {
            "choose a PIN of the length and letters that this token takes"
        }
        E::Removed { .. } => "insert it and run `resume`",
        E::TwinLabel { .. } | E::TwinSerial { .. } => "remove the token that is not meant",
        E::WriteProtected { .. } => "set the switch of the token, or its reader, to write",
        E::KeyTwice { .. } => "one of the two is a copy: leave this token out",
        E::NotSupported { .. } | E::PeerPoint { .. } | E::SecretUnreadable { .. } => {
            "this kind of token cannot take this part: use another model"
        }
        E::LabelUnfit { .. } | E::NotLoggedIn { .. } | E::NotSelected { .. } => return None,
    })
}

fn vault_hint(refused: &Refused) -> Option<&'static str> {
    use share::Error as E;
    Some(match refused {
        Refused::Seal(seal::Error::OtherToken)
        | Refused::SealedShare { refused: seal::Error::OtherToken, .. } => {
            "bring the token that this share was sealed to"
        }
        Refused::SealedShare { refused: seal::Error::OtherIdentity, .. } => {
            "its holder looks for the identity that the plan names, and `resume` asks once more"
        }
        Refused::SealedShare { refused: seal::Error::OtherPassphrase, .. } => {
            "its custodian looks at the words again, and `resume` asks once more"
        }
        Refused::SealedShare { .. }
        | Refused::Share(E::Damaged { .. } | E::Forged { .. } | E::OtherSet { .. }) => {
            "read the share from the other copy: token and custody folder each hold one"
        }
        Refused::Share(E::TooFew { .. }) => "bring the tokens of more custodians",
        Refused::Share(
            E::Duplicate { .. }
            | E::IndexBeyond { .. }
            | E::IndexZero { .. }
            | E::OtherIndex { .. }
            | E::OtherKey { .. },
        ) => "leave this share out and open another one; find out who made it",
        Refused::Share(E::Combined) | Refused::OtherKey { .. } => {
            "open other shares; what these rebuild is not the key, and signs nothing"
        }
        Refused::Share(E::Threshold { .. }) => "correct `threshold` or the holders of its `shares`",
        Refused::Challenge | Refused::Seal(_) | Refused::SealKeyTwice { .. } => {
            "enrol another token for the share"
        }
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

    #[test]
    fn a_bad_share_names_itself_and_its_check() {
        let forged = Error::Vault(share::Error::IndexZero { share: 4 }.into());
        assert_eq!(
            forged.refusal("").to_string(),
            "share 4 is forged: it says that its index is 0 [SHARE-INDEX]"
        );
        assert_eq!(forged.refusal("").exit, Exit::Refused);
        let fault = crate::child::wire::Fault::Closed;
        let lost = Error::Lost { child: "officer-1".into(), fault };
        assert_eq!(lost.refusal("").to_string(), "the process for `officer-1` was lost: it ended");
        assert_eq!(lost.refusal("").exit, Exit::Device);
    }
}
