//! `courier server rotate-key`: a new key that the server makes for itself, which counts once a root names it.
//!
//! Annex: the network, and media through `fetch`.

use std::collections::BTreeMap;

use officiant::digest::Digest;
use officiant::request::Role;

use super::place::{Reach, fetching, server};
use super::{Error, args};
use crate::fetch::{self, Own};
use crate::image::Image;
use crate::report::Output;
use crate::store::canonical_id;

/// Does what is asked.
///
/// # Errors
/// [`Error`].
pub(crate) async fn run(args: &args::Server) -> Result<Output, Error> {
    match &args.command {
        args::ServerCommand::RotateKey(args) => rotate(args).await,
    }
}

/// Has the key made, and fetches the request that offers it. Where the request fails after that, the server has a key
/// that nobody wants, and the next run has it make another.
async fn rotate(args: &args::RotateKey) -> Result<Output, Error> {
    let gun = Image::parse(&args.repository)?.gun().clone();
    let role = if args.role == Role::Timestamp.name() { Role::Timestamp } else { Role::Snapshot };
    let reach = Reach { server: args.server.as_deref(), network: &args.network };
    let fetch = fetching(&gun, reach, &args.out);
    fetch::check(&fetch)?;
    let server = server(&fetch)?;
    if server.file(&gun, "root.json").await?.is_none() {
        return Err(Error::Unknown { gun });
    }
    let key = server.new_key(&gun, role).await?;
    let told = format!(
        "key       {} for `{role}` of {gun}, made by the server\npin       {}\n",
        canonical_id(&key)?,
        Digest::grouped(&key.id())
    );
    let names = BTreeMap::from([(gun, Own::from([(role, vec![key])]))]);
    let output = fetch::of(&fetch, names, true).await?;
    let next = format!(
        "next      a plan for `renew` or `rotate` in which `{role}` gets its keys from the request\n"
    );
    Ok(Output { text: told + &output.text + &next, json: output.json })
}
