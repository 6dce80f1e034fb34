//! What is typed to change the lists of a repository.

use std::path::PathBuf;

use clap::Args;

use super::Trust;

/// Whether a change goes up, or to others who sign it first.
#[derive(Args)]
pub(crate) struct Apart {
    /// Write the change into this new folder, signed by the keys at hand, in place of publishing it: others sign it by
    /// `courier countersign`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) apart: Option<PathBuf>,
}

/// What may become of lists that a change of keys leaves with too few signatures.
#[derive(Args)]
pub(crate) struct Leave {
    /// Change it although nobody at hand can sign again what is listed: until another signer does, by `courier witness`,
    /// nothing of such a list is signed
    #[arg(long)]
    pub(crate) leave_unsigned: bool,
}

/// `courier add`.
#[derive(Args)]
pub(crate) struct Add {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Target
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    /// File whose content the target is
    #[arg(value_name = "FILE", required_unless_present = "sha256", conflicts_with_all = ["sha256", "sha512", "length"])]
    pub(crate) file: Option<PathBuf>,
    /// SHA-256 of the content, in place of the file
    #[arg(long, value_name = "HEX", requires = "length")]
    pub(crate) sha256: Option<String>,
    /// SHA-512 of the content, beside its SHA-256
    #[arg(long, value_name = "HEX", requires = "sha256")]
    pub(crate) sha512: Option<String>,
    /// Bytes of the content
    #[arg(long, value_name = "NUMBER", requires = "sha256", value_parser = clap::value_parser!(u64).range(..=1 << 53))]
    pub(crate) length: Option<u64>,
    /// File of JSON that goes with the target
    #[arg(long, value_name = "FILE")]
    pub(crate) custom: Option<PathBuf>,
    /// Role whose list names it; may be repeated
    #[arg(long, value_name = "ROLE", default_value = "targets")]
    pub(crate) role: Vec<String>,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier countersign`.
#[derive(Args)]
pub(crate) struct Countersign {
    /// Folders of one change, as `--apart` wrote it or as others signed it
    #[arg(value_name = "FOLDER", required = true)]
    pub(crate) folders: Vec<PathBuf>,
    /// Digest of the change, or its first 16 digits or more, as the one who made it says it by another way: sign it.
    /// Without it the change is shown, and nothing is signed
    #[arg(long, value_name = "SHA256")]
    pub(crate) agree: Option<String>,
    /// New folder for the change as it is signed then, in place of publishing it once enough have signed
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier remove`.
#[derive(Args)]
pub(crate) struct Remove {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Targets
    #[arg(value_name = "TARGET", required = true)]
    pub(crate) targets: Vec<String>,
    /// Role whose list names them; may be repeated
    #[arg(long, value_name = "ROLE", default_value = "targets")]
    pub(crate) role: Vec<String>,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier revoke`.
#[derive(Args)]
pub(crate) struct Revoke {
    /// Images, each with its tag; without one, all tags of the repository
    #[arg(value_name = "IMAGE[:TAG]", required = true)]
    pub(crate) images: Vec<String>,
    /// Take the names without a tag to mean all tags
    #[arg(long)]
    pub(crate) all_tags: bool,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier sign`.
#[derive(Args)]
pub(crate) struct Sign {
    /// Images, each with its tag; what `@DIGEST` names is signed in place of what the tag points to
    #[arg(value_name = "IMAGE:TAG[@DIGEST]", required = true)]
    pub(crate) images: Vec<String>,
    /// OCI image layout that holds them under their tags, in place of their registry
    #[arg(long, value_name = "FOLDER")]
    pub(crate) layout: Option<PathBuf>,
    /// Sign in this role alone; may be repeated. Else in all roles below `targets` of which a key is at hand, as docker
    /// does, and in `targets` where nobody is delegated to
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<String>,
    /// Certificate authorities of the registry, PEM, in place of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) registry_ca: Option<PathBuf>,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

/// `courier witness`.
#[derive(Args)]
pub(crate) struct Witness {
    /// Repository
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Roles whose lists are signed again as they are
    #[arg(value_name = "ROLE", required = true)]
    pub(crate) roles: Vec<String>,
    /// Digest of what is shown of lists that too few have signed, or its first 16 digits or more: sign them all the same.
    /// Whoever has the server may have written such a list
    #[arg(long, value_name = "SHA256")]
    pub(crate) agree: Option<String>,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}
