//! What consumers of signed images type, beyond `verify`, and who looks after many repositories.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::trust::Trust;

/// `courier pull`.
#[derive(Args)]
pub(crate) struct Pull {
    /// Images, each with its tag
    #[arg(value_name = "IMAGE:TAG", required = true)]
    pub(crate) images: Vec<String>,
    /// What pulls; else the first that is in PATH, in this order, or skopeo where `--to` says so
    #[arg(long, value_enum, value_name = "PROGRAM")]
    pub(crate) with: Option<Tool>,
    /// Where skopeo puts the image, as it names places: `oci:FOLDER:TAG`, `docker-archive:FILE`
    #[arg(long, value_name = "DESTINATION")]
    pub(crate) to: Option<String>,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// What pulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tool {
    /// The client of Docker's engine.
    Docker,
    /// Podman.
    Podman,
    /// Skopeo.
    Skopeo,
}

impl Tool {
    /// The name of the program.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Skopeo => "skopeo",
        }
    }
}

/// `courier run`.
#[derive(Args)]
pub(crate) struct Run {
    /// Image of a command other than `docker run`, `podman run` or `create`: its digest stands where the command has
    /// `{}`, or an argument that ends with `={}`
    #[arg(long, value_name = "IMAGE:TAG")]
    pub(crate) image: Option<String>,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
    /// Command to become, after `--`
    #[arg(value_name = "COMMAND", required = true, last = true)]
    pub(crate) command: Vec<String>,
}

/// `courier status`.
#[derive(Args)]
pub(crate) struct Status {
    /// Files that name repositories, the first word of each line, `#` begins a comment; or repositories themselves,
    /// each with its registry
    #[arg(value_name = "FILE|REPOSITORY", required = true)]
    pub(crate) names: Vec<String>,
    /// Exit with 1 where something ends within so many days
    #[arg(long, value_name = "DAYS", default_value = "90")]
    pub(crate) within: u16,
    /// Calendar (RFC 5545) to write, `-` for standard output in place of the table: each end of each repository, in
    /// place of what the file had before
    #[arg(long, value_name = "FILE")]
    pub(crate) ics: Option<PathBuf>,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}
