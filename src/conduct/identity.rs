//! Identities: serial and label of each token, kept in the custody folder; the public files only commit to them.
//!
//! Roof. docs/threats.md rule 19.

use data_encoding::HEXLOWER;

use super::token::draw;
use super::{CUSTODY, Session};
use crate::ceremony::closing;
use crate::check::Check;
use crate::digest::Digest;
use crate::refusal::Refusal;
use crate::room::media;
use crate::room::pkcs11::Face;
use crate::trust::Identity;

impl Session<'_> {
    pub(super) fn identity(&self, name: &str) -> Result<Identity, Refusal> {
        let commitment = closing::custody(&self.ceremony).token(name).map(|token| token.identity);
        self.identities()?
            .into_iter()
            .find(|identity| identity.token == name && Some(identity.commitment()) == commitment)
            .ok_or_else(|| {
                let what = format!("the custody folder does not know the serial of token `{name}`");
                Refusal::of(Check::TokenKey, what)
                    .hint("put in the room media of the last ceremony")
            })
    }

    /// Every identity that the custody folder of this machine or of the inputs has.
    fn identities(&self) -> Result<Vec<Identity>, Refusal> {
        let folder = format!("{CUSTODY}/tokens");
        let mut files: Vec<Vec<u8>> = self
            .inputs
            .custody()?
            .into_iter()
            .filter(|(path, _)| path.starts_with("tokens/"))
            .map(|(_, bytes)| bytes)
            .collect();
        let own = media::read_tree_in(&self.room.binding.work, &folder, media::Limits::CUSTODY);
        let own = own.map_err(|error| self.device(&error))?.unwrap_or_default();
        files.extend(own.into_values());
        Ok(files.iter().filter_map(|bytes| serde_json::from_slice(bytes).ok()).collect())
    }

    /// Writes what the custody folder must know of a token, before the public record commits to it.
    pub(super) fn keep_identity(&self, name: &str, face: &Face) -> Result<Digest, Refusal> {
        let known = self.identities()?;
        let serial = face.name.serial.trim().to_owned();
        if let Some(other) =
            known.iter().find(|known| known.serial == serial && known.token != name)
        {
            let what = format!("token `{name}` has the serial {serial} of token `{}`", other.token);
            return Err(Refusal::of(Check::TokenKey, what).hint("put in another token"));
        }
        let identity = Identity {
            token: name.to_owned(),
            serial,
            label: face.name.label.trim().to_owned(),
            salt: HEXLOWER.encode(&draw::<16>()?),
        };
        let mut bytes = serde_json::to_vec(&identity).unwrap_or_default();
        bytes.push(b'\n');
        let kept = super::closing::keep(&self.room.binding.work, &identity.path(), &bytes);
        kept.map_err(|error| self.device(&error))?;
        Ok(identity.commitment())
    }
}
