//! What publishers and consumers of Docker Content Trust type.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Network;

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

/// Whether a change goes up, or to others who sign it first.
#[derive(Args)]
pub(crate) struct Apart {
    /// Write the change into this new folder, signed by the keys at hand, in place of publishing it: others sign it by
    /// `courier countersign`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) apart: Option<PathBuf>,
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
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
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
    /// Remove the signer although nobody at hand can sign again what is released: until another signer does, by
    /// `courier witness REPOSITORY targets/releases`, no tag of it is signed
    #[arg(long)]
    pub(crate) leave_unsigned: bool,
    /// Whether others are to sign first
    #[command(flatten)]
    pub(crate) apart: Apart,
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

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
    /// Whom to ask, and whom to believe
    #[command(flatten)]
    pub(crate) trust: Trust,
}

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
