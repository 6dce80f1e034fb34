//! p11-kit's client: a token behind a daemon, here SoftHSM's.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use super::{Kind, holds};
use crate::{
    harness::{
        command::{Server, command},
        softhsm::{MODULE, SoftHsm},
    },
    sitting::{Bench, bind::module},
};

pub(super) const ROW: &str = "p11-kit";

const CLIENT: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";

/// The daemons, each with a folder of SoftHSM.
#[derive(Default)]
struct P11Kit(Vec<(String, Server)>);

impl P11Kit {
    fn serve(&mut self, bench: &Bench, token: &str) {
        let softhsm = SoftHsm::empty(&bench.scratch, token);
        let mut server = command("p11-kit", bench.scratch.path());
        server.args(["server", "--foreground", "--provider", MODULE, "--name"]);
        server.arg(bench.path(&format!("{token}.sock"))).arg("pkcs11:");
        server.env("SOFTHSM2_CONF", softhsm.configuration()).stdout(Stdio::piped());
        let mut server = Server(server.spawn().unwrap());
        // It says where it listens once it does.
        let mut said = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.contains(token), "{said}");
        self.0.push((token.to_owned(), server));
    }
}

impl Kind for P11Kit {
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String) {
        if !self.0.iter().any(|(name, _)| name == token) {
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
    holds(ROW, P11Kit::default);
}
