//! What is typed to begin a repository, and about the keys of its server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::Network;

/// `courier init`.
#[derive(Args)]
pub(crate) struct Init {
    /// Repositories that the trust server does not know yet
    #[arg(value_name = "REPOSITORY", required = true)]
    pub(crate) repositories: Vec<String>,
    /// Media to write the request for the ceremony to
    #[arg(long, value_name = "MEDIA")]
    pub(crate) out: PathBuf,
    /// Trust server; else as in the other commands
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Folder of keys, `~/.notary` for that of notary; else docker's
    #[arg(long, value_name = "FOLDER")]
    pub(crate) trust_dir: Option<PathBuf>,
    /// How to reach the server
    #[command(flatten)]
    pub(crate) network: Network,
}

/// `courier server rotate-key`.
#[derive(Args)]
pub(crate) struct RotateKey {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Role: `timestamp` or `snapshot`
    #[arg(value_name = "ROLE", value_parser = ["snapshot", "timestamp"])]
    pub(crate) role: String,
    /// Media to write the request for the ceremony to
    #[arg(long, value_name = "MEDIA")]
    pub(crate) out: PathBuf,
    /// Trust server; else as in the other commands
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// How to reach the server
    #[command(flatten)]
    pub(crate) network: Network,
}

/// `courier server`.
#[derive(Args)]
pub(crate) struct Server {
    /// What to do about the server
    #[command(subcommand)]
    pub(crate) command: ServerCommand,
}

/// The commands about a trust server.
#[derive(Subcommand)]
pub(crate) enum ServerCommand {
    /// Have the server make a new key of its own, and fetch the request for the ceremony that puts it into the root
    RotateKey(RotateKey),
}
