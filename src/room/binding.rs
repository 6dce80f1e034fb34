//! `room.toml`: which modules, media folders and work folder this one machine has for the names of a plan.
//!
//! Room floor: parses what it is given; reads nothing but the modules it takes the digest of.

mod module;

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::digest::{Digest, Hasher};
use crate::refusal::{Exit, Refusal};
use crate::room::token::Uri;
use crate::wording::toml_words;

use module::ModuleFile;
pub use module::{Module, Needs};

/// The checked content of a room file, its relative paths resolved against the folder it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// SHA-256 of the file (docs/threats.md rule 23).
    pub digest: Digest,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Where the record grows.
    pub work: PathBuf,
    /// The last ceremony's trust folder; absent before a genesis.
    pub trust: Option<PathBuf>,
    /// The work folder of an unfinished ceremony, which an `abandon` closes.
    pub unfinished: Option<PathBuf>,
    /// The media folders.
    pub media: Media,
    /// The PKCS#11 modules, by name, in the file's order.
    pub modules: Vec<Module>,
    /// The tokens of the plan, in the file's order.
    pub tokens: Vec<Token>,
    /// The module that rehearsals use.
    pub rehearsal: Option<String>,
}

/// The mount points of the media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// One or two that carry requests.
    pub inward: Vec<PathBuf>,
    /// Two that carry the trust folder out, compared byte for byte.
    pub outward: [PathBuf; 2],
    /// Two that stay in the room, compared byte for byte.
    pub room: [PathBuf; 2],
}

/// A token's way into this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The plan's name for it.
    pub name: String,
    /// What drives it.
    pub driver: Driver,
}

/// What drives a token on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A PKCS#11 module.
    Module {
        /// Its name in this file.
        name: String,
        /// The token's own SoftHSM folder; present for a soft token alone.
        softhsm: Option<PathBuf>,
        /// Which of those that the module shows it is, for a token that its maker's tool made ready.
        uri: Option<Uri>,
    },
    /// No module: a YubiKey, by its serial.
    YubiKey(u32),
}

impl Token {
    /// Which of those that its module shows it is, if its maker's tool made it ready.
    pub fn uri(&self) -> Option<&Uri> {
        match &self.driver {
            Driver::Module { uri, .. } => uri.as_ref(),
            Driver::YubiKey(_) => None,
        }
    }

    /// Its own SoftHSM folder, if it is a soft token.
    pub fn softhsm(&self) -> Option<&PathBuf> {
        match &self.driver {
            Driver::Module { softhsm, .. } => softhsm.as_ref(),
            Driver::YubiKey(_) => None,
        }
    }
}

impl Binding {
    /// Parses the bytes of the room file that stands at `path`.
    ///
    /// # Errors
    /// [`Error::Line`] with the line of whatever is unknown, double, missing, or does not fit together.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let source = Source { path, bytes };
        let text = std::str::from_utf8(bytes)
            .map_err(|e| source.error(Some(e.valid_up_to()..e.valid_up_to()), "not UTF-8 text"))?;
        let file: RoomFile =
            toml::from_str(text).map_err(|e| source.error(e.span(), toml_words(e.message())))?;
        // Whole paths: a token's child has another working folder than we have.
        let folder = std::path::absolute(path)
            .map_err(|source| Error::Module { path: path.to_owned(), source })?;
        let folder = folder.parent().unwrap_or(Path::new("/"));
        let binding = Self {
            digest: Digest::of(bytes),
            bytes: bytes.to_vec(),
            work: folder.join(&file.work),
            trust: file.trust.as_ref().map(|trust| folder.join(trust)),
            unfinished: file.unfinished.as_ref().map(|unfinished| folder.join(unfinished)),
            media: media(&source, folder, &file.media)?,
            modules: module::modules(&source, folder, &file.module)?,
            tokens: tokens(&source, folder, &file)?,
            rehearsal: file.rehearsal.as_ref().map(|rehearsal| rehearsal.module.get_ref().clone()),
        };
        if let Some(rehearsal) = &file.rehearsal {
            source.known_module(&file, &rehearsal.module)?;
        }
        for (field, path) in file.module.iter().flat_map(ModuleFile::reached) {
            if let Some(what) = binding.bars(&folder.join(path.get_ref())) {
                let what = format!("`{field}` of `{}`: {what}", path.get_ref().display());
                return Err(source.error(Some(path.span()), what));
            }
        }
        Ok(binding)
    }

    /// Why no module may write or connect there, if none may: what the ceremony itself reads and writes is its own, and so are
    /// screen and keyboard.
    fn bars(&self, path: &Path) -> Option<&'static str> {
        let media = &self.media;
        let mut own = [&self.work]
            .into_iter()
            .chain(self.trust.iter().chain(&self.unfinished))
            .chain(media.inward.iter().chain(&media.outward).chain(&media.room))
            .chain(self.tokens.iter().filter_map(Token::softhsm));
        let device = path.strip_prefix("/dev").ok().and_then(|device| device.to_str());
        if path.components().any(|part| part == Component::ParentDir) {
            Some("expected a path without `..`")
        } else if own.any(|own| own.starts_with(path) || path.starts_with(own)) {
            Some("the ceremony's own files lie there")
        } else if Path::new("/dev").starts_with(path)
            || device.is_some_and(|device| PEOPLE.iter().any(|kind| device.starts_with(kind)))
        {
            Some("people's screens and keyboards are there")
        } else {
            None
        }
    }

    /// The module called `name`.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.name == name)
    }

    /// The token that the plan calls `name`.
    pub fn token(&self, name: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.name == name)
    }
}

/// Computes the SHA-256 of the running binary.
///
/// # Errors
/// [`Error::Module`] if the system does not show it.
pub fn own_digest() -> Result<Digest, Error> {
    module_digest(Path::new("/proc/self/exe"))
}

/// Computes the SHA-256 of a module's file, read once from beginning to end.
///
/// # Errors
/// [`Error::Module`] if it cannot be read.
pub fn module_digest(path: &Path) -> Result<Digest, Error> {
    let read = || {
        let mut hasher = HasherSink(Hasher::default());
        io::copy(&mut BufReader::with_capacity(BLOCK, open_program(path)?), &mut hasher)?;
        Ok(hasher.0.finish())
    };
    read().map_err(|source| Error::Module { path: path.to_owned(), source })
}

/// Opens a program's file to be read; whatever else has its name is refused, and a pipe makes nobody wait.
pub(super) fn open_program(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// What is wrong with a room file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file breaks a rule at one of its lines.
    #[error("{}:{line}: {what}", path.display())]
    Line {
        /// The room file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// A program file cannot be read.
    #[error("program `{}` cannot be read", path.display())]
    Module {
        /// A module's shared object, or this binary.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// The refusal, before any act.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Line { .. } => Refusal::new(Exit::Usage, self.to_string())
                .hint("correct the room file; docs/format.md shows every field"),
            Self::Module { source, .. } => Refusal::new(Exit::Device, self.to_string())
                .because(source.kind())
                .hint("install the module, or correct its `path` in the room file"),
        }
    }
}

struct HasherSink(Hasher);

impl io::Write for HasherSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Source<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl Source<'_> {
    fn error(&self, span: Option<Range<usize>>, what: impl Into<String>) -> Error {
        let before = &self.bytes[..span.map_or(0, |span| span.start).min(self.bytes.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        // The parser's own messages may have more lines; the first one says it.
        let what = what.into().lines().next().unwrap_or_default().to_owned();
        Error::Line { path: self.path.to_owned(), line, what }
    }

    /// A name that a person types and that fits a PKCS#11 label (32 bytes).
    fn name(&self, name: &Spanned<String>, seen: &mut BTreeSet<String>) -> Result<String, Error> {
        let text = name.get_ref();
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || text.len() > 32 || !text.bytes().all(fits) {
            let what = format!("name `{text}`: expected 1 to 32 of a-z, 0-9 and `-`");
            return Err(self.error(Some(name.span()), what));
        }
        if !seen.insert(text.clone()) {
            return Err(self.error(Some(name.span()), format!("name `{text}` stands here twice")));
        }
        Ok(text.clone())
    }

    fn known_module(&self, file: &RoomFile, module: &Spanned<String>) -> Result<(), Error> {
        if file.module.iter().any(|known| known.name.get_ref() == module.get_ref()) {
            return Ok(());
        }
        let what = format!("module `{}` is not one of this file's [[module]]", module.get_ref());
        Err(self.error(Some(module.span()), what))
    }

    fn uri(&self, uri: &Spanned<String>) -> Result<Uri, Error> {
        let wrong = |what| self.error(Some(uri.span()), format!("`uri`: {what}"));
        Uri::parse(uri.get_ref()).map_err(wrong)
    }

    /// A serial that no other token has.
    fn serial(&self, serial: &Spanned<u32>, seen: &mut BTreeSet<u32>) -> Result<(), Error> {
        if seen.insert(*serial.get_ref()) {
            return Ok(());
        }
        let what = format!("YubiKey {} stands here twice", serial.get_ref());
        Err(self.error(Some(serial.span()), what))
    }

    /// Resolves paths that must all differ: two names for one folder would make one copy look like two.
    fn folders(
        &self,
        folder: &Path,
        list: &[Spanned<PathBuf>],
        seen: &mut BTreeSet<PathBuf>,
    ) -> Result<Vec<PathBuf>, Error> {
        list.iter()
            .map(|path| {
                let resolved: PathBuf = folder.join(path.get_ref()).components().collect();
                if seen.insert(resolved.clone()) {
                    return Ok(resolved);
                }
                let what = format!("folder `{}` stands here twice", path.get_ref().display());
                Err(self.error(Some(path.span()), what))
            })
            .collect()
    }
}

fn media(source: &Source<'_>, folder: &Path, file: &Spanned<MediaFile>) -> Result<Media, Error> {
    let mut seen = BTreeSet::new();
    let wrong = |name: &str, expected: &str, found: usize| {
        source.error(
            Some(file.span()),
            format!("[media] `{name}`: expected {expected}, found {found}"),
        )
    };
    let media = file.get_ref();
    let inward = source.folders(folder, &media.inward, &mut seen)?;
    if !(1..=2).contains(&inward.len()) {
        return Err(wrong("in", "one or two folders", inward.len()));
    }
    let two = |name: &str, list: Vec<PathBuf>| {
        let found = list.len();
        list.try_into().map_err(|_| wrong(name, "two folders", found))
    };
    let outward = two("out", source.folders(folder, &media.outward, &mut seen)?)?;
    let room = two("room", source.folders(folder, &media.room, &mut seen)?)?;
    Ok(Media { inward, outward, room })
}

fn tokens(source: &Source<'_>, folder: &Path, file: &RoomFile) -> Result<Vec<Token>, Error> {
    let (mut names, mut folders, mut serials) = Default::default();
    file.token
        .iter()
        .map(|token| {
            let name = source.name(&token.name, &mut names)?;
            let softhsm = source.folders(folder, token.softhsm.as_slice(), &mut folders)?.pop();
            let uri = token.uri.as_ref().map(|uri| source.uri(uri)).transpose()?;
            let driver = match (&token.module, &token.yubikey, softhsm, uri) {
                (Some(_), None, Some(_), Some(_)) => {
                    let what = format!("token `{name}`: expected either `softhsm` or `uri`");
                    return Err(source.error(Some(token.name.span()), what));
                }
                (Some(module), None, softhsm, uri) => {
                    source.known_module(file, module)?;
                    Driver::Module { name: module.get_ref().clone(), softhsm, uri }
                }
                (None, Some(serial), None, None) => {
                    source.serial(serial, &mut serials)?;
                    Driver::YubiKey(*serial.get_ref())
                }
                _ => {
                    let what = format!("token `{name}`: expected either `module` or `yubikey`");
                    return Err(source.error(Some(token.name.span()), what));
                }
            };
            Ok(Token { name, driver })
        })
        .collect()
}

/// How much of a file is hashed at once.
const BLOCK: usize = 1 << 16;
/// What the devices begin with, below /dev, at which people read and type.
const PEOPLE: [&str; 8] = ["console", "hidraw", "input", "ptmx", "pts", "tty", "uinput", "vcs"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomFile {
    work: PathBuf,
    trust: Option<PathBuf>,
    unfinished: Option<PathBuf>,
    media: Spanned<MediaFile>,
    #[serde(default)]
    module: Vec<ModuleFile>,
    #[serde(default)]
    token: Vec<TokenFile>,
    rehearsal: Option<RehearsalFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaFile {
    #[serde(rename = "in")]
    inward: Vec<Spanned<PathBuf>>,
    #[serde(rename = "out")]
    outward: Vec<Spanned<PathBuf>>,
    room: Vec<Spanned<PathBuf>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    name: Spanned<String>,
    module: Option<Spanned<String>>,
    softhsm: Option<Spanned<PathBuf>>,
    uri: Option<Spanned<String>>,
    yubikey: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RehearsalFile {
    module: Spanned<String>,
}

#[cfg(test)]
mod tests;
