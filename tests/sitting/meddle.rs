//! Somebody who has a soft token of the bench, its PIN and OpenSC's tool, or a trust folder and time.

use std::fs;

use officiant::{
    room::media::{Limits, read_tree},
    sums::{self, Sums},
    trust::TRUST_SUMS,
};

use super::Bench;
use super::bench::PIN;
use crate::harness::{
    command::{Ran, command, run},
    scratch::below,
    softhsm::MODULE,
};

impl Bench {
    /// The serial of a soft token, as the custody folder of the room media has it.
    pub(super) fn serial(&self, token: &str) -> String {
        let folder = self.path("media/room-1/custody/tokens");
        let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mine = files.find(|path| path.to_string_lossy().contains(&format!("/{token}-")));
        let text = fs::read_to_string(mine.unwrap()).unwrap();
        text.split("\"serial\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    /// The tool, logged in.
    pub(super) fn tool(&self, token: &str, arguments: &[&str]) -> Ran {
        let mut tool = command("pkcs11-tool", self.scratch.path());
        tool.env("SOFTHSM2_CONF", self.path(&format!("tokens/{token}/softhsm2.conf")));
        tool.args(["--module", MODULE, "--login", "--pin", PIN]).args(arguments);
        run(&mut tool).ok()
    }

    /// What a token stores under this label.
    pub(super) fn stored(&self, token: &str, label: &str) -> Vec<u8> {
        let read = ["--read-object", "--type", "data", "--output-file", "object", "--label", label];
        self.tool(token, &read);
        fs::read(self.path("object")).unwrap()
    }

    /// Takes away what a token stores under this label.
    pub(super) fn take_away(&self, token: &str, label: &str) {
        self.tool(token, &["--delete-object", "--type", "data", "--label", label]);
    }

    /// Puts other bytes in the place of what a token stores under a label of this application and a number or more.
    pub(super) fn replace(&self, token: &str, (application, rest): (&str, &str), bytes: &[u8]) {
        let label = format!("{application} {rest}");
        self.take_away(token, &label);
        self.scratch.file("object", bytes);
        let write = ["--write-object", "object", "--type", "data", "--private", "--label", &label];
        self.tool(token, &[&write[..], &["--application-label", application]].concat());
    }

    /// Makes the sums of the last ceremony of a trust folder anew, so that they hold for what is there now.
    pub(super) fn resum(&self, number: u32) {
        let trust = self.trust(number);
        let limits = Limits { files: 1000, bytes_each: 1 << 20, bytes_total: 1 << 24, depth: 8 };
        let mut files = read_tree(&trust, limits).unwrap();
        let last = files.keys().rfind(|path| path.starts_with("ceremonies/")).unwrap();
        let folder = last.split('/').take(2).collect::<Vec<_>>().join("/");
        let mut own = below(&files, &format!("{folder}/"));
        let old = Sums::parse(&own.remove(sums::FILE).unwrap()).unwrap();
        files.retain(|path, _| !path.starts_with("ceremonies/"));
        let vouched = Sums::of(&files).unwrap().to_text();
        own.insert(TRUST_SUMS.to_owned(), vouched.clone().into_bytes());
        let mut new = Sums::of(&own).unwrap();
        if let Some(predecessor) = old.predecessor() {
            new = new.after(predecessor.clone()).unwrap();
        }
        fs::write(trust.join(&folder).join(TRUST_SUMS), vouched).unwrap();
        fs::write(trust.join(&folder).join(sums::FILE), new.to_text()).unwrap();
    }
}
