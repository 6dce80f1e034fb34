//! The protocol of pcscd's virtual reader, vpcd: two bytes of length, then one byte that switches the card or asks for its
//! answer to reset, or a command.

use std::{
    io::{Read, Result, Write},
    net::{Ipv4Addr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::card::Card;

pub(crate) struct Link(TcpStream);

impl Link {
    /// Connects, once the reader listens.
    pub(crate) fn connect(port: u16) -> Self {
        let begin = Instant::now();
        loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                Ok(stream) => return Self(stream),
                Err(error) => assert!(begin.elapsed() < Duration::from_secs(20), "{error}"),
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Answers until the reader is gone; or, after so many commands, does what it is told and is gone before it says so.
    pub(crate) fn serve(&mut self, card: &mut Card<'_, '_>, mut commands: Option<u64>) {
        while let Ok(asked) = self.read() {
            let sent = match asked.as_slice() {
                [4] => self.write(&ATR),
                // Switched on, off, or reset.
                [_] => {
                    card.reset();
                    Ok(())
                }
                command => {
                    let answer = card.answer(command);
                    commands = commands.map(|left| left.saturating_sub(1));
                    if commands == Some(0) {
                        return;
                    }
                    self.write(&answer)
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    fn read(&mut self) -> Result<Vec<u8>> {
        let mut length = [0; 2];
        self.exactly(&mut length)?;
        let mut asked = vec![0; usize::from(u16::from_be_bytes(length))];
        self.exactly(&mut asked)?;
        Ok(asked)
    }

    /// The kernel forgets about quick acknowledgements after each read; without them every command takes 44 ms.
    fn exactly(&mut self, buffer: &mut [u8]) -> Result<()> {
        rustix::net::sockopt::set_tcp_quickack(&self.0, true)?;
        self.0.read_exact(buffer)
    }

    fn write(&mut self, answer: &[u8]) -> Result<()> {
        let length = u16::try_from(answer.len()).expect("a short answer").to_be_bytes();
        self.0.write_all(&[&length[..], answer].concat())
    }
}

/// The answer to reset of a YubiKey 5, by which other software knows its kind.
const ATR: [u8; 23] = *b"\x3b\xfd\x13\0\0\x81\x31\xfe\x15\x80\x73\xc0\x21\xc0\x57YubiKey\x40";
