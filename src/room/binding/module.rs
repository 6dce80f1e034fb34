//! The modules of a room file, and what each needs of the machine beside its own file.
//!
//! Room floor: parses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Error, Source};
use crate::wording::is_unseen;

/// A PKCS#11 module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name in this file.
    pub name: String,
    /// The shared object.
    pub path: PathBuf,
    /// What it needs besides.
    pub needs: Needs,
}

/// What a module needs of the machine. Whatever is not said here it does not get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Its environment, which is otherwise empty: `KRYOPTIC_CONF`.
    pub environment: BTreeMap<String, String>,
    /// What C_Initialize is given as its reserved argument: NSS softokn takes its folder by it.
    pub parameters: Option<String>,
    /// The sockets, or their folders, of the daemons that it speaks to: pcscd, p11-kit.
    pub sockets: Vec<PathBuf>,
    /// Files and folders that it may write besides the folder of its soft token: the device of a TPM, a token's store.
    pub writes: Vec<PathBuf>,
}

impl Needs {
    /// Why a module may not have a variable of that name, if it may not. Until its fence stands the child is still ours,
    /// and the loader of programs heeds some of them: it would load whatever they name.
    pub fn bars(name: &str) -> Option<&'static str> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            Some("expected 1 to 64 letters, digits and `_`")
        } else if OURS.contains(&name) {
            Some("this program sets it itself, for the folder of a soft token")
        } else if LOADER.iter().any(|prefix| name.starts_with(prefix)) {
            Some("it steers the program before it steers the module")
        } else {
            None
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModuleFile {
    pub(super) name: Spanned<String>,
    path: PathBuf,
    #[serde(default)]
    environment: BTreeMap<Spanned<String>, Spanned<String>>,
    parameters: Option<Spanned<String>>,
    #[serde(default)]
    sockets: Vec<Spanned<PathBuf>>,
    #[serde(default)]
    writes: Vec<Spanned<PathBuf>>,
}

impl ModuleFile {
    /// What it reaches outside itself, with the field that says so.
    pub(super) fn reached(&self) -> impl Iterator<Item = (&'static str, &Spanned<PathBuf>)> {
        let sockets = self.sockets.iter().map(|path| ("sockets", path));
        sockets.chain(self.writes.iter().map(|path| ("writes", path)))
    }
}

pub(super) fn modules(
    source: &Source<'_>,
    folder: &Path,
    files: &[ModuleFile],
) -> Result<Vec<Module>, Error> {
    let mut seen = BTreeSet::new();
    let whole =
        |paths: &[Spanned<PathBuf>]| paths.iter().map(|path| folder.join(path.get_ref())).collect();
    files
        .iter()
        .map(|file| {
            let name = source.name(&file.name, &mut seen)?;
            let needs = Needs {
                environment: environment(source, file)?,
                parameters: parameters(source, file)?,
                sockets: whole(&file.sockets),
                writes: whole(&file.writes),
            };
            Ok(Module { name, path: folder.join(&file.path), needs })
        })
        .collect()
}

fn environment(source: &Source<'_>, file: &ModuleFile) -> Result<BTreeMap<String, String>, Error> {
    let read = |(name, value): (&Spanned<String>, &Spanned<String>)| {
        if let Some(what) = Needs::bars(name.get_ref()) {
            let what = format!("`environment` of `{}`: {what}", name.get_ref());
            return Err(source.error(Some(name.span()), what));
        }
        let text = visible(source, "environment", value)?;
        Ok((name.get_ref().clone(), text))
    };
    file.environment.iter().map(read).collect()
}

fn parameters(source: &Source<'_>, file: &ModuleFile) -> Result<Option<String>, Error> {
    file.parameters.as_ref().map(|text| visible(source, "parameters", text)).transpose()
}

/// What is read aloud has nothing in it that nobody sees.
fn visible(source: &Source<'_>, field: &str, text: &Spanned<String>) -> Result<String, Error> {
    if text.get_ref().chars().any(is_unseen) {
        let what = format!("`{field}`: a character that nobody sees stands in it");
        return Err(source.error(Some(text.span()), what));
    }
    Ok(text.get_ref().clone())
}

/// Set by [`crate::child::token`].
const OURS: [&str; 1] = ["SOFTHSM2_CONF"];
/// Of the C library, and of Rust's.
const LOADER: [&str; 4] = ["GLIBC_", "LD_", "MALLOC_", "RUST_"];

#[cfg(test)]
mod tests {
    use super::super::Binding;
    use super::*;

    fn parse(needs: &str) -> Result<Needs, String> {
        let text = format!(
            "work = \"work\"\n[media]\nin = [\"in\"]\nout = [\"a\", \"b\"]\nroom = [\"c\", \"d\"]\n\
             [[module]]\nname = \"one\"\npath = \"/usr/lib/one.so\"\n{needs}\n"
        );
        let binding = Binding::parse(Path::new("/room/room.toml"), text.as_bytes());
        binding.map(|room| room.modules[0].needs.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_module_gets_what_the_room_file_says_and_nothing_else() {
        assert_eq!(parse(""), Ok(Needs::default()));
        let found = parse(
            "parameters = \"configdir='sql:/store'\"\nsockets = [\"/run/pcscd\", \"p11\"]\n\
             writes = [\"store\"]\nenvironment = { KRYOPTIC_CONF = \"/store/conf\" }",
        );
        let environment = [("KRYOPTIC_CONF".to_owned(), "/store/conf".to_owned())];
        let expected = Needs {
            environment: environment.into(),
            parameters: Some("configdir='sql:/store'".to_owned()),
            sockets: vec!["/run/pcscd".into(), "/room/p11".into()],
            writes: vec!["/room/store".into()],
        };
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn what_would_steer_more_than_the_module_is_refused_with_its_line() {
        let loader = "it steers the program before it steers the module";
        for (needs, expected) in [
            ("environment = { LD_PRELOAD = \"/x\" }", format!("`environment` of `LD_PRELOAD`: {loader}")),
            ("environment = { LD_AUDIT = \"/x\" }", format!("`environment` of `LD_AUDIT`: {loader}")),
            (
                "environment = { GLIBC_TUNABLES = \"x\" }",
                format!("`environment` of `GLIBC_TUNABLES`: {loader}"),
            ),
            (
                "environment = { SOFTHSM2_CONF = \"/x\" }",
                "`environment` of `SOFTHSM2_CONF`: this program sets it itself, for the folder of a soft token"
                    .to_owned(),
            ),
            (
                "environment = { \"A=B\" = \"x\" }",
                "`environment` of `A=B`: expected 1 to 64 letters, digits and `_`".to_owned(),
            ),
            (
                "environment = { A = \"x\\u0000\" }",
                "`environment`: a character that nobody sees stands in it".to_owned(),
            ),
            (
                "parameters = \"x\\u202e\"",
                "`parameters`: a character that nobody sees stands in it".to_owned(),
            ),
            ("sockets = [\"work/s\"]", "`sockets` of `work/s`: the ceremony's own files lie there".to_owned()),
        ] {
            assert_eq!(parse(needs), Err(format!("/room/room.toml:9: {expected}")), "{needs}");
        }
    }
}
