//! A virtual YubiKey: `vpiv --port PORT --serial SERIAL --state FOLDER [--firmware 5.7.1]
//! [--attests SERIAL] [--ends-after COMMANDS] [--cuts INSTRUCTION]`.
//!
//! It connects to pcscd's virtual reader on this machine's loopback, and ends when the reader goes or it is killed: that
//! is how it is taken out. The folder keeps what a YubiKey keeps, and the certificate of the authority that vouches for
//! its attestations, `ca.der`.

mod admin;
mod applet;
mod attest;
mod card;
mod link;
mod state;

use std::{path::PathBuf, process::ExitCode};

use card::Card;
use link::Link;
use state::State;

struct Arguments {
    port: u16,
    serial: u32,
    state: PathBuf,
    firmware: [u8; 3],
    attests: Option<u32>,
    ends_after: Option<u64>,
    cuts: Option<u8>,
}

impl Arguments {
    fn read() -> Option<Self> {
        let (mut port, mut serial, mut state, mut firmware) = (None, None, None, [5, 7, 1]);
        let (mut attests, mut ends_after, mut cuts) = (None, None, None);
        let mut words = std::env::args().skip(1);
        while let Some(name) = words.next() {
            let value = words.next()?;
            match name.as_str() {
                "--port" => port = Some(value.parse().ok()?),
                "--serial" => serial = Some(value.parse().ok()?),
                "--state" => state = Some(PathBuf::from(value)),
                "--attests" => attests = Some(value.parse().ok()?),
                "--ends-after" => ends_after = Some(value.parse().ok()?),
                "--cuts" => cuts = Some(u8::from_str_radix(&value, 16).ok()?),
                "--firmware" => {
                    let parts: Option<Vec<u8>> = value.split('.').map(|p| p.parse().ok()).collect();
                    firmware = parts?.try_into().ok()?;
                }
                _ => return None,
            }
        }
        Some(Self {
            port: port?,
            serial: serial?,
            state: state?,
            firmware,
            attests,
            ends_after,
            cuts,
        })
    }
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::read() else {
        eprintln!("vpiv --port PORT --serial SERIAL --state FOLDER [--firmware 5.7.1]");
        return ExitCode::from(2);
    };
    std::fs::create_dir_all(&arguments.state).expect("its folder");
    std::fs::write(arguments.state.join("ca.der"), attest::authority()).expect("its authority");
    let mut state = State::open(&arguments.state, arguments.serial, arguments.firmware);
    state.cuts = arguments.cuts;
    state.attests = arguments.attests.unwrap_or(arguments.serial);
    let mut link = Link::connect(arguments.port);
    applet::with(&arguments.state, |applet| {
        link.serve(&mut Card::new(applet, state), arguments.ends_after)
    });
    ExitCode::SUCCESS
}
