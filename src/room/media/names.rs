//! The names of a folder's files: whether every file system carries all of them side by side.
//!
//! Room floor: pure.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Error, check_name};

/// Every part of every name fits, and no two are one name where case does not count. The paths come in the order of their
/// bytes. Of each the hash is kept, since a fleet has many; two with one hash, which nobody will see, would be refused.
pub(super) fn check_names<'a>(
    name: &str,
    paths: impl Iterator<Item = &'a str>,
) -> Result<(), Error> {
    check_name(name)?;
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let mut folder = "";
    for path in paths {
        let taken = || {
            let why = "another name is the same where case does not count";
            Error::Name { name: path.to_owned(), why }
        };
        let above = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if above != folder {
            let ends = above.match_indices('/').map(|(end, _)| end);
            for end in ends.chain([above.len()]).filter(|end| *end > 0) {
                let place = &above[..end];
                let spelled = hash((place, "folder"));
                if *seen.entry(hash(place.to_ascii_lowercase())).or_insert(spelled) != spelled {
                    return Err(taken());
                }
                check_name(place.rsplit('/').next().unwrap_or(place))?;
            }
            folder = above;
        }
        check_name(path.rsplit('/').next().unwrap_or(path))?;
        if above.is_empty() && path.starts_with('/') {
            check_name("")?;
        }
        if seen.insert(hash(path.to_ascii_lowercase()), hash((path, "file"))).is_some() {
            return Err(taken());
        }
    }
    Ok(())
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
