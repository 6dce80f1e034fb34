//! The PKCS#11 modules that are installed, as p11-kit's configuration lists them: offered, never used.
//!
//! Room floor: reads p11-kit's files for all users, pkcs11.conf(5). Whoever holds a ceremony names modules in room.toml;
//! here is only what may be put there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Finding, Machine, Unseen};
use crate::digest::Digest;
use crate::room::binding::module_digest;

/// A module that room.toml may name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// A name as room.toml has it.
    pub name: String,
    /// The shared object.
    pub path: PathBuf,
    /// SHA-256 of its file; none where it cannot be read.
    pub sha256: Option<Digest>,
}

impl Offer {
    /// The lines of room.toml; none for a path that its text cannot hold.
    pub fn lines(&self) -> Option<String> {
        let path = self.path.to_str()?;
        let path = toml::Value::String(path.to_owned());
        Some(format!("[[module]]\nname = \"{}\"\npath = {path}\n", self.name))
    }
}

impl Machine {
    /// The modules that drive tokens, by p11-kit's names for them.
    ///
    /// # Errors
    /// The finding that a file is there and cannot be read.
    pub fn offers(&self) -> Result<Vec<Offer>, Finding> {
        self.listed().map_err(|unseen| Finding::unseen("modules", &unseen))
    }

    fn listed(&self) -> Result<Vec<Offer>, Unseen> {
        let mut files: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for folder in CONFIGURATION {
            for file in self.names(folder)?.unwrap_or_default() {
                let Some(name) = file.strip_suffix(".module") else { continue };
                let text = self.text(&format!("{folder}/{file}"))?.unwrap_or_default();
                files.entry(name.to_owned()).or_default().extend(fields(&text));
            }
        }
        let mut offers: Vec<Offer> = Vec::new();
        for (name, fields) in &files {
            let holds_no_key = fields.get("trust-policy").is_some_and(|is| is == "yes");
            let Some(module) = fields.get("module").filter(|path| !path.is_empty()) else {
                continue;
            };
            if holds_no_key {
                continue;
            }
            let Some(path) = self.found(module)? else { continue };
            let name = free_name(name, &offers);
            let sha256 = module_digest(&self.at(&path)).ok();
            offers.push(Offer { name, path, sha256 });
        }
        Ok(offers)
    }

    /// A module is named by its path, or by a name in the folder that p11-kit was built for.
    fn found(&self, module: &str) -> Result<Option<PathBuf>, Unseen> {
        if module.starts_with('/') {
            return Ok(Some(PathBuf::from(module)));
        }
        let mut folders = vec!["/usr/lib/pkcs11".to_owned(), "/usr/lib64/pkcs11".to_owned()];
        let triplets = self.names("usr/lib")?.unwrap_or_default();
        folders.extend(triplets.iter().map(|triplet| format!("/usr/lib/{triplet}/pkcs11")));
        let paths = folders.iter().map(|folder| Path::new(folder).join(module));
        Ok(paths.into_iter().find(|path| self.at(path).exists()))
    }
}

/// `name: value`, a line each.
fn fields(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    })
}

/// p11-kit's name in the letters of room.toml, which no other has.
fn free_name(name: &str, offers: &[Offer]) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(letter).take(28).collect();
    let is_free = |name: &String| offers.iter().all(|offer| offer.name != *name);
    let numbered = (2..=offers.len() + 2).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name)
}

/// What comes later decides.
const CONFIGURATION: [&str; 2] = ["usr/share/p11-kit/modules", "etc/pkcs11/modules"];
