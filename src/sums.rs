//! `SHA256SUMS`: the digests of a folder's files, as coreutils writes and checks them.
//!
//! Ground floor: pure, touches nothing.
//!
//! One line for each file, `<64 hex digits>  <path>` and a line feed, sorted by the bytes of the path.
//! A ceremony's sums name their predecessor by one more such line, `../<folder>/SHA256SUMS`: inside a
//! trust folder `sha256sum --check --strict SHA256SUMS` then also checks the link to the ceremony
//! before (docs/threats.md rule 22).

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;

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
    /// The paths in lower case: FAT holds one of each.
    folded: BTreeSet<String>,
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
        if path == FILE || !path.split('/').all(is_segment) {
            return Err(Error::Path { path: path.to_owned() });
        }
        if !self.folded.insert(path.to_ascii_lowercase()) {
            return Err(Error::Twice { path: path.to_owned() });
        }
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
        let text = str::from_utf8(bytes).map_err(|_| Error::Line { line: 1 })?;
        let mut reader = Reader::default();
        for (at, line) in text.split_inclusive('\n').enumerate() {
            let (digest, path) = split(line).ok_or(Error::Line { line: at + 1 })?;
            reader.line(at + 1, digest, path)?;
        }
        Ok(reader.sums)
    }

    /// Compares the sums with the files of the folder, given by path: none more, none less, all equal.
    /// A file [`FILE`] at the top is passed over.
    ///
    /// # Errors
    /// [`Error::Unlisted`], [`Error::Missing`], [`Error::Differs`]: the first in order of path.
    pub fn check(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
        let paths: BTreeSet<&String> = self.files.keys().chain(files.keys()).collect();
        for path in paths.into_iter().filter(|path| *path != FILE) {
            match (self.files.get(path), files.get(path)) {
                (Some(listed), Some(bytes)) => differs(path, *listed, Digest::of(bytes))?,
                (Some(_), None) => return Err(Error::Missing { path: path.clone() }),
                (None, _) => return Err(Error::Unlisted { path: path.clone() }),
            }
        }
        Ok(())
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

#[derive(Default)]
struct Reader {
    sums: Sums,
    last: String,
}

impl Reader {
    fn line(&mut self, line: usize, digest: Digest, path: &str) -> Result<(), Error> {
        if *path < *self.last {
            return Err(Error::Order { line, path: path.to_owned() });
        }
        self.last = path.to_owned();
        let before = path.strip_prefix("../").and_then(|path| path.strip_suffix("/SHA256SUMS"));
        if let Some(folder) = before {
            let predecessor = Predecessor { folder: folder.to_owned(), digest };
            if self.sums.predecessor.is_some() {
                return Err(Error::Twice { path: path.to_owned() });
            }
            self.sums = std::mem::take(&mut self.sums).after(predecessor)?;
            return Ok(());
        }
        self.sums.insert(path, digest)
    }
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
        assert_eq!(sums.check(&files()), Ok(()));
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
            assert_eq!(sums.check(&files).unwrap_err().to_string(), words);
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
