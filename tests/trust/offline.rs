//! A repository under an offline root: a room, a real server with a signer behind it, and people with a home each.

use std::path::PathBuf;

use super::{courier, notary};
use crate::e2e::genesis::TOKENS;
use crate::e2e::journey::{Journey, write_plan};
use crate::harness::command::{Ran, run};
use crate::harness::notary::NotaryServer;
use crate::sitting::{PlanText, genesis};

/// The room, the server, and the repository.
pub(super) struct Offline {
    pub(super) journey: Journey,
    pub(super) gun: String,
}

impl Offline {
    /// Nobody has begun the repository yet.
    pub(super) fn of(gun: &str) -> Self {
        Self { journey: Journey::of(gun, NotaryServer::with_signer), gun: gun.to_owned() }
    }

    /// The home of a person.
    pub(super) fn home(&self, who: &str) -> PathBuf {
        self.journey.bench.scratch.folder(who)
    }

    /// `courier` of a person.
    #[track_caller]
    pub(super) fn courier(&self, who: &str, line: &str) -> Ran {
        courier(&self.journey.server, &self.home(who), line)
    }

    /// `notary` of a person, who keeps trust where docker does.
    #[track_caller]
    pub(super) fn notary(&self, who: &str, line: &str) -> Ran {
        notary(&self.journey.server, &self.home(who), line)
    }

    /// `docker trust` of a person, without an engine.
    #[track_caller]
    pub(super) fn trust(&self, who: &str, line: &str) -> Ran {
        let mut docker = self.journey.server.docker(&self.home(who));
        run(docker.arg("trust").args(line.split_whitespace()))
    }

    /// The root, in the room: ada begins the repository, and never sees a root key.
    pub(super) fn hold_genesis(&self) {
        self.courier("ada", &format!("init {} --out ../media/in-1", self.gun)).ok();
        self.plan(&genesis::on_tokens());
        self.prove("ada");
        self.conduct(&TOKENS);
    }

    /// Writes the plan for what was fetched.
    pub(super) fn plan(&self, plan: &PlanText) {
        write_plan(&self.journey.bench, plan, "");
    }

    /// Proves that a person has the targets key.
    pub(super) fn prove(&self, who: &str) {
        let number = self.journey.bench.number;
        let plan = format!("../plan-{number}.toml");
        let at = format!("--repository {} --role targets --out ../media/in-{number}", self.gun);
        self.courier(who, &format!("prove {plan} {at}")).ok();
    }

    /// The ceremony of the plan at hand, whose root is published.
    pub(super) fn conduct(&self, tokens: &[&str]) {
        self.journey.conduct(tokens);
        let media = format!("../media/out-{}a", self.journey.bench.number);
        let server = self.journey.server.url();
        self.courier("ada", &format!("publish {media} --server {server} --ca ../notary/ca.crt"))
            .ok();
    }
}
