//! What the makers of tokens say of keys: the record's word held against the certificates of the custody folder.
//!
//! Roof, pure. docs/threats.md rules 14 and 19.

use super::{Again, Custody};
use crate::attestation::Attestation;
use crate::ceremony::fact::{Attested, Fact};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::trust::{ATTESTATIONS, Identity, Past};
use crate::wording::{Count, List};

/// What came of it, as sentences.
#[derive(Default)]
pub(super) struct Found {
    pub(super) proved: Vec<String>,
    pub(super) not_proved: Vec<String>,
}

/// A key that the record says is attested.
struct Claim<'a> {
    token: &'a str,
    public: &'a PublicKey,
    attested: &'a Attested,
}

/// Holds every attested key of the ceremonies again. Without the custody folder there are no certificates to read.
///
/// # Errors
/// `[TOKEN-ATTESTED]` for a key whose certificates say something else than the record.
pub(super) fn held(
    past: &Past,
    rooms: &[Again],
    custody: Option<&Custody>,
) -> Result<Found, Refusal> {
    let claims: Vec<Claim<'_>> = rooms.iter().flat_map(claims).collect();
    let mut found = Found::default();
    if claims.is_empty() {
        return Ok(found);
    }
    let many = Count(claims.len(), "key");
    let Some(files) = custody else {
        found.not_proved.push(format!(
            "That {many} were made on tokens, as their makers attest, rests on the records: the certificates name serials, \
             lie in the custody folder, and were not given."
        ));
        return Ok(found);
    };
    let mut missing = Vec::new();
    for claim in &claims {
        let text = files.iter().find(|(path, text)| {
            path.starts_with(ATTESTATIONS) && Digest::of(text) == claim.attested.file
        });
        match text {
            None => missing.push(claim.token),
            Some((path, text)) => check(past, files, claim, (path, text))?,
        }
    }
    let whole = claims.len() - missing.len();
    if whole > 0 {
        found.proved.push(format!(
            "{} attested by the makers of tokens: the certificates of the custody folder say what the records say, and name \
             the serials that custody.json commits to.",
            match whole { 1 => "1 key is".to_owned(), many => format!("{} are", Count(many, "key")) }
        ));
    }
    if !missing.is_empty() {
        missing.dedup();
        found.not_proved.push(format!(
            "The custody folder lacks certificates of keys on {}: what the records say of them was not held against any.",
            List::names(&missing)
        ));
    }
    Ok(found)
}

fn claims(room: &Again) -> Vec<Claim<'_>> {
    let mut claims = Vec::new();
    for fact in room.ceremony.facts() {
        let token = match fact {
            Fact::KeyMade { key, .. } => {
                let key = room.ceremony.roster().key(key);
                key.and_then(|key| key.holding.holders().first().map(String::as_str))
            }
            Fact::TokenEnrolled { token, .. } => Some(token.as_str()),
            _ => None,
        };
        let said = fact.attested();
        claims.extend(
            said.filter_map(|(public, attested)| Some(Claim { token: token?, public, attested })),
        );
    }
    claims
}

fn check(
    past: &Past,
    files: &Custody,
    claim: &Claim<'_>,
    (path, text): (&str, &[u8]),
) -> Result<(), Refusal> {
    let refuse = |what: &str| {
        let what = format!("`{path}` of token `{}`: {what}", claim.token);
        Err(Refusal::of(Check::TokenAttested, what)
            .hint("bring the custody folder of the room; if it is, record or folder was edited"))
    };
    let said = match Attestation::read_kept(text, claim.public) {
        Ok(said) => said,
        Err(error) => return refuse(&format!("its attestation is not good: {error}")),
    };
    let recorded = claim.attested;
    let same = (said.firmware(), said.pin, said.touch)
        == (recorded.firmware.clone(), recorded.pin, recorded.touch);
    if !same || (recorded.by_maker && !said.is_by_maker) {
        return refuse("it says something else than the record");
    }
    let commitment = past.custody().token(claim.token).map(|token| token.identity);
    let known = files
        .iter()
        .filter(|(path, _)| path.starts_with("tokens/"))
        .filter_map(|(_, bytes)| serde_json::from_slice::<Identity>(bytes).ok())
        .find(|known| Some(known.commitment()) == commitment);
    match known {
        Some(known) if known.serial == said.serial.to_string() => Ok(()),
        Some(_) => refuse("it is of a YubiKey with another serial"),
        None => refuse("the custody folder does not know the serial of this token"),
    }
}
