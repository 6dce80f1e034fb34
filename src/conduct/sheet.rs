//! From a sealed share to the page that carries it.
//!
//! Roof: what the trust folder knows, joined with the bytes of a sealed share.

use crate::digest::Digest;
use crate::key::PublicKey;
use crate::paper::sheet::Sheet;
use crate::refusal::{Exit, Refusal};
use crate::share::paper::PaperShare;
use crate::share::{SetId, ShareIndex, Threshold};
use crate::trust::{Custody, CustodyShare, Held};

/// A share that a trust folder knows.
#[derive(Clone, Debug)]
pub struct Known {
    /// The name of its key.
    pub key: String,
    /// The key's public half.
    pub public: PublicKey,
    /// Its set.
    pub set: SetId,
    /// How many there are, and how many are needed.
    pub threshold: Threshold,
    /// What else is public of it.
    pub share: CustodyShare,
}

/// The share whose sealed file has this digest, as the trust folder knows it.
pub fn found(custody: &Custody, sealed: &Digest) -> Option<Known> {
    custody.keys.iter().find_map(|key| {
        let Held::Shares { set, threshold, shares } = &key.held else { return None };
        let share = shares.iter().find(|share| share.sealed == *sealed)?.clone();
        let total = u8::try_from(shares.len()).ok()?;
        let (set, threshold) = (set.parse().ok()?, Threshold::new(*threshold, total).ok()?);
        Some(Known { key: key.name.clone(), public: key.public.clone(), set, threshold, share })
    })
}

/// The page of a sealed share.
///
/// # Errors
/// A sealed share that no page has room for.
pub fn sheet_of(known: &Known, custodian: &str, sealed: &[u8]) -> Result<Sheet, Refusal> {
    let index = ShareIndex::new(known.share.index)
        .ok_or_else(|| Refusal::new(Exit::Ours, "a share without an index"))?;
    let (set, threshold, key) = (known.set, known.threshold, known.public.id());
    let share = PaperShare { set, index, threshold, key, sealed: sealed.to_vec() };
    let refused = |error: crate::share::paper::Error| error.refusal();
    let lines = share.lines().map_err(refused)?.into_iter();
    Ok(Sheet {
        paper: known.share.holder.clone(),
        custodian: custodian.to_owned(),
        key: known.key.clone(),
        key_id: key,
        set: set.to_string(),
        place: (index.get(), threshold.needed(), threshold.total()),
        sealed: share.digest(),
        codes: share.codes().map_err(refused)?,
        lines: lines.map(|l| [l.number.to_string(), l.groups, l.word.to_owned()]).collect(),
        mark: None,
    })
}
