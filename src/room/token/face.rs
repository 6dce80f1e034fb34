//! What tokens say of themselves.
//!
//! The room, tokens: values only.

use serde::{Deserialize, Serialize};

use crate::wording::is_unseen;

/// What errors call a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The label written on it at its initialisation.
    pub label: String,
    /// The serial that its maker gave it.
    pub serial: String,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.serial.as_str() {
            "" => write!(f, "token `{}` (no serial yet)", self.label),
            serial => write!(f, "token `{}` (serial {serial})", self.label),
        }
    }
}

/// What a token says of itself. All of it is the token's claim; absent text means that the token's answer could not be
/// read, which never stops anything by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Face {
    /// Label and serial.
    pub name: Name,
    /// Who made it.
    pub manufacturer: String,
    /// Which model.
    pub model: String,
    /// Its firmware, `major.minor`.
    pub firmware: String,
    /// C_InitToken has been done.
    pub is_initialised: bool,
    /// A user PIN has been set.
    pub has_user_pin: bool,
    /// What it says of tries of the user PIN.
    pub user_pin: TriesLeft,
    /// It takes PINs on a pad of its own alone.
    pub has_pad: bool,
    /// The lengths of a PIN that it takes, in bytes.
    pub pin_len: (usize, usize),
    /// It wants to be touched, while it blinks, when a root or sealing key of it is used.
    pub is_touched: bool,
    /// What outranks its PIN.
    pub outranked_by: Outranking,
}

/// What outranks the PIN of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outranking {
    /// Of a YubiKey by the module of its maker, which takes it for the SO PIN. Whoever knows it makes keys, and the user does
    /// not; and beside it there is a PUK.
    ManagementKey,
    /// Of a YubiKey by PIV itself, where the management key is behind the PIN.
    Puk,
    /// Of every other token.
    SoPin,
}

impl Outranking {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ManagementKey => "management key",
            Self::Puk => "PUK",
            Self::SoPin => "SO PIN",
        }
    }
}

impl Face {
    /// Whether its keys are made by whoever knows what outranks its PIN, and not by its user.
    pub fn so_makes(&self) -> bool {
        self.outranked_by == Outranking::ManagementKey
    }

    /// Whether it says itself that it is software. One that lies is not found by this.
    pub fn is_soft(&self) -> bool {
        let is = |(maker, model): &(&str, &str)| {
            self.manufacturer.contains(maker) && self.model.contains(model)
        };
        SOFT.iter().any(is)
    }
}

/// Makers and models of soft tokens, as they write them themselves: SoftHSM 2 (maker and model), kryoptic, NSS softokn,
/// the soft token of opencryptoki ("IBM SoftTok" up to 3.8, "Soft" since), and the TPM simulator swtpm behind tpm2-pkcs11.
const SOFT: [(&str, &str); 6] = [
    ("SoftHSM", ""),
    ("", "SoftHSM"),
    ("Kryoptic Project", ""),
    ("Mozilla Foundation", "NSS"),
    ("IBM", "Soft"),
    ("IBM", "SW   TPM"),
];

/// What a token says of the tries left for a PIN. PKCS#11 has flags for it and no number but the last; PIV
/// has the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TriesLeft {
    /// So many, two or more.
    Count(u8),
    /// At least one wrong PIN was given since the last right one (PKCS#11 `COUNT_LOW`).
    Low,
    /// One.
    Last,
    /// None.
    Locked,
    /// It does not say.
    Unsaid,
}

impl std::fmt::Display for TriesLeft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(left) => write!(f, "{left} tries left"),
            Self::Last => f.write_str("1 try left"),
            Self::Low => f.write_str("the token says that tries are running low"),
            Self::Locked => f.write_str("the token is locked"),
            Self::Unsaid => f.write_str("the token does not say how many tries are left"),
        }
    }
}

/// What came of a login.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Login {
    /// The token is open until the logout.
    Open,
    /// The token refused the PIN, and says this of the tries left. Nothing was retried.
    Refused(TriesLeft),
}

/// What a token writes of itself, fit for a screen: some pad with NUL, and none may send what nobody sees.
pub(in crate::room) fn clean(text: &str) -> String {
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace())
        .chars()
        .map(|c| if is_unseen(c) { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
impl Face {
    /// A token that is ready, of no maker.
    pub(in crate::room) fn called(label: &str, serial: &str) -> Self {
        Self {
            name: Name { label: label.to_owned(), serial: serial.to_owned() },
            manufacturer: String::new(),
            model: String::new(),
            firmware: String::new(),
            is_initialised: true,
            has_user_pin: true,
            user_pin: TriesLeft::Unsaid,
            has_pad: false,
            pin_len: (4, 8),
            is_touched: false,
            outranked_by: Outranking::SoPin,
        }
    }

    /// The same, of one.
    pub(in crate::room) fn made_by(self, manufacturer: &str, model: &str) -> Self {
        let (manufacturer, model) = (manufacturer.to_owned(), model.to_owned());
        Self { manufacturer, model, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_tokens_are_known_by_what_they_say_of_themselves() {
        let is_soft = |manufacturer: &str, model: &str| {
            Face::called("", "").made_by(manufacturer, model).is_soft()
        };
        for (maker, model) in [
            ("SoftHSM project", "SoftHSM v2"),
            ("Kryoptic Project", "v1"),
            ("Kryoptic Project", "FIPS-140-3 v1"),
            ("Mozilla Foundation", "NSS 3"),
            ("IBM Corp.", "IBM SoftTok"),
            ("IBM", "Soft"),
            ("IBM", "SW   TPM"),
        ] {
            assert!(is_soft(maker, model), "{maker}, {model}");
        }
        for (maker, model) in [
            ("Yubico (www.yubico.com)", "YubiKey YK5"),
            ("piv_II", "PKCS#15 emulated"),
            ("www.CardContact.de", "PKCS#15 emulated"),
            ("IBM", "CCA"),
            ("Infineon", "SLB9670"),
            ("", ""),
        ] {
            assert!(!is_soft(maker, model), "{maker}, {model}");
        }
    }
}
