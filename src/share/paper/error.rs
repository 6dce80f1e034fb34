//! Why what was read from paper is no share.
//!
//! First floor: pure.

use crate::check::Check;
use crate::refusal::Refusal;
use crate::share::Damage;

/// Why what was read from paper is refused: which code, which line, or what of the whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A code that says it is one of a share and has not the form of one.
    #[error("a code begins as one of a share does, and goes on otherwise")]
    CodeForm,
    /// Two codes of one place say different things.
    #[error("code {part} was read twice, and not the same")]
    CodeDiffers {
        /// Which code, from 1.
        part: usize,
    },
    /// A code is not there.
    #[error("code {part} of {parts} is missing")]
    CodeMissing {
        /// Which code, from 1.
        part: usize,
        /// How many there are.
        parts: usize,
    },
    /// A code was made by a version that this program does not know.
    #[error("a code is of version {found}, expected version 1")]
    CodeVersion {
        /// What it says.
        found: String,
    },
    /// The whole is damaged.
    #[error("the share on paper is damaged: {damage}")]
    Damaged {
        /// In which way.
        damage: Damage,
    },
    /// It says index 0, with which it would decide alone what comes out.
    #[error("the share on paper is forged: it says that its index is 0")]
    IndexZero,
    /// There are more or fewer bytes than it says itself.
    #[error("the share on paper is damaged: its {found} bytes are not as many as it says")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// A letter that the text cannot have.
    #[error("letter {place} of the text cannot be")]
    Letter {
        /// Which, from 1.
        place: usize,
    },
    /// A line does not agree with its check word.
    #[error("line {line} does not agree with its check word")]
    Line {
        /// Which line, from 1.
        line: usize,
    },
    /// A line has not the form of one.
    #[error("line {line} is not as it stands on paper: its number, its letters, its check word")]
    LineForm {
        /// Which line, from 1.
        line: usize,
    },
    /// A line is not there.
    #[error("line {line} is missing")]
    LineMissing {
        /// Which line, from 1.
        line: usize,
    },
    /// There is nothing of a share.
    #[error("there is no share on it")]
    Nothing,
    /// Codes of several papers.
    #[error("codes of two papers are mixed: `{first}` and `{second}`")]
    OtherPaper {
        /// The mark of one.
        first: String,
        /// The mark of the other.
        second: String,
    },
    /// A place and a threshold that cannot be.
    #[error(
        "the share on paper says that it is share {index} of {needed} of {total}, which cannot be"
    )]
    Place {
        /// The index.
        index: u8,
        /// How many are needed.
        needed: u8,
        /// How many there are.
        total: u8,
    },
    /// The sealed share is longer than a page has room for.
    #[error("the sealed share is too long for paper")]
    TooLong,
}

impl Error {
    /// The refusal: which rule, and what a person can do.
    pub fn refusal(&self) -> Refusal {
        let check = match self {
            Self::IndexZero | Self::Place { .. } => Check::ShareIndex,
            _ => Check::SharePaper,
        };
        let refusal = Refusal::of(check, self.to_string());
        match self {
            Self::IndexZero | Self::Place { .. } => {
                refusal.hint("leave this paper out, and find out who made it")
            }
            Self::Line { .. } | Self::LineForm { .. } | Self::LineMissing { .. } => {
                refusal.hint("compare that line with the paper, letter by letter")
            }
            Self::Letter { .. } | Self::Damaged { .. } | Self::Length { .. } => {
                refusal.hint("read the paper once more, or type its lines: each is checked alone")
            }
            Self::OtherPaper { .. } => refusal.hint("scan one paper at a time"),
            Self::CodeVersion { .. } => refusal.hint("read it with the newer officiant that made it"),
            Self::TooLong => refusal.hint("give the share to a token"),
            Self::CodeDiffers { .. }
            | Self::CodeForm
            | Self::CodeMissing { .. }
            | Self::Nothing => refusal.hint(
                "take a sharper picture, straight from above, with all codes on it; or type the lines",
            ),
        }
    }
}
