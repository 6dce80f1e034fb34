//! What a token or what drives it can do to us, in our own words.
//!
//! The room, tokens: values only.

use serde::{Deserialize, Serialize};

use super::Name;
use crate::digest::Digest;

/// Why a token did not do what was asked. Never a PIN and never `cryptoki`'s own text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// An attribute of a generated key is not what was asked for. The key was destroyed.
    #[error("{token} made key `{label}` with {attribute} = {found}, expected {expected}")]
    AttributeDiffers {
        /// Whose.
        token: Name,
        /// The key's label.
        label: String,
        /// The PKCS#11 name of the attribute.
        attribute: String,
        /// What the ceremony demands.
        expected: bool,
        /// What the token says.
        found: bool,
    },
    /// The token failed in a way that says nothing more.
    #[error("{token} failed while {doing} ({code})")]
    Device {
        /// Whose.
        token: Name,
        /// What was being done.
        doing: String,
        /// The name of the return value, such as `CKR_DEVICE_ERROR`.
        code: String,
    },
    /// A key does what it was not made for. The token's attributes lie, and the key was destroyed.
    #[error("{token} lets key `{label}` {does}, which it was not made for")]
    DoesMore {
        /// Whose.
        token: Name,
        /// The key's label.
        label: String,
        /// What it does.
        does: String,
    },
    /// What opens or outranks it is the same on every one that leaves the factory.
    #[error("{token} has the {what} with which every one leaves the factory")]
    Factory {
        /// Whose.
        token: Name,
        /// PIN, PUK or management key.
        what: String,
    },
    /// There is no room for the object.
    #[error("{token} is full; stopped while {doing}")]
    Full {
        /// Whose.
        token: Name,
        /// What was being done.
        doing: String,
    },
    /// A key with that label or id is there already.
    #[error("{token} already holds a key with the label or id of `{label}`")]
    KeyTaken {
        /// Whose.
        token: Name,
        /// The label that was to be given.
        label: String,
    },
    /// No key has that id and public key.
    #[error("{token} does not hold the key {key}")]
    KeyMissing {
        /// Whose.
        token: Name,
        /// The key's id, in hex.
        key: String,
    },
    /// More than one key answers to that id and public key.
    #[error("{token} holds more than one key {key}")]
    KeyTwice {
        /// Whose.
        token: Name,
        /// The key's id, in hex.
        key: String,
    },
    /// Another token answers to the label that a new token was to have.
    #[error("the label `{label}` is already on the token with serial {serial}")]
    LabelTaken {
        /// The label.
        label: String,
        /// The serial of the token that has it.
        serial: String,
    },
    /// The label cannot stand on a token: 1 to 32 bytes, nothing but visible characters and spaces inside.
    #[error("`{label}` cannot be a token's label: 1 to 32 bytes without control characters")]
    LabelUnfit {
        /// The label.
        label: String,
    },
    /// The PKCS#11 module could not be loaded or started.
    #[error("the module `{module}` cannot be loaded ({because})")]
    Module {
        /// Its path.
        module: String,
        /// The loader's or the module's reason.
        because: String,
    },
    /// The module's file is not the one that was read when the ceremony began. Nothing of it was loaded.
    #[error("the module `{module}` has digest {found}, and was read with {expected}")]
    ModuleChanged {
        /// Its path.
        module: String,
        /// What was recorded.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// There is no uninitialised token to initialise.
    #[error("no uninitialised token is present")]
    NoBlank,
    /// More than one uninitialised token is there, and none was named by its serial.
    #[error("{count} uninitialised tokens are present; one at a time can be initialised")]
    ManyBlanks {
        /// How many.
        count: usize,
    },
    /// No token with that serial is there.
    #[error("no token with serial {serial} is present")]
    NoToken {
        /// The serial.
        serial: String,
    },
    /// It was to be initialised, and was used before.
    #[error("{token} is not as it left the factory: {what}")]
    NotBlank {
        /// Whose.
        token: Name,
        /// What shows it.
        what: String,
    },
    /// It said that it stored an object, and has none: SoftHSM's word for a full disk.
    #[error("{token} took `{label}` and does not have it: it may be full")]
    NotKept {
        /// Whose.
        token: Name,
        /// The object's label.
        label: String,
    },
    /// What was asked needs a login first.
    #[error("{token} is not logged in; stopped while {doing}")]
    NotLoggedIn {
        /// Whose.
        token: Name,
        /// What was being done.
        doing: String,
    },
    /// A request came before a module was loaded or a token was selected.
    #[error("no token was selected before {doing}")]
    NotSelected {
        /// What was being done.
        doing: String,
    },
    /// The token has no such mechanism, or not with these parameters.
    #[error("{token} cannot do {what}")]
    NotSupported {
        /// Whose.
        token: Name,
        /// The mechanism and what for.
        what: String,
    },
    /// No data object has that label.
    #[error("{token} holds no object `{label}`")]
    ObjectMissing {
        /// Whose.
        token: Name,
        /// The object's label.
        label: String,
    },
    /// A data object with that label is there already.
    #[error("{token} already holds an object `{label}`")]
    ObjectTaken {
        /// Whose.
        token: Name,
        /// The object's label.
        label: String,
    },
    /// It takes PINs on its own pad alone, so none can be set on it from here. Nothing was done to the token.
    #[error("{token} takes PINs on its own pad alone: nobody can initialise it from here")]
    PadOnly {
        /// Whose.
        token: Name,
    },
    /// The other party's point is not on the curve.
    #[error("{token} refused the point to agree with ({code})")]
    PeerPoint {
        /// Whose.
        token: Name,
        /// The name of the return value.
        code: String,
    },
    /// The PIN is shorter or longer than the token takes. Nothing was done to the token.
    #[error("{token} takes PINs of {}, this one is shorter or longer", lengths(*min, *max))]
    PinLength {
        /// Whose.
        token: Name,
        /// The shortest.
        min: usize,
        /// The longest; zero if there is none.
        max: usize,
    },
    /// The PIN was refused where no count is asked for, such as the SO PIN of a token being initialised.
    #[error("{token} does not take this PIN ({code})")]
    PinUnfit {
        /// Whose.
        token: Name,
        /// The name of the return value: its length, its characters, or its value.
        code: String,
    },
    /// What the token answered cannot be what was asked for.
    #[error("{token} answered nonsense while {doing}")]
    Nonsense {
        /// Whose.
        token: Name,
        /// What was being done.
        doing: String,
    },
    /// The token was taken out.
    #[error("{token} was removed while {doing}")]
    Removed {
        /// Whose.
        token: Name,
        /// What was being done.
        doing: String,
    },
    /// The result of a key agreement cannot be read, so no share can be sealed to this token.
    #[error("{token} does not let the agreed secret be read")]
    SecretUnreadable {
        /// Whose.
        token: Name,
    },
    /// Two tokens answer to one label.
    #[error("two tokens have the label `{label}`: serials {serials}")]
    TwinLabel {
        /// The label.
        label: String,
        /// Both serials.
        serials: String,
    },
    /// Two tokens answer to one serial.
    #[error("two tokens have the serial {serial}: labels {labels}")]
    TwinSerial {
        /// The serial.
        serial: String,
        /// Both labels.
        labels: String,
    },
    /// Nobody touched it while it blinked.
    #[error("{token} was not touched in time while {doing}")]
    Untouched {
        /// Whose.
        token: Name,
        /// What was being done.
        doing: String,
    },
    /// A key that must never leave was wrapped all the same. The token's attributes lie.
    #[error("{token} lets key `{label}` be wrapped and carried away")]
    Wrapped {
        /// Whose.
        token: Name,
        /// The key's label.
        label: String,
    },
    /// The token is write-protected.
    #[error("{token} is write-protected")]
    WriteProtected {
        /// Whose.
        token: Name,
    },
}

fn lengths(min: usize, max: usize) -> String {
    match max {
        0 => format!("{min} bytes or more"),
        _ if min == max => format!("{min} bytes"),
        _ => format!("{min} to {max} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_a_length_that_the_token_takes() {
        let said = |max| {
            let token = Name { label: "a".to_owned(), serial: "1".to_owned() };
            Error::PinLength { token, min: 8, max }.to_string()
        };
        let token = "token `a` (serial 1) takes PINs of";
        assert_eq!(said(16), format!("{token} 8 to 16 bytes, this one is shorter or longer"));
        assert_eq!(said(0), format!("{token} 8 bytes or more, this one is shorter or longer"));
        assert_eq!(said(8), format!("{token} 8 bytes, this one is shorter or longer"));
    }
}
