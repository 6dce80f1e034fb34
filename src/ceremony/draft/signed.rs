//! What keys sign of the candidates, and whether they did.
//!
//! Second floor: pure.

use data_encoding::BASE64;

use super::{Draft, document};
use crate::ceremony::accept::EDITED;
use crate::ceremony::fact::Signed;
use crate::ceremony::{Ceremony, ours};
use crate::check::Check;
use crate::key::{PublicKey, ToSign};
use crate::refusal::Refusal;
use crate::root::Dialect;

/// What to do about an answer of a token that is no signature.
pub const SIGN_ANEW: &str = "run `resume`: it signs anew; if it stays so, use another token";

/// What a key is asked to sign of single candidates, one per repository that it belongs to.
///
/// # Errors
/// A key of a kind that the dialect's roots do not take.
pub fn to_sign(drafts: &[Draft], public: &PublicKey) -> Result<Vec<ToSign>, Refusal> {
    let mine = drafts.iter().filter(|draft| !draft.ids(public).is_empty());
    let inputs = mine.map(|draft| {
        draft.root().to_sign(public).map_err(|error| document(&draft.repository, &error))
    });
    inputs.collect()
}

/// Turns the raw answers of a key to [`to_sign`] into signatures as a record has them, not verified yet.
///
/// # Errors
/// `[SIGNATURE-GOOD]` for an answer that is none.
pub fn signatures(
    dialect: Dialect,
    public: &PublicKey,
    raw: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Result<Vec<Signed>, Refusal> {
    let signed = raw.into_iter().map(|(repository, raw)| {
        let scheme =
            dialect.scheme(public.algorithm()).map_err(|error| document(&repository, &error))?;
        let bytes = scheme.encode(public.algorithm(), &raw).map_err(|error| {
            Refusal::of(Check::SignatureGood, format!("`{repository}`: {error}")).hint(SIGN_ANEW)
        })?;
        Ok(Signed { repository, signature: BASE64.encode(&bytes) })
    });
    signed.collect()
}

impl Ceremony {
    /// The candidates that a key is to sign, at most `most` of them after so many that are passed over: their places in the
    /// plan, and what is signed of each.
    ///
    /// # Errors
    /// As [`Ceremony::sheets`]; a key of a kind that the dialect's roots do not take.
    pub fn to_sign(
        &self,
        key: &str,
        passed: usize,
        most: usize,
    ) -> Result<Vec<(usize, ToSign)>, Refusal> {
        let (sheets, place) = (self.sheets()?, self.roster().place_of(key));
        let public = self.public(key).ok_or_else(|| ours(format!("key `{key}` is not known")))?;
        let scheme = self.plan().dialect().scheme(public.algorithm());
        let scheme = scheme.map_err(|error| document(key, &error))?;
        let mine = sheets.of_key(place).skip(passed).take(most);
        mine.map(|at| Ok((at, scheme.to_sign(&sheets.bytes(&self.inputs().means, at)?)))).collect()
    }

    /// How many candidates a key signs.
    ///
    /// # Errors
    /// As [`Ceremony::sheets`].
    pub fn signs(&self, key: &str) -> Result<usize, Refusal> {
        Ok(self.sheets()?.of_key(self.roster().place_of(key)).count())
    }
}

/// Checks the next signatures of a key.
pub(in crate::ceremony) fn check_signed(
    ceremony: &Ceremony,
    key: &str,
    signed: &[Signed],
) -> Result<(), Refusal> {
    let public = ceremony.public(key).ok_or_else(|| ours(format!("key `{key}` is not known")))?;
    let (sheets, place) = (ceremony.sheets()?, ceremony.roster().place_of(key));
    let mine: Vec<usize> =
        sheets.of_key(place).skip(ceremony.signed(key)).take(signed.len()).collect();
    let names = ceremony.plan().repositories();
    let expected = mine.iter().map(|at| names[*at].name.as_str());
    if signed.is_empty() || !expected.eq(signed.iter().map(|signed| signed.repository.as_str())) {
        let what = format!("key `{key}` signed for other repositories than planned");
        return Err(Refusal::of(Check::FactOrder, what).hint(EDITED));
    }
    let scheme = ceremony.plan().dialect().scheme(public.algorithm());
    let scheme = scheme.map_err(|error| document(key, &error))?;
    let means = &ceremony.inputs().means;
    let verify = |at: usize| {
        let Signed { repository, signature } = &signed[at];
        let bad = |why: String| {
            Refusal::of(Check::SignatureGood, format!("`{repository}`: {why}")).hint(EDITED)
        };
        let text = "the signature is not base64".to_owned();
        let bytes = BASE64.decode(signature.as_bytes()).map_err(|_| bad(text))?;
        let message = sheets.bytes(means, mine[at])?;
        public.verify(scheme, &message, &bytes).map_err(|error| bad(error.to_string()))
    };
    means.map(0..signed.len(), verify, |_, ()| Ok(()))
}
