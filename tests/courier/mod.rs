//! `courier` through its binary, against servers that nobody here wrote.

mod adopt;
mod auth;
pub(crate) mod fake;
mod fetch;
mod fleet;
pub(crate) mod folder;
mod gate;
mod genesis;
mod hostile;
mod key;
mod leaving;
pub(crate) mod made;
mod memory;
mod objects;
mod prove;
mod publish;
mod pull;
mod registry;
mod resumed;
mod run;
mod served;
mod snapshot;
mod tuf;

use std::path::Path;
use std::process::Command;

use crate::harness::command::{Ran, command, run};
use crate::harness::notary::NotaryServer;
use folder::trust;

/// `courier` in a clean environment.
fn courier(home: &Path) -> Command {
    command(env!("CARGO_BIN_EXE_courier"), home)
}

/// `courier fetch` of `names` from a Notary server onto `media`. One after the other: a server that keeps its keys in
/// memory ends with "concurrent map writes" when two are made at once.
fn fetch(server: &NotaryServer, home: &Path, media: &Path, more: &[&str]) -> Ran {
    let mut courier = courier(home);
    courier.args(["fetch", "--jobs", "1", "--server", &server.url(), "--ca"]).arg(server.ca());
    run(courier.arg("--out").arg(media).args(more))
}

/// `courier publish` of a trust folder to a Notary server.
fn publish(server: &NotaryServer, home: &Path, trust: &Path, more: &[&str]) -> Ran {
    let mut courier = courier(home);
    courier
        .arg("publish")
        .arg(trust)
        .args(["--server", &server.url()])
        .arg("--ca")
        .arg(server.ca());
    run(courier.args(more))
}

/// A path as text.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The request that stands on media.
fn request(folder: &Path) -> officiant::request::Request {
    let limits = officiant::room::media::Limits {
        files: 1000,
        bytes_each: 64 << 20,
        bytes_total: 64 << 20,
        depth: 4,
    };
    let files = officiant::room::media::read_tree(folder, limits).unwrap();
    officiant::request::Request::parse(&files).unwrap()
}

/// What `courier publish` said, without the closing digest and words with which it begins.
#[track_caller]
pub(crate) fn said(ran: &Ran) -> String {
    let lines: Vec<&str> = ran.stdout.split_inclusive('\n').collect();
    assert!(lines[0].starts_with("closing   ") && lines[1].starts_with("words     "), "{ran:?}");
    lines[5..].concat()
}

fn version(bytes: &[u8]) -> u64 {
    let root: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    root["signed"]["version"].as_u64().unwrap()
}
