//! A TPM 2.0: Intel's module, the resource manager behind a bus of its own, and a simulated TPM.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Kind, holds};
use crate::{
    harness::command::{Server, command, run},
    sitting::{Bench, bind::module},
};

pub(super) const ROW: &str = "TPM 2.0";

const TPM2_PKCS11: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so";

/// The machine's TPM, with the processes behind it, and the token that is on it.
#[derive(Default)]
struct Tpm(Option<(String, [Server; 3])>);

impl Tpm {
    fn begin(bench: &Bench) -> [Server; 3] {
        let at = |name: &str| bench.path(name).display().to_string();
        let mut swtpm = command("swtpm", bench.scratch.path());
        let state = bench.scratch.folder("tpm").display().to_string();
        swtpm.args(["socket", "--tpm2", "--tpmstate", &format!("dir={state}"), "--server"]);
        swtpm.args([&format!("type=unixio,path={}", at("tpm.sock")), "--ctrl"]);
        // Where the resource manager looks for it.
        swtpm.args([&format!("type=unixio,path={}", at("tpm.sock.ctrl"))]);
        swtpm.args(["--flags", "not-need-init,startup-clear"]);
        let swtpm = quiet(swtpm);
        wait(|| bench.path("tpm.sock").exists() && bench.path("tpm.sock.ctrl").exists());
        let bus = bus(bench);
        let address = format!("unix:path={}", at("bus"));
        let mut manager = command("tpm2-abrmd", bench.scratch.path());
        manager.args(["--session", "--allow-root"]);
        manager.arg(format!("--tcti=swtpm:path={}", at("tpm.sock")));
        let manager = quiet(manager.env("DBUS_SESSION_BUS_ADDRESS", &address));
        wait(|| {
            let mut asked = command("dbus-send", bench.scratch.path());
            asked.env("DBUS_SESSION_BUS_ADDRESS", &address);
            asked.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
            asked.args(["org.freedesktop.DBus.NameHasOwner", "string:com.intel.tss2.Tabrmd"]);
            run(&mut asked).stdout.contains("true")
        });
        [swtpm, bus, manager]
    }
}

impl Kind for Tpm {
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String) {
        // A machine has one. Whatever else joins is of another kind.
        let (first, _) = self.0.get_or_insert_with(|| (token.to_owned(), Self::begin(bench)));
        if first != token {
            return (format!("module = \"soft\"\nsofthsm = \"tokens/{token}\"\n"), String::new());
        }
        let store = bench.scratch.folder("store");
        let needs = format!(
            "writes = [\"store\"]\nsockets = [\"bus\"]\n[module.environment]\n\
             TPM2_PKCS11_STORE = \"{}\"\nTPM2_PKCS11_TCTI = \"tabrmd:bus_type=session\"\n\
             DBUS_SESSION_BUS_ADDRESS = \"unix:path={}\"\n",
            store.display(),
            bench.path("bus").display()
        );
        module(token, Path::new(TPM2_PKCS11), &needs)
    }
}

/// A message bus that nobody else uses.
fn bus(bench: &Bench) -> Server {
    let conf = format!(
        "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/>\
         <allow own=\"*\"/></policy></busconfig>\n",
        bench.path("bus").display()
    );
    let conf = bench.scratch.file("bus.conf", conf);
    let mut bus = command("dbus-daemon", bench.scratch.path());
    bus.arg(format!("--config-file={}", conf.display())).args(["--nofork", "--print-address"]);
    let mut bus = Server(bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut said = String::new();
    BufReader::new(bus.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.starts_with("unix:"), "{said}");
    bus
}

fn quiet(mut command: impl std::borrow::BorrowMut<Command>) -> Server {
    let command = command.borrow_mut();
    Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[track_caller]
fn wait(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the TPM is not ready");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_tpm_does_what_the_table_says() {
    holds(ROW, Tpm::default);
}
