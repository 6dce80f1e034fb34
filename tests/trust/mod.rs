//! The publisher's and the consumer's side, with a real server and the clients that people had before.

mod cache;
mod lists;
mod pins;
mod proxy;
mod publisher;
mod recorded;
mod roots;
mod slow;
mod verify;

use std::path::{Path, PathBuf};
use std::process::Command;

use officiant::digest::Digest;

use crate::harness::command::{Ran, run};
use crate::harness::notary::NotaryServer;
use crate::harness::scratch::Scratch;

/// A server, and people with a home each.
pub(crate) struct Team {
    pub(crate) scratch: Scratch,
    pub(crate) server: NotaryServer,
}

impl Team {
    /// A server that nobody has published on.
    pub(crate) fn new() -> Self {
        let scratch = Scratch::new();
        let server = NotaryServer::memory(&scratch);
        Self { scratch, server }
    }

    /// The home of a person.
    pub(crate) fn home(&self, who: &str) -> PathBuf {
        self.scratch.folder(who)
    }

    /// `courier` of a person.
    #[track_caller]
    pub(crate) fn courier(&self, who: &str, line: &str) -> Ran {
        let mut courier = self.server.courier(&self.home(who));
        run(courier.args(line.split_whitespace()))
    }

    /// `notary` of a person, who keeps trust where docker does.
    #[track_caller]
    pub(crate) fn notary(&self, who: &str, line: &str) -> Ran {
        let home = self.home(who);
        let mut notary = self.server.notary(&home);
        notary.arg("--trustDir").arg(home.join("docker/trust"));
        run(notary.args(line.split_whitespace()))
    }

    /// `docker` of a person, without an engine.
    #[track_caller]
    pub(crate) fn docker(&self, who: &str, line: &str) -> Ran {
        let mut docker: Command = self.server.docker(&self.home(who));
        run(docker.args(line.split_whitespace()))
    }

    /// A repository that the notary of a person made, with one tag in its own list.
    pub(crate) fn made_by_notary(&self, who: &str, gun: &str, tag: &str) {
        self.notary(who, &format!("init -p {gun}")).ok();
        let digest = digest_of(tag);
        self.notary(who, &format!("addhash -p {gun} {tag} 528 --sha256 {digest}")).ok();
    }
}

/// The digest that the manifest of `tag` has here.
pub(crate) fn digest_of(tag: &str) -> Digest {
    Digest::of(tag.as_bytes())
}

/// The cached file of a role.
pub(crate) fn cached(home: &Path, gun: &str, role: &str) -> PathBuf {
    home.join("docker/trust/tuf").join(gun).join("metadata").join(format!("{role}.json"))
}

/// A repository of all tests.
pub(crate) const GUN: &str = "localhost:5000/admin/demo";
