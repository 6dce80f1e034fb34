//! `courier pull`, with the real engine, podman and skopeo: what is signed comes by its digest, and nothing else comes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use super::courier;
use super::registry::{PLAIN, copy, layout};
use crate::harness::command::{ENVIRONMENT, Ran, command, run};
use crate::harness::engine::{Engine, may_start};
use crate::harness::notary::NotaryServer;
use crate::harness::peers::peer;
use crate::harness::registry::ImageRegistry;
use crate::harness::scratch::Scratch;

/// What every refusal of an unsigned tag ends with, before what is now true.
pub(super) const HINT: &str =
    "hint: `courier list` shows what is signed; its publisher signs by `courier sign`\n";

/// A registry and the engine of one person, who pushed `admin/demo:1` signed and `admin/demo:2` not.
pub(super) struct Pushed {
    server: NotaryServer,
    pub(super) registry: ImageRegistry,
    engine: Engine,
    home: PathBuf,
    path: String,
    // Last: the others are in it.
    _scratch: Scratch,
}

impl Pushed {
    #[track_caller]
    pub(super) fn new() -> Self {
        let scratch = Scratch::new();
        let pushed = Self {
            server: NotaryServer::memory(&scratch),
            registry: ImageRegistry::open(&scratch),
            engine: Engine::start(&scratch),
            home: scratch.folder("ada"),
            path: path(&scratch, &["docker"]),
            _scratch: scratch,
        };
        for (name, trust) in [("admin/demo:1", "1"), ("admin/demo:2", "0")] {
            pushed.push(name, trust, name);
        }
        for name in ["admin/demo:1", "admin/demo:2"] {
            pushed.docker(&["rmi", "--force", &pushed.registry.name(name)]).ok();
        }
        pushed
    }

    /// Makes an image with a note in it and pushes it.
    pub(super) fn push(&self, name: &str, trust: &str, note: &str) {
        let name = self.registry.name(name);
        self.engine.import(self.server.docker(&self.home), &name, note);
        let mut docker = self.at_engine(self.server.docker(&self.home));
        run(docker.env("DOCKER_CONTENT_TRUST", trust).args(["push", &name])).ok();
    }

    pub(super) fn docker(&self, arguments: &[&str]) -> Ran {
        run(self.at_engine(self.server.docker(&self.home)).args(arguments))
    }

    /// `courier` of the same person, with the environment that docker users have.
    pub(super) fn courier(&self, arguments: &[&str]) -> Command {
        let mut courier = self.at_engine(courier(&self.home));
        courier.env("DOCKER_CONFIG", self.home.join("docker")).env("PATH", &self.path);
        courier.env("DOCKER_CONTENT_TRUST_SERVER", self.server.url()).args(arguments);
        courier.env("DOCKER_CONTENT_TRUST", "1");
        courier
    }

    /// The digest that a tag is signed with, as docker's own client sees it.
    pub(super) fn signed(&self, tag: &str) -> String {
        let inspected = self.docker(&["trust", "inspect", &self.registry.name("admin/demo")]);
        let inspected: serde_json::Value = serde_json::from_str(&inspected.ok().stdout).unwrap();
        let tags = inspected[0]["SignedTags"].as_array().unwrap();
        let tag = tags.iter().find(|signed| signed["SignedTag"] == tag).unwrap();
        format!("{}@sha256:{}", self.registry.name("admin/demo"), tag["Digest"].as_str().unwrap())
    }

    fn at_engine(&self, mut command: Command) -> Command {
        command.env("DOCKER_HOST", self.engine.host());
        command
    }
}

/// A search path with these programs first and no other docker: `docker` is the peer, others are the machine's own.
fn path(scratch: &Scratch, programs: &[&str]) -> String {
    let folder = scratch.folder("programs");
    for program in programs {
        let target = match *program {
            "docker" => peer("docker/docker"),
            other => PathBuf::from("/usr/bin").join(other),
        };
        symlink(target, folder.join(program)).unwrap();
    }
    format!("{}:{}", folder.display(), ENVIRONMENT[1].1)
}

#[test]
fn docker_gets_what_is_signed_under_its_tag_even_where_the_registry_has_another_there() {
    if !may_start(
        "docker_gets_what_is_signed_under_its_tag_even_where_the_registry_has_another_there",
    ) {
        return;
    }
    let pushed = Pushed::new();
    let (one, two) = (pushed.registry.name("admin/demo:1"), pushed.registry.name("admin/demo:2"));
    let signed = pushed.signed("1");
    // Whoever may push and has no key moves the tag.
    pushed.push("admin/demo:1", "0", "moved");
    pushed.docker(&["rmi", "--force", &one]).ok();
    let ran = run(&mut pushed.courier(&["pull", &one])).ok();
    assert_eq!(ran.stdout, format!("{signed}\n"));
    let format = "{{.RepoTags}} {{.RepoDigests}}";
    let inspected = pushed.docker(&["image", "inspect", "--format", format, &one]).ok().stdout;
    assert_eq!(inspected, format!("[{one}] [{signed}]\n"));
    // One that is not signed, and nothing of what is named beside it comes.
    pushed.docker(&["rmi", "--force", &one]).ok();
    let refused = run(&mut pushed.courier(&["pull", &one, &two]));
    let words = format!("error: `{two}` is not signed [TAG-UNSIGNED]\n{HINT}nothing was pulled\n");
    assert_eq!((refused.code(), refused.stderr), (1, words.clone()));
    // It is not for the environment to say that it is.
    let refused = run(pushed.courier(&["pull", &two]).env("DOCKER_CONTENT_TRUST", "0"));
    assert_eq!((refused.code(), refused.stderr), (1, words));
    assert_eq!(pushed.docker(&["images", "--quiet"]).ok().stdout, "");
}

#[test]
fn what_the_engine_says_last_tells_why_nothing_came() {
    let it = Signed::new();
    let mut courier = it.courier(&["docker"], &["pull", "--json", &it.name]);
    courier.env("DOCKER_HOST", "unix:///nonexistent.sock");
    let refused = run(&mut courier);
    assert_eq!(
        (refused.code(), refused.stderr.as_str()),
        (
            3,
            "error: `docker` did not do it\n\
             because Cannot connect to the Docker daemon at unix:///nonexistent.sock. Is the docker daemon running?\n\
             hint: the image is signed: see what `docker` lacks\nnothing was pulled\n"
        )
    );
}

/// An image that skopeo pushed and notary signed, without any engine.
struct Signed {
    server: NotaryServer,
    name: String,
    reference: String,
    registry: ImageRegistry,
    scratch: Scratch,
}

impl Signed {
    fn new() -> Self {
        let scratch = Scratch::new();
        let (server, registry) = (NotaryServer::memory(&scratch), ImageRegistry::open(&scratch));
        let layout = layout(&scratch);
        copy(&registry, &layout, "demo:many", &[PLAIN]);
        let name = registry.name("demo:many");
        let found = run(courier(scratch.path()).args(["digest", &name])).ok().stdout;
        let [reference, length, _] = found.split(' ').collect::<Vec<_>>()[..] else { panic!() };
        let (gun, digest) = reference.split_once("@sha256:").unwrap();
        let ada = scratch.folder("ada");
        run(server.notary(&ada).args(["init", "-p", gun])).ok();
        let add = ["addhash", "-p", gun, "many", length, "--sha256", digest];
        run(server.notary(&ada).args(add)).ok();
        let reference = reference.to_owned();
        Self { server, name, reference, registry, scratch }
    }

    /// `courier` of another person, who has only these programs and never saw the repository.
    fn courier(&self, programs: &[&str], arguments: &[&str]) -> Command {
        let path = path(&self.scratch, programs);
        let folder = path.split(':').next().unwrap();
        let mut courier = courier(&self.scratch.folder("bob"));
        courier.env("PATH", folder).args(arguments).arg("--trust-on-first-use");
        courier.args(["--server", &self.server.url(), "--ca"]).arg(self.server.ca());
        courier
    }
}

#[test]
fn podman_gets_what_is_signed() {
    if !may_start("podman_gets_what_is_signed") {
        return;
    }
    let it = Signed::new();
    let storage = it.scratch.file(
        "storage.conf",
        format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
            it.scratch.folder("podman").display()
        ),
    );
    let mut pulling = it.courier(&["podman"], &["pull", &it.name]);
    let ran = run(pulling.env("CONTAINERS_STORAGE_CONF", &storage)).ok();
    assert_eq!(ran.stdout, format!("{}\n", it.reference));
    let mut podman = command("podman", &it.scratch.folder("bob"));
    podman.env("CONTAINERS_STORAGE_CONF", &storage);
    let format = "{{.RepoTags}}";
    let tags = run(podman.args(["image", "inspect", "--format", format, &it.name])).ok().stdout;
    assert_eq!(tags, format!("[{}]\n", it.name));
}

#[test]
fn skopeo_gets_what_is_signed_wherever_it_is_to_go() {
    let it = Signed::new();
    let to = it.scratch.path().join("copy");
    let destination = format!("oci:{}:many", to.display());
    let ran = run(&mut it.courier(&["skopeo"], &["pull", &it.name, "--to", &destination])).ok();
    assert_eq!(ran.stdout, format!("{}\n", it.reference));
    let index = fs::read_to_string(to.join("index.json")).unwrap();
    assert!(index.contains(r#""org.opencontainers.image.ref.name":"many""#), "{index}");
    assert!(index.contains("application/vnd.oci.image.index.v1+json"), "{index}");
    let unsigned = it.registry.name("demo:other");
    fs::remove_dir_all(&to).unwrap();
    fs::remove_dir_all(it.scratch.path().join("programs")).unwrap();
    let refused = run(&mut it.courier(&["skopeo"], &["pull", &unsigned, "--to", &destination]));
    let words =
        format!("error: `{unsigned}` is not signed [TAG-UNSIGNED]\n{HINT}nothing was pulled\n");
    assert_eq!((refused.code(), refused.stderr), (1, words));
    assert!(!to.exists());
}

#[test]
fn what_pulls_is_the_first_in_path_and_skopeo_is_told_where_to() {
    let scratch = Scratch::new();
    for (programs, arguments, words) in [
        (
            &[][..],
            &[][..],
            "error: neither docker nor podman nor skopeo is in PATH\n\
             hint: install one of them, or correct PATH\nnothing was pulled\n",
        ),
        (
            &["skopeo"],
            &[],
            "error: skopeo has no store of its own\n\
             hint: say where to, as in `--to oci:FOLDER:TAG`\nnothing was pulled\n",
        ),
        (
            &["skopeo"],
            &["localhost/demo:2", "--to", "dir:x"],
            "error: 2 images cannot go to one destination\n\
             hint: pull them one after the other\nnothing was pulled\n",
        ),
        (
            &["podman"],
            &["--with", "docker", "--to", "dir:x"],
            "error: `--to` is for skopeo: docker pulls into its own store\n\
             hint: leave `--to` away, or take `--with skopeo`\nnothing was pulled\n",
        ),
    ] {
        let _ = fs::remove_dir_all(scratch.path().join("programs"));
        let path = path(&scratch, programs);
        let mut courier = courier(scratch.path());
        courier.env("PATH", path.split(':').next().unwrap());
        let refused = run(courier.args(["pull", "localhost/demo:1"]).args(arguments));
        assert_eq!((refused.code(), refused.stderr.as_str()), (2, words));
    }
}
