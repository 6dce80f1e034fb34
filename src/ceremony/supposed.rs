//! Looking ahead: a ceremony as it will be, under keys that stand in for those that do not exist yet.
//!
//! Second floor: pure. Nothing of it can be signed or recorded: no token has such a key, and the certificates of the
//! stand-ins are signed by nobody.

use jiff::Timestamp;

use super::admission::adopted;
use super::draft;
use super::fact::{Certified, Fact};
use super::means::pieces;
use super::roster::{Key, KeyOrigin};
use super::step::Act;
use super::{Ceremony, ours};
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey};
use crate::refusal::Refusal;
use crate::root::certificate::Tbs;

/// Makes a public key of a kind, whose private half nobody keeps.
pub type StandIn<'a> = dyn FnMut(Algorithm) -> Result<PublicKey, Refusal> + 'a;

/// A ceremony that has only been opened, as if all its keys were made and certified.
///
/// # Errors
/// Whatever would refuse the candidates in the room.
pub fn supposed(
    mut ceremony: Ceremony,
    stand_in: &mut StandIn<'_>,
    at: Timestamp,
) -> Result<Ceremony, Refusal> {
    for key in ceremony.roster().keys().to_vec() {
        let public = match (&key.origin, ceremony.public(&key.name)) {
            (_, Some(public)) => public,
            (KeyOrigin::Adopted(pin) | KeyOrigin::Imported(pin), None) => {
                adopted::find(ceremony.inputs(), *pin)?
                    .ok_or_else(|| ours("an adopted key was admitted without a root"))?
            }
            _ => stand_in(key.algorithm)?,
        };
        ceremony.suppose(&key, &public);
        ceremony.certify(&key, &public, at)?;
    }
    Ok(ceremony)
}

impl Ceremony {
    /// Takes up what will be known of a key, without asking whether it may stand.
    fn suppose(&mut self, key: &Key, public: &PublicKey) {
        let (name, public) = (key.name.clone(), public.clone());
        for step in &self.steps {
            let fact = match &step.act {
                Act::AdoptToken { token, key } if *key == name => Fact::TokenAdopted {
                    token: token.clone(),
                    model: String::new(),
                    identity: Digest::of(b""),
                    public: public.clone(),
                },
                Act::Certify { key, .. } | Act::CertifyWithShares { key } if *key == name => {
                    Fact::KeyCertified { key: name.clone() }
                }
                Act::PlaceKey { key, .. } if *key == name => {
                    let (key, public) = (name.clone(), public.clone());
                    Fact::KeyPlaced { key, public, statement: None }
                }
                Act::MakeKey { key, .. } | Act::SplitKey { key } if *key == name => Fact::KeyMade {
                    key: name.clone(),
                    public: public.clone(),
                    statement: None,
                    attested: None,
                    advised: Vec::new(),
                },
                _ => continue,
            };
            self.done.insert(step.number, fact);
        }
    }

    /// Takes up the certificates that it will have.
    fn certify(&mut self, key: &Key, public: &PublicKey, at: Timestamp) -> Result<(), Refusal> {
        if key.origin != KeyOrigin::New && !key.certified {
            return Ok(());
        }
        for range in pieces(0..draft::certificate_count(self, &key.name)) {
            let mut serial = || [1; 16];
            let of = (key.name.as_str(), public);
            let look = |tbs: Tbs| tbs.stand_in().map_err(|error| ours(error.to_string()));
            let made = draft::certificate_requests(self, of, range, &mut serial, (at, look))?;
            let certified = made
                .into_iter()
                .map(|(repository, certificate)| Certified { repository, certificate });
            let certified: Vec<Certified> = certified.collect();
            let heap = self.bulk.certified.entry(key.name.clone()).or_default();
            heap.push(&self.inputs.means, &certified)?;
        }
        Ok(())
    }
}
