//! The vault of a session: started when it is first needed, and lent to whoever signs with it.
//!
//! Roof.

use super::Session;
use super::batch::Sign;
use crate::child::Launch;
use crate::child::vault::Vault;
use crate::key::ToSign;
use crate::refusal::{Exit, Refusal};

impl Session<'_> {
    /// The vault, started when it is first needed.
    pub(super) fn vault(&mut self) -> Result<&mut Vault, Refusal> {
        if self.vault.is_none() {
            let started = Vault::start(&Launch::this_binary("vault"));
            let vault = started.map_err(|error| self.child(&error))?;
            if !vault.fence().is_memory_locked {
                self.show("        this account may not lock memory: see that the machine has no swap, or keys reach it")?;
            }
            self.vault = Some(vault);
        }
        self.vault.as_mut().ok_or_else(no_vault)
    }

    /// Has work done with a key that the vault holds: it signs while the session goes on.
    pub(super) fn with_vault(
        &mut self,
        key: &str,
        work: impl FnOnce(&mut Self, Box<Sign<'_>>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.vault()?;
        let mut vault = self.vault.take().ok_or_else(no_vault)?;
        let done = work(self, Box::new(|inputs: &[ToSign]| vault.sign(key, inputs)));
        self.vault = Some(vault);
        done
    }
}

fn no_vault() -> Refusal {
    Refusal::new(Exit::Ours, "the vault did not start")
}
