//! What custodians type elsewhere than in the room: `drill`, `sign` and `merge`.
//!
//! Roof: declares, touches nothing.

use std::path::PathBuf;

use clap::Args;

/// Prove alone what a token holds
///
/// For its custodian, on any machine without a network, between ceremonies: on the PIN, each root key on the token
/// signs for itself, its sealing key opens a fresh challenge, and each share that it stores is compared. No share is
/// opened. Writes a signed statement, which `officiant verify` accepts in the folder `drills` of the trust folder.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Example:\n  officiant drill trust officer-a --room room.toml --out /media/stick"
)]
pub struct Drill {
    /// The newest trust folder, or the media that holds it
    #[arg(value_name = "FOLDER")]
    pub trust: PathBuf,

    /// The token, by its name in custody.json
    #[arg(value_name = "TOKEN")]
    pub token: String,

    /// The room file of this machine
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: PathBuf,

    /// The folder that the statement goes into
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}

/// Sign a candidate at another site than the room
///
/// For a custodian who cannot come: reads the candidate that the room exported against an own copy of the trust folder,
/// shows the change, asks for words of the consent digest and for the PIN, and writes the candidate anew with the
/// signatures of the keys on the token. The token remembers what it meant to sign, and signs nothing else in its place.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Example:\n  officiant sign candidate-1a2b3c4d officer-b --previous trust --room room.toml --out signed-b"
)]
pub struct Sign {
    /// The candidate's folder, as the room exported it or as other holders signed it
    #[arg(value_name = "FOLDER")]
    pub candidate: PathBuf,

    /// The token, by its name in custody.json
    #[arg(value_name = "TOKEN")]
    pub token: String,

    /// Your own copy of the trust folder that the candidate follows
    #[arg(long, value_name = "FOLDER")]
    pub previous: PathBuf,

    /// The room file of this machine
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: PathBuf,

    /// The new folder that the signed candidate goes into
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}

/// Join what holders signed of one candidate
///
/// Verifies every signature and joins them, in any order to the same bytes; says for each root how many keys of the old
/// and of the new one signed, and how many are needed.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Example:\n  officiant merge signed-a signed-b signed-c --previous trust --out signed"
)]
pub struct Merge {
    /// Folders of one candidate, signed by different holders
    #[arg(value_name = "FOLDER", required = true)]
    pub candidates: Vec<PathBuf>,

    /// Your own copy of the trust folder that the candidate follows
    #[arg(long, value_name = "FOLDER")]
    pub previous: PathBuf,

    /// The new folder that the joined candidate goes into
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}
