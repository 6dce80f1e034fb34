//! What can be typed after `officiant share`.
//!
//! Roof: declares, touches nothing.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Print shares for paper, and read them back.
#[derive(Debug, Subcommand)]
pub enum Share {
    /// Print the page of a share that is kept on paper
    ///
    /// Prints the page once more from the sealed share in the custody folder: codes for a camera, the same in lines
    /// for people, and the receipt. The share stays sealed; its passphrase is nowhere, and is not asked for.
    #[command(
        after_long_help = "Examples:\n  officiant share print custody/8f…/3.age --trust trust --html page.html\n  officiant share print custody/8f…/3.age --trust trust --png codes.png"
    )]
    Print(SharePrint),
    /// Read a share on paper from pictures or from a text file, and prove it
    ///
    /// Reads the codes on a picture (PNG or JPEG; several if it takes several), or the lines of a text file as they
    /// were typed from the page. Says of which set, place and key the share is, whether it is whole, and with --trust
    /// whether it is the one that was made. The share stays sealed.
    #[command(
        after_long_help = "Examples:\n  officiant share scan photo.jpg --trust trust\n  officiant share scan code-1.png code-2.png code-3.png\n  officiant share scan typed.txt"
    )]
    Scan(ShareScan),
}

/// Arguments of `share print`.
#[derive(Args, Debug)]
pub struct SharePrint {
    /// The sealed share, from the custody folder
    #[arg(value_name = "SHARE.AGE")]
    pub share: PathBuf,

    /// The trust folder that names it
    #[arg(long, value_name = "FOLDER")]
    pub trust: PathBuf,

    /// Write one self-contained HTML file, for printing on one page; it must not exist
    #[arg(long, value_name = "FILE", conflicts_with_all = ["png", "svg"])]
    pub html: Option<PathBuf>,

    /// Write the codes alone, as one PNG picture; it must not exist
    #[arg(long, value_name = "FILE", conflicts_with = "svg")]
    pub png: Option<PathBuf>,

    /// Write the codes alone, as one SVG picture; it must not exist
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Arguments of `share scan`.
#[derive(Args, Debug)]
pub struct ShareScan {
    /// Pictures of one page, or one text file of its lines
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,

    /// The trust folder that says which shares were made
    #[arg(long, value_name = "FOLDER")]
    pub trust: Option<PathBuf>,
}
