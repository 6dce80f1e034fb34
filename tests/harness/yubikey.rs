//! Virtual YubiKeys in virtual readers of a pcscd of their own: tests/vpiv.
//!
//! The readers' ports would be open to the whole network, so pcscd and the cards have a network namespace to themselves;
//! and pcscd's socket has one path alone, so it has a mount namespace, in which whoever speaks to it must run.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use officiant::child::Launch;

use super::{
    command::{Server, command, run},
    peers::peer,
    scratch::Scratch,
};

/// A pcscd with readers, all of them empty.
pub(crate) struct Readers {
    daemon: Server,
    scratch: Scratch,
}

/// A YubiKey that is in a reader; dropping it takes it out. What it keeps stays for the next time.
pub(crate) struct YubiKey(#[expect(dead_code, reason = "it is the process that is kept")] Server);

impl Readers {
    /// Starts pcscd with two readers or more.
    pub(crate) fn new(pairs: u16) -> Self {
        let scratch = Scratch::new();
        let readers: String = (0..pairs).map(reader).collect();
        scratch.file("readers/vpcd", readers);
        let folder = scratch.path().join("readers");
        let script = format!(
            "mount -t tmpfs tmpfs /run && mkdir /run/pcscd && ip link set lo up && \
             exec pcscd --foreground --config {}",
            folder.display()
        );
        let mut daemon = command("unshare", scratch.path());
        daemon.args(["--mount", "--net", "sh", "-c", &script]);
        let daemon = Server(daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        // Before that it may still be in our own namespaces.
        let process = PathBuf::from(format!("/proc/{}", daemon.0.id()));
        let network = |process: &Path| fs::read_link(process.join("ns/net")).ok();
        let socket = process.join("root/run/pcscd/pcscd.comm");
        wait("pcscd does not listen", || {
            network(&process) != network(Path::new("/proc/self")) && socket.exists()
        });
        Self { daemon, scratch }
    }

    /// Puts a YubiKey into the reader of that number, from 0, and waits until pcscd found it.
    pub(crate) fn put_in(&self, number: u16, serial: u32, firmware: &str) -> YubiKey {
        let port = (FIRST_PORT + number).to_string();
        let state = self.scratch.path().join(serial.to_string());
        let mut card = self.within(&["--net"]);
        card.arg(peer("vpiv/vpiv"));
        card.args(["--port", &port, "--serial", &serial.to_string(), "--firmware", firmware]);
        card.arg("--state").arg(&state);
        let card = YubiKey(Server(card.stderr(Stdio::null()).spawn().unwrap()));
        wait("pcscd does not see the YubiKey", || self.is_in(number));
        card
    }

    fn is_in(&self, number: u16) -> bool {
        let listed = run(self.within(&[]).args(["opensc-tool", "--list-readers"])).stdout;
        let row = format!("{number}    Yes");
        listed.lines().any(|line| line.starts_with(&row))
    }

    /// The certificate of the authority that vouches for the attestations of a YubiKey.
    #[expect(dead_code, reason = "the next test needs it")]
    pub(crate) fn authority(&self, serial: u32) -> Vec<u8> {
        fs::read(self.scratch.path().join(serial.to_string()).join("ca.der")).unwrap()
    }

    /// Starts children that reach pcscd.
    pub(crate) fn launch(&self, name: &str) -> Launch {
        let (pid, officiant) = (self.daemon.0.id(), env!("CARGO_BIN_EXE_officiant"));
        let script =
            format!("#!/bin/sh\nexec /usr/bin/nsenter -t {pid} -m -- {officiant} \"$@\"\n");
        let program: PathBuf = self.scratch.file("beside", script);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Launch { program, name: name.to_owned(), patience: Duration::from_secs(60) }
    }

    /// The same command where pcscd can be reached.
    pub(crate) fn beside(&self, original: &Command) -> Command {
        let mut beside = self.within(&[]);
        beside.arg("--wd=.").arg(original.get_program()).args(original.get_args()).env_clear();
        beside.envs(original.get_envs().filter_map(|(name, value)| value.map(|v| (name, v))));
        if let Some(folder) = original.get_current_dir() {
            beside.current_dir(folder);
        }
        beside
    }

    fn within(&self, namespaces: &[&str]) -> Command {
        let mut within = command("nsenter", self.scratch.path());
        within.args(["--target", &self.daemon.0.id().to_string(), "--mount"]).args(namespaces);
        within
    }
}

fn wait(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// What pcscd is told of a pair of readers.
fn reader(pair: u16) -> String {
    let port = FIRST_PORT + 2 * pair;
    format!(
        "FRIENDLYNAME \"Yubico YubiKey OTP+FIDO+CCID {pair}\"\nDEVICENAME /dev/null:{port:#06x}\n\
         LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so\nCHANNELID {port:#06x}\n"
    )
}

const FIRST_PORT: u16 = 0x9100;
