//! The programs that pull and run images: docker, podman and skopeo, as they lie in `PATH`.
//!
//! Annex: starts them. They get the person's environment but for `DOCKER_CONTENT_TRUST`: what they are given was
//! verified already, and by its digest there is nothing left for docker to look up.

use std::env::{split_paths, var_os};
use std::ffi::OsStr;
use std::io::{Read, stderr};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

/// A command line of `program`.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_remove("DOCKER_CONTENT_TRUST");
    command
}

/// Whether a program of this name can be started.
pub(crate) fn is_there(name: &str) -> bool {
    let folders = var_os("PATH").unwrap_or_default();
    split_paths(&folders).any(|folder| {
        let file = folder.join(name).metadata();
        file.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}

/// Runs a command to its end; what it tells of its progress goes to standard error, where results never stand.
///
/// # Errors
/// [`Failed`].
pub(crate) fn run(command: &mut Command) -> Result<(), Failed> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |because: String| Failed { name: name.clone(), because };
    let ours = stderr().as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from);
    command.stdin(Stdio::null()).stdout(ours).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let said = child.stderr.take().map(last_lines).unwrap_or_default();
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) if said.is_empty() => Err(failed(status.to_string())),
        Ok(_) => Err(failed(said)),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// The last lines of what is said, however much it is.
fn last_lines(mut from: impl Read) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = from.read(&mut piece) {
        kept.extend_from_slice(&piece[..length]);
        kept.drain(..kept.len().saturating_sub(MOST));
    }
    let text = String::from_utf8_lossy(&kept);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join(" ")
}

/// A program did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` did not do it")]
pub(crate) struct Failed {
    /// The program.
    pub(crate) name: String,
    /// The last lines that it said.
    pub(crate) because: String,
}

/// How many of a program's last lines tell why it failed, and the most bytes of them.
const LINES: usize = 3;
const MOST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_said_last_is_why_it_failed() {
        let mut shell = command("sh");
        let failed = run(shell.args(["-c", "seq 100000 >&2; echo; echo end >&2; exit 7"]));
        assert_eq!(failed.unwrap_err().because, "99999 100000 end");
        let failed = run(command("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(failed.because, "exit status: 7");
        assert_eq!(failed.to_string(), "`sh` did not do it");
        assert!(run(&mut command("true")).is_ok());
        assert!(is_there("sh") && !is_there("a-program-that-is-nowhere"));
    }
}
