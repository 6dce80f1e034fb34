//! Frames between a parent and a child: a public JSON header, then secret blobs that are wiped.
//!
//! Roof: touches nothing but the two pipes it is given. One frame is, numbers big endian:
//!
//! ```text
//! 4 bytes   "OFC1"
//! u32       length of the header        at most 8 MiB
//! u32       number of blobs             at most 64
//! u32 …     length of each blob         at most 64 KiB
//! header    JSON (RFC 8259), public
//! blobs     raw bytes, secret
//! ```
//!
//! The peer is not trusted: whatever it sends or withholds becomes a [`Fault`].

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::key::base64;
use crate::secret::SecretBytes;

/// One end of the pair of pipes between a parent and a child.
pub struct Wire {
    reader: OwnedFd,
    writer: OwnedFd,
}

/// What went wrong on the wire; the caller says with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The peer closed its end, which is how a crash looks.
    #[error("it ended")]
    Closed,
    /// The peer sent what is no frame, or a frame that is not the answer to what was asked.
    #[error("it sent something else than an answer")]
    Garbage,
    /// A frame is larger than the limits of this module; nothing of it was sent or kept.
    #[error("a message is larger than the limit")]
    TooLarge,
    /// The peer did not move for as long as the caller was ready to wait.
    #[error("it did not answer within {seconds} s")]
    Silent {
        /// How long it was waited for.
        seconds: u64,
    },
    /// The operating system refused a read or a write.
    #[error("the pipe to it broke ({})", .errno)]
    Pipe {
        /// What the system said.
        errno: Errno,
    },
}

impl Wire {
    /// Wraps the two descriptors: where the peer's frames come from, and where ours go.
    ///
    /// # Errors
    /// [`Fault::Pipe`] if they cannot be made non-blocking.
    pub fn new(reader: OwnedFd, writer: OwnedFd) -> Result<Self, Fault> {
        rustix::io::ioctl_fionbio(&reader, true)?;
        rustix::io::ioctl_fionbio(&writer, true)?;
        Ok(Self { reader, writer })
    }

    /// How many bytes the pipe to the peer holds, before it is read.
    pub fn capacity(&self) -> usize {
        rustix::pipe::fcntl_getpipe_size(&self.writer).unwrap_or(SMALLEST)
    }

    /// Sends one frame, within `patience` if given, else for as long as it takes.
    ///
    /// # Errors
    /// Any [`Fault`]; after one the wire is of no more use.
    pub fn send(
        &mut self,
        header: &impl Serialize,
        secrets: &[SecretBytes],
        patience: Option<Duration>,
    ) -> Result<(), Fault> {
        let header = serde_json::to_vec(header).map_err(|_| Fault::Garbage)?;
        let lengths: Vec<usize> = secrets.iter().map(SecretBytes::len).collect();
        let mut head = MAGIC.to_vec();
        head.extend(bounded(header.len(), MAX_HEADER)?);
        head.extend(bounded(lengths.len(), MAX_BLOBS)?);
        for len in lengths {
            head.extend(bounded(len, MAX_BLOB)?);
        }
        head.extend(header);
        let deadline = Deadline::after(patience);
        self.write_all(&head, deadline)?;
        secrets.iter().try_for_each(|secret| self.write_all(secret.expose(), deadline))
    }

    /// Receives one frame, within `patience` if given, else for as long as it takes.
    ///
    /// # Errors
    /// Any [`Fault`]; after one the wire is of no more use.
    pub fn receive<H: DeserializeOwned>(
        &mut self,
        patience: Option<Duration>,
    ) -> Result<(H, Vec<SecretBytes>), Fault> {
        let deadline = Deadline::after(patience);
        let mut head = [0; 12];
        self.read_all(&mut head, deadline)?;
        if head[..4] != MAGIC {
            return Err(Fault::Garbage);
        }
        let header_len = length([head[4], head[5], head[6], head[7]], MAX_HEADER)?;
        let count = length([head[8], head[9], head[10], head[11]], MAX_BLOBS)?;
        let mut lengths = Vec::with_capacity(count);
        for _ in 0..count {
            let mut number = [0; 4];
            self.read_all(&mut number, deadline)?;
            lengths.push(length(number, MAX_BLOB)?);
        }
        let mut header = vec![0; header_len];
        self.read_all(&mut header, deadline)?;
        let secrets = lengths
            .into_iter()
            .map(|len| SecretBytes::try_fill(len, |blob| self.read_all(blob, deadline)))
            .collect::<Result<_, _>>()?;
        let header = serde_json::from_slice(&header).map_err(|_| Fault::Garbage)?;
        Ok((header, secrets))
    }

    fn read_all(&self, mut buffer: &mut [u8], deadline: Deadline) -> Result<(), Fault> {
        while !buffer.is_empty() {
            match rustix::io::read(&self.reader, &mut *buffer) {
                Ok(0) => return Err(Fault::Closed),
                Ok(n) => buffer = &mut buffer[n..],
                Err(Errno::AGAIN) => deadline.wait(&self.reader, PollFlags::IN)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn write_all(&self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Fault> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.writer, bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(Errno::AGAIN) => deadline.wait(&self.writer, PollFlags::OUT)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        if errno == Errno::PIPE { Self::Closed } else { Self::Pipe { errno } }
    }
}

/// Public bytes in a header, as base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(#[serde(with = "base64")] pub Vec<u8>);

#[derive(Clone, Copy)]
struct Deadline {
    end: Option<Instant>,
    patience: Duration,
}

impl Deadline {
    fn after(patience: Option<Duration>) -> Self {
        Self {
            end: patience.and_then(|patience| Instant::now().checked_add(patience)),
            patience: patience.unwrap_or_default(),
        }
    }

    /// Waits until `fd` is ready. A peer that hung up counts as ready: the next read or write says so.
    fn wait(self, fd: &impl AsFd, flags: PollFlags) -> Result<(), Fault> {
        let left = self.end.map(|end| end.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(fd, flags)], timeout.as_ref()) {
            Ok(0) => Err(Fault::Silent { seconds: self.patience.as_secs() }),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

fn bounded(len: usize, max: usize) -> Result<[u8; 4], Fault> {
    let short = u32::try_from(len).ok().filter(|_| len <= max);
    Ok(short.ok_or(Fault::TooLarge)?.to_be_bytes())
}

fn length(bytes: [u8; 4], max: usize) -> Result<usize, Fault> {
    let len = usize::try_from(u32::from_be_bytes(bytes)).map_err(|_| Fault::Garbage)?;
    if len <= max { Ok(len) } else { Err(Fault::Garbage) }
}

/// What every pipe holds: a page.
const SMALLEST: usize = 4096;
const MAGIC: [u8; 4] = *b"OFC1";
const MAX_HEADER: usize = 8 << 20;
const MAX_BLOBS: usize = 64;
const MAX_BLOB: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Wire, Wire) {
        let (a_in, b_out) = rustix::pipe::pipe().unwrap();
        let (b_in, a_out) = rustix::pipe::pipe().unwrap();
        (Wire::new(a_in, a_out).unwrap(), Wire::new(b_in, b_out).unwrap())
    }

    const SOON: Option<Duration> = Some(Duration::from_millis(50));

    #[test]
    fn what_is_sent_arrives() {
        let (mut a, mut b) = pair();
        let secrets = [SecretBytes::copy_of(b"pin"), SecretBytes::copy_of(b"")];
        a.send(&Bytes(vec![1, 2, 3]), &secrets, SOON).unwrap();
        let (header, got): (Bytes, _) = b.receive(SOON).unwrap();
        assert_eq!(header, Bytes(vec![1, 2, 3]));
        assert!(got.len() == 2 && got[0].matches(&secrets[0]) && got[1].is_empty());
    }

    #[test]
    fn a_frame_larger_than_a_pipe_passes_when_the_peer_reads() {
        let (mut a, mut b) = pair();
        let long = Bytes(vec![7; 1 << 20]);
        let sent = long.clone();
        let thread = std::thread::spawn(move || a.send(&sent, &[], None));
        assert_eq!(b.receive::<Bytes>(None).unwrap().0, long);
        thread.join().unwrap().unwrap();
    }

    #[test]
    fn a_silent_peer_ends_the_wait() {
        let (mut a, _b) = pair();
        let fault = a.receive::<Bytes>(SOON).map(|_| ()).unwrap_err();
        assert_eq!(fault, Fault::Silent { seconds: 0 });
        let fault = a.send(&Bytes(vec![0; 1 << 20]), &[], SOON).unwrap_err();
        assert_eq!(fault, Fault::Silent { seconds: 0 });
    }

    #[test]
    fn a_peer_that_ended_is_an_error_on_both_ways() {
        let (mut a, b) = pair();
        drop(b);
        assert_eq!(a.receive::<Bytes>(None).map(|_| ()).unwrap_err(), Fault::Closed);
        assert_eq!(a.send(&Bytes(vec![]), &[], None).unwrap_err(), Fault::Closed);
    }

    #[test]
    fn garbage_and_lengths_beyond_the_limits_are_errors() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"OFC1\xff\xff\xff\xff\0\0\0\0",
            b"OFC1\0\0\0\x02\0\0\0\x41{}",
            b"OFC1\0\0\0\x02\0\0\0\x01\xff\xff\xff\xff{}",
            b"OFC1\0\0\0\x02\0\0\0\0{{",
            b"OFC1\0\0\0\x03\0\0\0\0\"!\"",
        ] {
            let (a, mut b) = pair();
            a.write_all(bytes, Deadline::after(None)).unwrap();
            assert_eq!(b.receive::<Bytes>(SOON).map(|_| ()).unwrap_err(), Fault::Garbage);
        }
        let (mut a, _b) = pair();
        let fat = [SecretBytes::copy_of(&[0; MAX_BLOB + 1])];
        assert_eq!(a.send(&Bytes(vec![]), &fat, SOON).unwrap_err(), Fault::TooLarge);
    }
}
