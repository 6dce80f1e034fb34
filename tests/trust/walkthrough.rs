//! The walk-through that users of Docker Content Trust know, from the first key to a pull, with our commands in place of
//! `docker trust`, and docker's real client and engine at the end of it.

use std::ops::Deref;
use std::process::Command;

use super::digest_in;
use super::offline::Offline;
use crate::e2e::rotate::rotation;
use crate::harness::command::{Ran, run};
use crate::harness::engine::{self, Engine};
use crate::harness::registry::ImageRegistry;
use crate::harness::scratch::Scratch;
use crate::sitting::Holding;

/// The same with docker's engine and registry.
pub(super) struct Walk {
    pub(super) offline: Offline,
    pub(super) engine: Engine,
    pub(super) registry: ImageRegistry,
    _scratch: Scratch,
}

impl Deref for Walk {
    type Target = Offline;

    fn deref(&self) -> &Offline {
        &self.offline
    }
}

impl Walk {
    pub(super) fn begin() -> Self {
        let scratch = Scratch::new();
        let (engine, registry) = (Engine::start(&scratch), ImageRegistry::open(&scratch));
        let offline = Offline::of(&registry.name("admin/demo"));
        Self { offline, engine, registry, _scratch: scratch }
    }

    /// `docker` of a person, with the engine.
    pub(super) fn docker(&self, who: &str) -> Command {
        let mut docker = self.journey.server.docker(&self.home(who));
        docker.env("DOCKER_HOST", self.engine.host());
        docker
    }

    /// What the engine pulls for somebody who takes only what is signed.
    pub(super) fn pull(&self, who: &str, image: &str) -> Ran {
        let mut docker = self.docker(who);
        docker.env("DOCKER_CONTENT_TRUST", "1");
        run(docker.args(["pull", image]))
    }

    /// Builds an image and pushes it without a signature.
    pub(super) fn push(&self, image: &str) {
        self.engine.import(self.docker("builder"), image, image);
        run(self.docker("builder").args(["push", image])).ok();
    }
}

#[test]
fn the_walk_through_of_docker_content_trust_works_under_an_offline_root() {
    if !engine::may_start("the_walk_through_of_docker_content_trust_works_under_an_offline_root") {
        return;
    }
    let mut walk = Walk::begin();
    let gun = walk.gun.clone();
    walk.hold_genesis();

    // A signer, whose key is nobody else's.
    walk.courier("jeff", "key generate jeff").ok();
    walk.courier(
        "ada",
        &format!("signer add jeff {gun} --key ../jeff/jeff.pub --trust-folder ../media/out-1a"),
    )
    .ok();

    // Two images, one of them signed.
    let (first, second) = (format!("{gun}:1"), format!("{gun}:2"));
    walk.push(&first);
    walk.push(&second);
    walk.courier("jeff", &format!("sign {first} --trust-folder ../media/out-1a")).ok();
    let inspected =
        run(walk.docker("eve").args(["trust", "inspect", "--pretty", &gun])).ok().stdout;
    assert!(inspected.contains("jeff"), "{inspected}");
    let digest = digest_in(
        &walk
            .courier("guest", &format!("verify {first} --trust-folder ../media/out-1a"))
            .ok()
            .stdout,
    );

    let pulled = walk.pull("eve", &first).ok().stdout;
    assert!(pulled.contains(&digest), "{pulled}");
    let refused = walk.pull("eve", &second);
    assert_eq!((refused.code(), refused.stderr.as_str()), (1, "No valid trust data for 2\n"));

    // Every root key is replaced, and those who have seen the old root go on.
    walk.offline.journey.bench.next_room();
    let keys = vec![
        ("root-d", "ecdsa-p256", Holding::Token("later-a")),
        ("root-e", "ecdsa-p256", Holding::Token("later-b")),
    ];
    let plan = rotation(&walk.journey, keys);
    let server = walk.journey.server.url();
    walk.courier(
        "ada",
        &format!("fetch {gun} --server {server} --ca ../notary/ca.crt --out ../media/in-2"),
    )
    .ok();
    walk.plan(&plan);
    walk.conduct(&["officer-a", "officer-b", "officer-c", "later-a", "later-b"]);
    assert!(walk.pull("eve", &first).ok().stdout.contains(&digest));
    assert_eq!(walk.pull("eve", &second).stderr, "No valid trust data for 2\n");
    walk.courier("jeff", &format!("sign {second}")).ok();
    walk.pull("eve", &second).ok();
    assert!(walk.courier("guest", &format!("verify {first}")).ok().stdout.contains(&digest));
    assert!(walk.registry.host().starts_with("localhost:"));
}
