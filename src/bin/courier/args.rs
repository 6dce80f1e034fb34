//! The command line, and nothing else: no input or output, no environment.

pub(crate) mod consume;
mod key;
pub(crate) mod trust;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use key::{Export, Generate, Key, KeyCommand, Load, Needed, Owned};

/// Carries requests to the room and signed roots from it; signs, verifies and pulls images under them
#[derive(Parser)]
#[command(name = "courier", version, after_help = CODES, max_term_width = 100)]
pub(crate) struct Courier {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print the result as JSON, on one line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Sign any file as a target of a repository
    Add(trust::Add),
    /// Sign a change of lists that somebody else made, after reading it; publish it once enough have signed
    Countersign(trust::Countersign),
    /// Say to whom a repository's lists delegate
    Delegation(trust::Delegation),
    /// Ask a registry for the digest and length that a tag has there, as `sign` does; nothing is verified
    Digest(Digest),
    /// Fetch the roots of repositories and the keys that the online side offers, onto `in` media
    Fetch(Fetch),
    /// Begin a repository under an offline root: make its targets key, and fetch the request for its first ceremony
    Init(trust::Init),
    /// Say who signs what in a repository, as `docker trust inspect` does, and until when
    Inspect(trust::Inspect),
    /// Make, load, list, export and remove the keys of publishers
    Key(Key),
    /// List what is signed in a repository
    List(trust::List),
    /// Say what one target is, signed from the root down
    Lookup(trust::Lookup),
    /// Prove, for one plan, that you hold the private half of an offered key
    Prove(Prove),
    /// Publish the roots of a trust folder, fetch them back and compare
    Publish(Publish),
    /// Pull what a tag means, verified and by its digest, with docker, podman or skopeo
    Pull(consume::Pull),
    /// Take targets out of lists
    Remove(trust::Remove),
    /// Take the signature of tags back
    Revoke(trust::Revoke),
    /// Become a command that starts an image, with its verified digest in place of its name
    Run(consume::Run),
    /// Have the trust server change its own keys
    Server(trust::Server),
    /// Sign images: say what their tags mean
    Sign(trust::Sign),
    /// Say who releases the images of a repository
    Signer(trust::Signer),
    /// Say of many repositories what ends next, and for whom it fails; exits with 1 where that is soon
    Status(consume::Status),
    /// Say which image a tag means, as its publisher signed it: `IMAGE@sha256:…`, or refuse
    Verify(trust::Verify),
    /// Sign lists again as they are
    Witness(trust::Witness),
}

/// `courier digest`.
#[derive(Args)]
pub(crate) struct Digest {
    /// Images, by tag or digest
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<String>,
    /// OCI image layout that holds them under their tags, in place of their registry
    #[arg(long, value_name = "FOLDER")]
    pub(crate) layout: Option<PathBuf>,
    /// How to reach the registry
    #[command(flatten)]
    pub(crate) network: Network,
}

/// `courier fetch`.
#[derive(Args)]
pub(crate) struct Fetch {
    /// Repositories to fetch
    #[arg(value_name = "NAME", required_unless_present = "list")]
    pub(crate) names: Vec<String>,
    /// File that names more repositories: the first word of each line, `#` begins a comment; `targets-key=FILE` after
    /// a name offers that key, in a file beside the list, in place of `--targets-key`
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Option<PathBuf>,
    /// Dialect of the repositories
    #[arg(long, value_enum, default_value = "notary")]
    pub(crate) dialect: DialectName,
    /// Trust server; for `tuf` the URL or folder of the metadata, `{name}` in it stands for the name
    #[arg(long, value_name = "URL")]
    pub(crate) server: String,
    /// Media to write to
    #[arg(long, value_name = "MEDIA")]
    pub(crate) out: PathBuf,
    /// Write `request-2`, to stand beside the request that another machine fetched
    #[arg(long)]
    pub(crate) second: bool,
    /// Public key (or certificate) to offer for `targets`, PEM; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) targets_key: Vec<PathBuf>,
    /// Public key to offer for `snapshot`, PEM (`tuf` only); may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot_key: Vec<PathBuf>,
    /// Public key to offer for `timestamp`, PEM (`tuf` only); may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) timestamp_key: Vec<PathBuf>,
    /// How an unfinished run goes on
    #[command(flatten)]
    pub(crate) going_on: GoingOn,
    /// How to reach the server
    #[command(flatten)]
    pub(crate) network: Network,
}

/// `courier prove`.
#[derive(Args)]
pub(crate) struct Prove {
    /// The plan, as it will be conducted
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// Repository that the key is for; may be repeated
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    pub(crate) repository: Vec<String>,
    /// The plan's list: the key is for every repository in it that pins it for the role
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Option<PathBuf>,
    /// Role that the key is for: `targets` or `snapshot`
    #[arg(long)]
    pub(crate) role: String,
    /// Private key, PEM; may be repeated. Without, those that `courier key list` shows for role and repository
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Trust folder whose `private` holds the keys, in place of docker's
    #[arg(long, value_name = "FOLDER", conflicts_with = "key")]
    pub(crate) trust_dir: Option<PathBuf>,
    /// Media to write to
    #[arg(long, value_name = "MEDIA")]
    pub(crate) out: PathBuf,
}

/// `courier publish`.
#[derive(Args)]
pub(crate) struct Publish {
    /// Trust folder, or the `out` media that holds it
    #[arg(value_name = "TRUST-FOLDER|MEDIA")]
    pub(crate) trust: PathBuf,
    /// Where to publish
    #[command(flatten)]
    pub(crate) to: Destination,
    /// Only these repositories; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Vec<String>,
    /// Leave this repository out, which cannot be published now; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude: Vec<String>,
    /// The 24 words of the last closing page: a trust folder with another closing digest is refused
    #[arg(long, value_name = "WORDS")]
    pub(crate) words: Option<String>,
    /// Private targets key, PEM, for a first or newly keyed targets.json (`--server` only); may be repeated. Those of
    /// the key store are found by themselves
    #[arg(long, value_name = "FILE", conflicts_with_all = ["directory", "bucket"])]
    pub(crate) targets_key: Vec<PathBuf>,
    /// Folder of keys, `~/.notary` for that of notary; else docker's, `trust` in DOCKER_CONFIG or `~/.docker`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) trust_dir: Option<PathBuf>,
    /// Publish nothing: write the first targets.json of one repository, or the first under new keys, into this new
    /// folder, signed by the keys at hand. Others sign it by `courier countersign --trust-folder`
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["directory", "bucket", "signed"])]
    pub(crate) apart: Option<PathBuf>,
    /// Folder with that file as others signed it; may be repeated
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["directory", "bucket"])]
    pub(crate) signed: Vec<PathBuf>,
    /// How an unfinished run goes on
    #[command(flatten)]
    pub(crate) going_on: GoingOn,
    /// How to reach the server
    #[command(flatten)]
    pub(crate) network: Network,
}

/// How an unfinished run goes on.
#[derive(Args, Clone, Default)]
pub(crate) struct GoingOn {
    /// Folder in which a run keeps what it has done until all of it is done, for the next one to take up; else
    /// `officiant` in XDG_STATE_HOME or `~/.local/state`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) journal: Option<PathBuf>,
    /// Seconds for which a server that has answered and then does not is waited for
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(..=3600))]
    pub(crate) patience: u64,
}

/// Where roots go.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Destination {
    /// Notary trust server
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Folder of a TUF repository's metadata; `{name}` in it stands for the name
    #[arg(long, value_name = "FOLDER")]
    pub(crate) directory: Option<String>,
    /// Object store of a TUF repository's metadata, `s3://BUCKET/PREFIX`; `{name}` stands for the name.
    /// Credentials come from the AWS variables of the environment
    #[arg(long, value_name = "URL")]
    pub(crate) bucket: Option<String>,
}

/// How to reach a server.
#[derive(Args, Clone)]
pub(crate) struct Network {
    /// Certificate authorities to trust, PEM, in place of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Repositories to work on at once
    #[arg(long, default_value = "8", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,
    /// Host of the token server that may have the credentials, where it is not the trust server's own
    #[arg(long, value_name = "HOST")]
    pub(crate) token_host: Option<String>,
    /// Certificate that courier shows to the server, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of that certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Seconds that one answer may take
    #[arg(long, default_value = "60", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
}

/// A dialect on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum DialectName {
    /// Notary v1, Docker Content Trust
    Notary,
    /// TUF 1.0
    Tuf,
}

const CODES: &str = "Exit codes: 0 done, 1 refused, 2 usage or plan, 3 media or network, 4 our fault.
The credentials in NOTARY_AUTH (base64 of user:password, as for `notary`) go to the server that asks for them, and
to a token server on its host or on the one that `--token-host` names.";
