//! A set of shares: split, admitted one by one, combined only by a quorum.
//!
//! First floor: pure but for the randomness of `split`. The `shamirsecretsharing` crate is used here and nowhere else.
//! It splits a block of 64 bytes: the private key (32), then the check value (32), which is the digest of parts
//! (`officiant share check v1`; algorithm as plans write it; SubjectPublicKeyInfo; set id). The crate itself says only
//! "no" to every mistake, and a share of index 0 would decide alone what comes out: so each share is held against its
//! commitment before anything is combined, and what comes out is held against check value and public key.

mod error;
mod value;

use serde::{Deserialize, Serialize};
use shamirsecretsharing::{DATA_SIZE, combine_shares, create_shares};
use zeroize::Zeroize;

use super::scalar::public_key;
use super::share::{Commitment, Place, Share, ShareIndex};
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey};
use crate::secret::{Secret, SecretBytes};

pub use error::Error;
pub use value::{Set, SetId, Threshold};

/// A key just split: the public set, and its shares in the order of their indices.
pub struct Split {
    /// What is public.
    pub set: Set,
    /// The encoded shares.
    pub shares: Vec<SecretBytes>,
}

/// Splits a private key into the new set `id`, which must be 128 random bits.
///
/// # Errors
/// [`Error::NoShares`] for keys that do not fit, [`Error::NotAKey`], [`Error::NoEntropy`] if `id` is all zero.
pub fn split(
    secret: &Secret<32>,
    algorithm: Algorithm,
    threshold: Threshold,
    id: SetId,
) -> Result<Split, Error> {
    let key = public_key(algorithm, secret)?;
    if *id.as_bytes() == [0; 16] {
        return Err(Error::NoEntropy);
    }
    let block = SecretBytes::fill(DATA_SIZE, |block| {
        block[..32].copy_from_slice(secret.expose());
        block[32..].copy_from_slice(check_value(&key, &id).as_bytes());
    });
    let (needed, total) = (threshold.needed(), threshold.total());
    let raw = create_shares(block.expose(), total, needed)
        .map_err(|_| Error::Threshold { needed, total })?;
    let raw: Vec<SecretBytes> = raw.into_iter().map(SecretBytes::take).collect();
    let digest = key.id();
    let shares = (1..=total)
        .zip(&raw)
        .map(|(index, raw)| {
            let place = Place { set: &id, index, threshold, key: &digest };
            Share::encode(&place, raw.expose()).filter(|_| raw.expose()[0] == index)
        })
        .collect::<Option<Vec<_>>>()
        .ok_or(Error::Combined)?;
    let commitments = shares.iter().map(Commitment::of).collect();
    Ok(Split { set: Set { id, key, threshold, commitments }, shares })
}

/// A share that is the one committed to.
pub struct Admitted {
    index: ShareIndex,
    set: SetId,
    share: Share,
}

impl Admitted {
    /// Its index.
    pub const fn index(&self) -> ShareIndex {
        self.index
    }
}

impl Set {
    /// Takes the bytes said to be share `index` if they are exactly what was committed to, and says what is wrong
    /// with them if they are not.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::OtherSet`], [`Error::IndexZero`], [`Error::IndexBeyond`], [`Error::OtherIndex`],
    /// [`Error::OtherKey`], [`Error::Forged`]: each names the share.
    pub fn admit(&self, index: ShareIndex, encoded: &SecretBytes) -> Result<Admitted, Error> {
        let total = self.threshold.total();
        let claimed = index.get();
        let share =
            Share::decode(encoded).map_err(|damage| Error::Damaged { share: claimed, damage })?;
        let (found, set) = (share.index(), share.set());
        if set != self.id {
            return Err(Error::OtherSet { share: claimed, found: set, expected: self.id });
        }
        if found == 0 {
            return Err(Error::IndexZero { share: claimed });
        }
        if found > total || claimed > total {
            return Err(Error::IndexBeyond { share: found.max(claimed), total });
        }
        if found != claimed {
            return Err(Error::OtherIndex { share: claimed, found });
        }
        if !share.agrees_with(self) {
            return Err(Error::OtherKey { share: claimed });
        }
        if self.commitments.get(usize::from(claimed) - 1) != Some(&Commitment::of(encoded)) {
            return Err(Error::Forged { share: claimed });
        }
        Ok(Admitted { index, set, share })
    }

    /// Combines every subset of the needed size out of `shares`, or an even sample of [`MAX_COMBINATIONS`] of them, and
    /// compares each result with check value and public key.
    ///
    /// # Errors
    /// [`Error::TooFew`], [`Error::Duplicate`], [`Error::OtherSet`]; [`Error::Combined`] if any subset gives something else.
    pub fn check_combinations(&self, shares: &[Admitted]) -> Result<Combinations, Error> {
        self.refuse_unfit(&shares.iter().collect::<Vec<_>>())?;
        let (from, choose) = (shares.len() as u64, u64::from(self.threshold.needed()));
        let total = binomial(from, choose);
        let tried = total.min(MAX_COMBINATIONS);
        for i in 0..tried {
            // Evenly spread over all of them in lexicographic order; every one if they are few enough.
            let rank = u128::from(i) * u128::from(total) / u128::from(tried);
            let members = subset((from, choose), rank as u64);
            let members = members.into_iter().filter_map(|place| shares.get(place));
            Quorum::gather(self, members.collect())?.recover()?;
        }
        Ok(Combinations { tried, total })
    }

    fn refuse_unfit(&self, shares: &[&Admitted]) -> Result<(), Error> {
        for (place, share) in shares.iter().enumerate() {
            let index = share.index.get();
            if share.set != self.id {
                return Err(Error::OtherSet { share: index, found: share.set, expected: self.id });
            }
            if shares[..place].iter().any(|other| other.index == share.index) {
                return Err(Error::Duplicate { share: index });
            }
        }
        let needed = self.threshold.needed();
        if shares.len() < usize::from(needed) {
            return Err(Error::TooFew { found: shares.len() as u8, needed });
        }
        Ok(())
    }
}

/// How many subsets were combined, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Combinations {
    /// How many subsets were combined; each gave the key.
    pub tried: u64,
    /// How many subsets there are.
    pub total: u64,
}

/// Enough distinct, admitted shares of one set: the only thing that gives a key back.
pub struct Quorum<'a> {
    set: &'a Set,
    shares: Vec<&'a Admitted>,
}

impl<'a> Quorum<'a> {
    /// Takes shares if they are enough.
    ///
    /// # Errors
    /// [`Error::TooFew`], [`Error::Duplicate`], [`Error::OtherSet`].
    pub fn gather(set: &'a Set, shares: Vec<&'a Admitted>) -> Result<Self, Error> {
        set.refuse_unfit(&shares)?;
        Ok(Self { set, shares })
    }

    /// Combines the shares and compares check value and public key.
    ///
    /// # Errors
    /// [`Error::Combined`]: the shares were those committed to, so the set itself was never right.
    pub fn recover(&self) -> Result<Secret<32>, Error> {
        // `to_vec` allocates once, to the length.
        let mut raw: Vec<Vec<u8>> =
            self.shares.iter().map(|share| share.share.raw().expose().to_vec()).collect();
        let combined = combine_shares(&raw);
        raw.iter_mut().for_each(Zeroize::zeroize);
        let block = combined.ok().flatten().map(SecretBytes::take).ok_or(Error::Combined)?;
        let (key, check) = block.expose().split_at_checked(32).ok_or(Error::Combined)?;
        let secret = Secret::copy_of(key).ok_or(Error::Combined)?;
        let public = public_key(self.set.key.algorithm(), &secret)?;
        let is_right = check == check_value(&self.set.key, &self.set.id).as_bytes();
        if is_right && public == self.set.key { Ok(secret) } else { Err(Error::Combined) }
    }
}

/// The largest number of subsets that are combined one by one; beyond it an even sample of so many.
pub const MAX_COMBINATIONS: u64 = 1000;

fn check_value(key: &PublicKey, id: &SetId) -> Digest {
    let algorithm = key.algorithm().to_string();
    Digest::of_parts(CHECK, &[algorithm.as_bytes(), key.der(), id.as_bytes()])
}

fn binomial(from: u64, choose: u64) -> u64 {
    if choose > from {
        return 0;
    }
    (1..=choose).fold(1, |product, i| product * (from - choose + i) / i)
}

/// The subset with this rank among all subsets of `choose` out of `from`, in lexicographic order.
fn subset((from, choose): (u64, u64), mut rank: u64) -> Vec<usize> {
    let (mut members, mut left) = (Vec::new(), choose);
    for place in 0..from {
        if left == 0 {
            break;
        }
        let with = binomial(from - place - 1, left - 1);
        if rank < with {
            members.push(place as usize);
            left -= 1;
        } else {
            rank -= with;
        }
    }
    members
}

const CHECK: &str = "officiant share check v1";

#[cfg(test)]
mod tests;
