//! `officiant`, the air-gapped half.

use std::alloc::System;
use std::panic::{catch_unwind, set_hook};
use std::process::ExitCode;

use officiant::child;
use officiant::cli::{command, report};
use officiant::refusal::{Exit, Refusal};
use zeroizing_alloc::ZeroAlloc;

/// Wipes every piece of memory that is given back, also by crates that know nothing of secrets.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    // Before anything is read: a module that one of our children loads runs as the same user.
    if let Err(unfenced) = child::seclude() {
        return report::tell(&Refusal::new(Exit::Device, unfenced.to_string()));
    }
    // A child of ours: no command of a person, and its words go nowhere.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|word| word == "child") {
        return child::main(arguments);
    }
    set_hook(Box::new(report::panicked));
    catch_unwind(|| command::run(std::env::args_os()))
        .unwrap_or_else(|_| ExitCode::from(Exit::Ours.code()))
}
