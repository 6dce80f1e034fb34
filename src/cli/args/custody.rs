//! What can be typed after `officiant custody`.
//!
//! Roof: declares, touches nothing.

use std::path::PathBuf;

use clap::Args;

/// Say what every loss of a token, a person or a site would leave
///
/// Reads a trust folder, and says for each single loss, and for the pairs that matter, whether the next root could
/// still be signed, keys replaced, and keys in shares put together; which losses end that; what all keys have in common;
/// and which old sets and tokens still open or hold a key. With --custody it looks into the custody folder, too: for
/// firmware, and for the copies of sealed shares. Nothing is written, and no token is asked.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant custody trust\n  officiant custody trust --lost officer-a \"seat B\"\n  officiant custody trust --custody media/room-1"
)]
pub struct Custody {
    /// The trust folder, or the media that holds it
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,

    /// The custody folder, or the `room` media that holds it
    #[arg(long, value_name = "FOLDER")]
    pub custody: Option<PathBuf>,

    /// Ask what is left when all of these are lost together: tokens, papers, recipients, seats, sites or models
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub lost: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
