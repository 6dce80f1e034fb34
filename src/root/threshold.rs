//! The one counter: who has signed a document, as any client of either dialect would count.
//!
//! First floor: pure. What clients do differently stands in [`Counting`], as data.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Dialect, Key, KeyId, Role, Root, Signature, SignedRoot, notary};
use crate::key::{PublicKey, Scheme};

/// What counts as one signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Each key id, so that one key under two ids counts twice.
    Id,
    /// Each public key.
    PublicKey,
}

/// What a reader does about something wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The whole document is refused.
    Refuse,
    /// The signature does not count.
    Skip,
    /// The reader does not look.
    Ignore,
}

/// How a reader counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// What counts as one signer.
    pub signer: Signer,
    /// A key listed under an id that is not its own.
    pub wrong_id: Fault,
    /// A signature by a key that the role does not list.
    pub unknown_key: Fault,
    /// A signature that does not verify, by a key that the role lists.
    pub bad_signature: Fault,
    /// A second signature under the same id.
    pub second_signature: Fault,
}

impl Counting {
    /// Our own: every key once, ids recomputed, and nothing in a document that does not belong there.
    pub const STRICTEST: Counting = Counting {
        signer: Signer::PublicKey,
        wrong_id: Fault::Refuse,
        unknown_key: Fault::Refuse,
        bad_signature: Fault::Refuse,
        second_signature: Fault::Refuse,
    };

    /// The same for one of the two roots whose keys sign a file: signatures by the keys of the other do not count.
    pub const ONE_SIDE: Counting = Counting { unknown_key: Fault::Skip, ..Self::STRICTEST };
}

/// The keys whose signatures count, and how many are needed.
#[derive(Clone, Debug)]
pub struct Electorate<'a> {
    /// The keys by the id under which a signature names them.
    pub keys: BTreeMap<KeyId, Cow<'a, Key>>,
    /// How many must sign.
    pub threshold: i64,
}

impl<'a> Electorate<'a> {
    /// The listed keys of a role of `root`.
    pub fn of(root: &'a Root, role: Role) -> Self {
        let keys = root.role_keys(role).map(|(id, key)| (id.clone(), Cow::Borrowed(key))).collect();
        let threshold = root.role(role).map_or(0, |role| role.threshold);
        Self { keys, threshold }
    }
}

/// A document with its signatures, and those that are taken for granted because they will be made.
#[derive(Clone, Copy, Debug)]
pub struct Ballot<'a> {
    /// The bytes that are signed.
    pub message: &'a [u8],
    /// The signatures present.
    pub signatures: &'a [Signature],
    /// Ids whose signatures are assumed to be there and good.
    pub assumed: &'a BTreeSet<KeyId>,
}

/// The result of counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The ids that count, each signer once.
    pub counted: BTreeSet<KeyId>,
    /// How many are needed; a foreign document may say 0 or less.
    pub needed: i64,
}

impl Tally {
    /// Says whether enough have signed. A threshold below 1 is never met.
    pub fn is_met(&self) -> bool {
        self.needed >= 1 && i64::try_from(self.counted.len()).is_ok_and(|n| n >= self.needed)
    }
}

/// Counts which root keys of `holder`, the root before or the root itself, have signed `file`.
///
/// # Errors
/// A fault that `counting` does not forgive.
pub fn tally(holder: &Root, file: &SignedRoot, counting: Counting) -> Result<Tally, Error> {
    // A root of another dialect signs with keys that mean something else.
    let same = holder.dialect() == file.root().dialect();
    let good = |index: usize, key: &Key, _: &Signature| same && file.is_good(index, key);
    let electorate = Electorate::of(holder, Role::Root);
    count_with(&electorate, (file.signatures(), &BTreeSet::new()), counting, good)
}

/// Counts who of `electorate` has signed `ballot`.
///
/// # Errors
/// A fault that `counting` does not forgive.
pub fn count(
    dialect: Dialect,
    electorate: &Electorate<'_>,
    ballot: Ballot<'_>,
    counting: Counting,
) -> Result<Tally, Error> {
    let good = |_: usize, key: &Key, signature: &Signature| {
        verifies(dialect, key, ballot.message, signature)
    };
    count_with(electorate, (ballot.signatures, ballot.assumed), counting, good)
}

/// Counts like [`count`], asking `good` whether the signature at an index verifies under a key: walks over one chain
/// ask the same again and again, and remember.
pub(super) fn count_with(
    electorate: &Electorate<'_>,
    (signatures, assumed): (&[Signature], &BTreeSet<KeyId>),
    counting: Counting,
    mut good: impl FnMut(usize, &Key, &Signature) -> bool,
) -> Result<Tally, Error> {
    let mut seen = BTreeSet::new();
    let mut urn = Urn { counting, counted: BTreeSet::new(), signers: BTreeSet::new() };
    for (index, signature) in signatures.iter().enumerate() {
        let id = &signature.key;
        let second = || Error::Second { id: id.clone() };
        if !seen.insert(id) && refuse(counting.second_signature, second)? {
            continue;
        }
        let Some(key) = electorate.keys.get(id) else {
            refuse(counting.unknown_key, || Error::UnknownKey { id: id.clone() })?;
            continue;
        };
        match good(index, key, signature) {
            true => urn.add(id, key)?,
            false => {
                refuse(counting.bad_signature, || Error::Bad { id: id.clone() }).map(|_| ())?
            }
        }
    }
    for id in assumed {
        if let Some(key) = electorate.keys.get(id) {
            urn.add(id, key)?;
        }
    }
    Ok(Tally { counted: urn.counted, needed: electorate.threshold })
}

/// What has been counted so far.
struct Urn {
    counting: Counting,
    counted: BTreeSet<KeyId>,
    signers: BTreeSet<PublicKey>,
}

impl Urn {
    fn add(&mut self, id: &KeyId, key: &Key) -> Result<(), Error> {
        let wrong = || Error::WrongId { listed: id.clone(), own: key.id().clone() };
        if key.id() != id && refuse(self.counting.wrong_id, wrong)? {
            return Ok(());
        }
        let first = match (self.counting.signer, key.public()) {
            (Signer::PublicKey, Some(public)) => self.signers.insert(public.clone()),
            _ => true,
        };
        if first {
            self.counted.insert(id.clone());
        }
        Ok(())
    }
}

/// Says whether one signature is good under `key`, in the scheme that the dialect says.
pub fn verifies(dialect: Dialect, key: &Key, message: &[u8], signature: &Signature) -> bool {
    let scheme: Option<Scheme> = match dialect {
        Dialect::Notary => signature.method.as_deref().and_then(notary::scheme_of_method),
        Dialect::Tuf => key.scheme(),
    };
    match (scheme, key.public()) {
        (Some(scheme), Some(public)) => public.verify(scheme, message, &signature.bytes).is_ok(),
        _ => false,
    }
}

fn refuse(fault: Fault, error: impl FnOnce() -> Error) -> Result<bool, Error> {
    match fault {
        Fault::Refuse => Err(error()),
        Fault::Skip => Ok(true),
        Fault::Ignore => Ok(false),
    }
}

/// Why a document is not even counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A signature that does not verify.
    #[error("the signature of key `{id}` is not good")]
    Bad {
        /// The id that it names.
        id: KeyId,
    },
    /// Two signatures under one id.
    #[error("key `{id}` has signed twice")]
    Second {
        /// The id.
        id: KeyId,
    },
    /// A signature by a key outside the role.
    #[error("a signature names key `{id}`, which the role does not list")]
    UnknownKey {
        /// The id that it names.
        id: KeyId,
    },
    /// A key under another id than its own.
    #[error("the key listed as `{listed}` has the id `{own}`")]
    WrongId {
        /// The id in the document.
        listed: KeyId,
        /// The id recomputed.
        own: KeyId,
    },
}

#[cfg(test)]
mod tests;
