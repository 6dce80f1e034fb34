//! An identity of `age`, by which its holder opens a share.
//!
//! Ground floor: pure, touches nothing.

use bech32::primitives::decode::CheckedHrpstring;

use super::SecretBytes;

/// An X25519 identity as `age-keygen` writes it: `AGE-SECRET-KEY-1…`.
pub struct Identity(SecretBytes);

impl Identity {
    /// Takes a line that was typed, or a file of `age-keygen`: the one line in it that is an identity.
    ///
    /// # Errors
    /// [`NotAnIdentity`], which tells nothing of what was read.
    pub fn read(text: &SecretBytes) -> Result<Self, NotAnIdentity> {
        let lines = text.expose().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let mut found = lines.filter(|line| line.starts_with(PREFIX));
        match (found.next(), found.next()) {
            (None, _) => Err(NotAnIdentity::None),
            (Some(_), Some(_)) => Err(NotAnIdentity::Many),
            (Some(line), None) if is_whole(line) => Ok(Self(SecretBytes::copy_of(line))),
            (Some(_), None) => Err(NotAnIdentity::Damaged),
        }
    }

    /// The text, as `age` takes it.
    pub fn expose(&self) -> &str {
        // `read` saw that it is letters and digits.
        std::str::from_utf8(self.0.expose()).unwrap_or_default()
    }

    /// Gives the bytes up, for the pipe to the vault.
    pub(crate) fn into_bytes(self) -> SecretBytes {
        self.0
    }
}

/// Whether letters and checksum are those of 32 bytes.
fn is_whole(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let whole = CheckedHrpstring::new::<bech32::Bech32>(text);
    whole.is_ok_and(|whole| whole.byte_iter().count() == 32)
}

const PREFIX: &[u8] = b"AGE-SECRET-KEY-1";

/// The input is no identity of `age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdentity {
    /// Its letters or its checksum are wrong.
    #[error("the identity is damaged: a letter of it is wrong or missing")]
    Damaged,
    /// More than one stands there.
    #[error("there is more than one identity: give the one that the share was sealed to")]
    Many,
    /// No line is one.
    #[error("no line begins with AGE-SECRET-KEY-1")]
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That of C2SP age.md.
    const IDENTITY: &str =
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

    fn read(text: &str) -> Result<Identity, NotAnIdentity> {
        Identity::read(&SecretBytes::copy_of(text.as_bytes()))
    }

    #[test]
    fn an_identity_is_read_from_a_line_and_from_the_file_of_age_keygen() {
        let file = format!("# created: 2026-01-01\r\n# public key: age1\r\n{IDENTITY}\r\n");
        for text in [IDENTITY, &format!("  {IDENTITY}\n"), &file] {
            assert_eq!(read(text).unwrap().expose(), IDENTITY);
        }
    }

    #[test]
    fn what_is_no_identity_is_told_and_nothing_of_it() {
        let told = |text: &str| read(text).map(|_| ()).unwrap_err().to_string();
        assert_eq!(told("sesame"), "no line begins with AGE-SECRET-KEY-1");
        let twice = format!("{IDENTITY}\n{IDENTITY}");
        assert_eq!(
            told(&twice),
            "there is more than one identity: give the one that the share was sealed to"
        );
        for damaged in [&IDENTITY[..73], &IDENTITY.replace("GFPY", "GFPZ"), &format!("{IDENTITY}Q")]
        {
            let words = "the identity is damaged: a letter of it is wrong or missing";
            assert_eq!(told(damaged), words);
        }
    }
}
