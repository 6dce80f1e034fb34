//! Repositories that are not like the others of a fleet, as a real server comes to have them: made by another tool, by
//! somebody who kept a key for himself, and by a stranger who may push.

use data_encoding::BASE64;
use officiant::digest::Digest;
use officiant::key::PublicKey;
use officiant::request::{Brought, Repository};
use officiant::room::media;
use officiant::root::{Dialect, Key, Role, SignedRoot};

use super::adopt;
use super::fleet::Fleet;
use crate::harness::command::{command, run};
use crate::sitting::Publisher;
use crate::sitting::bad_root::{certified_for, first_with, noted, write_pem};
use crate::sitting::odd::usurped;

/// Of another tool, with a root 2 that a stranger made.
pub(super) const BROKEN: &str = "localhost:5000/1-broken/app";
/// Of another tool, whose publisher keeps the snapshot key.
pub(super) const CLIENT: &str = "localhost:5000/2-client/app";
/// Of another tool, with a second root key that nobody knows.
pub(super) const HOSTILE: &str = "localhost:5000/3-hostile/app";
/// Two of the fleet.
pub(super) const ALIKE: [&str; 2] = ["localhost:5000/4-alikc/app", "localhost:5000/4-alike/app"];

impl Fleet {
    /// Lets the server have what is odd, and gives the key of the other tool, which is on the token `old` from now on.
    pub(super) fn becomes_odd(&self) -> Digest {
        let owner = Publisher::new();
        write_pem(&self.bench, &owner, "root-key");
        adopt::import(&self.bench, "old", "root-key.pem");
        let key = adopt::encrypted(&self.bench);
        let ada = self.bench.scratch.folder("ada");
        let mut init = self.server.server().notary(&ada);
        run(init.args(["init", "--rootkey"]).arg(key).args(["-p", CLIENT])).ok();
        self.make_hostile(&owner);
        self.make_broken(&owner);
        owner.public().id()
    }

    /// The server takes any first root that its own keys sign.
    fn make_hostile(&self, owner: &Publisher) {
        let publisher = Publisher::new();
        let keys = [owner, &Publisher::new()];
        let keys = keys.map(|key| certified_for(HOSTILE, key, 1, (-1, 3000))).to_vec();
        let root = first_with(self.online(HOSTILE, &publisher), owner, keys, 900);
        self.upload(HOSTILE, root.bytes(), Some(&empty_targets(&publisher, &root)));
    }

    /// The server takes a first root that has a field which it does not know, and finds it no more: so it takes any
    /// second one, whoever signed it.
    fn make_broken(&self, owner: &Publisher) {
        let publisher = Publisher::new();
        let key = certified_for(BROKEN, owner, 1, (-1, 3000));
        let online = self.online(BROKEN, &publisher);
        let good = first_with(online, owner, vec![key.clone()], 900);
        let root = noted(&good, owner, &key);
        self.upload(BROKEN, root.bytes(), Some(&empty_targets(&publisher, &root)));
        self.upload(BROKEN, &usurped(BROKEN, &good), None);
    }

    /// The server's keys for a repository that it does not know, and a publisher's.
    fn online(&self, name: &str, publisher: &Publisher) -> impl Fn(Role) -> PublicKey {
        let (asked, targets) = (self.asked(name), publisher.public());
        move |role| match role {
            Role::Targets => targets.clone(),
            role => asked.keys[&role][0].clone(),
        }
    }

    fn upload(&self, name: &str, root: &[u8], targets: Option<&str>) {
        self.bench.scratch.file("upload/root", root);
        let url = format!("{}/v2/{name}/_trust/tuf/", self.server.server().url());
        let mut curl = command("curl", &self.bench.path("upload"));
        curl.args(["--silent", "--show-error", "--fail-with-body", "--cacert"]);
        curl.arg(self.server.server().ca()).args(["--form", "files=@root"]);
        if let Some(targets) = targets {
            self.bench.scratch.file("upload/targets", targets);
            curl.args(["--form", "files=@targets"]);
        }
        run(curl.arg(&url)).ok();
    }

    /// What a request says of a repository that the server does not know: its keys for it.
    fn asked(&self, name: &str) -> Repository {
        let media = format!("media/asked-{}", Digest::of(name.as_bytes()));
        self.bench.scratch.file(&format!("{media}/officiant-media"), "in\n");
        run(self.courier("fetch").args([name, "--out", &media])).ok();
        let folder = self.bench.path(&media).join("request");
        let files = media::read_tree(&folder, media::Limits::REQUEST).unwrap();
        let request = Brought::read(&files.into()).unwrap();
        request.repository(name).unwrap().unwrap()
    }
}

/// A list without targets, as its publisher signs it.
fn empty_targets(publisher: &Publisher, root: &SignedRoot) -> String {
    let expires = root.root().expires().text();
    let signed = format!(
        "{{\"_type\":\"Targets\",\"delegations\":{{\"keys\":{{}},\"roles\":[]}},\
         \"expires\":\"{expires}\",\"targets\":{{}},\"version\":1}}"
    );
    let key = Key::plain(Dialect::Notary, &publisher.public()).unwrap();
    let signature = BASE64.encode(&publisher.raw(signed.as_bytes()));
    format!(
        "{{\"signed\":{signed},\"signatures\":[{{\"keyid\":\"{}\",\"method\":\"ecdsa\",\
         \"sig\":\"{signature}\"}}]}}",
        key.id()
    )
}
