//! What publishers and consumers of Docker Content Trust type.

mod change;
mod delegation;
mod server;

use std::path::PathBuf;

use clap::Args;

use super::Network;
pub(crate) use change::{Add, Apart, Countersign, Leave, Remove, Revoke, Sign, Witness};
pub(crate) use delegation::{
    Delegation, DelegationAdd, DelegationCommand, DelegationPurge, DelegationRemove, Signer,
    SignerAdd, SignerCommand, SignerRemove,
};
pub(crate) use server::{Init, RotateKey, Server, ServerCommand};

/// Whom to ask, and whom to believe.
#[derive(Args, Clone)]
pub(crate) struct Trust {
    /// Trust server; else DOCKER_CONTENT_TRUST_SERVER, Docker's own for Docker Hub, or the registry's host
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Folder of keys and of what was trusted before, `~/.notary` for that of notary; else docker's, `trust` in
    /// DOCKER_CONFIG or `~/.docker`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) trust_dir: Option<PathBuf>,
    /// File with `trust_pinning` as notary's `config.json` has it; else `config.json` in the trust directory
    #[arg(long, value_name = "FILE")]
    pub(crate) pins: Option<PathBuf>,
    /// Trust folder of the ceremonies, or media that holds it: its newest root is trusted
    #[arg(long, value_name = "FOLDER|MEDIA")]
    pub(crate) trust_folder: Option<PathBuf>,
    /// Trust the first root that the server shows of a repository that was never seen, and remember it. Whoever stands
    /// between can then show any
    #[arg(long)]
    pub(crate) trust_on_first_use: bool,
    /// How to reach the server
    #[command(flatten)]
    pub(crate) network: Network,
}

/// `courier verify`.
#[derive(Args)]
pub(crate) struct Verify {
    /// Images, each with its tag
    #[arg(value_name = "IMAGE:TAG", required = true)]
    pub(crate) images: Vec<String>,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier list`.
#[derive(Args)]
pub(crate) struct List {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Only what these roles list; may be repeated
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<String>,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier lookup`.
#[derive(Args)]
pub(crate) struct Lookup {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Target; for an image, its tag
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    /// File that must be the target's content, byte for byte
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier inspect`.
#[derive(Args)]
pub(crate) struct Inspect {
    /// Images; with a tag, only what is said of that
    #[arg(value_name = "IMAGE[:TAG]", required = true)]
    pub(crate) images: Vec<String>,
    /// For people, in place of JSON
    #[arg(long)]
    pub(crate) pretty: bool,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier signer list` and the like.
#[derive(Args)]
pub(crate) struct Repository {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}
