//! `courier run`: starts a command with the digest of a signed image in place of its name.
//!
//! Annex: becomes the command. Where the image stands in it is never guessed: docker and podman say themselves which of
//! their options take a value; in any other command the person marks the place by `{}`.

mod engine;

use std::convert::Infallible;
use std::os::unix::process::CommandExt;

use super::args::consume as args;
use super::environment::Environment;
use super::tool::command;
use super::trust::{self, Places, verify};

pub(crate) use engine::Error as EngineError;

/// Verifies the image, and becomes the command.
///
/// # Errors
/// [`Error`]; then nothing was started.
pub(crate) async fn run(args: &args::Run) -> Result<Infallible, Error> {
    let mut line = args.command.clone();
    let own = engine::image(&line)?;
    let (image, places) = match (&args.image, own) {
        (None, None) => return Err(Error::NoImage { program: line.remove(0) }),
        (None, Some(place)) => (line[place].clone(), vec![place]),
        (Some(image), own) => (image.clone(), marked(&line, own)?),
    };
    let environment = Environment::read();
    let verified = verify::image(&image, &mut Places::new(&args.trust, &environment)?).await?;
    for place in places {
        let head = line[place].strip_suffix(MARK).unwrap_or_default();
        line[place] = format!("{head}{}", verified.reference());
    }
    let because = command(&line[0]).args(&line[1..]).exec();
    Err(Error::NotStarted { program: line.remove(0), because: because.to_string() })
}

/// The arguments that are `{}`, or end with `={}`. Where an engine takes its image from one place, it is that one.
fn marked(line: &[String], own: Option<usize>) -> Result<Vec<usize>, Error> {
    let is_marked = |place: &usize| line[*place] == MARK || line[*place].ends_with("={}");
    let places: Vec<usize> = (1..line.len()).filter(is_marked).collect();
    match own {
        Some(own) if places != [own] => Err(Error::Elsewhere { image: line[own].clone() }),
        _ if places.is_empty() => Err(Error::NoMark),
        _ => Ok(places),
    }
}

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The mark is not where the engine takes its image from.
    #[error("the command takes `{image}` for its image, which is not the one `{MARK}`")]
    Elsewhere {
        /// What stands in the image's place.
        image: String,
    },
    /// The image in an engine's command line.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Nothing says where the image is.
    #[error("where this command of `{program}` has its images is not known")]
    NoImage {
        /// The program.
        program: String,
    },
    /// The image is named, and the command has no place for it.
    #[error("no argument of the command is `{MARK}`")]
    NoMark,
    /// The command is none.
    #[error("`{program}` cannot be started")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        because: String,
    },
    /// The image is not signed.
    #[error(transparent)]
    Trust(#[from] trust::Error),
}

/// What stands for the image in a command.
const MARK: &str = "{}";
