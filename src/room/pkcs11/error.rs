//! What `cryptoki` says, in our own words.
//!
//! The room, PKCS#11: values only.

use cryptoki::error::RvError;

use super::{Error, Name};

/// Turns what `cryptoki` says into an [`Error`], with the token and what was being done.
pub(super) fn read(token: &Name, doing: &str) -> impl Fn(cryptoki::error::Error) -> Error + use<> {
    let (token, doing) = (token.clone(), doing.to_owned());
    move |error| meaning(token.clone(), doing.clone(), &error)
}

fn meaning(token: Name, doing: String, error: &cryptoki::error::Error) -> Error {
    use cryptoki::error::Error as E;
    let E::Pkcs11(rv, _) = error else {
        return match error {
            E::NotSupported | E::NullFunctionPointer => Error::NotSupported { token, what: doing },
            _ => Error::Nonsense { token, doing },
        };
    };
    match rv {
        RvError::DeviceRemoved | RvError::TokenNotPresent | RvError::SlotIdInvalid => {
            Error::Removed { token, doing }
        }
        RvError::DeviceMemory => Error::Full { token, doing },
        RvError::MechanismInvalid
        | RvError::MechanismParamInvalid
        | RvError::FunctionNotSupported
        | RvError::CurveNotSupported
        | RvError::KeyFunctionNotPermitted => Error::NotSupported { token, what: doing },
        RvError::TokenWriteProtected => Error::WriteProtected { token },
        RvError::UserNotLoggedIn => Error::NotLoggedIn { token, doing },
        RvError::PinIncorrect
        | RvError::PinInvalid
        | RvError::PinLenRange
        | RvError::PinTooWeak
        | RvError::PinExpired
        | RvError::PinLocked => Error::PinUnfit { token, code: code(error) },
        _ => Error::Device { token, doing, code: code(error) },
    }
}

/// The name of a return value as the PKCS#11 headers write it.
///
/// `cryptoki` displays paragraphs and keeps no table of names, so the name is made from its variant's:
/// `DeviceError` reads `CKR_DEVICE_ERROR`.
pub(super) fn code(error: &cryptoki::error::Error) -> String {
    let cryptoki::error::Error::Pkcs11(rv, _) = error else { return "no return value".to_owned() };
    match rv {
        RvError::VendorDefined(number) | RvError::UnknownErrorCode(number) => {
            format!("return value {number:#010x}")
        }
        named => {
            let mut code = "CKR".to_owned();
            for letter in format!("{named:?}").chars() {
                if letter.is_ascii_uppercase() {
                    code.push('_');
                }
                code.push(letter.to_ascii_uppercase());
            }
            code
        }
    }
}
