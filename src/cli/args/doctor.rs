//! What can be typed after `officiant doctor`.
//!
//! Roof: declares, touches nothing.

use std::path::PathBuf;

use clap::Args;

/// Look whether this machine is fit for a ceremony
///
/// Looks at networks and radios, at swap and core dumps, at who may look into whose memory, at the clock and at the
/// kernel's generator; raises the fence of a child once, and says what stands around it; and takes the digests of this
/// binary and of the room's modules, to be compared with paper. Every finding is ok, warn or bad, and says what to do.
/// Without a room file the modules that p11-kit knows are offered, as lines for one. Nothing is changed, no token is
/// touched. The exit code is 1 if anything is bad.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Examples:\n  officiant doctor\n  officiant doctor --room room.toml\n  officiant doctor --json"
)]
pub struct Doctor {
    /// The room file of this machine, for the digests of its modules
    #[arg(long, value_name = "ROOM.TOML")]
    pub room: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
