//! The statement of a drill that a custodian did alone: what a token proved, signed by its own keys.
//!
//! Second floor, beside the ceremony: pure. It lies in `drills/` of a trust folder, where no ceremony has to vouch for it:
//! nobody makes one without the token. docs/format.md, "Drills"; docs/threats.md rule 15.

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Custody, CustodyShare, DRILLS, Held};
use crate::digest::Digest;
use crate::key::{PublicKey, Scheme};
use crate::wording::List;

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alone {
    /// `officiant-drill-1`.
    pub schema: Schema,
    /// The closing digest of the trust folder that the token was held against.
    pub closing: Digest,
    /// The token.
    pub token: String,
    /// When, by the clock of the custodian's machine, which nobody compared with anything.
    pub at: Timestamp,
    /// The root keys that it has still, each by its own signature.
    pub keys: Vec<KeyAlone>,
    /// The shares that it stores still.
    pub shares: Vec<ShareAlone>,
    /// By its attest key, over all of this; none from a token without one.
    pub signature: Option<Drawn>,
}

/// The one schema of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schema {
    /// The first.
    #[default]
    #[serde(rename = "officiant-drill-1")]
    One,
}

/// A key that signed for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyAlone {
    /// Its name.
    pub key: String,
    /// Its signature.
    pub signature: Drawn,
}

/// A share by the digest of its sealed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareAlone {
    /// The key's name.
    pub key: String,
    /// Index, 1 to n.
    pub index: u8,
    /// SHA-256 of the sealed file as the token stores it.
    pub sealed: Digest,
}

/// A signature, and what was drawn for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// 32 random bytes, in hex.
    pub random: String,
    /// In base64: DER for ECDSA.
    pub signature: String,
}

/// The largest statement that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

impl Alone {
    /// What a root key signs of it.
    pub fn key_text(&self, key: &str, public: &PublicKey, random: &str) -> String {
        self.text("key drill alone", &format!("{key}\n{}\n", public.id()), random)
    }

    /// What the attest key signs of it.
    pub fn token_text(&self, custody: &Custody, random: &str) -> String {
        let keys = self.keys.iter().filter_map(|KeyAlone { key, .. }| {
            Some(format!("key {key} {}\n", custody.key(key)?.public.id()))
        });
        let shares = self
            .shares
            .iter()
            .map(|ShareAlone { key, index, sealed }| format!("share {key} {index} {sealed}\n"));
        self.text("drill alone", &keys.chain(shares).collect::<String>(), random)
    }

    fn text(&self, purpose: &str, about: &str, random: &str) -> String {
        let Self { token, closing, at, .. } = self;
        format!("officiant proof v1\n{purpose}\n{token}\n{closing}\n{at}\n{about}{random}\n")
    }

    /// Its one form: indented JSON and a line feed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and lists only: the encoder has no reason to fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Its path in a trust folder: token, day, and the beginning of its digest.
    pub fn path(&self) -> String {
        let (day, digest) = (self.at.strftime("%Y-%m-%d"), Digest::of(&self.to_bytes()));
        format!("{DRILLS}/{}-{day}-{}.json", self.token, &digest.to_string()[..8])
    }

    /// Reads a statement, and holds it against who holds what: it is in its one form, at its own path, about this token's
    /// keys and shares, and signed by each of its keys.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn read(path: &str, bytes: &[u8], custody: &Custody) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("it is larger than {MAX_BYTES} bytes"));
        }
        let alone: Self = serde_json::from_slice(bytes)
            .map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
        if alone.to_bytes() != bytes {
            return Err("not in its one form".to_owned());
        }
        if alone.path() != path {
            return Err(format!("its name is to be `{}`", alone.path()));
        }
        alone.check(custody).map(|()| alone)
    }

    /// Whether token and keys signed it, and hold what it says.
    ///
    /// # Errors
    /// What is not so, in one line.
    pub fn check(&self, custody: &Custody) -> Result<(), String> {
        let token = custody.token(&self.token);
        let token = token.ok_or_else(|| format!("token `{}` is not known", self.token))?;
        for KeyAlone { key: name, signature } in &self.keys {
            let key = custody
                .key(name)
                .filter(|key| key.held == Held::Token { token: self.token.clone() });
            let key = key.ok_or_else(|| format!("token `{}` holds no key `{name}`", self.token))?;
            let text = self.key_text(name, &key.public, &signature.random);
            if !signature.is_of(&key.public, &text) {
                return Err(format!("key `{name}` did not sign it"));
            }
        }
        for share in &self.shares {
            if !self.is_its(share, custody) {
                return Err(format!(
                    "token `{}` was given another share of `{}`",
                    self.token, share.key
                ));
            }
        }
        let is_signed = |attest: &PublicKey| {
            let signature = self.signature.as_ref();
            signature
                .is_some_and(|drawn| drawn.is_of(attest, &self.token_text(custody, &drawn.random)))
        };
        match &token.attest {
            Some(attest) if !is_signed(attest) => {
                Err(format!("token `{}` did not sign it", self.token))
            }
            None if self.keys.is_empty() || self.signature.is_some() || !self.shares.is_empty() => {
                Err(format!("token `{}` has no key to sign it with", self.token))
            }
            _ => Ok(()),
        }
    }

    /// Whether a set of the key, of today or before, gave it that share: a new set makes no older statement untrue.
    fn is_its(&self, share: &ShareAlone, custody: &Custody) -> bool {
        let is_it = |made: &CustodyShare| {
            made.index == share.index && made.holder == self.token && made.sealed == share.sealed
        };
        let gave =
            |held: &Held| matches!(held, Held::Shares { shares, .. } if shares.iter().any(is_it));
        custody.key(&share.key).is_some_and(|key| key.ever_held().any(gave))
    }

    /// What it proves, as a sentence.
    pub fn sentence(&self) -> String {
        let keys = self.keys.iter().map(|key| format!("key {}", key.key));
        let shares =
            self.shares.iter().map(|share| format!("share {} of key {}", share.index, share.key));
        let proved: Vec<String> = keys.chain(shares).collect();
        let what = match proved.as_slice() {
            [] => "its sealing key".to_owned(),
            proved => List::and(proved).to_string(),
        };
        format!(
            "`{}`: {} proved alone that it holds {what}, on {} by its custodian's clock.",
            self.path(),
            self.token,
            self.at.strftime("%Y-%m-%d"),
        )
    }
}

impl Drawn {
    fn is_of(&self, by: &PublicKey, text: &str) -> bool {
        let drawn = HEXLOWER.decode(self.random.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
        let signature = BASE64.decode(self.signature.as_bytes()).unwrap_or_default();
        let scheme = Scheme::of_certificate(by.algorithm());
        drawn && by.verify(scheme, text.as_bytes(), &signature).is_ok()
    }
}
