//! Import: the private key of a root that another tool made, from its file, straight into shares or onto a token.
//!
//! Roof. docs/threats.md rule 12. The file goes to the vault as it is; this process opens it only as far as to see
//! whether a passphrase is needed.

use std::path::PathBuf;

use super::Session;
use super::words::ATTEMPTS;
use crate::child;
use crate::child::vault::{Refused, Vault};
use crate::key::file::{self, KeyFile, MAX_BYTES};
use crate::refusal::{Exit, Refusal};
use crate::room::console::Prompt;
use crate::room::media;
use crate::secret::SecretBytes;

impl Session<'_> {
    /// Reads the file of a key and has the vault `take` it, with its passphrase. Another passphrase is asked for again, a few
    /// times: a file locks nobody out.
    pub(super) fn import_key<T>(
        &mut self,
        step: u32,
        name: &str,
        mut take: impl FnMut(&mut Vault, (SecretBytes, SecretBytes)) -> Result<T, child::Error>,
    ) -> Result<T, Refusal> {
        let (path, bytes) = self.ask_key_file(step, name)?;
        let block = KeyFile::read(bytes.expose()).map_err(|error| {
            let what = format!("`{}`: {error}", path.display());
            Refusal::new(Exit::Refused, what).hint("bring the key file as the other tool wrote it")
        })?;
        let mut left = if block.is_encrypted() { ATTEMPTS } else { 1 };
        loop {
            left -= 1;
            let passphrase = match block.is_encrypted() {
                true => self.ask_key_passphrase(step, name)?,
                false => SecretBytes::copy_of(b""),
            };
            let bytes = SecretBytes::copy_of(bytes.expose());
            match take(self.vault()?, (bytes, passphrase)) {
                Err(child::Error::Vault(Refused::KeyFile(file::Error::Passphrase))) if left > 0 => {
                    self.show("        this passphrase does not open the file")?;
                }
                made => return made.map_err(|error| self.child(&error)),
            }
        }
    }

    fn ask_key_file(&mut self, step: u32, name: &str) -> Result<(PathBuf, SecretBytes), Refusal> {
        let prompt = Prompt {
            step,
            id: format!("import {name}"),
            who: "operator".to_owned(),
            text: format!("path of the file that holds the private key {name}"),
            expected: None,
        };
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let path = PathBuf::from(self.ask(&prompt)?);
            match media::read_file(&path, MAX_BYTES as u64) {
                Ok(bytes) => return Ok((path, SecretBytes::take(bytes))),
                Err(_) if left > 0 => self.say_again(&unread())?,
                Err(_) => return Err(unread()),
            }
        }
    }

    fn ask_key_passphrase(&mut self, step: u32, name: &str) -> Result<SecretBytes, Refusal> {
        let prompt = Prompt {
            step,
            id: format!("pin {name}"),
            who: "owner of the key".to_owned(),
            text: format!("passphrase of the file of key {name}, typed unseen"),
            expected: None,
        };
        Ok(self.hear_pin(&prompt)?.into_bytes())
    }
}

/// What was typed may be the passphrase: it is not told again.
fn unread() -> Refusal {
    let what = "what was typed is no path of a file that can be read";
    Refusal::new(Exit::Device, what)
        .hint("type the path alone; the passphrase is asked for after it, unseen")
}
