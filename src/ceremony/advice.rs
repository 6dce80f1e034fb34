//! What is known today of tokens whose firmware the records say.
//!
//! Second floor: pure. A record is never judged by the table: that grows, and what was decided then stands.

use std::collections::BTreeMap;

use super::fact::Fact;
use crate::advisory;
use crate::record::Body;
use crate::trust::Past;

/// The firmware of each token that a maker attested, as the records say it.
pub fn firmware(past: &Past) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    let records = past.ceremonies().iter().flat_map(|ceremony| ceremony.records());
    for entry in records.flat_map(|record| record.entries()) {
        if let Body::Done { fact: Fact::TokenEnrolled { token, attested: Some(said), .. } } =
            &entry.body
        {
            known.insert(token.clone(), said.firmware.clone());
        }
    }
    known
}

/// One sentence for each known weakness of each of these tokens.
pub fn sentences(past: &Past, firmware: &BTreeMap<String, String>) -> Vec<String> {
    let mut said = Vec::new();
    for token in &past.custody().tokens {
        let Some(firmware) = firmware.get(&token.name) else { continue };
        for advisory in advisory::of(&token.model, firmware) {
            let (name, sentence) = (&token.name, advisory.sentence());
            said.push(format!("Token `{name}`, firmware {firmware}: {sentence}."));
        }
    }
    said
}
