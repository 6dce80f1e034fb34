//! `SHA256SUMS`: the digests of a folder's files, as coreutils writes and checks them.
//!
//! Ground floor: pure, touches nothing.
//!
//! One line for each file, `<64 hex digits>  <path>` and a line feed, sorted by the bytes of the path.
//! A ceremony's sums name their predecessor by one more such line, `../<folder>/SHA256SUMS`: inside a
//! trust folder `sha256sum --check --strict SHA256SUMS` then also checks the link to the ceremony
//! before (docs/threats.md rule 22).

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufRead;

use crate::digest::Digest;
use crate::shelf::Lost;

/// The name of the file.
pub const FILE: &str = "SHA256SUMS";

/// The digests of the files of one folder.
///
/// Paths are relative, with `/` between segments of `[A-Za-z0-9._%-]` that are neither empty nor `.` nor
/// `..`; no two are equal when case is folded, since FAT would make them one file. The file
/// [`FILE`] itself is never listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    files: BTreeMap<String, Digest>,
    predecessor: Option<Predecessor>,
    paths: Paths,
}

/// The sums of the ceremony before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Its folder, beside ours: one path segment.
    pub folder: String,
    /// The digest of its `SHA256SUMS`.
    pub digest: Digest,
}

impl Sums {
    /// The sums of `files`, given by path; a file [`FILE`] at the top is passed over.
    ///
    /// # Errors
    /// [`Error::Path`], [`Error::Twice`].
    pub fn of(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        let mut sums = Self::default();
        for (path, bytes) in files.iter().filter(|(path, _)| *path != FILE) {
            sums.insert(path, Digest::of(bytes))?;
        }
        Ok(sums)
    }

    /// Adds one file.
    ///
    /// # Errors
    /// [`Error::Path`] for a path that no sums may hold; [`Error::Twice`] for one that is there.
    pub fn insert(&mut self, path: &str, digest: Digest) -> Result<(), Error> {
        self.paths.add(path)?;
        self.files.insert(path.to_owned(), digest);
        Ok(())
    }

    /// Names the sums that these follow.
    ///
    /// # Errors
    /// [`Error::Path`] when the folder is not one path segment.
    pub fn after(mut self, predecessor: Predecessor) -> Result<Self, Error> {
        if !is_segment(&predecessor.folder) {
            return Err(Error::Path { path: predecessor.folder });
        }
        self.predecessor = Some(predecessor);
        Ok(self)
    }

    /// The digest of each file, by path.
    pub fn files(&self) -> &BTreeMap<String, Digest> {
        &self.files
    }

    /// The sums that these follow, if they name any.
    pub fn predecessor(&self) -> Option<&Predecessor> {
        self.predecessor.as_ref()
    }

    /// The bytes of the file.
    pub fn to_text(&self) -> String {
        let mut lines: BTreeMap<String, Digest> = self.files.clone();
        if let Some(Predecessor { folder, digest }) = &self.predecessor {
            lines.insert(format!("../{folder}/{FILE}"), *digest);
        }
        lines.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect()
    }

    /// The digest of the file: what stands for the whole folder.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_text().as_bytes())
    }

    /// Reads the file. Only the bytes that [`Sums::to_text`] gives are read: sorted, LF, no escapes, no
    /// binary marks.
    ///
    /// # Errors
    /// [`Error::Line`], [`Error::Order`], [`Error::Path`], [`Error::Twice`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut sums = Self::default();
        let each = |path: &str, digest| {
            sums.files.insert(path.to_owned(), digest);
            Ok(())
        };
        let (predecessor, paths) = lines::<Error>(bytes, each)?;
        Ok(Self { predecessor, paths, ..sums })
    }

    /// Compares the sums with what was found in the folder, path by path in order: none more, none less, all equal.
    /// A file [`FILE`] at the top is passed over.
    ///
    /// # Errors
    /// [`Error::Unlisted`], [`Error::Missing`], [`Error::Differs`]: the first in order of path; those of `found`.
    pub fn check<'a, E: From<Error>>(
        &self,
        found: impl IntoIterator<Item = Result<(&'a str, Digest), E>>,
    ) -> Result<(), E> {
        let mut listed = self.files.iter().peekable();
        for found in found {
            let (path, found) = found?;
            if path == FILE {
                continue;
            }
            match listed.next_if(|(listed, _)| listed.as_str() <= path) {
                Some((here, listed)) if here == path => differs(path, *listed, found)?,
                Some((missing, _)) => return Err(Error::Missing { path: missing.clone() }.into()),
                None => return Err(Error::Unlisted { path: path.to_owned() }.into()),
            }
        }
        match listed.next() {
            Some((path, _)) => Err(Error::Missing { path: path.clone() }.into()),
            None => Ok(()),
        }
    }
}

/// Reads sums line by line, and holds none of them; gives the sums that they follow, if they name any. What was handed on
/// may be kept only once all of it was read.
///
/// # Errors
/// As [`Sums::parse`]; [`Error::Lost`]; those of `each`.
pub fn each<E: From<Error>>(
    input: impl BufRead,
    each: impl FnMut(&str, Digest) -> Result<(), E>,
) -> Result<Option<Predecessor>, E> {
    lines(input, each).map(|(predecessor, _)| predecessor)
}

fn lines<E: From<Error>>(
    mut input: impl BufRead,
    mut each: impl FnMut(&str, Digest) -> Result<(), E>,
) -> Result<(Option<Predecessor>, Paths), E> {
    let (mut paths, mut predecessor) = (Paths::default(), None);
    let (mut line, mut last) = (String::new(), String::new());
    for at in 1.. {
        line.clear();
        match input.read_line(&mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Error::Line { line: at }.into());
            }
            Err(error) => return Err(Error::Lost(error.into()).into()),
        }
        let (digest, path) = split(&line).ok_or(Error::Line { line: at })?;
        if *path < *last {
            return Err(Error::Order { line: at, path: path.to_owned() }.into());
        }
        last.replace_range(.., path);
        let before = path.strip_prefix("../").and_then(|path| path.strip_suffix("/SHA256SUMS"));
        match before {
            None => {
                paths.add(path)?;
                each(path, digest)?;
            }
            Some(folder) => {
                if predecessor.is_some() {
                    return Err(Error::Twice { path: path.to_owned() }.into());
                }
                if !is_segment(folder) {
                    return Err(Error::Path { path: folder.to_owned() }.into());
                }
                predecessor = Some(Predecessor { folder: folder.to_owned(), digest });
            }
        }
    }
    Ok((predecessor, paths))
}

/// Writes the lines of sums one at a time, and holds none of them.
#[derive(Debug, Default)]
pub struct Writer {
    paths: Paths,
    last: String,
}

impl Writer {
    /// The line of the next file, with its line feed.
    ///
    /// # Errors
    /// [`Error::Path`], [`Error::Twice`]; [`Error::Order`] for a path before the last one.
    pub fn line(&mut self, path: &str, digest: Digest) -> Result<String, Error> {
        if *path < *self.last {
            return Err(Error::Order { line: self.paths.0.len() + 1, path: path.to_owned() });
        }
        self.paths.add(path)?;
        self.last.replace_range(.., path);
        Ok(format!("{digest}  {path}\n"))
    }
}

/// The paths that came: in lower case, since FAT holds one of each, and of each its hash, since a fleet has many. Of two
/// with one hash, which nobody will see, the second would be called one too many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Paths(HashSet<u64>);

impl Paths {
    fn add(&mut self, path: &str) -> Result<(), Error> {
        if path == FILE || !path.split('/').all(is_segment) {
            return Err(Error::Path { path: path.to_owned() });
        }
        let mut hasher = DefaultHasher::new();
        path.to_ascii_lowercase().hash(&mut hasher);
        match self.0.insert(hasher.finish()) {
            true => Ok(()),
            false => Err(Error::Twice { path: path.to_owned() }),
        }
    }
}

/// Why sums are not sums, or not those of the files beside them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file has another digest than listed.
    #[error("`{path}` has SHA-256 {found}, `SHA256SUMS` says {listed}")]
    Differs {
        /// The path.
        path: String,
        /// The digest in the list.
        listed: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// A line is not a digest, two spaces, a path and a line feed.
    #[error("SHA256SUMS:{line}: expected a SHA-256, two spaces, a path and a line feed")]
    Line {
        /// The line, from 1.
        line: usize,
    },
    /// What is read cannot be had.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// A listed file is not there.
    #[error("`{path}` is in `SHA256SUMS`, but the file is missing")]
    Missing {
        /// The path.
        path: String,
    },
    /// A line does not stand where its path sorts.
    #[error("SHA256SUMS:{line}: `{path}` is out of order")]
    Order {
        /// The line, from 1.
        line: usize,
        /// The path.
        path: String,
    },
    /// A path that leaves the folder or that not every media carries.
    #[error("`{path}` is no path that `SHA256SUMS` may hold")]
    Path {
        /// The path.
        path: String,
    },
    /// Two paths are equal when case is folded, or two lines name a predecessor.
    #[error("`{path}` is in `SHA256SUMS` twice")]
    Twice {
        /// The path.
        path: String,
    },
    /// A file is there that the sums do not list.
    #[error("`{path}` is not in `SHA256SUMS`")]
    Unlisted {
        /// The path.
        path: String,
    },
}

fn split(line: &str) -> Option<(Digest, &str)> {
    let (digest, path) = line.strip_suffix('\n')?.split_at_checked(64)?;
    Some((digest.parse().ok()?, path.strip_prefix("  ")?))
}

fn differs(path: &str, listed: Digest, found: Digest) -> Result<(), Error> {
    if listed == found {
        return Ok(());
    }
    Err(Error::Differs { path: path.to_owned(), listed, found })
}

fn is_segment(segment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._%-".contains(&b);
    !matches!(segment, "" | "." | "..") && segment.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn files() -> BTreeMap<String, Vec<u8>> {
        [
            ("b", "two"),
            ("a.json", "one"),
            ("metadata/con%3a1/1.root.json", "three"),
            ("a-b", "four"),
        ]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into()
    }

    fn before() -> Predecessor {
        Predecessor { folder: "0001-genesis".to_owned(), digest: Digest::of(b"first\n") }
    }

    fn lay(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
        for (path, bytes) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    fn sha256sum(folder: &Path, arguments: &[&str]) -> (bool, String) {
        let output =
            Command::new("sha256sum").current_dir(folder).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    #[test]
    fn coreutils_checks_the_files_and_the_link_to_the_predecessor() {
        let top = std::env::temp_dir().join(format!("officiant-sums-{}", std::process::id()));
        let folder = top.join("0002-rotate");
        let mut files = files();
        let sums = Sums::of(&files).unwrap().after(before()).unwrap();
        files.insert(FILE.to_owned(), sums.to_text().into_bytes());
        lay(&folder, &files);
        lay(&top, &BTreeMap::from([("0001-genesis/SHA256SUMS".to_owned(), b"first\n".to_vec())]));

        let (good, said) = sha256sum(&folder, &["--check", "--strict", FILE]);
        assert!(good, "{said}");
        assert_eq!(said.lines().count(), 5);
        assert!(said.contains("../0001-genesis/SHA256SUMS: OK"));

        let (_, written) =
            sha256sum(&folder, &["a-b", "a.json", "b", "metadata/con%3a1/1.root.json"]);
        assert_eq!(Sums::of(&files).unwrap().to_text(), written);

        std::fs::write(top.join("0001-genesis/SHA256SUMS"), "other\n").unwrap();
        let (good, said) = sha256sum(&folder, &["--check", "--strict", FILE]);
        assert!(!good && said.contains("../0001-genesis/SHA256SUMS: FAILED"));
        std::fs::remove_dir_all(top).unwrap();
    }

    #[test]
    fn what_is_written_is_read_back() {
        for sums in [
            Sums::default(),
            Sums::of(&files()).unwrap(),
            Sums::of(&files()).unwrap().after(before()).unwrap(),
        ] {
            assert_eq!(Sums::parse(sums.to_text().as_bytes()), Ok(sums));
        }
    }

    #[test]
    fn one_file_more_less_or_changed_is_named() {
        let sums = Sums::of(&files()).unwrap();
        let check = |files: &BTreeMap<String, Vec<u8>>| {
            let found = files.iter().map(|(path, bytes)| Ok((path.as_str(), Digest::of(bytes))));
            sums.check::<Error>(found)
        };
        assert_eq!(check(&files()), Ok(()));
        let mut more = files();
        more.insert("c".to_owned(), Vec::new());
        let mut less = files();
        less.remove("b");
        let mut other = files();
        other.insert("b".to_owned(), b"TWO".to_vec());
        for (files, words) in [
            (more, "`c` is not in `SHA256SUMS`".to_owned()),
            (less, "`b` is in `SHA256SUMS`, but the file is missing".to_owned()),
            (
                other,
                format!(
                    "`b` has SHA-256 {}, `SHA256SUMS` says {}",
                    Digest::of(b"TWO"),
                    Digest::of(b"two")
                ),
            ),
        ] {
            assert_eq!(check(&files).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn other_bytes_than_ours_are_refused_by_line() {
        let d = Digest::of(b"");
        let line = "expected a SHA-256, two spaces, a path and a line feed";
        for (text, words) in [
            (format!("{d}  a"), format!("SHA256SUMS:1: {line}")),
            (format!("{d}  a\n\n"), format!("SHA256SUMS:2: {line}")),
            (format!("{d} *a\n"), format!("SHA256SUMS:1: {line}")),
            (format!("\\{d}  a\n"), format!("SHA256SUMS:1: {line}")),
            (format!("# {d}  a\n"), format!("SHA256SUMS:1: {line}")),
            (format!("{d}  a\r\n"), "`a\r` is no path that `SHA256SUMS` may hold".to_owned()),
            (format!("{d}  b\n{d}  a\n"), "SHA256SUMS:2: `a` is out of order".to_owned()),
            (format!("{d}  a\n{d}  a\n"), "`a` is in `SHA256SUMS` twice".to_owned()),
            (format!("{d}  A\n{d}  a\n"), "`a` is in `SHA256SUMS` twice".to_owned()),
            (format!("{d}  ../x\n"), "`../x` is no path that `SHA256SUMS` may hold".to_owned()),
            (format!("{d}  /x\n"), "`/x` is no path that `SHA256SUMS` may hold".to_owned()),
            (format!("{d}  x//y\n"), "`x//y` is no path that `SHA256SUMS` may hold".to_owned()),
            (format!("{d}  ./x\n"), "`./x` is no path that `SHA256SUMS` may hold".to_owned()),
            (
                format!("{d}  SHA256SUMS\n"),
                "`SHA256SUMS` is no path that `SHA256SUMS` may hold".into(),
            ),
            (
                format!("{d}  ../../SHA256SUMS\n"),
                "`..` is no path that `SHA256SUMS` may hold".to_owned(),
            ),
            (
                format!("{d}  ../1/SHA256SUMS\n{d}  ../2/SHA256SUMS\n"),
                "`../2/SHA256SUMS` is in `SHA256SUMS` twice".to_owned(),
            ),
        ] {
            assert_eq!(Sums::parse(text.as_bytes()).unwrap_err().to_string(), words);
        }
        assert_eq!(Sums::parse(b"\xff"), Err(Error::Line { line: 1 }));
    }
}
