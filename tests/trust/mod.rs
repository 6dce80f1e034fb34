//! The publisher's and the consumer's side, with a real server and the clients that people had before.

mod apart;
mod bench;
mod cache;
mod content;
mod inspect;
mod lists;
mod many;
mod mixed;
mod offline;
mod on_token;
mod pins;
mod proxy;
mod publisher;
mod recorded;
mod roots;
mod server;
mod signer;
mod slow;
mod standing;
mod status;
mod terminal;
mod turns;
mod two;
mod verify;
mod walkthrough;
mod witness;

use std::path::{Path, PathBuf};
use std::process::Command;

use officiant::digest::Digest;
use officiant::root::Dialect;
use officiant::root::online::Signed;
use officiant::root::targets::{self, Targets};

use crate::harness::command::{Ran, command, run};
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

    /// The same, where the server asks a signer for every signature.
    pub(crate) fn with_signer() -> Self {
        let scratch = Scratch::new();
        let server = NotaryServer::with_signer(&scratch);
        Self { scratch, server }
    }

    /// The home of a person.
    pub(crate) fn home(&self, who: &str) -> PathBuf {
        self.scratch.folder(who)
    }

    /// `courier` of a person.
    #[track_caller]
    pub(crate) fn courier(&self, who: &str, line: &str) -> Ran {
        courier(&self.server, &self.home(who), line)
    }

    /// `notary` of a person, who keeps trust where docker does.
    #[track_caller]
    pub(crate) fn notary(&self, who: &str, line: &str) -> Ran {
        notary(&self.server, &self.home(who), line)
    }

    /// `docker` of a person, without an engine.
    #[track_caller]
    pub(crate) fn docker(&self, who: &str, line: &str) -> Ran {
        let mut docker: Command = self.server.docker(&self.home(who));
        run(docker.args(line.split_whitespace()))
    }

    /// An OCI layout in the home of a person that holds one image of that tag; its path from there.
    pub(crate) fn layout(&self, who: &str, tag: &str) -> String {
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{0}","size":2}},"layers":[],"annotations":{{"tag":"{tag}"}}}}"#,
            Digest::of(b"{}")
        );
        let digest = Digest::of(manifest.as_bytes());
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{digest}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}}}]}}"#,
            manifest.len()
        );
        self.scratch.file(&format!("{who}/layout/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
        self.scratch.file(&format!("{who}/layout/index.json"), index);
        self.scratch.file(&format!("{who}/layout/blobs/sha256/{digest}"), manifest);
        format!("../{who}/layout")
    }

    /// The digest of the image in a layout.
    pub(crate) fn manifest(&self, layout: &str) -> Digest {
        let blobs = self.home("any").join(layout).join("blobs/sha256");
        let blob = std::fs::read_dir(blobs).unwrap().next().unwrap().unwrap();
        blob.file_name().to_str().unwrap().parse().unwrap()
    }

    /// Uploads the file of a role as it is, with curl.
    pub(crate) fn upload(&self, role: &str, file: &Path) {
        let mut curl = command("curl", self.scratch.path());
        curl.arg("-sSf").arg("--cacert").arg(self.server.ca());
        curl.arg("-F").arg(format!("files=@{};filename={role}", file.display()));
        run(curl.arg(format!("{}/v2/{GUN}/_trust/tuf/", self.server.url()))).ok();
    }

    /// A key of a signer, made by their docker; its public half lies in their home.
    pub(crate) fn key(&self, who: &str) {
        self.docker(who, &format!("trust key generate {who}")).ok();
    }

    /// The version of a list on the server.
    pub(crate) fn version(&self, gun: &str, role: &str) -> i64 {
        let state = proxy::State::recorded(&self.server, &self.home("guest"), gun);
        state.version(role)
    }

    /// A repository that the notary of a person made, with one tag in its own list; the person keeps the snapshot key.
    pub(crate) fn made_by_notary(&self, who: &str, gun: &str, tag: &str) {
        self.notary(who, &format!("init -p {gun}")).ok();
        let digest = digest_of(tag);
        self.notary(who, &format!("addhash -p {gun} {tag} 528 --sha256 {digest}")).ok();
    }

    /// The same as docker leaves one: the server keeps the snapshot key.
    pub(crate) fn made_as_by_docker(&self, who: &str, gun: &str, tag: &str) {
        self.made_by_notary(who, gun, tag);
        self.notary(who, &format!("key rotate {gun} snapshot -r")).ok();
    }
}

/// `courier` of a person at home.
#[track_caller]
pub(crate) fn courier(server: &NotaryServer, home: &Path, line: &str) -> Ran {
    run(server.courier(home).args(line.split_whitespace()))
}

/// `notary` of a person at home, who keeps trust where docker does.
#[track_caller]
pub(crate) fn notary(server: &NotaryServer, home: &Path, line: &str) -> Ran {
    let mut notary = server.notary(home);
    notary.arg("--trustDir").arg(home.join("docker/trust"));
    run(notary.args(line.split_whitespace()))
}

/// The digest that a change is said to have.
pub(crate) fn agreed(said: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix("digest")).expect("a digest");
    line.split_whitespace().collect()
}

/// Sees that every list that anybody's client fetched below this folder, whoever wrote it, is written here byte for byte
/// as it is there; says how many there were.
pub(crate) fn lists_re_encode(folder: &Path) -> usize {
    let mut lists = 0;
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            lists += lists_re_encode(&path);
        }
        let is_list = path.components().any(|part| part.as_os_str() == "metadata")
            && path.extension().is_some_and(|end| end == "json")
            && path.to_str().unwrap().contains("/targets");
        if is_list {
            let bytes = std::fs::read(&path).unwrap();
            let signed = Signed::parse(Dialect::Notary, &bytes).expect("a list");
            let list = Targets::read(&signed).expect("a list");
            let again = targets::file(&Signed { value: list.value(), ..signed });
            assert_eq!(again, bytes, "{}", path.display());
            lists += 1;
        }
    }
    lists
}

/// The digest that the manifest of `tag` has here.
pub(crate) fn digest_of(tag: &str) -> Digest {
    Digest::of(tag.as_bytes())
}

/// The digest in what `courier verify` says: `sha256:…`.
pub(crate) fn digest_in(verified: &str) -> String {
    verified.trim_end().split_once('@').expect("an image by its digest").1.to_owned()
}

/// The cached file of a role.
pub(crate) fn cached(home: &Path, gun: &str, role: &str) -> PathBuf {
    home.join("docker/trust/tuf").join(gun).join("metadata").join(format!("{role}.json"))
}

/// A repository of all tests.
pub(crate) const GUN: &str = "localhost:5000/admin/demo";
