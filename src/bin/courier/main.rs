//! `courier`, the networked half: brings requests to media, and carries signed metadata from it.
//!
//! Annex, feature `online`. The one runtime is made here.

mod args;
mod auth;
mod budget;
mod credentials;
mod digest;
mod environment;
mod fetch;
mod files;
mod fleet;
mod image;
mod journal;
mod key;
mod keys;
mod mouth;
mod net;
mod notary;
mod prove;
mod publish;
mod pull;
mod registry;
mod report;
mod run;
mod store;
mod tool;
mod trust;
mod tuf;

use std::alloc::System;
use std::process::ExitCode;

use args::{Command, Courier};
use clap::Parser;
use officiant::child::{seclude, token};
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
    // A child of ours, which drives one token and loads what may be anything; its words go nowhere.
    if std::env::args_os().skip(1).eq(["child", "token"]) {
        let ended = token::run().map_or(Exit::Ours.code(), |()| 0);
        return ExitCode::from(ended);
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
        Command::Add(args) => Ok(trust::add::run(args).await?),
        Command::Countersign(args) => Ok(trust::countersign::run(args).await?),
        Command::Delegation(args) => Ok(trust::delegation::run(args).await?),
        Command::Digest(args) => Ok(digest::run(args).await?.output()),
        Command::Fetch(args) => Ok(fetch::run(args, courier.json).await?),
        Command::Init(args) => Ok(trust::init::run(args).await?),
        Command::Inspect(args) => Ok(trust::inspect::run(args, courier.json).await?),
        Command::Key(args) => Ok(key::run(args)?),
        Command::List(args) => Ok(trust::list::run(args).await?),
        Command::Lookup(args) => Ok(trust::list::lookup(args).await?),
        Command::Prove(args) => Ok(prove::run(args)?.output()),
        Command::Publish(args) => match &args.apart {
            Some(folder) => Ok(publish::apart::run(args, folder).await?),
            None => Ok(publish::run(args, courier.json).await?),
        },
        Command::Pull(args) => Ok(pull::run(args).await?),
        Command::Remove(args) => Ok(trust::add::remove(args).await?),
        Command::Revoke(args) => Ok(trust::revoke::run(args).await?),
        Command::Run(args) => match run::run(args).await? {},
        Command::Server(args) => Ok(trust::server::run(args).await?),
        Command::Sign(args) => Ok(trust::sign::run(args).await?),
        Command::Signer(args) => Ok(trust::signer::run(args).await?),
        Command::Status(args) => Ok(trust::status::run(args, courier.json).await?),
        Command::Verify(args) => Ok(trust::verify::run(args).await?),
        Command::Witness(args) => Ok(trust::witness::run(args).await?),
    }
}
