//! The controlling terminal.
//!
//! Room floor: `/dev/tty`. A kill from outside while a PIN is typed may leave the echo off: `stty sane` mends it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use zeroize::Zeroizing;

use super::pace::Pace;
use super::{Console, Error, Prompt, harmless, wrapped};
use crate::secret::{Passphrase, Pin, SecretBytes};

/// People at the controlling terminal.
pub struct Terminal {
    tty: File,
    opened: Instant,
    moved: Option<Instant>,
    /// Of the work whose progress was shown last.
    pace: Option<Pace>,
    /// The modes before the first question, which are put back at the end.
    before: Option<Termios>,
    /// How many lines were shown since somebody last typed.
    lines: usize,
}

/// How the terminal takes what is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A line, echoed and edited by the terminal.
    Line,
    /// A line, unechoed.
    Enter,
    /// Nobody is asked: nothing is echoed, and all but Ctrl-C is thrown away.
    Deaf,
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
        Ok(Self::on(tty))
    }

    fn on(tty: File) -> Self {
        Self { tty, opened: Instant::now(), moved: None, pace: None, before: None, lines: 0 }
    }

    fn width(&self) -> usize {
        let columns = rustix::termios::tcgetwinsize(&self.tty).map_or(0, |size| size.ws_col);
        if columns < 40 { 80 } else { usize::from(columns.min(100)) }
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        self.tty.write_all(text.as_bytes()).map_err(gone)
    }

    /// How many lines fit the screen above a question.
    fn page(&self) -> usize {
        let rows = rustix::termios::tcgetwinsize(&self.tty).map_or(0, |size| size.ws_row);
        if rows < 12 { usize::MAX } else { usize::from(rows) - ROWS_TO_ASK }
    }

    /// Sets how the terminal listens. What was typed before is thrown away.
    fn listen(&mut self, mode: Mode) -> Result<(), Error> {
        let before = match &self.before {
            Some(before) => before.clone(),
            None => rustix::termios::tcgetattr(&self.tty).map_err(gone)?,
        };
        let mut modes = before.clone();
        self.before = Some(before);
        // Ctrl-C is read as a letter that ends a line: it stops us in words, and with the echo as it was.
        modes.special_codes[SpecialCodeIndex::VINTR] = 0;
        modes.special_codes[SpecialCodeIndex::VSUSP] = 0;
        modes.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        if mode != Mode::Line {
            modes.local_modes -= LocalModes::ECHO | LocalModes::ECHONL;
        }
        if mode == Mode::Deaf {
            modes.local_modes -= LocalModes::ICANON;
            modes.special_codes[SpecialCodeIndex::VMIN] = 0;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        }
        rustix::termios::tcsetattr(&self.tty, OptionalActions::Flush, &modes).map_err(gone)
    }

    /// Whether somebody pressed Ctrl-C while nobody was asked.
    fn check_stopped(&mut self) -> Result<(), Error> {
        if self.before.is_none() {
            return Ok(());
        }
        while let Some(byte) = self.byte()? {
            if byte == CTRL_C {
                self.end_progress()?;
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }

    /// Waits until the screen was read, before the first line of it goes.
    fn turn(&mut self) -> Result<(), Error> {
        self.listen(Mode::Enter)?;
        self.write(MORE)?;
        let read = self.line(0);
        self.listen(Mode::Deaf)?;
        self.write("\r\u{1b}[K")?;
        self.lines = 0;
        read.map(|_| ())
    }

    /// Puts the question on the screen; what was typed before is thrown away.
    fn put(&mut self, prompt: &Prompt) -> Result<(), Error> {
        self.end_progress()?;
        self.lines = 0;
        let text = harmless(&prompt.to_string()).replace('\n', " ");
        // The answer stands behind the colon, and never alone on the next line.
        let text = wrapped(text.trim_end(), self.width() - ROOM_TO_TYPE) + " ";
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
    fn line(&mut self, step: u32) -> Result<Vec<u8>, Error> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                None => {
                    self.write("\n")?;
                    return Err(Error::EndOfInput { step });
                }
                Some(CTRL_C) => {
                    self.write("\n")?;
                    return Err(Error::Interrupted);
                }
                Some(b'\n') => return Ok(line),
                Some(_) if line.len() == LONGEST => {
                    return Err(not_text(step, "longer than a line can be"));
                }
                Some(byte) => line.push(byte),
            }
        }
    }

    /// Typed bytes up to the end of the line, edited here because the terminal neither echoes nor edits.
    fn unechoed(&mut self, step: u32) -> Result<SecretBytes, Error> {
        // Sized up front: a longer line is refused, so nothing reallocates and nothing stays behind.
        let mut typed = Zeroizing::new(Vec::with_capacity(LONGEST));
        loop {
            match self.byte()? {
                None | Some(CTRL_D) => return Err(Error::EndOfInput { step }),
                Some(CTRL_C) => return Err(Error::Interrupted),
                Some(b'\n' | b'\r') => return Ok(SecretBytes::copy_of(&typed)),
                Some(CTRL_U) => typed.clear(),
                Some(BACKSPACE | DELETE) => {
                    // A letter may be several bytes; its first one does not begin with 0b10.
                    while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                }
                Some(_) if typed.len() == LONGEST => {
                    return Err(not_text(step, "longer than a PIN can be"));
                }
                Some(byte) => typed.push(byte),
            }
        }
    }
}

impl Console for Terminal {
    fn show(&mut self, text: &str) -> Result<(), Error> {
        self.check_stopped()?;
        self.end_progress()?;
        for line in wrapped(&harmless(text), self.width()).split('\n') {
            if self.lines >= self.page() {
                self.turn()?;
            }
            self.write(&format!("{line}\n"))?;
            self.lines += line.chars().count().max(1).div_ceil(self.width());
        }
        Ok(())
    }

    fn ask(&mut self, prompt: &Prompt) -> Result<String, Error> {
        self.check_stopped()?;
        // First the mode, then the question: what is typed at once is heard.
        self.listen(Mode::Line)?;
        self.put(prompt)?;
        let line = self.line(prompt.step);
        self.listen(Mode::Deaf)?;
        let text = String::from_utf8(line?).map_err(|_| not_text(prompt.step, "not UTF-8 text"))?;
        Ok(text.trim().to_owned())
    }

    fn ask_pin(&mut self, prompt: &Prompt) -> Result<Pin, Error> {
        self.check_stopped()?;
        self.listen(Mode::Deaf)?;
        // First quiet, then the question: no letter of a fast typist is echoed.
        let quiet = Quiet::begin(&self.tty)?;
        self.put(prompt)?;
        let typed = self.unechoed(prompt.step);
        self.write(if typed.is_ok() { "(taken)\n" } else { "\n" })?;
        quiet.end()?;
        Pin::new(typed?).map_err(|_| not_text(prompt.step, "no PIN: 1 to 255 letters are expected"))
    }

    fn show_passphrase(&mut self, prompt: &Prompt, passphrase: &Passphrase) -> Result<(), Error> {
        self.check_stopped()?;
        self.end_progress()?;
        // Word by word from where it lies: no text is put together that somebody would have to wipe.
        for (number, word) in (1..).zip(passphrase.expose().split('-')) {
            self.write(&format!("        {number:>2}  "))?;
            self.write(word)?;
            self.write("\n")?;
        }
        self.listen(Mode::Enter)?;
        self.put(prompt)?;
        let read = self.line(prompt.step);
        self.listen(Mode::Deaf)?;
        // The screen, what scrolled off it, and the place where the next line begins.
        self.write("\u{1b}[2J\u{1b}[3J\u{1b}[H        the words are gone from the screen\n")?;
        read.map(|_| ())
    }

    fn progress(&mut self, done: u64, of: u64, what: &str) -> Result<(), Error> {
        self.check_stopped()?;
        let (is_last, now) = (done >= of, self.opened.elapsed());
        let pace = Pace::of(self.pace.take(), what, now, done);
        let left = pace.left(now, done, of).map_or_else(String::new, |left| format!(", {left}"));
        self.pace = Some(pace);
        let is_soon = self.moved.is_some_and(|moved| moved.elapsed() < Duration::from_millis(100));
        if is_soon && !is_last {
            return Ok(());
        }
        let what = harmless(what).replace('\n', " ");
        self.write(&format!("\r\u{1b}[K{what}: {done} of {of}{left}"))?;
        self.moved = Some(Instant::now());
        if is_last { self.end_progress() } else { Ok(()) }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // The terminal may be gone, and then there is nothing to put back.
            let _ = rustix::termios::tcsetattr(&self.tty, OptionalActions::Flush, before);
        }
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

fn not_text(step: u32, what: &'static str) -> Error {
    Error::NotText { step, what }
}

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// What stands below a full screen.
const MORE: &str = "-- press Enter for more: ";

/// Rows that are left below a full screen, for a question.
const ROWS_TO_ASK: usize = 4;

/// Columns that a question leaves free beside it.
const ROOM_TO_TYPE: usize = 12;

/// Bytes of a line; more than any answer, and than any PIN.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests;
