//! The content of a file as a list names it.
//!
//! Annex: reads the file once, in pieces.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256, SHA512};
use officiant::digest::Digest;
use officiant::room::media;
use officiant::root::targets::Target;

use super::super::Error;

/// A target of what a file holds, with both digests, as `notary add` makes it.
///
/// # Errors
/// [`Error::Media`] where it cannot be read.
pub(crate) fn of(path: &Path) -> Result<Target, Error> {
    read(path).map_err(|source| {
        let path = path.to_owned();
        Error::Media(match source.kind() {
            io::ErrorKind::NotFound => media::Error::Missing { path },
            _ => media::Error::Failed { path, doing: "read", source },
        })
    })
}

fn read(path: &Path) -> io::Result<Target> {
    let mut file = File::open(path)?;
    let (mut short, mut long) = (Context::new(&SHA256), Context::new(&SHA512));
    let (mut length, mut piece) = (0, vec![0; 64 << 10]);
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        short.update(&piece[..read]);
        long.update(&piece[..read]);
        length += read as u64;
    }
    let sha256 = <[u8; 32]>::try_from(short.finish().as_ref()).unwrap_or_default();
    let target = Target::new(Digest::from_bytes(sha256), length);
    Ok(target.with_hash("sha512", long.finish().as_ref().to_vec()))
}
