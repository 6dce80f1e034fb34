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
use serde_json::Value;

use super::{
    command::{LIMIT, Server, command, run, run_with},
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
        let readers: String = (0..pairs).map(|pair| reader(&scratch, pair)).collect();
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
        let readers = Self { daemon, scratch };
        // It listens before it has them.
        wait("pcscd has no readers", || readers.rows().len() == 2 * usize::from(pairs));
        readers
    }

    /// Puts a YubiKey into the reader of that number, from 0, and waits until pcscd found it.
    pub(crate) fn put_in(&self, number: u16, serial: u32, firmware: &str) -> YubiKey {
        self.put_in_as(number, serial, &["--firmware", firmware])
    }

    /// The same, with more to tell it.
    pub(crate) fn put_in_as(&self, number: u16, serial: u32, more: &[&str]) -> YubiKey {
        // Whoever looks at a reader in the moment of insertion can make pcscd miss the card.
        for _ in 0..5 {
            let card = self.card(number, serial, more);
            if within(Duration::from_secs(6), || self.is_in(number)) {
                return card;
            }
        }
        panic!("pcscd does not see YubiKey {serial}");
    }

    /// What the YubiKey of that serial keeps.
    pub(crate) fn kept(&self, serial: u32) -> Value {
        let state = self.scratch.path().join(serial.to_string()).join("state.json");
        serde_json::from_slice(&fs::read(state).unwrap()).unwrap()
    }

    /// Takes it out of that reader, and waits until pcscd knows.
    pub(crate) fn take_out(&self, number: u16, card: YubiKey) {
        drop(card);
        wait("pcscd still sees the YubiKey", || !self.is_in(number));
    }

    /// Puts a YubiKey into each of so many readers, with serials from 1001 on.
    pub(crate) fn fill(&self, cards: u16) -> Vec<YubiKey> {
        (0..cards).map(|n| self.put_in_as(n, 1001 + u32::from(n), &[])).collect()
    }

    fn card(&self, number: u16, serial: u32, more: &[&str]) -> YubiKey {
        let port = (FIRST_PORT + number).to_string();
        let state = self.scratch.path().join(serial.to_string());
        let mut card = self.within(&["--net"]);
        card.arg(peer("vpiv/vpiv"));
        card.args(["--port", &port, "--serial", &serial.to_string()]).args(more);
        card.arg("--state").arg(&state);
        YubiKey(Server(card.stderr(Stdio::null()).spawn().unwrap()))
    }

    fn is_in(&self, number: u16) -> bool {
        self.rows().get(usize::from(number)).is_some_and(|row| row.contains(" Yes "))
    }

    /// A line for each reader: number, whether a card is in, name.
    fn rows(&self) -> Vec<String> {
        let listed = run(self.within(&[]).args(["opensc-tool", "--list-readers"])).stdout;
        listed.lines().filter(|row| row.contains("YubiKey")).map(str::to_owned).collect()
    }

    /// Sends commands to the card in the first reader, as another program would; hex with colons.
    pub(crate) fn send(&self, commands: &[&str]) {
        let mut tool = self.within(&[]);
        tool.args(["opensc-tool", "--card-driver", "default"]);
        run(tool.args(commands.iter().flat_map(|command| ["--send-apdu", command]))).ok();
    }

    /// What another program says that speaks to the cards.
    pub(crate) fn tool(&self, tool: &[&str]) -> String {
        self.piped(tool, "")
    }

    /// The same, of one that is given something to read.
    pub(crate) fn piped(&self, tool: &[&str], input: &str) -> String {
        run_with(self.within(&[]).args(tool), input, LIMIT).ok().stdout
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
    assert!(within(Duration::from_secs(30), is_so), "{what}");
}

fn within(limit: Duration, is_so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        thread::sleep(Duration::from_millis(200));
        if is_so() {
            return true;
        }
    }
    false
}

/// What pcscd is told of a pair of readers. The driver keeps its readers in one table, whatever pair they are of, so each
/// pair has a copy of it.
fn reader(scratch: &Scratch, pair: u16) -> String {
    let driver = scratch.path().join(format!("driver-{pair}.so"));
    fs::copy(DRIVER, &driver).unwrap();
    let (port, driver) = (FIRST_PORT + 2 * pair, driver.display());
    format!(
        "FRIENDLYNAME \"Yubico YubiKey OTP+FIDO+CCID {pair}\"\nDEVICENAME /dev/null:{port:#06x}\n\
         LIBPATH {driver}\nCHANNELID {port:#06x}\n"
    )
}

const DRIVER: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
const FIRST_PORT: u16 = 0x9100;
