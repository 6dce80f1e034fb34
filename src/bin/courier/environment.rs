//! What people of Docker Content Trust and Notary have set: where their files are, which server, whether unsigned
//! images are refused, and passphrases.
//!
//! Annex: the one place that reads these variables of the environment; `NOTARY_AUTH` is read with the credentials.

use std::env::{home_dir, var_os};
use std::path::{Path, PathBuf};

use officiant::secret::{Pin, SecretBytes};

/// The variables that say where and how.
pub(crate) struct Environment {
    docker_config: PathBuf,
    home: PathBuf,
    enforces: bool,
    server: Option<String>,
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
            docker_config: set("DOCKER_CONFIG").map_or_else(|| home.join(".docker"), PathBuf::from),
            home,
            enforces: set("DOCKER_CONTENT_TRUST")
                .is_some_and(|value| is_true(&value.to_string_lossy())),
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

    /// Whether what is not signed is refused: `DOCKER_CONTENT_TRUST`, read as docker reads it.
    pub(crate) fn enforces(&self) -> bool {
        self.enforces
    }

    /// The trust server: `DOCKER_CONTENT_TRUST_SERVER`.
    pub(crate) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The passphrase that is set for keys of `holder`, by docker's names, old and new, or by notary's.
    pub(crate) fn passphrase(holder: Holder) -> Option<Pin> {
        let (docker, notary): (&[&str], _) = match holder {
            Holder::Root => (&ROOT, "NOTARY_ROOT_PASSPHRASE"),
            Holder::Snapshot => (&REPOSITORY, "NOTARY_SNAPSHOT_PASSPHRASE"),
            Holder::Targets => (&REPOSITORY, "NOTARY_TARGETS_PASSPHRASE"),
            Holder::Delegation => (&REPOSITORY, "NOTARY_DELEGATION_PASSPHRASE"),
        };
        let names = docker.iter().copied().chain([notary]);
        names.filter_map(var_os).find_map(|value| {
            Pin::new(SecretBytes::take(value.into_string().ok()?.into_bytes())).ok()
        })
    }
}

/// As docker reads it: what Go takes for false is false, and anything else is true.
fn is_true(value: &str) -> bool {
    !["0", "f", "F", "FALSE", "False", "false"].contains(&value)
}

const ROOT: [&str; 2] =
    ["DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "DOCKER_CONTENT_TRUST_OFFLINE_PASSPHRASE"];
const REPOSITORY: [&str; 2] =
    ["DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "DOCKER_CONTENT_TRUST_TAGGING_PASSPHRASE"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_go_does_not_take_for_false_asks_for_signed_images() {
        for value in ["1", "true", "yes", "on", "2"] {
            assert!(is_true(value), "{value}");
        }
        for value in ["0", "false", "F"] {
            assert!(!is_true(value), "{value}");
        }
    }
}
