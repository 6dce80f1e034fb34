//! What opens a share, on its way to the vault.
//!
//! Roof: goes over the wire.

use serde::{Deserialize, Serialize};

use crate::key::AgeKey;
use crate::seal::{Agreed, Opener};
use crate::secret::SecretBytes;

/// What a token answered, for the wire.
pub(super) fn handed(agreed: &Agreed) -> Vec<SecretBytes> {
    let both = std::iter::once(&agreed.x).chain(&agreed.kem);
    both.map(|secret| SecretBytes::copy_of(secret.expose())).collect()
}

/// What was typed, for the wire, and of which kind it is.
pub(super) fn typed(opener: Opener) -> (By, SecretBytes) {
    match opener {
        Opener::Identity(identity) => (By::Identity, identity.into_bytes()),
        Opener::Passphrase(passphrase) => (By::Passphrase, passphrase.into_bytes()),
        Opener::YubiKey { to, x } => (By::YubiKey(to), SecretBytes::copy_of(x.expose())),
    }
}

/// Of which kind it is.
#[derive(Serialize, Deserialize)]
pub(super) enum By {
    Identity,
    Passphrase,
    YubiKey(AgeKey),
}
