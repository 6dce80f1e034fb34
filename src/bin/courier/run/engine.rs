//! Where docker and podman take an image from, in `run` and `create`: the first argument that is no option and no value
//! of one.
//!
//! Annex: asks the program for its help, which says which options it has and whether they take a value. No list of ours
//! can: it would be of another version, and with one option wrong a command of the container is taken for its image.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use crate::tool::command;

/// The argument that is the image; none where the command is not one of those.
///
/// # Errors
/// [`Error`]
pub(super) fn image(line: &[String]) -> Result<Option<usize>, Error> {
    let [program, ..] = line else { return Ok(None) };
    let name = Path::new(program).file_name();
    if !name.is_some_and(|name| name == "docker" || name == "podman") {
        return Ok(None);
    }
    let Some(verb) = Options::of(program, &[])?.operand(line, 1)? else { return Ok(None) };
    let last = if line[verb] == "container" { verb + 1 } else { verb };
    match line.get(last).map(String::as_str) {
        Some("run" | "create") => {}
        _ => return Ok(None),
    }
    let words = &line[verb..=last];
    let place = Options::of(program, words)?.operand(line, last + 1)?;
    let place = place.ok_or_else(|| Error::NoImage { command: called(program, words) })?;
    let mut options = line[last + 1..place].iter();
    let brings_other = |option: &&String| {
        option.starts_with("--rootfs") || option.to_ascii_lowercase().contains("type=image")
    };
    match options.find(brings_other) {
        Some(option) => Err(Error::OtherImage { option: option.clone() }),
        None => Ok(Some(place)),
    }
}

/// The options of one command, each with whether it takes its value from the next argument.
struct Options {
    command: String,
    known: BTreeMap<String, bool>,
}

impl Options {
    fn of(program: &str, words: &[String]) -> Result<Self, Error> {
        let called = called(program, words);
        let help = || Error::Help { command: called.clone() };
        let said = command(program).args(words).arg("--help").stdin(Stdio::null()).output();
        let said = said.ok().filter(|said| said.status.success()).ok_or_else(help)?;
        let known = String::from_utf8(said.stdout).ok().and_then(|text| read(&text));
        Ok(Self { known: known.ok_or_else(help)?, command: called })
    }

    /// The first argument from `at` on that is no option and no value of one.
    fn operand(&self, line: &[String], mut at: usize) -> Result<Option<usize>, Error> {
        while let Some(argument) = line.get(at) {
            let takes_next = match argument.as_bytes() {
                b"--" => return Ok((at + 1 < line.len()).then_some(at + 1)),
                [b'-', b'-', ..] => !argument.contains('=') && self.takes_value(argument)?,
                [b'-', _, ..] => self.short(&argument[1..])?,
                _ => return Ok(Some(at)),
            };
            at += if takes_next { 2 } else { 1 };
        }
        Ok(None)
    }

    /// Whether letters together, such as `-itp`, take a value from the next argument.
    fn short(&self, letters: &str) -> Result<bool, Error> {
        for (at, letter) in letters.char_indices() {
            let rest = &letters[at + letter.len_utf8()..];
            if self.takes_value(&format!("-{letter}"))? {
                return Ok(rest.is_empty());
            }
            if rest.starts_with('=') {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn takes_value(&self, option: &str) -> Result<bool, Error> {
        let unknown = || Error::Option { command: self.command.clone(), option: option.to_owned() };
        let is_hidden = HIDDEN.contains(&option);
        self.known.get(option).copied().or(is_hidden.then_some(true)).ok_or_else(unknown)
    }
}

fn called(program: &str, words: &[String]) -> String {
    [&[program.to_owned()], words].concat().join(" ")
}

/// Reads help as docker and podman print it: `  -e, --env list     Set environment variables`. What takes a value has a
/// word for it. None where nothing can be read, or an option stands there in two ways.
fn read(help: &str) -> Option<BTreeMap<String, bool>> {
    let mut known = BTreeMap::new();
    for line in help.lines() {
        let own = line.trim_start();
        // What is further in continues the text about the option above it.
        if !own.starts_with('-') || line.len() - own.len() > 6 {
            continue;
        }
        let head = own.split("  ").next().unwrap_or(own);
        let (names, words): (Vec<&str>, Vec<&str>) =
            head.split_whitespace().partition(|word| word.starts_with('-'));
        // `--option word[="x"]` takes a value only after `=`.
        let takes_value = !words.is_empty() && !words.iter().any(|word| word.contains("[="));
        for name in names {
            let before = known.insert(name.trim_end_matches(',').to_owned(), takes_value);
            if before.is_some_and(|before| before != takes_value) {
                return None;
            }
        }
    }
    (!known.is_empty()).then_some(known)
}

/// Why the image in a command line of an engine is not known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The program does not say what options it has.
    #[error("`{command} --help` does not say which options there are")]
    Help {
        /// The command.
        command: String,
    },
    /// No image.
    #[error("`{command}` is not given an image")]
    NoImage {
        /// The command.
        command: String,
    },
    /// An option of which nothing is known.
    #[error("`{command} --help` does not name the option `{option}`")]
    Option {
        /// The command.
        command: String,
        /// The option.
        option: String,
    },
    /// An option that brings in an image, or a folder in its place.
    #[error("`{option}` brings in what is not the signed image")]
    OtherImage {
        /// The option.
        option: String,
    },
}

/// Older names that docker and podman take and do not show; each takes a value.
const HIDDEN: [&str; 2] = ["--dns-opt", "--net"];

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "
Usage:  docker run [OPTIONS] IMAGE

Options:
      --add-host list          Add a custom host-to-IP mapping
                               --rm is not of this line
  -e, --env list               Set environment variables
      --help                   Print usage
  -i, --interactive            Keep STDIN open
  -m, --memory <n>[<unit>]     Memory limit
  -p, --publish list           Publish a port
      --gpus string[=\"all\"]    GPUs
  -t, --tty                    Allocate a pseudo-TTY
";

    fn operand(arguments: &str) -> Result<Option<usize>, Error> {
        let options = Options { command: "docker run".to_owned(), known: read(HELP).unwrap() };
        let line: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        options.operand(&line, 0)
    }

    #[test]
    fn the_image_is_the_first_that_is_no_option_and_no_value() {
        for (arguments, place) in [
            ("IMAGE sh", Some(0)),
            ("-it IMAGE -e x", Some(1)),
            ("-e A=b IMAGE", Some(2)),
            ("-eA=b IMAGE", Some(1)),
            ("-ite A=b IMAGE", Some(2)),
            ("-i=true IMAGE", Some(1)),
            ("-p=1:2 IMAGE", Some(1)),
            ("--env A=b --env=B=c IMAGE", Some(3)),
            ("--memory 1g --tty IMAGE", Some(3)),
            ("--gpus IMAGE sh", Some(1)),
            ("--unheard-of=x IMAGE", Some(1)),
            ("--net host -- IMAGE", Some(3)),
            ("-e -it IMAGE", Some(2)),
            ("--", None),
            ("--tty", None),
            ("-e IMAGE", None),
        ] {
            assert_eq!(operand(arguments), Ok(place), "{arguments}");
        }
    }

    #[test]
    fn an_option_that_the_program_does_not_name_is_not_guessed() {
        for (arguments, option) in
            [("--rm IMAGE", "--rm"), ("-itx IMAGE", "-x"), ("--en A=b IMAGE", "--en")]
        {
            let unknown =
                Error::Option { command: "docker run".to_owned(), option: option.to_owned() };
            assert_eq!(operand(arguments), Err(unknown), "{arguments}");
        }
        assert_eq!(read(""), None);
        assert_eq!(read("  -x, --help  a\n  -x, --extra list  b\n"), None);
    }

    #[test]
    fn only_engines_have_a_place_for_their_image() {
        for line in [&["kubectl", "run", "x"][..], &["true"], &[]] {
            let line: Vec<String> = line.iter().copied().map(str::to_owned).collect();
            assert_eq!(image(&line), Ok(None));
        }
        let line = ["/nowhere/docker", "run", "x"].map(str::to_owned);
        assert_eq!(image(&line), Err(Error::Help { command: "/nowhere/docker".to_owned() }));
    }
}
