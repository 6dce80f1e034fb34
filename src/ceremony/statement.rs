//! Statements: what a token says of a fact about itself, signed by its attest key. A record can be written by whoever
//! has the work folder; a statement cannot.
//!
//! Second floor: pure. docs/threats.md rules 15 and 20.

use data_encoding::{BASE64, HEXLOWER};

use super::fact::Statement;
use super::{Ceremony, closing};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::{PublicKey, Scheme};
use crate::refusal::Refusal;
use crate::trust::{Holds, ShareOf};

/// What is said.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// The token holds all of this still, and its sealing key opened a fresh challenge.
    Drilled {
        /// What it holds.
        holds: &'a Holds,
    },
    /// A key signs that the token has it still: the signature is its own.
    KeyDrilled {
        /// Its name.
        key: &'a str,
        /// Its public half.
        public: &'a PublicKey,
    },
    /// The token made this key.
    KeyMade {
        /// Its name in the plan.
        key: &'a str,
        /// Its public half.
        public: &'a PublicKey,
    },
    /// The token holds this key, which was rebuilt from its shares or read from its file.
    KeyPlaced {
        /// Its name in the plan.
        key: &'a str,
        /// Its public half.
        public: &'a PublicKey,
    },
    /// The token opened this share, and holds it where it can.
    ShareStored {
        /// The key's name in the plan.
        key: &'a str,
        /// Its public half.
        public: &'a PublicKey,
        /// The set.
        set: &'a str,
        /// Which share of it, from 1.
        index: u8,
        /// SHA-256 of the sealed file.
        sealed: Digest,
    },
}

/// The text that is signed: lines, each with its LF; docs/format.md, "On tokens".
pub fn text(
    ceremony: &Ceremony,
    token: &str,
    said: &Said<'_>,
    head: &Digest,
    random: &str,
) -> String {
    let plan = ceremony.plan().digest();
    let (purpose, about) = match said {
        Said::Drilled { holds } => ("drill", all_of(holds)),
        Said::KeyDrilled { key, public } => ("key drill", format!("{key}\n{}", public.id())),
        Said::KeyMade { key, public } => ("key made", format!("{key}\n{}", public.id())),
        Said::KeyPlaced { key, public } => ("key placed", format!("{key}\n{}", public.id())),
        Said::ShareStored { key, public, set, index, sealed } => {
            ("share stored", format!("{key}\n{}\n{set}\n{index}\n{sealed}", public.id()))
        }
    };
    format!("officiant proof v1\n{purpose}\n{token}\n{plan}\n{about}\n{head}\n{random}\n")
}

/// A line for each key and share.
fn all_of(holds: &Holds) -> String {
    let keys = holds.keys.iter().map(|(name, public)| format!("key {name} {}", public.id()));
    let shares = holds.shares.iter().map(|ShareOf { key, set, share }| {
        format!("share {key} {set} {} {}", share.index, share.sealed)
    });
    keys.chain(shares).collect::<Vec<_>>().join("\n")
}

/// Checks a recorded statement. A token that was adopted has no attest key, and says nothing.
///
/// # Errors
/// `[TOKEN-STATEMENT]`.
pub(super) fn check(
    ceremony: &Ceremony,
    token: &str,
    said: &Said<'_>,
    statement: Option<&Statement>,
) -> Result<(), Refusal> {
    let good = match (ceremony.attest(token), statement) {
        (None, None) => true,
        (Some(attest), Some(statement)) => is_signed(ceremony, token, said, (&attest, statement)),
        _ => false,
    };
    if good { Ok(()) } else { Err(unsaid(token)) }
}

/// Checks a statement by another key of the token than its attest key.
///
/// # Errors
/// `[TOKEN-STATEMENT]`.
pub(super) fn check_by(
    ceremony: &Ceremony,
    (token, by): (&str, &PublicKey),
    said: &Said<'_>,
    statement: &Statement,
) -> Result<(), Refusal> {
    if is_signed(ceremony, token, said, (by, statement)) { Ok(()) } else { Err(unsaid(token)) }
}

fn unsaid(token: &str) -> Refusal {
    let what = format!("token `{token}` did not say what the record says that it did");
    Refusal::of(Check::TokenStatement, what).hint(super::accept::EDITED)
}

fn is_signed(
    ceremony: &Ceremony,
    token: &str,
    said: &Said<'_>,
    (by, statement): (&PublicKey, &Statement),
) -> bool {
    let Statement { head, random, signature } = statement;
    let drawn = HEXLOWER.decode(random.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
    let text = text(ceremony, token, said, head, random);
    let scheme = Scheme::of_certificate(by.algorithm());
    let signature = BASE64.decode(signature.as_bytes()).unwrap_or_default();
    drawn && by.verify(scheme, text.as_bytes(), &signature).is_ok()
}

impl Ceremony {
    /// The attest key of a token, as this ceremony or an earlier one enrolled it.
    pub fn attest(&self, token: &str) -> Option<PublicKey> {
        closing::custody(self).token(token).and_then(|token| token.attest.clone())
    }
}
