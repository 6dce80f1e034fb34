//! `courier` through its binary, against servers that nobody here wrote.

mod adopt;
mod fetch;
mod genesis;
mod hostile;
mod leaving;
mod made;
mod prove;
mod publish;
mod tuf;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::command::{Ran, command, run};
use crate::harness::notary::NotaryServer;

/// `courier` in a clean environment.
fn courier(home: &Path) -> Command {
    command(env!("CARGO_BIN_EXE_courier"), home)
}

/// `courier fetch` of `names` from a Notary server onto `media`.
fn fetch(server: &NotaryServer, home: &Path, media: &Path, more: &[&str]) -> Ran {
    let mut courier = courier(home);
    courier.args(["fetch", "--server", &server.url()]).arg("--ca").arg(server.ca());
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

/// Writes roots as a trust folder holds them, and returns its path.
fn trust(home: &Path, roots: &[(&str, &[u8])]) -> PathBuf {
    let trust = home.join("trust");
    for (name, bytes) in roots {
        let name: officiant::name::Name = name.parse().unwrap();
        let version = version(bytes);
        let path = trust.join(officiant::request::root_path(&name.folder(), version));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    trust
}

fn version(bytes: &[u8]) -> u64 {
    let root: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    root["signed"]["version"].as_u64().unwrap()
}
