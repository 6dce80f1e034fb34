//! `custody.json`: the keys, the tokens by seat, and the sets of shares with their commitments.
//!
//! Second floor, beside the ceremony: pure.

use serde::{Deserialize, Serialize};

use crate::attestation::Attestation;
use crate::digest::Digest;
use crate::key::{AgeKey, Algorithm, KemKey, PublicKey};

/// Where the custody folder has what tokens attest: `<token>-<16 digits>.pem`.
pub const ATTESTATIONS: &str = "attestations/";

/// Who holds which key. Public: serials and names of people stay in the custody folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custody {
    /// `officiant-custody-1`.
    pub schema: Schema,
    /// The tokens, in the order of their enrolment.
    pub tokens: Vec<CustodyToken>,
    /// The papers, in the order of their printing; nothing is said of them where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub papers: Vec<CustodyPaper>,
    /// The recipients, in the order of their first shares; nothing is said of them where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<CustodyRecipient>,
    /// The keys, in the order of their making.
    pub keys: Vec<CustodyKey>,
    /// What was destroyed of them, in the order of its going; nothing is said where nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Gone>,
}

/// A key that is no longer on its token, or a share that is gone in every copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Gone {
    /// A key.
    Key {
        /// Its name.
        key: String,
        /// The token that held it.
        token: String,
    },
    /// A share.
    Share {
        /// The set.
        set: String,
        /// Which share of it, from 1.
        index: u8,
    },
}

/// The one schema of `custody.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schema {
    /// The first.
    #[default]
    #[serde(rename = "officiant-custody-1")]
    One,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyToken {
    /// The plan's name for it.
    pub name: String,
    /// The seat that holds it.
    pub custodian: String,
    /// The seat that holds its SO PIN or PUK; nothing is said where nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub so_holder: Option<String>,
    /// Its model, as it says.
    pub model: String,
    /// Salted commitment to its serial and label.
    pub identity: Digest,
    /// The sign-only key that signs statements; none on a token that was adopted.
    pub attest: Option<PublicKey>,
    /// The derive-only key that shares are sealed to.
    pub seal: Option<PublicKey>,
    /// The ML-KEM-768 key that they are sealed to besides; nothing is said of it where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kem: Option<KemKey>,
}

/// A share's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyPaper {
    /// The plan's name for it.
    pub name: String,
    /// The seat that keeps it, and its passphrase.
    pub custodian: String,
}

/// A person whose shares are sealed to a key of `age`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyRecipient {
    /// The plan's name for it.
    pub name: String,
    /// The seat whose key it is.
    pub custodian: String,
    /// The key.
    pub age: AgeKey,
}

/// A root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyKey {
    /// The plan's name for it.
    pub name: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its public half.
    pub public: PublicKey,
    /// Where its private half is.
    pub held: Held,
    /// Sets of shares that it had before, oldest first: each opens it until enough of its shares are destroyed. Nothing is
    /// said of them where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Held>,
}

/// Where a private key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Held {
    /// In shares across tokens, papers and recipients.
    Shares {
        /// The set id, 32 hex digits.
        set: String,
        /// How many rebuild the key.
        threshold: u8,
        /// The shares, by index.
        shares: Vec<CustodyShare>,
    },
    /// On one token.
    Token {
        /// The token's name.
        token: String,
    },
}

/// A share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyShare {
    /// Index, 1 to n.
    pub index: u8,
    /// The token or recipient that it is sealed to, or the paper that it stands on.
    pub holder: String,
    /// Commitment to the whole share.
    pub commitment: Digest,
    /// SHA-256 of the sealed file.
    pub sealed: Digest,
    /// Whether the token itself stores it too.
    pub on_token: bool,
}

impl Default for Custody {
    fn default() -> Self {
        let (tokens, papers, recipients, keys, gone) = Default::default();
        Self { schema: Schema::One, tokens, papers, recipients, keys, gone }
    }
}

impl Custody {
    /// The bytes of `custody.json`: indented JSON and a line feed, its one form.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and lists only: the encoder has no reason to fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The token of that name.
    pub fn token(&self, name: &str) -> Option<&CustodyToken> {
        self.tokens.iter().find(|token| token.name == name)
    }

    /// The paper of that name.
    pub fn paper(&self, name: &str) -> Option<&CustodyPaper> {
        self.papers.iter().find(|paper| paper.name == name)
    }

    /// The recipient of that name.
    pub fn recipient(&self, name: &str) -> Option<&CustodyRecipient> {
        self.recipients.iter().find(|recipient| recipient.name == name)
    }

    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&CustodyKey> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Whether a key is gone from a token.
    pub fn is_key_gone(&self, key: &str, token: &str) -> bool {
        self.gone
            .iter()
            .any(|gone| matches!(gone, Gone::Key { key: k, token: t } if k == key && t == token))
    }

    /// Whether a share is gone in every copy.
    pub fn is_share_gone(&self, set: &str, index: u8) -> bool {
        self.gone
            .iter()
            .any(|gone| matches!(gone, Gone::Share { set: s, index: i } if s == set && *i == index))
    }

    /// How many shares of a set are gone in every copy.
    pub fn shares_gone(&self, set: &str) -> usize {
        let of_it = |gone: &&Gone| matches!(gone, Gone::Share { set: s, .. } if s == set);
        self.gone.iter().filter(of_it).count()
    }

    /// Whether so many shares of a set are gone that nobody can put the key together from it any more.
    pub fn is_dead(&self, held: &Held) -> bool {
        let Held::Shares { set, threshold, shares } = held else { return false };
        self.shares_gone(set) + usize::from(*threshold) > shares.len()
    }

    /// The set of shares that opens a key: the one that it has, or, of one that is on a token, the newest before that is not
    /// dead.
    pub fn open_set<'a>(&self, key: &'a CustodyKey) -> Option<&'a Held> {
        let is_set = |held: &&Held| matches!(held, Held::Shares { .. });
        let former = key.former.iter().rev().filter(is_set);
        std::iter::once(&key.held).filter(is_set).chain(former).find(|held| !self.is_dead(held))
    }

    /// Takes up what is gone, once.
    pub fn mark_gone(&mut self, gone: Gone) {
        if !self.gone.contains(&gone) {
            self.gone.push(gone);
        }
    }

    /// Has a key held otherwise than before: in a new set of shares, or on a token.
    pub fn hold_anew(&mut self, name: &str, held: Held) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.name == name) {
            key.former.push(std::mem::replace(&mut key.held, held));
        }
    }

    /// What a file of the custody folder attests, and of which token: nothing unless it is of one of that token's keys.
    pub fn attested(&self, path: &str, text: &[u8]) -> Option<(&CustodyToken, Attestation)> {
        let name = path.strip_prefix(ATTESTATIONS)?.strip_suffix(".pem")?.rsplit_once('-')?.0;
        let token = self.token(name)?;
        let is_on = |key: &&CustodyKey| matches!(&key.held, Held::Token { token } if token == name);
        let on_it = self.keys.iter().filter(is_on).map(|key| &key.public);
        let mut keys = token.attest.iter().chain(&token.seal).chain(on_it);
        keys.find_map(|key| Some((token, Attestation::read_kept(text, key).ok()?)))
    }

    /// The key with that public half.
    pub fn key_of(&self, public: &PublicKey) -> Option<&CustodyKey> {
        self.keys.iter().find(|key| key.public == *public)
    }
}

impl CustodyToken {
    /// The seat that holds it, and the one that holds its SO PIN or PUK, for a column of a table.
    pub fn seats(&self) -> String {
        match &self.so_holder {
            None => self.custodian.clone(),
            Some(seat) => format!("{}; SO PIN: {seat}", self.custodian),
        }
    }
}

impl CustodyKey {
    /// Where its private half was, oldest first, and where it is, last.
    pub fn ever_held(&self) -> impl Iterator<Item = &Held> {
        self.former.iter().chain([&self.held])
    }

    /// The tokens, papers and recipients that take part in using it.
    pub fn holders(&self) -> Vec<&str> {
        match &self.held {
            Held::Shares { shares, .. } => {
                shares.iter().map(|share| share.holder.as_str()).collect()
            }
            Held::Token { token } => vec![token],
        }
    }
}
