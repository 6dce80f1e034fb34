//! Soft tokens, each in a folder of its own, made by SoftHSM's own tool with ../softhsm.conf.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    command::{command, run},
    scratch::Scratch,
};

/// The module of Debian's package softhsm2.
pub(crate) const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The PIN of the security officer of each token made here.
pub(crate) const SO_PIN: &str = "12345678";

/// A folder that holds one token, or none yet.
pub(crate) struct SoftHsm {
    folder: PathBuf,
}

impl SoftHsm {
    /// Makes the folder and its configuration, without a token.
    pub(crate) fn empty(scratch: &Scratch, name: &str) -> Self {
        let folder = scratch.folder(&format!("softhsm/{name}"));
        let tokens = folder.join("tokens");
        fs::create_dir(&tokens).expect("a folder for the token");
        let template = include_str!("../../softhsm.conf");
        let text = template.replace("@tokendir@", tokens.to_str().expect("a plain path"));
        fs::write(folder.join("softhsm.conf"), text).expect("its configuration");
        Self { folder }
    }

    /// Makes the folder with an initialised token whose label is `name`.
    pub(crate) fn token(scratch: &Scratch, name: &str, pin: &str) -> Self {
        let softhsm = Self::empty(scratch, name);
        let mut init = softhsm.tool(scratch);
        init.args(["--init-token", "--free", "--label", name]);
        run(init.args(["--so-pin", SO_PIN, "--pin", pin])).ok();
        softhsm
    }

    /// What SOFTHSM2_CONF must name for a process that is to see this token.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("softhsm.conf")
    }

    /// Where SoftHSM keeps the token's files.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// The serial number that SoftHSM gave the token.
    pub(crate) fn serial(&self, scratch: &Scratch) -> String {
        let slots = run(self.tool(scratch).arg("--show-slots")).ok().stdout;
        let serials = slots.lines().filter_map(|line| line.trim().strip_prefix("Serial number:"));
        serials.map(str::trim).find(|serial| !serial.is_empty()).expect("a token").to_owned()
    }

    fn tool(&self, scratch: &Scratch) -> Command {
        let mut tool = command("softhsm2-util", scratch.path());
        tool.env("SOFTHSM2_CONF", self.configuration());
        tool
    }
}

#[test]
fn tokens_in_different_folders_do_not_see_each_other() {
    let scratch = Scratch::new();
    let first = SoftHsm::token(&scratch, "first", "1111");
    let second = SoftHsm::token(&scratch, "second", "2222");
    assert_eq!(fs::read_dir(first.tokens()).unwrap().count(), 1);
    assert_ne!(first.serial(&scratch), second.serial(&scratch));
    assert_eq!(fs::read_dir(SoftHsm::empty(&scratch, "none").tokens()).unwrap().count(), 0);
    assert!(Path::new(MODULE).exists());
}
