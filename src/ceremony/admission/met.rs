//! Whether the chain of a request begins where room and plan say that it does.
//!
//! Second floor: pure. docs/threats.md rule 2.

use super::Asked;
use crate::ceremony::plan::Kind;
use crate::check::Check;
use crate::files::Bytes;
use crate::list::Last;
use crate::refusal::Refusal;

impl Asked<'_> {
    /// The chain continues what the room knows, and ends at the root that the plan names.
    pub(super) fn check_met(&self) -> Result<(), Refusal> {
        let past = &self.inputs.past;
        let known = usize::try_from(past.versions(&self.planned.name)).unwrap_or(usize::MAX);
        if self.chain.len() < known {
            let what = format!(
                "the request ends at root {}, the trust folder at {}",
                self.chain.len(),
                known
            );
            return Err(self
                .refuse(Check::RequestBehind, what)
                .hint("publish the last ceremony's roots first"));
        }
        for (version, brought) in (1..).zip(self.chain.iter().take(known)) {
            let ours = past.root_file(&self.planned.name, version).map(Bytes::read).transpose()?;
            if ours.as_deref() == Some(brought.bytes()) {
                continue;
            }
            let what = format!("root {version} of the request is not the one of the trust folder");
            return Err(self.refuse(Check::RequestBehind, what).hint(
                "server and trust folder tell different stories: find out why, before anything is signed",
            ));
        }
        self.check_kind()?;
        self.check_named(known > 0)?;
        if known > 0 && known < self.chain.len() {
            let what = format!(
                "the request brings root {}, which no ceremony here made",
                self.chain.len()
            );
            return Err(self.refuse(Check::RequestForeign, what).hint(
                "bring the newest trust folder; if this is it, find out who signs with these keys",
            ));
        }
        Ok(())
    }

    /// A genesis makes a first root, all else follows one.
    fn check_kind(&self) -> Result<(), Refusal> {
        let is_genesis = self.inputs.plan.kind() == Kind::Genesis;
        let (what, hint) = match self.chain.is_empty() {
            false if is_genesis => {
                ("a genesis, and the server has a root already", "plan a `rotate` for it")
            }
            true if !is_genesis => ("the server has no root of it", "plan a `genesis` for it"),
            _ => return Ok(()),
        };
        Err(self.refuse(Check::RequestFirstMet, what).hint(hint))
    }

    /// The newest root is the one that the plan names, whether or not the room knows the repository; one that it does
    /// not know has to be named.
    fn check_named(&self, is_known: bool) -> Result<(), Refusal> {
        let found = self.chain.last().map_or(Last::None, |root| Last::Root {
            version: root.version().get(),
            sha256: root.digest(),
        });
        let named = match self.planned.last {
            Some(Last::InTrust) | None if is_known => found,
            Some(named) => named,
            None => Last::None,
        };
        let what = match (named, found) {
            (named, found) if named == found => return Ok(()),
            (Last::InTrust, _) => {
                "the plan leaves its root to the trust folder, which has none".to_owned()
            }
            (Last::None, Last::Root { version, sha256 }) => {
                format!("the server is at root {version}, {sha256}; the plan names none")
            }
            (_, Last::Root { version, sha256 }) => {
                format!("the server is at root {version}, {sha256}; the plan names another")
            }
            _ => "the plan names a root, and the server has none".to_owned(),
        };
        Err(self.refuse(Check::RequestFirstMet, what).hint(
            "ask the repository's owner for version and digest of its root, not the courier, and name them in the plan",
        ))
    }
}
