//! Soft tokens, each in a folder of its own, with one P-256 key: made by SoftHSM's and OpenSC's own tools, so that
//! every peer finds on it what it looks for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use officiant::room::soft;

use crate::process;

/// The module of Debian's package softhsm2.
pub(crate) const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The PIN of every soft token.
pub(crate) const PIN: &str = "135792";
/// The label of the key, and its id as the tools write it.
pub(crate) const KEY: (&str, &str) = ("root", "01");

/// A folder with one token.
#[derive(Clone, Debug)]
pub(crate) struct Soft {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The token's label.
    pub(crate) label: String,
}

impl Soft {
    /// Makes a token with one key.
    pub(crate) fn make(folder: &Path, label: &str) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        soft::make(folder).expect("a folder for a token");
        let made = Self { folder: folder.to_owned(), label: label.to_owned() };
        let mut init = made.command("softhsm2-util");
        init.args(["--init-token", "--free", "--label", label, "--so-pin", "12345678"]);
        process::run(init.args(["--pin", PIN]));
        let mut make = made.tool(Path::new(MODULE));
        make.args(["--keypairgen", "--key-type", "EC:prime256v1", "--usage-sign"]);
        process::run(make.args(["--label", KEY.0, "--id", KEY.1]));
        made
    }

    /// The token of a folder that was made before.
    pub(crate) fn at(folder: &Path) -> Self {
        let label = folder.file_name().expect("a folder").to_string_lossy().into_owned();
        Self { folder: folder.to_owned(), label }
    }

    /// What SOFTHSM2_CONF names for a process that is to see this token and no other.
    pub(crate) fn configuration(&self) -> PathBuf {
        soft::config(&self.folder).expect("a folder of a token")
    }

    /// A program that sees this token.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env("SOFTHSM2_CONF", self.configuration());
        command
    }

    /// OpenSC's tool, logged in.
    pub(crate) fn tool(&self, module: &Path) -> Command {
        let mut tool = self.command("pkcs11-tool");
        tool.arg("--module").arg(module).args(["--token-label", &self.label]);
        tool.args(["--login", "--pin", PIN]);
        tool
    }
}
