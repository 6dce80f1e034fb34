//! `courier`, the networked half: brings requests to media, and carries signed metadata from it.
//!
//! Annex, feature `online`. The one runtime is made here.

mod args;
mod auth;
mod budget;
mod environment;
mod fetch;
mod files;
mod fleet;
mod image;
mod keys;
mod mouth;
mod net;
mod notary;
mod prove;
mod publish;
mod report;
mod trust;
mod tuf;

use std::alloc::System;
use std::process::ExitCode;

use args::{Command, Courier};
use clap::Parser;
use officiant::child::seclude;
use officiant::refusal::{Exit, Refusal};
use report::{Output, Undone};
use zeroizing_alloc::ZeroAlloc;

/// Wipes every piece of memory that is given back: publishers' keys and passphrases pass through crates that know
/// nothing of secrets.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    if let Err(unfenced) = seclude() {
        mouth::tell(&[Refusal::new(Exit::Device, unfenced.to_string())], "nothing was written");
        return ExitCode::from(Exit::Device.code());
    }
    let courier = match Courier::try_parse() {
        Ok(courier) => courier,
        Err(error) => return mouth::usage(&error),
    };
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else {
        let refusal = Refusal::new(Exit::Ours, "this machine starts no threads");
        mouth::tell(&[refusal], "nothing was written");
        return ExitCode::from(Exit::Ours.code());
    };
    let ended = runtime.block_on(run(&courier));
    // What is left is of servers that are given up: nobody waits for them.
    runtime.shutdown_background();
    match ended {
        Ok(output) => {
            mouth::result(&output.in_form(courier.json));
            ExitCode::SUCCESS
        }
        Err(undone) => {
            if let Some(output) = &undone.output {
                mouth::result(&output.in_form(courier.json));
            }
            mouth::tell(&undone.refusals, &undone.standing);
            ExitCode::from(undone.exit().code())
        }
    }
}

async fn run(courier: &Courier) -> Result<Output, Undone> {
    match &courier.command {
        Command::Fetch(args) => Ok(fetch::run(args).await?.output()),
        Command::Prove(args) => Ok(prove::run(args)?.output()),
        Command::Publish(args) => Ok(publish::run(args).await?.output()),
        Command::Verify(args) => Ok(trust::verify::run(args).await?),
    }
}
