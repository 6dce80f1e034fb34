//! What is typed about signers and delegations.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Apart, Leave, Repository, Trust};

/// `courier delegation`.
#[derive(Args)]
pub(crate) struct Delegation {
    /// What to do with delegations
    #[command(subcommand)]
    pub(crate) command: DelegationCommand,
}

/// The commands about delegations.
#[derive(Subcommand)]
pub(crate) enum DelegationCommand {
    /// Delegate to a role, or give one more keys and paths; needs the key of the role above
    Add(DelegationAdd),
    /// List the roles to which a repository delegates
    List(Repository),
    /// Remove a key from every role that has it
    Purge(DelegationPurge),
    /// Remove a role, or some of its keys and paths
    Remove(DelegationRemove),
}

/// `courier delegation add`.
#[derive(Args)]
pub(crate) struct DelegationAdd {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Role: `targets/…`
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,
    /// Public keys (or certificates), PEM
    #[arg(value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// What the names of its targets may begin with; may be repeated
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub(crate) paths: Vec<String>,
    /// Any name of a target
    #[arg(long, conflicts_with = "paths")]
    pub(crate) all_paths: bool,
    /// How many of its keys must sign; else as before, or 1
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) threshold: Option<u8>,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// What may become of lists that lose signatures by it
    #[command(flatten)]
    pub(crate) leave: Leave,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier delegation purge`.
#[derive(Args)]
pub(crate) struct DelegationPurge {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Id of the key
    #[arg(long, value_name = "KEY-ID", required = true)]
    pub(crate) key: Vec<String>,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// What may become of lists that lose signatures by it
    #[command(flatten)]
    pub(crate) leave: Leave,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier delegation remove`.
#[derive(Args)]
pub(crate) struct DelegationRemove {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Role: `targets/…`
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,
    /// Ids of keys to remove, as `courier delegation list` shows them
    #[arg(value_name = "KEY-ID")]
    pub(crate) keys: Vec<String>,
    /// Paths to remove; may be repeated
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub(crate) paths: Vec<String>,
    /// The whole role, with what it lists
    #[arg(long, conflicts_with_all = ["keys", "paths"])]
    pub(crate) whole: bool,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// What may become of lists that lose signatures by it
    #[command(flatten)]
    pub(crate) leave: Leave,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier signer`.
#[derive(Args)]
pub(crate) struct Signer {
    /// What to do with signers
    #[command(subcommand)]
    pub(crate) command: SignerCommand,
}

/// The commands about signers.
#[derive(Subcommand)]
pub(crate) enum SignerCommand {
    /// Let a signer release images of repositories; needs the targets key of each
    Add(SignerAdd),
    /// List the signers of a repository
    List(Repository),
    /// Take that from a signer again, with all that only they signed
    Remove(SignerRemove),
}

/// `courier signer add`.
#[derive(Args)]
pub(crate) struct SignerAdd {
    /// Name of the signer: a-z, 0-9, `_` and `-`
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Repositories
    #[arg(value_name = "REPOSITORY", required = true)]
    pub(crate) repositories: Vec<String>,
    /// Public key of the signer (or certificate), PEM; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) key: Vec<PathBuf>,
    /// How many of the signer's keys must sign; else as before, or 1
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) threshold: Option<u8>,
    /// How many signers' keys must sign `targets/releases`, what docker pulls by; else as before, or 1
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) releases_threshold: Option<u8>,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// What may become of lists that lose signatures by it
    #[command(flatten)]
    pub(crate) leave: Leave,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier signer remove`.
#[derive(Args)]
pub(crate) struct SignerRemove {
    /// Name of the signer
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Repositories
    #[arg(value_name = "REPOSITORY", required = true)]
    pub(crate) repositories: Vec<String>,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// What may become of lists that lose signatures by it
    #[command(flatten)]
    pub(crate) leave: Leave,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}
