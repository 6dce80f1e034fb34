//! Trust pinning as `notary` has it: which root keys, or which authority, a repository's root must be of.
//!
//! Annex: reads the configuration and the authorities that it names. `certs` names ids of root keys, of certificates
//! or of the keys in them, for one repository or for all whose name begins with what stands before a `*`; `ca` names a
//! file of authorities for names that begin so. An exact name goes before a longer beginning, and that before a shorter
//! one; `certs` goes before `ca`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use officiant::name::Name;
use officiant::root::threshold::{Ballot, Counting, Electorate, count};
use officiant::root::{Dialect, Key, KeyId, Role, SignedRoot};
use serde::Deserialize;

use super::super::Error;
use super::authority::Authorities;
use crate::files;

/// What is pinned.
#[derive(Default)]
pub(crate) struct Pins {
    certs: BTreeMap<String, Vec<String>>,
    ca: BTreeMap<String, Authorities>,
    forbids_first_use: bool,
}

/// What a pin asks of a root key.
enum Pin<'a> {
    Ids(&'a [String]),
    Authorities(&'a Authorities),
}

impl Pins {
    /// Reads `trust_pinning` of a configuration of notary's; a file that is not there pins nothing.
    ///
    /// # Errors
    /// [`Error::Pins`]; [`Error::Media`].
    pub(crate) fn read(file: &Path) -> Result<Self, Error> {
        let Some(bytes) = files::read(file, MOST)? else { return Ok(Self::default()) };
        let wrong = |why: String| Error::Pins { file: file.to_owned(), why };
        let config: Config =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let pinning = config.trust_pinning;
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        let ca = pinning.ca.into_iter().map(|(name, path)| {
            let path = folder.join(path);
            let authorities = files::read(&path, MOST)?.and_then(|pem| Authorities::read(&pem));
            let why =
                || wrong(format!("`{}` holds no certificate authority in PEM", path.display()));
            Ok((name, authorities.ok_or_else(why)?))
        });
        let ca = ca.collect::<Result<_, Error>>()?;
        Ok(Self { certs: pinning.certs, ca, forbids_first_use: pinning.disable_tofu })
    }

    /// The same, of a file that must be there.
    ///
    /// # Errors
    /// [`Error::Pins`]; [`Error::Media`].
    pub(crate) fn required(file: &Path) -> Result<Self, Error> {
        match file.exists() {
            true => Self::read(file),
            false => Err(Error::Pins { file: file.to_owned(), why: "is missing".to_owned() }),
        }
    }

    /// Whether something is pinned for a repository.
    pub(crate) fn name(&self, gun: &Name) -> bool {
        self.of(gun).is_some()
    }

    /// Whether the first root that a server shows never does.
    pub(crate) fn forbid_first_use(&self) -> bool {
        self.forbids_first_use
    }

    /// Whether as many root keys as must sign are pinned and have signed.
    pub(crate) fn hold(&self, gun: &Name, root: &SignedRoot, now: Timestamp) -> bool {
        let Some(pin) = self.of(gun) else { return false };
        let mut electorate = Electorate::of(root.root(), Role::Root);
        electorate.keys.retain(|id, key| pin.names(id, key, now));
        let message = root.root().signed_bytes();
        let none = BTreeSet::new();
        let ballot = Ballot { message: &message, signatures: root.signatures(), assumed: &none };
        count(Dialect::Notary, &electorate, ballot, Counting::ONE_SIDE)
            .is_ok_and(|tally| tally.is_met())
    }

    fn of(&self, gun: &Name) -> Option<Pin<'_>> {
        let name = gun.as_str();
        let exact = self.certs.get(name);
        let begun =
            |text: &&String| text.strip_suffix('*').is_some_and(|text| name.starts_with(text));
        let longest = || {
            let found = self.certs.keys().filter(begun).max_by_key(|text| text.len())?;
            self.certs.get(found)
        };
        if let Some(ids) = exact.or_else(longest) {
            return Some(Pin::Ids(ids));
        }
        let begun = |text: &&String| name.starts_with(text.trim_end_matches('*'));
        let found = self.ca.keys().filter(begun).max_by_key(|text| text.len())?;
        self.ca.get(found).map(Pin::Authorities)
    }
}

impl Pin<'_> {
    fn names(&self, id: &KeyId, key: &Key, now: Timestamp) -> bool {
        match self {
            Pin::Ids(ids) => {
                let own = key.canonical_id();
                ids.iter().any(|pin| {
                    pin == id.as_str() || own.as_ref().is_some_and(|own| pin == own.as_str())
                })
            }
            Pin::Authorities(authorities) => {
                key.bundle().is_some_and(|bundle| authorities.vouch_for(bundle, now))
            }
        }
    }
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    trust_pinning: Pinning,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pinning {
    certs: BTreeMap<String, Vec<String>>,
    ca: BTreeMap<String, PathBuf>,
    disable_tofu: bool,
}

const MOST: usize = 1 << 20;
