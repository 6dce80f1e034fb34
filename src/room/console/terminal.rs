//! The controlling terminal.
//!
//! Room floor: `/dev/tty`. A kill from outside while a PIN is typed may leave the echo off: `stty sane` mends it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios,
};
use zeroize::Zeroizing;

use super::{Console, Error, Prompt, harmless, wrapped};
use crate::secret::{Pin, SecretBytes};

/// People at the controlling terminal.
pub struct Terminal {
    tty: File,
    moved: Option<Instant>,
}

impl Terminal {
    /// Opens the controlling terminal.
    ///
    /// # Errors
    /// [`Error::NoTerminal`].
    pub fn open() -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NOCTTY.bits().cast_signed());
        let tty = options.open("/dev/tty").map_err(|source| Error::NoTerminal { source })?;
        Ok(Self { tty, moved: None })
    }

    fn width(&self) -> usize {
        let columns = rustix::termios::tcgetwinsize(&self.tty).map_or(0, |size| size.ws_col);
        if columns < 40 { 80 } else { usize::from(columns.min(100)) }
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        self.tty.write_all(text.as_bytes()).map_err(gone)
    }

    /// Puts the question on the screen; what was typed before is thrown away.
    fn put(&mut self, prompt: &Prompt) -> Result<(), Error> {
        self.end_progress()?;
        let text = harmless(&prompt.to_string()).replace('\n', " ");
        // The answer stands behind the colon, and never alone on the next line.
        let text = wrapped(text.trim_end(), self.width() - ROOM_TO_TYPE) + " ";
        rustix::termios::tcflush(&self.tty, QueueSelector::IFlush).map_err(gone)?;
        self.write(&text)
    }

    fn end_progress(&mut self) -> Result<(), Error> {
        if self.moved.take().is_some() { self.write("\n") } else { Ok(()) }
    }

    /// One byte, or `None` at the end of input.
    fn byte(&mut self) -> Result<Option<u8>, Error> {
        let mut byte = Zeroizing::new([0]);
        loop {
            match self.tty.read(&mut byte[..]) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(Some(byte[0])),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(gone(e)),
            }
        }
    }

    /// A line as the terminal's own line editing gives it.
    fn line(&mut self, prompt: &Prompt) -> Result<Vec<u8>, Error> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                None => return Err(end(prompt)),
                Some(b'\n') => return Ok(line),
                Some(_) if line.len() == LONGEST => {
                    return Err(not_text(prompt, "longer than a line can be"));
                }
                Some(byte) => line.push(byte),
            }
        }
    }

    /// Typed bytes up to the end of the line, edited here because the terminal neither echoes nor edits.
    fn unechoed(&mut self, prompt: &Prompt) -> Result<SecretBytes, Error> {
        // Sized up front: a longer line is refused, so nothing reallocates and nothing stays behind.
        let mut typed = Zeroizing::new(Vec::with_capacity(LONGEST));
        loop {
            match self.byte()? {
                None | Some(CTRL_D) => return Err(end(prompt)),
                Some(CTRL_C) => {
                    return Err(Error::Interrupted { step: prompt.step, id: prompt.id.clone() });
                }
                Some(b'\n' | b'\r') => return Ok(SecretBytes::copy_of(&typed)),
                Some(CTRL_U) => typed.clear(),
                Some(BACKSPACE | DELETE) => {
                    // A letter may be several bytes; its first one does not begin with 0b10.
                    while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                }
                Some(_) if typed.len() == LONGEST => {
                    return Err(not_text(prompt, "longer than a PIN can be"));
                }
                Some(byte) => typed.push(byte),
            }
        }
    }
}

impl Console for Terminal {
    fn show(&mut self, text: &str) -> Result<(), Error> {
        self.end_progress()?;
        let text = wrapped(&harmless(text), self.width());
        self.write(&format!("{text}\n"))
    }

    fn ask(&mut self, prompt: &Prompt) -> Result<String, Error> {
        self.put(prompt)?;
        let line = self.line(prompt)?;
        let text = String::from_utf8(line).map_err(|_| not_text(prompt, "not UTF-8 text"))?;
        Ok(text.trim().to_owned())
    }

    fn ask_pin(&mut self, prompt: &Prompt) -> Result<Pin, Error> {
        // First quiet, then the question: no letter of a fast typist is echoed.
        let quiet = Quiet::begin(&self.tty)?;
        self.put(prompt)?;
        let typed = self.unechoed(prompt);
        self.write(if typed.is_ok() { "(taken)\n" } else { "\n" })?;
        quiet.end()?;
        Pin::new(typed?).map_err(|_| not_text(prompt, "not a PIN: 1 to 255 letters are expected"))
    }

    fn progress(&mut self, done: u64, of: u64, what: &str) -> Result<(), Error> {
        let is_last = done >= of;
        let is_soon = self.moved.is_some_and(|moved| moved.elapsed() < Duration::from_millis(100));
        if is_soon && !is_last {
            return Ok(());
        }
        self.write(&format!("\r\u{1b}[K{}: {done} of {of}", harmless(what).replace('\n', " ")))?;
        self.moved = Some(Instant::now());
        if is_last { self.end_progress() } else { Ok(()) }
    }
}

/// The terminal without echo, line editing and signal keys, until this value goes.
struct Quiet {
    tty: File,
    before: Termios,
}

impl Quiet {
    fn begin(tty: &File) -> Result<Self, Error> {
        let tty = tty.try_clone().map_err(gone)?;
        let before = rustix::termios::tcgetattr(&tty).map_err(gone)?;
        let mut quiet = before.clone();
        // Ctrl-C and Ctrl-Z become letters that we read: no signal can end us with the echo off.
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON;
        quiet.local_modes -= LocalModes::ISIG | LocalModes::IEXTEN;
        quiet.input_modes -= InputModes::IXON;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        rustix::termios::tcsetattr(&tty, OptionalActions::Flush, &quiet).map_err(gone)?;
        Ok(Self { tty, before })
    }

    fn end(self) -> Result<(), Error> {
        self.restore().map_err(gone)
    }

    fn restore(&self) -> rustix::io::Result<()> {
        rustix::termios::tcsetattr(&self.tty, OptionalActions::Flush, &self.before)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // The terminal may be gone, and then there is nothing to put back.
        let _ = self.restore();
    }
}

fn gone(source: impl Into<io::Error>) -> Error {
    Error::Gone { source: source.into() }
}

fn end(prompt: &Prompt) -> Error {
    Error::EndOfInput { step: prompt.step, id: prompt.id.clone() }
}

fn not_text(prompt: &Prompt, what: &'static str) -> Error {
    Error::NotText { step: prompt.step, id: prompt.id.clone(), what }
}

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// Columns that a question leaves free beside it.
const ROOM_TO_TYPE: usize = 12;

/// Bytes of a line; more than any answer, and than any PIN.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests;
