//! Drills: a token shows that it holds its keys and shares, a paper that it is whole and that its passphrase is known.
//!
//! Roof. Nothing is opened: keys sign text made here, sealing keys open a fresh challenge, sealed files are compared.
//! docs/threats.md rule 15.

use super::Session;
use super::share::{object, set_of};
use super::token::Put;
use crate::ceremony::fact::{Fact, KeyDrilled};
use crate::ceremony::statement::Said;
use crate::check::Check;
use crate::child::token::Token;
use crate::digest::Digest;
use crate::refusal::Refusal;
use crate::room::pkcs11::Face;
use crate::trust::ShareOf;

impl Session<'_> {
    pub(super) fn drill_token(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let (mut token, face) = match self.put_in(step, name)? {
            Put::Here(token, face) => (token, face),
            Put::Absent(reason) => return Ok(Fact::TokenAbsent { token: name.to_owned(), reason }),
        };
        self.log_in(step, &mut token, &face, name)?;
        let holds = self.ceremony.past().holds(name);
        let mut keys = Vec::new();
        for (key, public) in &holds.keys {
            let held = self.find_key(&mut token, name, public)?;
            let said = Said::KeyDrilled { key, public };
            let statement = self.state_by(&mut token, name, &held, &said)?;
            self.show(&format!("        key {key} signs: {}", public.id().grouped()))?;
            keys.push(KeyDrilled { key: key.clone(), statement });
        }
        if !holds.shares.is_empty() {
            let to = self.seal_of(name)?;
            let seal = self.find_key(&mut token, name, to.public())?;
            self.prove_seal(&mut token, name, (&seal, &to))?;
        }
        for share in &holds.shares {
            self.look_at_share(&mut token, &face, name, share)?;
        }
        let statement = self.state(&mut token, name, &Said::Drilled { holds: &holds })?;
        token.logout().map_err(|error| self.child(&error))?;
        Ok(Fact::TokenDrilled { token: name.to_owned(), keys, statement })
    }

    /// The sealed share is the one that was made, on the token, where it stores it, and in the custody folder.
    fn look_at_share(
        &mut self,
        token: &mut Token,
        face: &Face,
        name: &str,
        of: &ShareOf,
    ) -> Result<(), Refusal> {
        let ShareOf { key, share, .. } = of;
        let (set, made) = set_of(&self.ceremony, key)?;
        let index = share.index;
        if share.on_token && !self.stores(token, &object(&set.id, index).label)? {
            let what = format!("token `{name}` no longer stores share {index} of key `{key}`");
            return Err(Refusal::of(Check::ShareProven, what).hint(
                "`resume`, and type `absent` and why: the copy in the custody folder is all that is left of it",
            ));
        }
        self.fetch_share(token, face, &set, (index, &made))?;
        if Digest::of(&self.sealed_file(&set, index)?) != share.sealed {
            let what = format!(
                "share {index} of key `{key}`, as the custody folder has it, is not the one that was made"
            );
            return Err(Refusal::of(Check::ShareCommitment, what).hint(
                "bring the room media of the last ceremony, and find out who changed these",
            ));
        }
        let place = if share.on_token { "on the token and in" } else { "in" };
        self.show(&format!(
            "        share {index} of key {key} is whole, {place} the custody folder; its seal opens"
        ))
    }
}
