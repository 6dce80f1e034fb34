//! kryoptic: a token is a file, which its configuration names.

use std::fs;

use super::{Kind, holds};
use crate::{
    harness::peers::peer,
    sitting::{Bench, bind::module},
};

pub(super) const ROW: &str = "kryoptic";

pub(super) struct Kryoptic;

impl Kind for Kryoptic {
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String) {
        let folder = bench.scratch.folder("kryoptic").join(token);
        fs::create_dir_all(&folder).unwrap();
        let (file, conf) = (folder.join("token.sql"), folder.join("kryoptic.conf"));
        let text =
            format!("[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", file.display());
        fs::write(&conf, text).unwrap();
        let needs = format!(
            "writes = [\"kryoptic/{token}\"]\nenvironment = {{ KRYOPTIC_CONF = \"{}\" }}\n",
            conf.display()
        );
        module(token, &peer("kryoptic/libkryoptic.so"), &needs)
    }
}

#[test]
fn kryoptic_does_what_the_table_says() {
    holds(ROW, || Kryoptic);
}
