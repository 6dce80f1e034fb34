//! Root certificates of a ceremony: whose name, which dates, and whether what the room made is that.
//!
//! Second floor: pure. docs/threats.md rules 10, 24 and 25.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::document;
use crate::ceremony::accept::EDITED;
use crate::ceremony::fact::Certified;
use crate::ceremony::plan::{Plan, PlannedRoot, midnight};
use crate::ceremony::roster::{KeyOrigin, Roster};
use crate::ceremony::{Ceremony, ours};
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::certificate::{Bundle, Error, Subject, Tbs, earliest_end};
use crate::root::{self, Dialect, SignedRoot};
use crate::trust::Past;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Whose name the certificate for a repository carries: the repository's, or the plan's wildcard.
pub(super) fn certified_name(plan: &Plan, repository: &str) -> String {
    plan.root().and_then(wildcard).unwrap_or(repository).to_owned()
}

/// The wildcard of the plan's certificates; none where each repository has its own.
pub(super) fn wildcard(root: &PlannedRoot) -> Option<&str> {
    root.certificate_name.as_deref().filter(|name| *name != "gun")
}

/// How many certificates a key needs: one per repository, or the one with the wildcard; none for TUF, and none for a key
/// that only leaves.
pub fn certificate_count(ceremony: &Ceremony, key: &str) -> usize {
    let plan = ceremony.plan();
    let stays = ceremony.roster().key(key).is_some_and(|key| key.stays);
    match (plan.dialect(), plan.root()) {
        (Dialect::Notary, Some(root)) if stays && wildcard(root).is_some() => 1,
        (Dialect::Notary, Some(_)) if stays => plan.repositories().len(),
        _ => 0,
    }
}

/// The names that a range of these certificates are for, in the plan's order.
fn certificate_names(ceremony: &Ceremony, range: Range<usize>) -> impl Iterator<Item = String> {
    let plan = ceremony.plan();
    let range =
        range.start.min(plan.repositories().len())..range.end.min(plan.repositories().len());
    plan.repositories()[range].iter().map(|planned| certified_name(plan, &planned.name))
}

/// What a key signs to make the next certificates, with serials drawn by the room: those of the range, as far as it
/// needs them. Gives what comes of a look at each, with its name.
///
/// # Errors
/// A name or date that X.509 cannot hold; those of `look`.
pub fn certificate_requests<T: Send>(
    ceremony: &Ceremony,
    (key, public): (&str, &PublicKey),
    range: Range<usize>,
    serials: &mut dyn FnMut() -> [u8; 16],
    (now, look): (Timestamp, impl Fn(Tbs) -> Result<T, Refusal> + Sync),
) -> Result<Vec<(String, T)>, Refusal> {
    let until = ceremony.plan().root().and_then(|root| root.certificates_until).map(midnight);
    let range = range.start..range.end.min(certificate_count(ceremony, key));
    let names = certificate_names(ceremony, range).map(|name| (name, serials()));
    let names: Vec<(String, [u8; 16])> = names.collect();
    let work = |at: usize| {
        let (name, serial) = names[at].clone();
        let (key, not_before) = (public.clone(), day_before(now));
        let not_after = until.ok_or_else(|| ours("a certificate without an end"))?;
        let tbs = Tbs::new(&Subject { name, serial, key, not_before, not_after });
        look(tbs.map_err(|error| document(&names[at].0, &error))?)
    };
    let mut looked = Vec::with_capacity(names.len());
    ceremony.inputs().means.map(0..names.len(), work, |_, came| {
        looked.push(came);
        Ok::<_, Refusal>(())
    })?;
    Ok(names.into_iter().map(|(name, _)| name).zip(looked).collect())
}

/// 00:00 UTC of the day before: a clock that is a little fast hurts nobody.
fn day_before(now: Timestamp) -> Timestamp {
    let day = now.as_second().div_euclid(86_400) - 1;
    Timestamp::from_second(day * 86_400).unwrap_or(now)
}

/// Checks the next certificates that the room made for a key.
pub(in crate::ceremony) fn check_certificates(
    ceremony: &Ceremony,
    (key, public): (&str, &PublicKey),
    certificates: &[Certified],
) -> Result<(), Refusal> {
    let first = ceremony.certified(key);
    let last = (first + certificates.len()).min(certificate_count(ceremony, key));
    let expected = certificate_names(ceremony, first.min(last)..last);
    if certificates.is_empty()
        || !expected.eq(certificates.iter().map(|made| made.repository.as_str()))
    {
        let what = format!("key `{key}` has certificates for other repositories than planned");
        return Err(Refusal::of(Check::FactOrder, what).hint(EDITED));
    }
    let means = &ceremony.inputs().means;
    let check = |at: usize| check_certificate(ceremony, public, &certificates[at]);
    means.map(0..certificates.len(), check, |_, ()| Ok(()))
}

fn check_certificate(
    ceremony: &Ceremony,
    public: &PublicKey,
    made: &Certified,
) -> Result<(), Refusal> {
    let bad = |what: String| {
        Refusal::of(Check::CertProfile, format!("`{}`: {what}", made.repository))
            .hint("run `resume`: it is made anew; if it stays so, use another token")
    };
    let bundle = Bundle::read_exact(&made.certificate).map_err(|error| bad(error.to_string()))?;
    let leaf = bundle.leaf();
    let until = ceremony.plan().root().and_then(|root| root.certificates_until).map(midnight);
    if leaf.public() != public || leaf.name() != made.repository || Some(leaf.not_after()) != until
    {
        return Err(bad("the certificate is of another key, name or end than planned".into()));
    }
    let when = ceremony.plan().when();
    let (first, last) = (day_before(midnight(when.from)), day_before(midnight(when.until)));
    let begins = leaf.not_before();
    if begins < first || last < begins || day_before(begins) + DAY != begins {
        return Err(bad(format!(
            "the certificate begins {begins}, not the day before the ceremony"
        )));
    }
    match leaf.verify_as_made() {
        Err(Error::Key(error)) => Err(bad_certificate(&made.repository, &error).hint(EDITED)),
        Ok(()) if bundle.intermediates().is_empty() => Ok(()),
        _ => Err(bad(Error::NotAsMade.to_string())),
    }
}

/// A certificate that its key did not sign. `[SIGNATURE-GOOD]`
pub fn bad_certificate(name: &str, error: &dyn std::fmt::Display) -> Refusal {
    Refusal::of(Check::SignatureGood, format!("certificate for `{name}`: {error}"))
}

/// Certificates outlive the root that they sign by two years. `[CERT-OUTLIVES-ROOT]`
pub(in crate::ceremony) fn check_outlives(plan: &Plan) -> Result<(), Refusal> {
    let Some(root) = plan.root() else { return Ok(()) };
    let Some(until) = root.certificates_until else { return Ok(()) };
    if midnight(until) >= earliest_end(midnight(root.expires)) {
        return Ok(());
    }
    let what = format!(
        "certificates until {until}, and the root until {}: at least two years are needed between",
        root.expires
    );
    Err(Refusal::of(Check::CertOutlivesRoot, what)
        .hint("set `certificates_until` two years after `expires`, or later"))
}

/// A key that stays without new certificates keeps those of the last roots, which must last as long as the plan says.
/// `[CERT-OUTLIVES-ROOT]`
pub(in crate::ceremony) fn check_kept(
    plan: &Plan,
    past: &Past,
    roster: &Roster,
) -> Result<(), Refusal> {
    let until = plan.root().and_then(|root| root.certificates_until).map(midnight);
    for key in roster.keys().iter().filter(|key| key.stays && !key.certified) {
        let KeyOrigin::Known(public) = &key.origin else { continue };
        for planned in plan.repositories() {
            let last = past.latest(&planned.name)?;
            let last = last.as_ref().map(SignedRoot::root);
            let kept = last.and_then(|last| last.key(last.root_key_id(public)?));
            let ends = kept.and_then(root::Key::bundle).map(|bundle| bundle.leaf().not_after());
            if ends.is_some() && ends < until {
                let what = format!(
                    "`{}`: the certificate of key `{}` ends before `certificates_until`",
                    planned.name, key.name
                );
                return Err(Refusal::of(Check::CertOutlivesRoot, what)
                    .hint("hold a `renew` instead: it makes new ones"));
            }
        }
    }
    Ok(())
}
