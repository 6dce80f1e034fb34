//! What people of Docker Content Trust and Notary have set: where their files are, which server, and passphrases. And
//! SoftHSM's own, and where programs keep their state.
//!
//! Annex: the one place that reads these variables of the environment; `NOTARY_AUTH` is read with the credentials.
//! `DOCKER_CONTENT_TRUST` is read nowhere: what courier pulls and runs is verified, whatever that says.

use std::env::{home_dir, var_os};
use std::path::{Path, PathBuf};

use officiant::secret::{Pin, SecretBytes};

/// The variables that say where and how.
pub(crate) struct Environment {
    docker_config: PathBuf,
    home: PathBuf,
    server: Option<String>,
    state: PathBuf,
}

/// For whose key a passphrase is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A delegation's, under a signer's name.
    Delegation,
    /// A root key.
    Root,
    /// The snapshot role's, where no server keeps it.
    Snapshot,
    /// The targets role's.
    Targets,
}

impl Environment {
    /// Reads it.
    pub(crate) fn read() -> Self {
        // Never the folder that somebody happens to stand in: whoever filled it would say what is trusted.
        let home = home_dir().filter(|home| home.is_absolute());
        let home = home.unwrap_or_else(|| PathBuf::from("/"));
        let set = |name: &str| var_os(name).filter(|value| !value.is_empty());
        Self {
            state: set("XDG_STATE_HOME")
                .map(PathBuf::from)
                .filter(|state| state.is_absolute())
                .unwrap_or_else(|| home.join(".local/state")),
            docker_config: set("DOCKER_CONFIG").map_or_else(|| home.join(".docker"), PathBuf::from),
            home,
            server: set("DOCKER_CONTENT_TRUST_SERVER").and_then(|value| value.into_string().ok()),
        }
    }

    /// Docker's configuration: `$DOCKER_CONFIG`, else `~/.docker`.
    pub(crate) fn docker_config(&self) -> &Path {
        &self.docker_config
    }

    /// The home of the person, as the system has it where none is set.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of keys and of the trust cache: `trust` in Docker's configuration.
    pub(crate) fn trust_dir(&self) -> PathBuf {
        self.docker_config.join("trust")
    }

    /// The folder of journals: `officiant` in `$XDG_STATE_HOME`, else in `~/.local/state`.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.state.join("officiant")
    }

    /// The trust server: `DOCKER_CONTENT_TRUST_SERVER`.
    pub(crate) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The passphrases that are set for keys of `holder`, by docker's names, new and old, and by notary's. New keys have the
    /// first.
    pub(crate) fn passphrases(holder: Holder) -> impl Iterator<Item = Pin> {
        let (docker, notary): (&[&str], _) = match holder {
            Holder::Root => (&ROOT, "NOTARY_ROOT_PASSPHRASE"),
            Holder::Snapshot => (&REPOSITORY, "NOTARY_SNAPSHOT_PASSPHRASE"),
            Holder::Targets => (&REPOSITORY, "NOTARY_TARGETS_PASSPHRASE"),
            Holder::Delegation => (&REPOSITORY, "NOTARY_DELEGATION_PASSPHRASE"),
        };
        let names = docker.iter().copied().chain([notary]);
        names.filter_map(var_os).filter_map(|value| {
            Pin::new(SecretBytes::take(value.into_string().ok()?.into_bytes())).ok()
        })
    }
}

/// The trust folder that the command line names, or docker's.
pub(crate) fn trust_dir(named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| Environment::read().trust_dir(), Path::to_owned)
}

/// SoftHSM's configuration, where one is named: SOFTHSM2_CONF.
pub(crate) fn softhsm() -> Option<PathBuf> {
    var_os("SOFTHSM2_CONF").filter(|value| !value.is_empty()).map(PathBuf::from)
}

const ROOT: [&str; 2] =
    ["DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "DOCKER_CONTENT_TRUST_OFFLINE_PASSPHRASE"];
const REPOSITORY: [&str; 2] =
    ["DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "DOCKER_CONTENT_TRUST_TAGGING_PASSPHRASE"];
