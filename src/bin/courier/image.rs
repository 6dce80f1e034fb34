//! The name of an image as docker reads it: registry, repository, and a tag or digest where one is written.
//!
//! Annex; pure.

use std::fmt;

use oci_spec::distribution::{ParseError, Reference};
use officiant::digest::Digest;
use officiant::name::{self, Name};

/// What a person named: a repository, and perhaps one image of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    gun: Name,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Image {
    /// Reads a name as docker does: `alpine` is `docker.io/library/alpine`, and `localhost:5000/demo` has a registry of
    /// its own. A name that no image can have, such as `example.com/Collection`, still names a repository of trust.
    ///
    /// # Errors
    /// [`Error`], when it is neither.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        Self::plain(text).map_or_else(|| Self::by_grammar(text), Ok)
    }

    /// Reads the usual form, `HOST/PATH` or `HOST/PATH:TAG` in plain letters; none where anything is less usual. The
    /// crate compiles its grammar anew in each process, which takes longer than all questions to a server.
    fn plain(text: &str) -> Option<Self> {
        let (host, rest) = text.split_once('/')?;
        let (path, tag) =
            rest.split_once(':').map_or((rest, None), |(path, tag)| (path, Some(tag)));
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let (name, port) =
            host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
        let is_host = name == "localhost" || name.contains('.') || port.is_some();
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let is_tag = |tag: &str| {
            let goes_on = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
            !tag.starts_with(['.', '-'])
                && (1..=128).contains(&tag.len())
                && tag.bytes().all(goes_on)
        };
        let usual = is_host
            // Its names are completed.
            && !host.ends_with("docker.io")
            && name.split(['.', '-']).all(is_word)
            && port.is_none_or(is_port)
            && path.split(['/', '.', '_', '-']).all(is_word)
            && path.len() <= 200
            && tag.is_none_or(is_tag);
        let gun = usual.then(|| format!("{host}/{path}").parse().ok())??;
        Some(Self { gun, tag: tag.map(str::to_owned), digest: None })
    }

    fn by_grammar(text: &str) -> Result<Self, Error> {
        let reference: Reference = match text.parse() {
            Ok(reference) => reference,
            Err(because) => return Self::of_trust(text, because),
        };
        if is_identifier(text) {
            return Err(Error::Identifier { text: text.to_owned() });
        }
        let digest = reference.digest().map(|digest| {
            let hex = digest.strip_prefix(SHA256).and_then(|hex| hex.parse().ok());
            hex.ok_or_else(|| Error::Digest { text: text.to_owned() })
        });
        // The crate adds `latest` where nobody wrote a tag.
        let tag = reference.tag().filter(|tag| digest.is_some() || is_written(text, tag));
        Ok(Self {
            gun: format!("{}/{}", reference.registry(), reference.repository()).parse()?,
            tag: tag.map(str::to_owned),
            digest: digest.transpose()?,
        })
    }

    /// Notary takes any name for a repository; what looks like a tag or digest of a bad one is not made part of it.
    fn of_trust(text: &str, because: ParseError) -> Result<Self, Error> {
        let last = text.rsplit('/').next().unwrap_or(text);
        match text.parse() {
            Ok(gun) if text.contains('/') && !last.contains([':', '@']) => {
                Ok(Self { gun, tag: None, digest: None })
            }
            _ => Err(Error::Reference { text: text.to_owned(), because }),
        }
    }

    /// The repository, as the trust server and roots name it: `docker.io/library/alpine`.
    pub(crate) fn gun(&self) -> &Name {
        &self.gun
    }

    /// The tag, if one was written.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The tag, or the one that an image has that is named without, as docker has it.
    pub(crate) fn tag_or_latest(&self) -> &str {
        self.tag().unwrap_or("latest")
    }

    /// The digest, if one was written.
    pub(crate) fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The host of the registry, with its port where it has one.
    pub(crate) fn registry(&self) -> &str {
        self.halves().0
    }

    /// The path of the repository below its registry.
    pub(crate) fn repository(&self) -> &str {
        self.halves().1
    }

    /// The name of exactly one image, which no registry can change: `localhost:5000/demo@sha256:…`.
    pub(crate) fn by_digest(&self, digest: &Digest) -> String {
        format!("{}@{SHA256}{digest}", self.gun)
    }

    fn halves(&self) -> (&str, &str) {
        let gun = self.gun.as_str();
        gun.split_once('/').unwrap_or((gun, ""))
    }
}

/// As it was written, but whole: with the registry.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.gun)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.iter().try_for_each(|digest| write!(f, "@{SHA256}{digest}"))
    }
}

/// Why a text names no image.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// A digest that is no SHA-256.
    #[error("`{text}` names an image by a digest that is no SHA-256 in 64 lower-case hex digits")]
    Digest {
        /// What was written.
        text: String,
    },
    /// The identifier of an image that an engine has.
    #[error("`{text}` is the identifier of an image, which has no signer: only names are signed")]
    Identifier {
        /// What was written.
        text: String,
    },
    /// No name of a repository.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// No name of an image.
    #[error("`{text}` is no name of an image")]
    Reference {
        /// What was written.
        text: String,
        /// What is wrong with it.
        because: ParseError,
    },
}

/// Whether docker takes a text for the identifier of an image, never for a name.
fn is_identifier(text: &str) -> bool {
    text.parse::<Digest>().is_ok()
}

fn is_written(text: &str, tag: &str) -> bool {
    text.strip_suffix(tag).is_some_and(|head| head.ends_with(':'))
}

const SHA256: &str = "sha256:";

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn a_name_is_read_as_docker_reads_it() {
        for (text, registry, repository, tag) in [
            ("alpine", "docker.io", "library/alpine", None),
            ("alpine:latest", "docker.io", "library/alpine", Some("latest")),
            ("index.docker.io/alpine:3", "docker.io", "library/alpine", Some("3")),
            ("team/app", "docker.io", "team/app", None),
            ("test.com:5000", "docker.io", "library/test.com", Some("5000")),
            ("localhost/demo", "localhost", "demo", None),
            ("localhost:5000/admin/demo:1.0", "localhost:5000", "admin/demo", Some("1.0")),
            ("example.com/collection", "example.com", "collection", None),
            ("example.com/Team/Collection", "example.com", "Team/Collection", None),
        ] {
            let image = Image::parse(text).unwrap();
            assert_eq!(image.registry(), registry, "{text}");
            assert_eq!(image.repository(), repository, "{text}");
            assert_eq!(image.gun().as_str(), format!("{registry}/{repository}"), "{text}");
            assert_eq!((image.tag(), image.digest()), (tag, None), "{text}");
            let whole = image.to_string();
            assert_eq!(Image::parse(&whole).unwrap(), image, "{whole}");
        }
    }

    #[test]
    fn the_usual_form_is_read_as_the_grammar_reads_it() {
        let usual =
            ["localhost/a", "localhost:5000/team/app:1.0", "a-b.example.com/x_y/z.1-q:_Tag-2"];
        let mut taken = 0;
        for text in usual {
            assert!(Image::plain(text).is_some(), "{text}");
            // Each place with each sign that means something, put in or put there.
            for at in 0..=text.len() {
                for sign in ["/", ":", "@", ".", "-", "_", "a", "A", "1", "é", " ", ""] {
                    for end in [at, (at + 1).min(text.len())] {
                        let changed = format!("{}{sign}{}", &text[..at], &text[end..]);
                        if let Some(image) = Image::plain(&changed) {
                            assert_eq!(Ok(image), Image::by_grammar(&changed), "{changed}");
                            taken += 1;
                        }
                    }
                }
            }
        }
        assert!(taken > 500, "{taken}");
        for text in
            ["alpine", "docker.io/alpine", "index.docker.io/alpine", "team/app", "localhost/a@b"]
        {
            assert_eq!(Image::plain(text), None, "{text}");
        }
    }

    #[test]
    fn a_digest_names_one_image_with_or_without_its_tag() {
        for (name, tag) in [("demo", None), ("demo:latest", Some("latest")), ("demo:1", Some("1"))]
        {
            let text = format!("localhost:5000/{name}@sha256:{HEX}");
            let image = Image::parse(&text).unwrap();
            assert_eq!((image.tag(), image.digest()), (tag, Some(&HEX.parse().unwrap())), "{text}");
            assert_eq!(image.to_string(), text);
            let by_digest = format!("localhost:5000/demo@sha256:{HEX}");
            assert_eq!(image.by_digest(&HEX.parse().unwrap()), by_digest);
        }
    }

    #[test]
    fn what_names_no_image_is_refused_in_words() {
        let upper = HEX.to_uppercase();
        let long = format!("localhost/{}", "x".repeat(250));
        for (text, words) in [
            ("", "`` is no name of an image"),
            ("Demo", "`Demo` is no name of an image"),
            ("example.com/Demo:1", "`example.com/Demo:1` is no name of an image"),
            ("example.com/demo:", "`example.com/demo:` is no name of an image"),
            ("https://example.com/demo", "`https://example.com/demo` is no name of an image"),
            ("demo@sha256:00", "`demo@sha256:00` is no name of an image"),
            (
                &*format!("demo@sha256:{upper}"),
                &*format!(
                    "`demo@sha256:{upper}` names an image by a digest that is no SHA-256 in 64 lower-case hex digits"
                ),
            ),
            (
                HEX,
                &*format!(
                    "`{HEX}` is the identifier of an image, which has no signer: only names are signed"
                ),
            ),
            (&*long, "a repository name has 1 to 255 bytes, found 260"),
        ] {
            assert_eq!(Image::parse(text).unwrap_err().to_string(), words);
        }
    }
}
