//! Candidates that do not read back as they were written.

use super::dry::{NOT_SIGNED, check_dry};
use super::*;
use crate::ceremony::step::Act;
use crate::ceremony::tests::{Pair, Room, all};
use crate::cjson::Value;
use crate::key::Algorithm;
use crate::root::{Dialect, Signature};

/// The candidates of a genesis.
fn drafted() -> Vec<Draft> {
    let mut room = Room::new();
    let inputs = room.genesis();
    let mut ceremony = Ceremony::open(inputs, room.now).unwrap();
    loop {
        let step = ceremony.next().cloned().unwrap();
        if step.act == Act::DraftRoots {
            return all(&ceremony);
        }
        for fact in room.facts(&ceremony, &step).unwrap() {
            ceremony = ceremony.accept(step.number, fact).unwrap();
        }
    }
}

/// Signs a candidate with a throw-away key for each of its root keys.
fn dry(draft: &Draft) -> Vec<Signature> {
    let ids = draft.root().role_keys(Role::Root).map(|(id, _)| id);
    ids.map(|id| {
        let stand_in = Pair::new(Algorithm::EcdsaP256);
        let raw = stand_in.sign(&draft.root().signed_bytes());
        draft.root().signature(id, &stand_in.public(), &raw).unwrap()
    })
    .collect()
}

#[test]
fn a_form_that_no_client_takes_shows_on_throw_away_signatures() {
    let told =
        "`localhost:5000/a`: the candidate does not read back as it was written [DRY-SIGNATURE]";
    let refused = |draft: &Draft, signatures: &[Signature]| {
        let refusal = check_dry(draft, signatures).unwrap_err();
        assert_eq!(refusal.hints, [NOT_SIGNED]);
        refusal.to_string()
    };
    let drafts = drafted();
    for draft in &drafts {
        assert_eq!(check_dry(draft, &dry(draft)).map_err(|refusal| refusal.to_string()), Ok(()));
    }
    let draft = &drafts[0];
    // A field that servers drop: what they serve then is no file of these signatures.
    let mut fields = draft.root().value().as_map().unwrap().clone();
    fields.insert("x-note", Value::text("hello"));
    let root = Root::from_value(Dialect::Notary, Value::Map(fields)).unwrap();
    let noted = Draft { candidate: SignedRoot::assemble(&root, &[]), ..draft.clone() };
    assert_eq!(refused(&noted, &dry(&noted)), told);
    // A signature whose method is not in the letters in which it is written.
    let mut signatures = dry(draft);
    signatures[0].method = Some("ECDSA".to_owned());
    assert_eq!(refused(draft, &signatures), told);
    // More of them than any file holds: it is too large to be read.
    let one = signatures.pop().unwrap();
    let many = (0..u16::MAX).map(|number| {
        let bytes = [&number.to_be_bytes()[..], &one.bytes].concat();
        Signature { bytes, ..one.clone() }
    });
    assert_eq!(refused(draft, &many.collect::<Vec<_>>()), told);
}
