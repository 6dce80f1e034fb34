//! `officiant`, the air-gapped half.

use std::panic::{catch_unwind, set_hook};
use std::process::ExitCode;

use officiant::cli::{command, report};
use officiant::refusal::Exit;

fn main() -> ExitCode {
    set_hook(Box::new(report::panicked));
    catch_unwind(|| command::run(std::env::args_os()))
        .unwrap_or_else(|_| ExitCode::from(Exit::Ours.code()))
}
