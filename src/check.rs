//! The named checks: every rule that can refuse, by the name that stands on screen, in the record and in docs/checks.md.
//!
//! Ground floor: pure, touches nothing. The code that decides a rule cites its [`Check`]; nothing is decided here.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A rule that can refuse, known by a name that never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Check {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Check {
            /// Every check, in alphabetical order.
            pub const ALL: &[Check] = &[$(Check::$variant),+];

            /// The name, without brackets.
            pub const fn name(self) -> &'static str {
                match self { $(Check::$variant => $name),+ }
            }

            /// The rule in one sentence.
            pub const fn rule(self) -> &'static str {
                match self { $(Check::$variant => concat!($($doc),+)),+ }
            }
        }
    };
}

// One line of documentation each: docs/checks.md repeats it, and a test compares the two.
checks! {
    /// The clock lies in the plan's window and agrees within five minutes with two people's watches.
    ClockWindow = "CLOCK-WINDOW",
    /// A media is used only for what its marker file says: `in`, `out` or `room`.
    MediaKind = "MEDIA-KIND",
    /// What stands on media is never overwritten, and nothing is added to another ceremony's files.
    MediaOwn = "MEDIA-OWN",
    /// Two media that must be equal are equal, byte for byte.
    MediaTwo = "MEDIA-TWO",
    /// Words typed from the reviewers' paper are those of the plan that was read.
    PlanWords = "PLAN-WORDS",
    /// A root file is byte for byte what the trust server writes itself, its certificates included.
    RootBytes = "ROOT-BYTES",
    /// A version once intended is never signed with other bytes.
    RootEquivocation = "ROOT-EQUIVOCATION",
    /// Four roles, thresholds that can be met, and every key once, under its own id, in the role that it had.
    RootKeys = "ROOT-KEYS",
    /// A root's version is that of the root before plus one.
    RootSequence = "ROOT-SEQUENCE",
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_stand_in_alphabetical_order_and_once() {
        let names: Vec<_> = Check::ALL.iter().map(|check| check.name()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
