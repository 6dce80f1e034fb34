//! The walk-through that users of Docker Content Trust know, from the first key to a pull, with our commands in place of
//! `docker trust`, and docker's real client and engine at the end of it.

use std::process::Command;

use super::digest_in;
use crate::e2e::genesis::TOKENS;
use crate::e2e::journey::{Journey, write_plan};
use crate::e2e::rotate::rotation;
use crate::harness::command::{Ran, run};
use crate::harness::engine::{self, Engine};
use crate::harness::notary::NotaryServer;
use crate::harness::registry::ImageRegistry;
use crate::harness::scratch::Scratch;
use crate::sitting::{Holding, genesis};

/// People around one repository, each with a home.
struct Walk {
    journey: Journey,
    engine: Engine,
    registry: ImageRegistry,
    gun: String,
    _scratch: Scratch,
}

impl Walk {
    fn begin() -> Self {
        let scratch = Scratch::new();
        let (engine, registry) = (Engine::start(&scratch), ImageRegistry::open(&scratch));
        let gun = registry.name("admin/demo");
        let journey = Journey::of(&gun, NotaryServer::with_signer);
        Self { journey, engine, registry, gun, _scratch: scratch }
    }

    #[track_caller]
    fn courier(&self, who: &str, line: &str) -> Ran {
        let home = self.journey.bench.scratch.folder(who);
        let mut courier = self.journey.server.courier(&home);
        run(courier.args(line.split_whitespace()))
    }

    fn docker(&self, who: &str) -> Command {
        let home = self.journey.bench.scratch.folder(who);
        let mut docker = self.journey.server.docker(&home);
        docker.env("DOCKER_HOST", self.engine.host());
        docker
    }

    /// What the engine pulls for somebody who takes only what is signed.
    fn pull(&self, who: &str, tag: &str) -> Ran {
        let mut docker = self.docker(who);
        docker.env("DOCKER_CONTENT_TRUST", "1");
        run(docker.args(["pull", &format!("{}:{tag}", self.gun)]))
    }

    /// Builds an image and pushes it without a signature.
    fn push(&self, tag: &str) {
        let image = format!("{}:{tag}", self.gun);
        self.engine.import(self.docker("builder"), &image, tag);
        run(self.docker("builder").args(["push", &image])).ok();
    }

    /// The ceremony of the plan at hand, whose root is published.
    fn conduct(&self, tokens: &[&str]) {
        self.journey.conduct(tokens);
        let media = format!("../media/out-{}a", self.journey.bench.number);
        let server = self.journey.server.url();
        self.courier("ada", &format!("publish {media} --server {server} --ca ../notary/ca.crt"))
            .ok();
    }
}

#[test]
fn the_walk_through_of_docker_content_trust_works_under_an_offline_root() {
    if !engine::may_start("the_walk_through_of_docker_content_trust_works_under_an_offline_root") {
        return;
    }
    let mut walk = Walk::begin();
    let gun = walk.gun.clone();
    // The root, in the room: ada begins the repository, and never sees a root key.
    walk.courier("ada", &format!("init {gun} --out ../media/in-1")).ok();
    write_plan(&walk.journey.bench, &genesis::on_tokens(), "");
    let prove =
        format!("prove ../plan-1.toml --repository {gun} --role targets --out ../media/in-1");
    walk.courier("ada", &prove).ok();
    walk.conduct(&TOKENS);

    // A signer, whose key is nobody else's.
    walk.courier("jeff", "key generate jeff").ok();
    walk.courier(
        "ada",
        &format!("signer add jeff {gun} --key ../jeff/jeff.pub --trust-folder ../media/out-1a"),
    )
    .ok();

    // Two images, one of them signed.
    walk.push("1");
    walk.push("2");
    let first = format!("{gun}:1");
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

    let pulled = walk.pull("eve", "1").ok().stdout;
    assert!(pulled.contains(&digest), "{pulled}");
    let refused = walk.pull("eve", "2");
    assert_eq!((refused.code(), refused.stderr.as_str()), (1, "No valid trust data for 2\n"));

    // Every root key is replaced, and those who have seen the old root go on.
    walk.journey.bench.next_room();
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
    write_plan(&walk.journey.bench, &plan, "");
    walk.conduct(&["officer-a", "officer-b", "officer-c", "later-a", "later-b"]);
    assert!(walk.pull("eve", "1").ok().stdout.contains(&digest));
    assert_eq!(walk.pull("eve", "2").stderr, "No valid trust data for 2\n");
    walk.courier("jeff", &format!("sign {gun}:2")).ok();
    walk.pull("eve", "2").ok();
    assert!(walk.courier("guest", &format!("verify {first}")).ok().stdout.contains(&digest));
    assert!(walk.registry.host().starts_with("localhost:"));
}
