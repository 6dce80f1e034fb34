//! The people of a plan, by their seats: what each does, who stands in for whom, and what nobody does together.
//!
//! Second floor: pure.

use serde::{Deserialize, Serialize};

/// What somebody does in a ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Holds tokens or papers, and alone knows what opens them.
    Custodian,
    /// Types, and decides nothing.
    Operator,
    /// Reads the candidates on another machine.
    SecondReader,
    /// Sees that the script is followed.
    Witness,
}

impl Task {
    /// The word for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Custodian => "custodian",
            Self::Operator => "operator",
            Self::SecondReader => "second reader",
            Self::Witness => "witness",
        }
    }
}

/// A seat, and what whoever sits there does. Never a person's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPerson {
    /// The seat.
    pub seat: String,
    /// What they do; nothing of their own for a spare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Task>,
    /// The seat for which this one stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spare_for: Option<String>,
}

/// What nobody does together, whatever a plan says: who watches is not who types.
pub const NEVER_BOTH: [Task; 2] = [Task::Operator, Task::Witness];
