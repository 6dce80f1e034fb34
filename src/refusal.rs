//! A refusal as a value: the three lines that people read, and the exit code.
//!
//! Ground floor: pure, touches nothing. Any floor may make one; `cli/report.rs` alone prints it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::check::Check;

/// Why something will not go on, in the words of the three lines (docs/design.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Line 1, after `error: `: lower case, no full stop, names in backticks, expected and found.
    pub what: String,
    /// The rule that refused, if one did.
    pub check: Option<Check>,
    /// What to do, an action each; never one that weakens a check.
    pub hints: Vec<String>,
    /// The one cause worth a line.
    pub because: Option<String>,
    /// What is now true. Starts as [`Refusal::NOTHING_DONE`]; whoever did something replaces it.
    pub standing: String,
    /// Whose fault it is.
    pub exit: Exit,
}

/// Whose fault a refusal is, as an exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 1: a check or a person refused.
    Refused,
    /// 2: the command line, the plan or the room file is wrong.
    Usage,
    /// 3: a token or a media did not do its part.
    Device,
    /// 4: our own fault.
    Ours,
}

impl Exit {
    /// Whose fault it is, as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Refused => "A check or a person refused.",
            Self::Usage => "The command line, the plan or the room file was wrong.",
            Self::Device => "A token or a media did not do its part.",
            Self::Ours => "It was the fault of officiant itself.",
        }
    }

    /// The exit code, 1 to 4; 0 means done and is no refusal.
    pub const fn code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Device => 3,
            Self::Ours => 4,
        }
    }
}

impl Refusal {
    /// The standing line of a refusal that came before any act.
    pub const NOTHING_DONE: &str = "nothing was signed and nothing was written";

    /// Makes a refusal before any act, without check, hint or cause.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            check: None,
            hints: Vec::new(),
            because: None,
            standing: Self::NOTHING_DONE.to_owned(),
            exit,
        }
    }

    /// Makes the refusal of a named check, before any act.
    pub fn of(check: Check, what: impl Into<String>) -> Self {
        Self { check: Some(check), ..Self::new(Exit::Refused, what) }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.because = Some(cause.to_string());
        self
    }

    /// Says what is now true.
    #[must_use]
    pub fn standing(mut self, standing: impl Into<String>) -> Self {
        self.standing = standing.into();
        self
    }
}

/// Line 1 without `error: `, the check's name at its end.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.check.map_or(Ok(()), |check| write!(f, " {check}"))
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_ends_with_the_check() {
        let refusal =
            Refusal::of(Check::PlanWords, "word 3 is not the plan's").hint("read it again");
        assert_eq!(refusal.to_string(), "word 3 is not the plan's [PLAN-WORDS]");
        assert_eq!(refusal.exit.code(), 1);
        assert_eq!(refusal.standing, "nothing was signed and nothing was written");
    }

    #[test]
    fn exit_codes_are_those_of_the_manual() {
        let codes = [Exit::Refused, Exit::Usage, Exit::Device, Exit::Ours].map(Exit::code);
        assert_eq!(codes, [1, 2, 3, 4]);
    }
}
