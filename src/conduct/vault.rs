//! The vault of a session: started when it is first needed, and lent to whoever signs with it.
//!
//! Roof.

use super::Session;
use crate::child::Launch;
use crate::child::vault::Vault;
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

    /// The vault by itself, to be given back.
    pub(super) fn take_vault(&mut self) -> Result<Vault, Refusal> {
        self.vault()?;
        self.vault.take().ok_or_else(no_vault)
    }
}

fn no_vault() -> Refusal {
    Refusal::new(Exit::Ours, "the vault did not start")
}
