//! Whether the newest root of a request is one that may be continued.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ceremony::Ceremony;
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::certificate::Bundle;
use crate::root::{Dialect, Role, SignedRoot};

/// Looks at the newest root of every repository, as far as it is not known what comes out.
///
/// # Errors
/// As [`check`].
pub(in crate::ceremony) fn check_all(ceremony: &Ceremony, at: Timestamp) -> Result<(), Refusal> {
    if ceremony.seen.may_continue(at) {
        return Ok(());
    }
    for (place, repository) in ceremony.plan().repositories().iter().enumerate() {
        if let Some(root) = ceremony.chain(place)?.last() {
            check(&repository.name, root, at)?;
        }
    }
    Ok(())
}

/// The days on which a root may be continued that may be at a moment: while a certificate that is valid then is.
pub(super) fn days(last: &SignedRoot, at: Timestamp) -> (Timestamp, Timestamp) {
    let bundles = last.root().role_keys(Role::Root).filter_map(|(_, key)| key.bundle());
    let current = bundles.map(Bundle::leaf).filter(|leaf| leaf.is_current(at));
    let longest = current.max_by_key(|leaf| leaf.not_after());
    longest.map_or(EVER, |leaf| (leaf.not_before(), leaf.not_after()))
}

/// Where nothing ends: of TUF, and where there is no root yet.
pub(super) const EVER: (Timestamp, Timestamp) = (Timestamp::MIN, Timestamp::MAX);

/// Refuses a root whose keys or certificates are not what a root's are.
///
/// # Errors
/// `[ROOT-KEY-TWIN]`; `[ROOT-BYTES]` for a certificate that is not PEM as Go writes it; `[WALK]` when every certificate
/// has ended, or none has begun: no client that holds this root can follow it any more.
pub(super) fn check(repository: &str, last: &SignedRoot, at: Timestamp) -> Result<(), Refusal> {
    let refuse = |check: Check, what: String| {
        Refusal::of(check, format!("`{repository}`: root {}: {what}", last.version()))
    };
    let mut seen = BTreeSet::new();
    let publics = last.root().role_keys(Role::Root).filter_map(|(_, key)| key.public());
    if let Some(twin) = publics.map(PublicKey::id).find(|id| !seen.insert(*id)) {
        return Err(refuse(Check::RootKeyTwin, format!("it lists root key {twin} twice"))
            .hint("one key counted twice is no threshold: find out who made this root"));
    }
    if last.root().dialect() == Dialect::Tuf {
        return Ok(());
    }
    let bundles =
        || last.root().role_keys(Role::Root).filter_map(|(id, key)| Some((id, key.bundle()?)));
    if let Some((id, _)) = bundles().find(|(_, bundle)| !bundle.is_exact()) {
        return Err(refuse(
            Check::RootBytes,
            format!("the certificate of key `{id}` is not PEM as Go writes it"),
        )
        .hint("somebody rewrote it: have the root fetched anew, from the server itself"));
    }
    let current = |bundle: &Bundle| bundle.leaf().is_current(at);
    if bundles().all(|(_, bundle)| !current(bundle)) {
        let day = at.strftime("%Y-%m-%d");
        return Err(refuse(
            Check::Walk,
            format!("no certificate of its root keys is valid on {day}"),
        )
        .hint("no client that holds it can follow any more: leave it out by an `[[exclude]]`"));
    }
    Ok(())
}
