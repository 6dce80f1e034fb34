//! What the makers of tokens attest of keys.
//!
//! Roof, pure.

use crate::advisory;
use crate::attestation::{PinPolicy, TouchPolicy};
use crate::ceremony::Ceremony;
use crate::ceremony::fact::{Attested, Fact};
use crate::key::PublicKey;
use crate::paper::{Paper, Row, cells};

/// A table of the keys that are attested; nothing where none is.
pub(super) fn keys(ceremony: &Ceremony, paper: &mut Paper) {
    let rows: Vec<Row> = ceremony
        .facts()
        .flat_map(|fact| fact.attested().map(move |(public, said)| row(fact, public, said)))
        .collect();
    if rows.is_empty() {
        return;
    }
    paper.section("What the makers of tokens attest: made on it, and what its use asks for");
    let columns = [("Key", 22), ("Firmware", 10), ("PIN", 16), ("Touch", 22), ("Maker", 10)];
    paper.table(&columns, rows);
}

fn row(fact: &Fact, public: &PublicKey, said: &Attested) -> Row {
    let pin = match said.pin {
        PinPolicy::Always => "each time",
        PinPolicy::Never => "never",
        PinPolicy::Once => "once a session",
    };
    let touch = match said.touch {
        TouchPolicy::Always => "each time",
        TouchPolicy::Cached => "every fifteen seconds",
        TouchPolicy::Never => "never",
    };
    let maker = if said.by_maker { "known" } else { "unknown" };
    cells([&called(fact, public), &said.firmware, pin, touch, maker])
}

fn called(fact: &Fact, public: &PublicKey) -> String {
    match fact {
        Fact::KeyMade { key, .. } => key.clone(),
        Fact::TokenEnrolled { token, attest, .. } if attest == public => format!("{token} attest"),
        Fact::TokenEnrolled { token, .. } => format!("{token} seal"),
        _ => public.id().grouped(),
    }
}

/// Whoever owns a YubiKey can have it attest whatever he likes.
pub(super) fn unknown_maker(fact: &Fact) -> Option<String> {
    let unknown = fact.attested().filter(|(_, said)| !said.by_maker);
    let keys: Vec<String> = unknown.map(|(public, _)| called(fact, public)).collect();
    (!keys.is_empty()).then(|| {
        format!(
            "No maker that is known signed what is attested of {}: whoever owns a token can have it attest anything.",
            crate::wording::List::names(&keys)
        )
    })
}

/// A sealing key of which only the module says that it is in the token: docs/threats.md rule 14.
pub(super) fn unattested(fact: &Fact) -> Option<String> {
    let Fact::TokenEnrolled { token, seal: Some(_), seal_attested: None, .. } = fact else {
        return None;
    };
    Some(format!(
        "No maker attests the sealing key of token `{token}`: that nobody else opens its shares, and so the threshold, rests on the module that drives it."
    ))
}

/// What was known of the token of a key when it was made.
pub(super) fn weak(fact: &Fact) -> Option<String> {
    let Fact::KeyMade { key, advised, .. } = fact else { return None };
    let said = |id: &String| advisory::called(id).map_or(id.clone(), advisory::Advisory::sentence);
    let said: Vec<String> = advised.iter().map(said).collect();
    (!said.is_empty()).then(|| {
        format!("Key `{key}` was made on a token with a known weakness: {}.", said.join("; "))
    })
}
