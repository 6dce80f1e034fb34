//! A repository that courier fetched and whose first root keys in memory signed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use officiant::cjson::Value;
use officiant::request::Role;
use officiant::root::{Dialect, Root, SignedRoot};

use super::made::{Soft, Wish, sign};
use super::{fetch, publish, request, text, trust};
use crate::harness::command::{Ran, command, run};
use crate::harness::notary::NotaryServer;
use crate::harness::scratch::Scratch;

/// The name of the repository.
pub(super) const GUN: &str = "localhost:5000/demo";

/// A fetched repository, the keys of its root and of its targets, and the first root.
pub(super) struct Genesis {
    pub(super) scratch: Scratch,
    pub(super) server: NotaryServer,
    pub(super) keys: Vec<Soft>,
    pub(super) targets: Soft,
    pub(super) first: SignedRoot,
}

impl Genesis {
    /// Fetches an unknown repository and makes its root, 2 of 3.
    pub(super) fn new(server: impl Fn(&Scratch) -> NotaryServer) -> Self {
        let scratch = Scratch::new();
        let server = server(&scratch);
        let targets = Soft::new();
        let public = scratch.file("targets.pem", targets.public.to_pem());
        let media = scratch.folder("in");
        fetch(&server, scratch.path(), &media, &[GUN, "--targets-key", text(&public)]).ok();
        let request = request(&media.join("request"));
        let repository = &request.repositories[&GUN.parse().unwrap()];
        assert!(repository.roots.is_empty());
        let roles = repository.keys.iter().map(|(role, keys)| (*role, keys[0].clone())).collect();
        let keys: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
        let all: Vec<&Soft> = keys.iter().collect();
        let wish = Wish { gun: GUN, keys: &all, threshold: 2, roles, days: 3000 };
        let first = sign(&wish.root(Dialect::Notary, None), &all, None);
        Self { scratch, server, keys, targets, first }
    }

    pub(super) fn all(&self) -> Vec<&Soft> {
        self.keys.iter().collect()
    }

    pub(super) fn home(&self) -> &Path {
        self.scratch.path()
    }

    pub(super) fn key_file(&self) -> PathBuf {
        self.scratch.file("targets-key.pem", self.targets.pkcs8())
    }

    /// The next root with `keys`, and `roles` changed, signed by the old keys and the new.
    pub(super) fn next(
        &self,
        last: &SignedRoot,
        old: &[&Soft],
        keys: &[&Soft],
        roles: BTreeMap<Role, officiant::key::PublicKey>,
    ) -> SignedRoot {
        let wish = Wish { gun: GUN, keys, threshold: 2, roles, days: 3100 };
        sign(&wish.root(Dialect::Notary, Some(last.root())), keys, Some((last.root(), old)))
    }

    /// The next root with the same keys, which says in its own way when it expires.
    pub(super) fn next_expiring(&self, last: &SignedRoot, expires: &str) -> SignedRoot {
        let keys = self.all();
        let wish = Wish { gun: GUN, keys: &keys, threshold: 2, roles: BTreeMap::new(), days: 3000 };
        let root = wish.root(Dialect::Notary, Some(last.root()));
        let mut members = root.value().as_map().unwrap().clone();
        members.insert("expires", Value::text(expires));
        let root = Root::from_value(Dialect::Notary, Value::Map(members)).unwrap();
        sign(&root, &keys, Some((last.root(), &keys)))
    }

    /// Uploads a root by itself as anybody may who has the right to push, whatever it is; the server takes it.
    pub(super) fn upload_alone(&self, root: &[u8]) {
        let file = self.scratch.file("alone", root);
        let form = format!("files=@{};filename=root", file.display());
        let url = format!("{}/v2/{GUN}/_trust/tuf/", self.server.url());
        let mut curl = command("curl", self.home());
        run(curl.args(["-sf", "--cacert"]).arg(self.server.ca()).args(["-F", &form, &url])).ok();
    }

    pub(super) fn publish(&self, roots: &[&SignedRoot], more: &[&str]) -> Ran {
        let roots: Vec<_> = roots.iter().map(|root| (GUN, root.bytes())).collect();
        publish(&self.server, self.home(), &trust(self.home(), &roots), more)
    }

    /// What the real client of a person makes of the repository.
    pub(super) fn list(&self, person: &str) -> Ran {
        run(self.server.notary(&self.scratch.folder(person)).args(["list", GUN]))
    }

    pub(super) fn served(&self, file: &str) -> Option<Vec<u8>> {
        let url = format!("{}/v2/{GUN}/_trust/tuf/{file}", self.server.url());
        let out = self.home().join("served");
        let _ = fs::remove_file(&out);
        let mut curl = command("curl", self.home());
        let ran =
            run(curl.args(["-sf", "--cacert"]).arg(self.server.ca()).arg("-o").arg(&out).arg(url));
        ran.status.success().then(|| fs::read(out).unwrap())
    }
}
