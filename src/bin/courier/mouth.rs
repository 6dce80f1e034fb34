//! The only mouth of `courier`: results on standard output, everything else on standard error.
//!
//! Nothing is asked here, and nothing that is written can fail the work: a closed pipe is not an error.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;

use officiant::refusal::{Exit, Refusal};
use officiant::wording::harmless;

/// Prints a result.
pub(crate) fn result(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints what is no result: refusals, notes.
pub(crate) fn note(text: &str) {
    let mut err = stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Tells refusals: what is wrong and why, of each; what to do; what is now true. A line each, whatever they hold.
pub(crate) fn tell(refusals: &[Refusal], standing: &str) {
    let mut lines = Vec::new();
    for refusal in refusals {
        lines.push(format!("error: {refusal}"));
        lines.extend(refusal.because.iter().map(|because| format!("because {because}")));
    }
    let mut hints: Vec<&String> = Vec::new();
    for hint in refusals.iter().flat_map(|refusal| &refusal.hints) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    lines.extend(hints.into_iter().map(|hint| format!("hint: {hint}")));
    lines.push(standing.to_owned());
    let text = lines.iter().map(|line| harmless(line).replace('\n', " ") + "\n");
    note(&text.collect::<String>());
}

/// Tells what clap says of a command line; help that was asked for is a result.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if !error.use_stderr() {
        result(&text);
        return ExitCode::SUCCESS;
    }
    let told: Vec<&str> = text.lines().take_while(|line| !line.starts_with("Usage:")).collect();
    let told = told.join(" ").replace('\'', "`");
    let words: Vec<&str> = told.trim_start_matches("error: ").split_whitespace().collect();
    let refusal = Refusal::new(Exit::Usage, words.join(" "))
        .hint("`courier help` and `courier help fetch` say what can be done");
    tell(&[refusal], "nothing was written");
    ExitCode::from(Exit::Usage.code())
}

/// Counts finished repositories on the terminal; silent when standard error is none.
pub(crate) struct Progress {
    what: &'static str,
    done: usize,
    of: usize,
    shown: bool,
}

impl Progress {
    /// Begins at 0 of `of`.
    pub(crate) fn new(what: &'static str, of: usize) -> Self {
        let progress = Self { what, done: 0, of, shown: of > 1 && stderr().is_terminal() };
        progress.show();
        progress
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        self.show();
    }

    fn show(&self) {
        if self.shown {
            note(&format!("\r{} {} of {}", self.what, self.done, self.of));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            note("\n");
        }
    }
}
