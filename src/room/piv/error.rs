//! What the crate `yubikey` says, in our own words.
//!
//! The room, YubiKeys: values only.

use yubikey::Error as Y;

use crate::room::token::{Error, Name};

/// Turns what the crate says into an [`Error`], with the token and what was being done.
pub(super) fn read(token: &Name, doing: &str) -> impl Fn(Y) -> Error + use<> {
    let (token, doing) = (token.clone(), doing.to_owned());
    move |error| {
        let (token, doing) = (token.clone(), doing.clone());
        match error {
            Y::AuthenticationError => Error::NotLoggedIn { token, doing },
            Y::NotSupported | Y::AlgorithmError => Error::NotSupported { token, what: doing },
            Y::InvalidObject | Y::ParseError | Y::SizeError => Error::Nonsense { token, doing },
            Y::PcscError { inner } if inner.is_some_and(is_gone) => Error::Removed { token, doing },
            Y::PinLocked | Y::WrongPin { .. } => Error::PinUnfit { token, code: code(&error) },
            _ => Error::Device { token, doing, code: code(&error) },
        }
    }
}

/// Whether there is no reader at all, or none that pcscd knows.
pub(super) fn is_no_reader(error: &Y) -> bool {
    use pcsc::Error as P;
    matches!(error, Y::PcscError { inner: Some(P::NoReadersAvailable) })
}

/// Whether a card is there that does not say what it is; an empty reader, or another card, is none of ours.
pub(super) fn is_mute(error: &Y) -> bool {
    use pcsc::Error as P;
    match error {
        Y::AppletNotFound { .. } | Y::NotSupported => false,
        Y::PcscError { inner: Some(inner) } => {
            !matches!(inner, P::NoSmartcard | P::RemovedCard | P::ReaderUnavailable)
        }
        _ => true,
    }
}

fn is_gone(error: pcsc::Error) -> bool {
    use pcsc::Error as P;
    matches!(
        error,
        P::NoSmartcard | P::ReaderUnavailable | P::RemovedCard | P::ResetCard | P::UnpoweredCard
    )
}

/// A short name, made from the variant's: the crate writes sentences.
fn code(error: &Y) -> String {
    match error {
        Y::PcscError { inner: Some(inner) } => format!("PC/SC {inner:?}"),
        other => other.name().unwrap_or("no status").to_owned(),
    }
}
