//! Dry signatures: every candidate signed by throw-away keys, as every real key will sign it, and read as a stranger
//! would: a form that no client takes shows before any real key has signed.
//!
//! Second floor: pure; who signs is an argument.

use std::collections::BTreeMap;

use super::complete::reads_back;
use super::{Draft, document};
use crate::ceremony::{Ceremony, ours};
use crate::check::Check;
use crate::key::{Algorithm, PublicKey, ToSign};
use crate::refusal::Refusal;
use crate::root::{Signature, SignedRoot};

/// Signs a batch with keys of a kind that nobody keeps, and gives each raw signature with the key that made it.
pub type SignDry<'a> =
    dyn FnMut(Algorithm, &[ToSign]) -> Result<Vec<(PublicKey, Vec<u8>)>, Refusal> + 'a;

/// Signs all candidates dry, one batch for each kind of root key: what a key of a kind signs has one form.
///
/// # Errors
/// `[DRY-SIGNATURE]`, naming the repository.
pub fn try_dry(
    ceremony: &Ceremony,
    drafts: &[Draft],
    sign: &mut SignDry<'_>,
) -> Result<(), Refusal> {
    let mut made: Vec<Vec<Answer>> = drafts.iter().map(|_| Vec::new()).collect();
    let mut kinds: BTreeMap<Algorithm, Vec<PublicKey>> = BTreeMap::new();
    for key in ceremony.roster().keys() {
        let public = ceremony.public(&key.name);
        let public = public.ok_or_else(|| ours(format!("key `{}` is not known", key.name)))?;
        kinds.entry(key.algorithm).or_default().push(public);
    }
    for (algorithm, keys) in kinds {
        let mine = |draft: &Draft| -> Vec<PublicKey> {
            let signs = |key: &&PublicKey| !draft.ids(key).is_empty();
            keys.iter().filter(signs).cloned().collect()
        };
        let asked = drafts.iter().zip(&mut made).map(|(draft, dry)| (draft, mine(draft), dry));
        let asked: Vec<_> = asked.filter(|(_, mine, _)| !mine.is_empty()).collect();
        let input = |(draft, mine, _): &(&Draft, Vec<PublicKey>, _)| {
            let input = draft.root().to_sign(&mine[0]);
            input.map_err(|error| document(&draft.repository, &error))
        };
        let inputs = asked.iter().map(input).collect::<Result<Vec<_>, _>>()?;
        let answers = sign(algorithm, &inputs)?;
        if answers.len() != asked.len() {
            return Err(ours("as many dry signatures as candidates were expected"));
        }
        for ((_, mine, dry), answer) in asked.into_iter().zip(answers) {
            dry.extend(mine.into_iter().map(|public| (public, answer.clone())));
        }
    }
    let mut is_first = true;
    drafts.iter().zip(made).try_for_each(|(draft, made)| {
        check_dry(draft, &signed(draft, &made, std::mem::take(&mut is_first))?)
    })
}

/// What a throw-away key answered in the place of a root key.
type Answer = (PublicKey, (PublicKey, Vec<u8>));

/// The answers as signatures under the ids of the keys in whose place they were made. Whether they are good says nothing of
/// the form, and is looked at where a batch begins; each has to have the form of one.
fn signed(draft: &Draft, answers: &[Answer], is_verified: bool) -> Result<Vec<Signature>, Refusal> {
    let mut signatures = Vec::new();
    for (public, (stand_in, raw)) in answers {
        for id in draft.ids(public) {
            let signature = match is_verified {
                true => draft.root().signature(&id, stand_in, raw),
                false => draft.root().signature_of_form(&id, stand_in, raw),
            };
            signatures.push(signature.map_err(|error| refuse(draft, error.to_string()))?);
        }
    }
    Ok(signatures)
}

/// Reads a candidate under dry signatures as a stranger would.
pub(super) fn check_dry(draft: &Draft, signatures: &[Signature]) -> Result<(), Refusal> {
    let file = SignedRoot::assemble(draft.root(), signatures);
    if reads_back(draft, &file).is_ok_and(|whole| whole) {
        return Ok(());
    }
    Err(refuse(draft, "the candidate does not read back as it was written".to_owned()))
}

fn refuse(draft: &Draft, what: String) -> Refusal {
    Refusal::of(Check::DrySignature, format!("`{}`: {what}", draft.repository)).hint(NOT_SIGNED)
}

/// What to do about a form that no client takes.
pub(super) const NOT_SIGNED: &str =
    "keep the candidate for the makers of officiant; no real key signs it";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::step::Act;
    use crate::ceremony::tests::{NAMES, Pair, Room, all};

    /// A rotation that is about to be drafted: `root-a` goes, `root-b` and `root-spare` stay, `root-c` comes.
    fn drafting() -> (Ceremony, Vec<Draft>) {
        let mut room = Room::new();
        let inputs = room.genesis();
        let genesis = room.play(inputs).unwrap();
        let inputs = room.rotate(&genesis);
        let (ceremony, ..) = room.until(inputs, |act| *act == Act::DraftRoots);
        let drafts = all(&ceremony);
        (ceremony, drafts)
    }

    #[test]
    fn each_kind_of_root_key_has_one_throw_away_key_that_signs_every_candidate() {
        let (ceremony, drafts) = drafting();
        let mut batches = Vec::new();
        let mut sign = |algorithm, inputs: &[ToSign]| {
            batches.push((algorithm, inputs.len()));
            let pair = Pair::new(algorithm);
            let raw = drafts.iter().map(|draft| pair.sign(&draft.root().signed_bytes()));
            Ok(raw.map(|raw| (pair.public(), raw)).collect())
        };
        try_dry(&ceremony, &drafts, &mut sign).unwrap();
        assert_eq!(ceremony.roster().keys().len(), 4);
        assert_eq!(batches, [(Algorithm::EcdsaP256, NAMES.len())]);
    }

    #[test]
    fn a_dry_signature_that_is_none_stops_everything_before_a_real_key_signs() {
        let (ceremony, drafts) = drafting();
        let mut sign = |algorithm, inputs: &[ToSign]| {
            let pair = Pair::new(algorithm);
            let raw = inputs.iter().map(|_| (pair.public(), pair.sign(b"something else")));
            Ok(raw.collect())
        };
        let refusal = try_dry(&ceremony, &drafts, &mut sign).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!(
                "`{}`: the signature is not by this key over these bytes [DRY-SIGNATURE]",
                NAMES[0]
            )
        );
        let mut few = |_, _: &[ToSign]| Ok(Vec::new());
        let refusal = try_dry(&ceremony, &drafts, &mut few).unwrap_err();
        assert_eq!(refusal.to_string(), "as many dry signatures as candidates were expected");
    }
}
