//! Entropy: random bytes of several origins, fed to the kernel's generator.
//!
//! The room: reads and writes the kernel's random devices, nothing else. The vault's crates draw from the kernel, so what
//! the tokens give goes there (docs/threats.md rule 16), before the vault starts.

use std::fs::OpenOptions;
use std::io::Write;

use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::ioctl::{NoArg, Opcode, ioctl, opcode};
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};

use crate::secret::SecretBytes;

/// What came of feeding the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fed {
    /// The bytes were mixed in, and the generator was told to reseed itself from its pool now.
    Reseeded,
    /// The bytes were mixed in; only a privileged process may ask for the reseeding, which the kernel does by itself within
    /// a minute.
    NotReseeded,
}

/// Why the kernel was not fed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The device could not be written, or the reseeding failed other than by permission.
    #[error("the kernel's random generator did not take the bytes ({errno})")]
    NotFed {
        /// What the system said.
        errno: Errno,
    },
    /// The kernel gave no random bytes.
    #[error("the kernel gave no random bytes ({errno})")]
    NoBytes {
        /// What the system said.
        errno: Errno,
    },
}

/// Random bytes from the kernel. Waits until its generator is ready, which on a machine that has booted it is.
///
/// # Errors
/// [`Error::NoBytes`].
pub fn draw(bytes: &mut [u8]) -> Result<(), Error> {
    let mut at = 0;
    while at < bytes.len() {
        match getrandom(&mut bytes[at..], GetRandomFlags::empty()) {
            Ok(n) => at += n,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::NoBytes { errno }),
        }
    }
    Ok(())
}

/// Whether the kernel's generator is ready: whoever draws from it need not wait.
pub fn is_ready() -> bool {
    getrandom(&mut [0], GetRandomFlags::NONBLOCK) == Ok(1)
}

/// Mixes `sources` into the kernel's generator, and has it reseed itself. Whatever the sources are, the result is no worse
/// than before: the kernel hashes them into its pool and credits them with nothing.
///
/// # Errors
/// [`Error::NotFed`].
pub fn feed(sources: &[SecretBytes]) -> Result<Fed, Error> {
    let not_fed = |error: std::io::Error| Error::NotFed {
        errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
    };
    let mut device = OpenOptions::new().write(true).open("/dev/urandom").map_err(not_fed)?;
    for source in sources {
        device.write_all(source.expose()).map_err(not_fed)?;
    }
    match reseed(&device) {
        Ok(()) => Ok(Fed::Reseeded),
        Err(Errno::PERM) => Ok(Fed::NotReseeded),
        Err(errno) => Err(Error::NotFed { errno }),
    }
}

#[expect(unsafe_code, reason = "`rustix` has no safe name for this ioctl; it takes no argument")]
fn reseed(device: impl AsFd) -> Result<(), Errno> {
    // SAFETY: RNDRESEEDCRNG reads and writes no memory of ours: it takes no argument.
    unsafe { ioctl(device, NoArg::<RNDRESEEDCRNG>::new()) }
}

/// `_IO('R', 0x07)` of linux/random.h.
const RNDRESEEDCRNG: Opcode = opcode::none(b'R', 0x07);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_takes_bytes_and_says_whether_it_reseeded() {
        let fed = feed(&[SecretBytes::copy_of(b"of a token"), SecretBytes::copy_of(b"")]);
        let expected =
            if rustix::process::geteuid().is_root() { Fed::Reseeded } else { Fed::NotReseeded };
        // A container's root may lack the capability.
        assert!(matches!(fed, Ok(found) if found == expected || found == Fed::NotReseeded));
    }

    #[test]
    fn two_draws_differ() {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        draw(&mut a).unwrap();
        draw(&mut b).unwrap();
        assert!(is_ready(), "it gave bytes");
        assert_ne!(a, b);
    }
}
