//! p11-kit's client: a token behind a daemon, here SoftHSM's.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use officiant::root::Dialect;

use super::{Kind, conduct, holds};
use crate::{
    harness::{
        command::{Server, command},
        shim::Shim,
        softhsm::{MODULE, SoftHsm},
    },
    sitting::{
        Bench, bad_answer::waits_at, bind::module, broken_token::AGAIN, genesis::on_one_token,
    },
};

pub(super) const ROW: &str = "p11-kit";

const CLIENT: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";

/// The daemons, each with a folder of SoftHSM.
struct P11Kit {
    provider: String,
    daemons: Vec<(String, Server)>,
}

impl P11Kit {
    fn before(provider: &str) -> Self {
        Self { provider: provider.to_owned(), daemons: Vec::new() }
    }

    fn serve(&mut self, bench: &Bench, token: &str) {
        let softhsm = SoftHsm::empty(&bench.scratch, token);
        let mut server = command("p11-kit", bench.scratch.path());
        server.args(["server", "--foreground", "--provider", &self.provider, "--name"]);
        server.arg(bench.path(&format!("{token}.sock"))).arg("pkcs11:");
        server.env("SOFTHSM2_CONF", softhsm.configuration()).stdout(Stdio::piped());
        let mut server = Server(server.spawn().unwrap());
        // It says where it listens once it does.
        let mut said = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.contains(token), "{said}");
        self.daemons.push((token.to_owned(), server));
    }
}

impl Kind for P11Kit {
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String) {
        if !self.daemons.iter().any(|(name, _)| name == token) {
            self.serve(bench, token);
        }
        let needs = format!(
            "sockets = [\"{token}.sock\"]\n\
             environment = {{ P11_KIT_SERVER_ADDRESS = \"unix:path={}\" }}\n",
            bench.path(&format!("{token}.sock")).display()
        );
        module(token, Path::new(CLIENT), &needs)
    }
}

#[test]
fn a_token_behind_p11_kit_does_what_the_table_says() {
    holds(ROW, || P11Kit::before(MODULE));
}

/// The token is pulled and put in again: the process behind the daemon's socket, which has it, is ended, after it did what
/// was asked and before it says so. The daemon starts another for whoever comes next.
#[test]
fn a_token_whose_remote_ends_in_the_middle_of_an_act_is_taken_up_again() {
    for (call, doing, step) in [
        ("C_Login 1", "setting its user PIN", 5),
        ("C_Sign 1", "signing", 5),
        ("C_GenerateKeyPair 2", "making ecdsa-p256 key `root-a`", 6),
        ("C_Sign 6", "signing", 6),
        ("C_CreateObject 1", "storing `officiant intent 1`", 9),
    ] {
        let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
        let rule = format!("{call} after kill self");
        let shim = Shim::before(&bench.scratch, "all", MODULE, &[&rule]);
        let mut kind = P11Kit::before(shim.module().to_str().unwrap());
        let ran = conduct(&bench, &mut kind, &["officer-a"], &on_one_token());
        let lines = format!(
            ") failed while {doing} (CKR_DEVICE_ERROR)\nhint: {AGAIN}\n{}\n",
            waits_at(step)
        );
        let told = bench.told(&ran);
        let (above, what) = told.rsplit_once("\nerror: token `officer-a` (serial ").unwrap();
        assert!(what.ends_with(&lines) && what.lines().count() == 3, "{call}: {above}{what}");
        assert_eq!(ran.code(), 3);
        shim.rules(MODULE, &[]);
        bench.resume().ok();
        assert_eq!(bench.shape("repo.test", 1), "1 of root-a, signed by root-a", "{call}");
    }
}
