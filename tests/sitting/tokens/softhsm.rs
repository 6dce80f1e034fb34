//! SoftHSM: each token has a folder of its own.

use super::{Kind, holds};
use crate::sitting::Bench;

pub(super) const ROW: &str = "SoftHSM";

pub(super) struct SoftHsm;

impl Kind for SoftHsm {
    fn put_in(&mut self, _: &Bench, token: &str) -> (String, String) {
        (format!("module = \"soft\"\nsofthsm = \"tokens/{token}\"\n"), String::new())
    }
}

#[test]
fn softhsm_does_what_the_table_says() {
    holds(ROW, || SoftHsm);
}
