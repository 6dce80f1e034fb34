//! Modules that reach their token through a socket of this machine: p11-kit's client, and OpenSC through pcscd.
//!
//! Their daemons run in a mount namespace of their own, and so do the children that speak to them: root alone can.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use officiant::{
    child::{
        Launch,
        token::{Driver, Login, Purpose, Token},
    },
    key::{Algorithm, Hash, Scheme},
    room::binding::Needs,
};

use super::{PIN, launch, pin};
use crate::harness::{
    command::{Server, command},
    media::may_mount,
    scratch::{Scratch, free_port},
    softhsm::{MODULE, SoftHsm},
};

const P11_KIT: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";
const OPENSC: &str = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so";

/// What runs the script with a `/run` of its own.
fn apart(scratch: &Scratch, script: &str) -> Command {
    let mut apart = command("unshare", scratch.path());
    apart.args(["--mount", "sh", "-c", &format!("mount -t tmpfs tmpfs /run && {script}")]);
    apart
}

/// Starts children where a daemon runs.
fn beside(scratch: &Scratch, daemon: &Server) -> Launch {
    let (pid, officiant) = (daemon.0.id(), env!("CARGO_BIN_EXE_officiant"));
    let script = format!("#!/bin/sh\nexec /usr/bin/nsenter -t {pid} -m -- {officiant} \"$@\"\n");
    let program = scratch.file("beside", script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Launch { program, ..launch("remote") }
}

fn driver(module: &str, socket: &str) -> Driver {
    let needs = Box::new(Needs { sockets: vec![socket.into()], ..Needs::default() });
    Driver::Module { module: module.into(), sha256: None, softhsm: None, needs, uri: None }
}

#[test]
fn a_token_behind_p11_kit_signs() {
    if !may_mount("a_token_behind_p11_kit_signs") {
        return;
    }
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", PIN);
    // Where p11-kit's client looks when it has no environment.
    let folder = format!("/run/user/{}/p11-kit", rustix::process::getuid().as_raw());
    let mut server = apart(
        &scratch,
        &format!(
            "mkdir -p {folder} && \
             exec p11-kit server --foreground --provider {MODULE} --name {folder}/pkcs11 pkcs11:"
        ),
    );
    server.env("SOFTHSM2_CONF", softhsm.configuration()).stdout(Stdio::piped());
    let mut server = Server(server.spawn().unwrap());
    // It says where it listens once it does.
    let mut said = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains(&folder), "{said}");
    let mut token = Token::start(&beside(&scratch, &server), &driver(P11_KIT, &folder)).unwrap();
    token.select(&softhsm.serial(&scratch)).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    let made = token.generate(Purpose::Root, Algorithm::EcdsaP256, "root").unwrap();
    let scheme = Scheme::EcdsaRaw(Hash::Sha256);
    let raw = token.sign(&made.key, &[scheme.to_sign(b"root")]).unwrap();
    let signature = scheme.encode(Algorithm::EcdsaP256, &raw[0]).unwrap();
    made.key.public.verify(scheme, b"root", &signature).unwrap();
}

#[test]
fn opensc_speaks_to_a_card_through_pcscd() {
    if !may_mount("opensc_speaks_to_a_card_through_pcscd") {
        return;
    }
    let scratch = Scratch::new();
    let port = free_port();
    let reader = format!(
        "FRIENDLYNAME \"Virtual\"\nDEVICENAME /dev/null:{port:#06x}\n\
         LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so\nCHANNELID {port:#06x}\n"
    );
    scratch.file("readers/vpcd", reader);
    let readers = scratch.path().join("readers");
    let script =
        format!("mkdir /run/pcscd && exec pcscd --foreground --config {}", readers.display());
    let daemon = Server(apart(&scratch, &script).stderr(Stdio::null()).spawn().unwrap());
    let card = Card::put_in(port);
    let mut token =
        Token::start(&beside(&scratch, &daemon), &driver(OPENSC, "/run/pcscd")).unwrap();
    token.list().unwrap();
    // Commands of the module itself have four bytes or more; pcscd sends none.
    card.asked(|asked| asked.len() >= 4);
}

/// A card in the virtual reader that has no application: it says its ATR, and refuses whatever else is asked.
struct Card(mpsc::Receiver<Vec<u8>>);

impl Card {
    fn put_in(port: u16) -> Self {
        let (tell, told) = mpsc::channel();
        let begin = Instant::now();
        let socket = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(socket) => break socket,
                Err(error) => assert!(begin.elapsed() < Duration::from_secs(20), "{error}"),
            }
            thread::sleep(Duration::from_millis(20));
        };
        thread::spawn(move || drop(serve(socket, &tell)));
        let card = Self(told);
        // Once pcscd found it.
        card.asked(|asked| asked == [ATR]);
        card
    }

    /// The next thing of that kind that it was asked.
    fn asked(&self, is_it: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let next = || self.0.recv_timeout(Duration::from_secs(20)).expect("nobody asked the card");
        std::iter::repeat_with(next).find(|asked| is_it(asked)).expect("endless")
    }
}

/// What asks for a card's answer to reset.
const ATR: u8 = 4;

/// The protocol of vpcd: two bytes of length, then one byte that switches the card or asks for its ATR, or a command.
fn serve(mut socket: TcpStream, tell: &mpsc::Sender<Vec<u8>>) -> std::io::Result<()> {
    loop {
        let mut length = [0; 2];
        socket.read_exact(&mut length)?;
        let mut asked = vec![0; usize::from(u16::from_be_bytes(length))];
        socket.read_exact(&mut asked)?;
        let answer: &[u8] = match asked.as_slice() {
            [ATR] => &[0x3b, 0x80, 0x01, 0x81],
            [_] => continue,
            // Not found.
            _ => &[0x6a, 0x82],
        };
        let _ = tell.send(asked);
        socket.write_all(&u16::try_from(answer.len()).unwrap_or_default().to_be_bytes())?;
        socket.write_all(answer)?;
    }
}
