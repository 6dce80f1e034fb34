//! The one place that turns a refusal into the lines that people read, and into an exit code.
//!
//! Roof: writes to standard error.

use std::io::Write;
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use crate::refusal::{Exit, Refusal};
use crate::room::console::wrapped;
use crate::wording::harmless;

/// Tells `refusal` on standard error: what is wrong, why, what to do, what is now true.
pub fn tell(refusal: &Refusal) -> ExitCode {
    // A standard error that is closed takes no text; the exit code still says it.
    let _ = std::io::stderr().lock().write_all(fit(&lines(refusal)).as_bytes());
    ExitCode::from(refusal.exit.code())
}

/// Breaks lines that are wider than the terminal on which standard error stands; elsewhere they stay whole.
fn fit(text: &str) -> String {
    match rustix::termios::tcgetwinsize(std::io::stderr()) {
        Ok(size) if size.ws_col >= 40 => wrapped(text, usize::from(size.ws_col)),
        _ => text.to_owned(),
    }
}

/// The lines of a refusal, each with its end.
pub fn lines(refusal: &Refusal) -> String {
    let mut lines = line("error: ", &refusal.to_string());
    if let Some(cause) = &refusal.because {
        lines += &line("because ", cause);
    }
    for hint in &refusal.hints {
        lines += &line("hint: ", hint);
    }
    lines + &line("", &refusal.standing)
}

/// Turns what clap says of a wrong command line into a refusal; help that was asked for is no error.
pub fn usage(error: &clap::Error) -> Refusal {
    let text = error.render().to_string().replace('\'', "`");
    let mut told = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let first = told.next().unwrap_or_default();
    let (mut what, mut hints) = (first.trim_start_matches("error: ").to_owned(), Vec::new());
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("For more information");
    for line in told.filter(is_said) {
        match line.strip_prefix("tip: ") {
            Some(tip) => hints.push(tip.to_owned()),
            None => what = format!("{what} {line}"),
        }
    }
    let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: "));
    hints.extend(usage.map(|usage| format!("usage: `{usage}`")));
    hints.push("`officiant --help` lists what can be done".to_owned());
    Refusal { hints, ..Refusal::new(Exit::Usage, what) }
}

/// Says of a panic that it is our fault, without a trace of our insides.
pub fn panicked(info: &PanicHookInfo<'_>) {
    tell(&ours(info.location().map_or(("", 0), |at| (at.file(), at.line()))));
}

fn ours((file, line): (&str, u32)) -> Refusal {
    let what = format!("officiant broke one of its own rules at {file}:{line}, which is our fault");
    Refusal::new(Exit::Ours, what)
        .hint("keep this line for the makers of officiant, and run `resume`")
        .standing("what was written before stands; nothing was signed after this")
}

/// One line, whatever the text holds.
fn line(lead: &str, text: &str) -> String {
    format!("{lead}{}\n", harmless(text).replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::check::Check;
    use crate::cli::args::Script;

    #[derive(Debug, Parser)]
    #[command(name = "officiant")]
    enum Declared {
        Script(Script),
    }

    #[test]
    fn a_refusal_is_told_in_this_order() {
        let refusal = Refusal::of(Check::MediaKind, "media `/m` is marked `in`, expected `out`")
            .because("somebody swapped two")
            .hint("swap them")
            .hint("or bring others")
            .standing("nothing was written");
        assert_eq!(
            lines(&refusal),
            "error: media `/m` is marked `in`, expected `out` [MEDIA-KIND]\n\
             because somebody swapped two\n\
             hint: swap them\n\
             hint: or bring others\n\
             nothing was written\n"
        );
    }

    #[test]
    fn a_fault_of_ours_is_called_so() {
        assert_eq!(
            lines(&ours(("src/x.rs", 7))),
            "error: officiant broke one of its own rules at src/x.rs:7, which is our fault\n\
             hint: keep this line for the makers of officiant, and run `resume`\n\
             what was written before stands; nothing was signed after this\n"
        );
    }

    #[test]
    fn names_from_outside_stay_in_their_line() {
        let refusal = Refusal::new(Exit::Refused, "repository `a\n\u{1b}[2Jnothing is wrong`");
        assert!(lines(&refusal).starts_with("error: repository `a \\u{1b}[2Jnothing is wrong`\n"));
    }

    #[test]
    fn a_wrong_command_line_is_told_like_any_refusal() {
        let told = |typed: &[&str]| {
            let typed = ["officiant"].iter().chain(typed);
            lines(&usage(&Declared::try_parse_from(typed).unwrap_err()))
        };
        assert_eq!(
            told(&["script", "--trust", "t"]),
            "error: the following required arguments were not provided: <PLAN.TOML>\n\
             hint: usage: `officiant script --trust <FOLDER> <PLAN.TOML>`\n\
             hint: `officiant --help` lists what can be done\n\
             nothing was signed and nothing was written\n"
        );
        assert!(told(&["scripts"]).starts_with(
            "error: unrecognized subcommand `scripts`\n\
             hint: a similar subcommand exists: `script`\n"
        ));
    }
}
