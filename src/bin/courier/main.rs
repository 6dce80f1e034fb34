//! `courier`, the networked half: brings requests to media, and carries signed metadata from it.
//!
//! Annex, feature `online`. The one runtime is made here.

mod args;
mod auth;
mod encrypted;
mod fetch;
mod files;
mod keys;
mod mouth;
mod net;
mod notary;
mod prove;
mod publish;
mod report;
mod tuf;

use std::process::ExitCode;

use args::{Command, Courier};
use clap::Parser;
use officiant::refusal::Refusal;

fn main() -> ExitCode {
    let courier = match Courier::try_parse() {
        Ok(courier) => courier,
        Err(error) => return mouth::usage(&error),
    };
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else {
        mouth::note("error: this machine starts no threads\nnothing was written\n");
        return ExitCode::from(4);
    };
    match runtime.block_on(run(&courier)) {
        Ok(text) => {
            mouth::result(&text);
            ExitCode::SUCCESS
        }
        Err(refusal) => {
            mouth::tell(&refusal);
            ExitCode::from(refusal.exit.code())
        }
    }
}

async fn run(courier: &Courier) -> Result<String, Refusal> {
    let (text, json) = match &courier.command {
        Command::Fetch(args) => fetch::run(args).await.map(|done| (done.text(), done.json()))?,
        Command::Prove(args) => prove::run(args).map(|done| (done.text(), done.json()))?,
        Command::Publish(args) => {
            publish::run(args).await.map(|done| (done.text(), done.json()))?
        }
    };
    Ok(if courier.json { format!("{json}\n") } else { text })
}
