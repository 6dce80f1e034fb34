//! The recipients of a ceremony: people whose shares are sealed to a key of `age` that they have.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use super::{Key, other_custodian};
use crate::ceremony::plan::Plan;
use crate::key::AgeKey;
use crate::refusal::{Exit, Refusal};
use crate::trust::{Custody, CustodyRecipient};

/// A recipient that takes part.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The plan's name for it.
    pub name: String,
    /// The seat whose key it is.
    pub custodian: String,
    /// The key.
    pub age: AgeKey,
}

impl From<&CustodyRecipient> for Recipient {
    fn from(known: &CustodyRecipient) -> Self {
        let CustodyRecipient { name, custodian, age } = known.clone();
        Self { name, custodian, age }
    }
}

/// The recipients of the plan, and those that its keys need besides. One that is known holds more than one share, and stays
/// what it is; one key of `age` has one name.
pub(super) fn recipients_of(
    plan: &Plan,
    custody: &Custody,
    keys: &[Key],
) -> Result<Vec<Recipient>, Refusal> {
    let wrong = |what: String, hint: &str| Err(Refusal::new(Exit::Usage, what).hint(hint));
    let used: BTreeSet<&String> = keys.iter().flat_map(Key::all_holders).collect();
    let mut recipients: Vec<Recipient> = Vec::new();
    for planned in plan.recipients() {
        let name = &planned.name;
        if custody.token(name).is_some() || custody.paper(name).is_some() {
            let what = format!("a token or paper of the trust folder is called `{name}`");
            return wrong(what, "give the recipient another name");
        }
        let known =
            custody.recipients.iter().find(|known| known.name == *name || known.age == planned.age);
        if let Some(known) = known {
            if known.custodian != planned.custodian {
                return Err(other_custodian(name, &planned.custodian, &known.custodian));
            }
            if known.name != *name || known.age != planned.age {
                let what = format!(
                    "recipient `{}` is known, by the name or the key of `{name}`",
                    known.name
                );
                return wrong(what, "one key has one name: give a new key a new one");
            }
        }
        if !used.contains(name) {
            let what = format!("recipient `{name}` holds no share of this plan");
            return wrong(what, "take it out, or give it a share");
        }
        recipients.push(Recipient {
            name: name.clone(),
            custodian: planned.custodian.clone(),
            age: planned.age.clone(),
        });
    }
    let is_named = |known: &&CustodyRecipient| !plan.recipients().any(|r| r.name == known.name);
    let known = custody.recipients.iter().filter(|known| used.contains(&known.name));
    recipients.extend(known.filter(is_named).map(Recipient::from));
    let planned = plan.keys().flat_map(|key| key.shares.iter().flat_map(|s| &s.recipients));
    let mut unknown = planned.filter(|name| !recipients.iter().any(|r| r.name == **name));
    if let Some(unknown) = unknown.next() {
        let what = format!("recipient `{unknown}` is named by a key, and by no `[[recipient]]`");
        return wrong(what, "add a `[[recipient]]` with its custodian and its key");
    }
    Ok(recipients)
}
