//! NSS softokn: a folder that `certutil` makes ready, named in the argument of C_Initialize.

use std::path::Path;

use super::{Kind, LONG_PIN, holds};
use crate::{
    harness::command::{command, run},
    sitting::{Bench, bind::module},
};

pub(super) const ROW: &str = "NSS softokn";

const SOFTOKN: &str = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";

struct Nss;

impl Kind for Nss {
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String) {
        let folder = bench.scratch.folder(&format!("nss/{token}"));
        let pin = bench.scratch.file(&format!("nss/{token}.pin"), LONG_PIN);
        let mut certutil = command("certutil", bench.scratch.path());
        certutil.args(["-N", "-d", &format!("sql:{}", folder.display()), "-f"]).arg(pin);
        run(&mut certutil).ok();
        let needs = format!(
            "writes = [\"nss/{token}\"]\n\
             parameters = \"configdir='sql:{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=\"\n",
            folder.display()
        );
        let (bound, needs) = module(token, Path::new(SOFTOKN), &needs);
        (bound + "uri = \"pkcs11:token=NSS%20Certificate%20DB\"\n", needs)
    }
}

#[test]
fn nss_softokn_does_what_the_table_says() {
    holds(ROW, || Nss);
}
