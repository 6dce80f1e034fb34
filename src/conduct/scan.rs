//! A share on paper, read from pictures or from typed lines.
//!
//! Roof: pictures go to a child of their own.

use std::path::{Path, PathBuf};

use crate::check::Check;
use crate::child::Launch;
use crate::child::scan::{self, Scan};
use crate::refusal::Refusal;
use crate::room::{media, picture};
use crate::share::paper::PaperShare;

/// Reads the share on these files: pictures of one page, or text of its lines.
///
/// # Errors
/// A file that cannot be read; `[SHARE-PAPER]`, `[SHARE-INDEX]` for what is not whole, or no share.
pub fn paper_share(files: &[PathBuf]) -> Result<PaperShare, Refusal> {
    let mut codes = Vec::new();
    for path in files {
        let bytes = media::read_file(path, picture::MAX_BYTES as u64)
            .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
        if picture::is_picture(&bytes) {
            codes.extend(codes_on(&bytes)?);
            continue;
        }
        let text = std::str::from_utf8(&bytes).ok().filter(|_| bytes.len() <= MAX_TEXT);
        match text {
            // What another reader of codes found.
            Some(text) if text.lines().any(|line| line.starts_with(CODE)) => {
                codes.extend(text.lines().map(|line| line.trim().to_owned()));
            }
            Some(text) if files.len() == 1 => {
                return PaperShare::from_typed(text).map_err(|error| error.refusal());
            }
            _ => return Err(neither(path)),
        }
    }
    PaperShare::from_codes(&codes).map_err(|error| error.refusal())
}

fn codes_on(picture: &[u8]) -> Result<Vec<String>, Refusal> {
    let refused = |error: crate::child::Error| error.refusal(Refusal::NOTHING_DONE);
    let mut child = Scan::start(&Launch::this_binary(scan::NAME)).map_err(refused)?;
    child.codes(picture).map_err(refused)
}

fn neither(path: &Path) -> Refusal {
    let what = format!("`{}` is neither a picture nor the text of a paper", path.display());
    Refusal::of(Check::SharePaper, what)
        .hint("give PNG or JPEG pictures of one page, or one text file of its lines")
}

/// The largest text that is read, in bytes.
const MAX_TEXT: usize = 64 << 10;
/// What a code begins with.
const CODE: &str = "OFSP";
