//! What can be typed after `officiant`: clap and nothing else.
//!
//! Roof: declares, touches nothing. No argument has a default that reaches for a device, and none is read from
//! the environment.

mod apart;
mod custody;
mod doctor;
mod share;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use apart::{Drill, Merge, Sign};
pub use custody::Custody;
pub use doctor::Doctor;
pub use share::{Share, SharePrint, ShareScan};

/// Runs the ceremonies of an offline root key
///
/// Generates root keys on PKCS#11 tokens or in shares across tokens, signs root metadata of Docker Content Trust
/// (Notary v1) and TUF 1.0 repositories, and writes it to media. It has no network code: `courier`, the other
/// half, carries requests in and signed metadata out.
///
/// What is done stands in a reviewed plan (plan.toml); where it is done stands in a room file (room.toml).
/// Flags choose where, never what.
#[derive(Debug, Parser)]
#[command(
    name = "officiant",
    after_long_help = EXIT_CODES,
    arg_required_else_help = true,
    disable_version_flag = true,
    color = clap::ColorChoice::Never,
    // Fixed: what a terminal is wide would be asked of the environment, too.
    term_width = 100
)]
pub struct Officiant {
    /// Print the version, and the SHA-256 of this very binary as hex and words
    #[arg(short = 'V', long, exclusive = true)]
    pub version: bool,

    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What to do, in the order of the work.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "clap would take a variant's words instead of those of its arguments"
)]
pub enum Verb {
    Check(Check),
    Script(Script),
    Rehearse(Rehearse),
    Conduct(Conduct),
    Resume(Resume),
    Report(Report),
    Verify(Verify),
    Show(Show),
    Drill(Drill),
    Sign(Sign),
    Merge(Merge),
    Custody(Custody),
    Doctor(Doctor),
    /// Look at tokens, and prepare empty ones
    #[command(subcommand)]
    Token(Token),
    /// Print shares for paper, and read them back
    #[command(subcommand)]
    Share(Share),
}

/// Look at tokens, and prepare empty ones.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// List every token that the modules of the room show
    ///
    /// Prints one line for each token: module, label, serial, model, firmware, whether it is initialised, and
    /// what it says of PIN tries. No PIN is asked for, and nothing on a token changes.
    #[command(after_long_help = "Example:\n  officiant token list --room room.toml")]
    List(TokenList),
    /// Show one token of the room
    ///
    /// Prints what the token that the room file binds to this name says of itself. No PIN is asked for, and
    /// nothing on the token changes.
    #[command(after_long_help = "Example:\n  officiant token show officer-a --room room.toml")]
    Show(TokenOne),
    /// Initialise an empty token and let its custodian set the PIN
    ///
    /// Asks for the token's serial, as printed on it, and for the new PIN, twice, on the terminal. The SO PIN is
    /// drawn and discarded unshown: a forgotten PIN is then a lost token. Never before a ceremony: that initialises its
    /// tokens itself, and takes none that carries its name already. A token that a trust folder names, or
    /// that has been initialised already and so may hold a key or a share, is refused.
    #[command(after_long_help = "Example:\n  officiant token init officer-a --room room.toml")]
    Init(TokenOne),
}

/// Arguments of `token list`.
#[derive(Args, Debug)]
pub struct TokenList {
    /// The room file of this machine
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: PathBuf,
}

/// Arguments of `token show` and `token init`.
#[derive(Args, Debug)]
pub struct TokenOne {
    /// The plan's name for the token
    #[arg(value_name = "TOKEN")]
    pub token: String,

    /// The room file of this machine
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: PathBuf,
}

/// Check a plan without any token
///
/// Reads the plan as strictly as a ceremony would, and prints what it will do, who can then sign and who can stop
/// it, and what every loss of a token, a person or a site would leave. With --room it also checks the request and the last trust folder that stand there, has every client walk,
/// and prints from which day on which of them would be cut off. Nothing is written.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant check plan.toml\n  officiant check plan.toml --room room.toml\n  officiant check plan.toml --lost officer-a \"seat B\""
)]
pub struct Check {
    /// The plan
    #[arg(value_name = "PLAN.TOML")]
    pub plan: PathBuf,

    /// The room file, to check the request and the last trust folder as well
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: Option<PathBuf>,

    /// Without a room file, the last ceremony's trust folder; none before a genesis
    #[arg(long, value_name = "FOLDER", conflicts_with = "room")]
    pub trust: Option<PathBuf>,

    /// Ask what is left when all of these are lost together: tokens, papers, recipients, seats, sites or models
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub lost: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Print the script of a plan
///
/// Prints every act of the plan as a numbered step: who, what to do, what must be seen, and room for initials and
/// time. The same numbers stand on screen, in the record and in the report. The script of an `abandon` needs --room,
/// for its steps follow from the work folder that the room file names as unfinished.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant script plan.toml\n  officiant script plan.toml --trust trust --html script.html\n  officiant script plan.toml --room room.toml"
)]
pub struct Script {
    /// The plan
    #[arg(value_name = "PLAN.TOML")]
    pub plan: PathBuf,

    /// The room file, whose request, trust folder and unfinished ceremony are then read
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: Option<PathBuf>,

    /// Without a room file, the last ceremony's trust folder; none before a genesis
    #[arg(long, value_name = "FOLDER", conflicts_with = "room")]
    pub trust: Option<PathBuf>,

    /// Write one self-contained HTML file instead of text; it must not exist
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Rehearse a plan on throw-away soft tokens
///
/// Runs the very acts of the plan thirty years in the past, on soft tokens that are made for it and removed
/// after it. What it makes is marked REHEARSAL and refused everywhere else. The tokens of the room file are not
/// touched; from its media the request and the past are read, and nothing is written to them.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant rehearse plan.toml --room room.toml\n  officiant rehearse plan.toml --room room.toml --interactive"
)]
pub struct Rehearse {
    /// The plan
    #[arg(value_name = "PLAN.TOML")]
    pub plan: PathBuf,

    /// The room file, for the request, the last trust folder and the module of its `[rehearsal]`
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: PathBuf,

    /// Ask people on the terminal instead of answering by itself
    #[arg(long)]
    pub interactive: bool,
}

/// Conduct the ceremony of a plan
///
/// Talks to the people in the room on the controlling terminal, step by step, and writes the signed metadata to
/// the `out` media. After any interruption, `officiant resume` goes on where it stopped.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  officiant conduct plan.toml --room room.toml")]
pub struct Conduct {
    /// The plan
    #[arg(value_name = "PLAN.TOML")]
    pub plan: PathBuf,

    /// The room file of this machine
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: PathBuf,

    /// Answer from this file instead of asking; refused unless the plan says `practice = true`
    #[arg(long, value_name = "ANSWERS.TOML")]
    pub answers: Option<PathBuf>,
}

/// Go on with an interrupted ceremony
///
/// Finds the record in the work folder of the room file, checks again whatever can be checked, and asks again for
/// every consent whose signature is not recorded. It begins with the words of the last checkpoint, from paper.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant resume --room room.toml\n  officiant resume --room room.toml --record copy/record.jsonl"
)]
pub struct Resume {
    /// The room file of this machine
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: PathBuf,

    /// Answer from this file instead of asking; refused unless the plan says `practice = true`
    #[arg(long, value_name = "ANSWERS.TOML")]
    pub answers: Option<PathBuf>,

    /// Another copy of the record; may be given more than once. Copies that contradict each other are refused
    #[arg(long, value_name = "FILE")]
    pub record: Vec<PathBuf>,
}

/// Print the report of a finished or interrupted ceremony
///
/// Prints the script with what really happened in each step, who signed, every digest, and what was not proved.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant report trust\n  officiant report trust --ceremony 1 --html report.html\n  officiant report work"
)]
pub struct Report {
    /// A trust folder, for its last ceremony; or the work folder of a ceremony that is not over
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,

    /// Of a trust folder, the ceremony of this number
    #[arg(long, value_name = "NUMBER")]
    pub ceremony: Option<u32>,

    /// Write one self-contained HTML file instead of text; it must not exist
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Verify a trust folder; anyone can, at any time
///
/// Checks every byte below the folder: sums, records, chains of roots and signatures; and says what was proved
/// and what was not. Without --words it cannot tell a whole folder that somebody made up from the real one.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant verify trust\n  officiant verify trust --words \"abandon ability …\""
)]
pub struct Verify {
    /// The trust folder, or the media that holds it
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,

    /// The 24 words of the closing digest, from the signed page; the first four letters of each are enough
    #[arg(long, value_name = "WORDS")]
    pub words: Option<String>,

    /// The custody folder, or the `room` media that holds it: what the makers of tokens attest is held against the records
    #[arg(long, value_name = "FOLDER")]
    pub custody: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Show a root, a candidate, a folder or a difference
///
/// Prints in sentences what the file says; for a candidate also the change against the last trusted root and the
/// words that the second reader reads aloud.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant show trust/metadata/example/2.root.json\n  officiant show /media/room-1/candidate-1a2b3c4d --previous trust\n  officiant show /media/in/request"
)]
pub struct Show {
    /// A root, a proof, or the folder of a candidate, of a request or of trust
    #[arg(value_name = "PATH")]
    pub path: PathBuf,

    /// For a root, the one before it; for a candidate, your own copy of the trust folder
    #[arg(long, value_name = "PATH")]
    pub previous: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The exit codes, as `--help` gives them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused, by a check or a person
  2  the command line, the plan or the room file is wrong
  3  a token or a media did not do its part
  4  our own fault

A refusal is told in three parts: what is wrong, what to do, and what is now true.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[derive(Debug, Parser)]
    enum Declared {
        Check(Check),
        Conduct(Conduct),
        Drill(Drill),
        Merge(Merge),
        Sign(Sign),
        Custody(Custody),
        Doctor(Doctor),
        Rehearse(Rehearse),
        Report(Report),
        Resume(Resume),
        Script(Script),
        Show(Show),
        Verify(Verify),
    }

    #[test]
    fn every_verb_is_well_formed() {
        Officiant::command().debug_assert();
        Declared::command().debug_assert();
    }

    #[test]
    fn every_verb_teaches_by_an_example() {
        fn walk(command: &mut clap::Command) {
            let name = command.get_name().to_owned();
            for verb in command.get_subcommands_mut() {
                if verb.has_subcommands() {
                    walk(verb);
                } else {
                    let help = verb.render_long_help().to_string();
                    assert!(help.contains("Example"), "{name} {}", verb.get_name());
                    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
                }
            }
        }
        walk(&mut Officiant::command());
        walk(&mut Declared::command());
    }
}
