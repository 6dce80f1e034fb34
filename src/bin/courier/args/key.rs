//! The command line of `courier key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `courier key`.
#[derive(Args)]
#[command(after_help = KEYS)]
pub(crate) struct Key {
    /// What to do with keys
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
    /// Trust folder whose `private` holds the keys, in place of docker's; notary's is ~/.notary
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) trust_dir: Option<PathBuf>,
}

/// The commands about keys.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Write keys, encrypted as they are, for `courier key load`, `docker trust key load` and `notary key import`
    #[command(after_help = EXPORT)]
    Export(Export),
    /// Make a key of ECDSA P-256, and write its public half beside
    #[command(after_help = GENERATE)]
    Generate(Generate),
    /// List the keys
    List,
    /// Take private keys from a file
    #[command(after_help = LOAD)]
    Load(Load),
    /// Give a key another passphrase
    Passwd(One),
    /// Remove a key for good
    Remove(One),
}

/// `courier key generate`.
#[derive(Args)]
pub(crate) struct Generate {
    /// Whose key it is
    #[command(flatten)]
    pub(crate) owner: Owned,
    /// Token that makes the key, and keeps it: a URI of RFC 7512 with `module-path`
    #[arg(long, value_name = "URI")]
    pub(crate) token: Option<String>,
    /// What its module needs
    #[command(flatten)]
    pub(crate) needs: Needed,
    /// Folder for the public half, in place of the working folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

/// Whose a new key is.
#[derive(Args)]
pub(crate) struct Owned {
    /// Name of the signer: a-z, 0-9, `_` and `-`
    #[arg(value_name = "NAME", required_unless_present = "role", conflicts_with = "role")]
    pub(crate) name: Option<String>,
    /// Role of a repository in place of a signer's name: `targets` or `snapshot`
    #[arg(long, requires = "gun")]
    pub(crate) role: Option<String>,
    /// Repository of that role
    #[arg(long, value_name = "NAME", requires = "role")]
    pub(crate) gun: Option<String>,
}

/// `courier key load`.
#[derive(Args)]
pub(crate) struct Load {
    /// Private keys in PEM, encrypted or not, readable by you alone; or a key on a token, as a URI of RFC 7512 with
    /// `module-path`
    #[arg(value_name = "FILE|URI")]
    pub(crate) file: PathBuf,
    /// What its module needs
    #[command(flatten)]
    pub(crate) needs: Needed,
    /// Name of the signer whose key it is, where the file does not say it
    #[arg(long, conflicts_with = "role")]
    pub(crate) name: Option<String>,
    /// Role of a repository in place of a signer's name: `targets` or `snapshot`
    #[arg(long, requires = "gun")]
    pub(crate) role: Option<String>,
    /// Repository of that role
    #[arg(long, value_name = "NAME", requires = "role")]
    pub(crate) gun: Option<String>,
}

/// What the module of a token needs besides its own file. Whatever is not said here it does not get.
#[derive(Args)]
#[command(next_help_heading = "What the module of a token gets, besides its own file")]
pub(crate) struct Needed {
    /// Variable of its environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) environment: Vec<String>,
    /// What C_Initialize is given
    #[arg(long, value_name = "TEXT")]
    pub(crate) parameters: Option<String>,
    /// Socket of a daemon, or its folder, that it speaks to, such as /run/pcscd; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Vec<PathBuf>,
    /// File or folder that it writes; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) writes: Vec<PathBuf>,
}

/// `courier key export`.
#[derive(Args)]
pub(crate) struct Export {
    /// Id of a key, or its first seven letters or more; may be repeated. Without, all keys are written
    #[arg(long, value_name = "ID", conflicts_with = "gun")]
    pub(crate) key: Vec<String>,
    /// Only keys of this repository
    #[arg(long, value_name = "NAME")]
    pub(crate) gun: Option<String>,
    /// File to write, in place of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// A key.
#[derive(Args)]
pub(crate) struct One {
    /// Id of the key, or its first seven letters or more
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

const KEYS: &str = "Keys are those of `docker trust` and `notary`, in the same files: each program \
reads what the other wrote.
A passphrase is read from DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE, or from \
NOTARY_TARGETS_PASSPHRASE, NOTARY_SNAPSHOT_PASSPHRASE or NOTARY_DELEGATION_PASSPHRASE, or asked for at the terminal.
A key may lie on a PKCS#11 token; its PIN is always asked for. SoftHSM's own SOFTHSM2_CONF is heeded, and must name a \
file in the folder of its tokens.";

const GENERATE: &str = "Examples:
  courier key generate ada
  courier key generate --role targets --gun registry.example/team/app --dir keys
  courier key generate ada --token 'pkcs11:token=ada?module-path=/usr/lib/softhsm/libsofthsm2.so'";

const LOAD: &str = "Examples:
  courier key load ada.pem --name ada
  courier key load targets.pem --role targets --gun registry.example/team/app
  courier key load exported.pem
  courier key load 'pkcs11:serial=19042155;id=%01?module-path=/usr/lib/libykcs11.so' --socket /run/pcscd --name ada";

const EXPORT: &str = "Examples:
  courier key export --key 9deed25 -o ada.pem
  courier key export --gun registry.example/team/app -o app.pem";
