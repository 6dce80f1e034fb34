//! The power goes: whatever was written and not synced in the work folder is lost.

use std::process::Command;

use officiant::root::Dialect;

use super::chain::{At, Chain, Death};
use super::kill::{GENESIS_UNITS, Stage};
use crate::harness::{
    command::Ran,
    killer::Killer,
    media::{Medium, may_mount},
};

/// All processes end, and the volume of the work folder is shut down as it stands, without its journal's last words.
struct PowerCut<'a> {
    killer: Killer,
    medium: &'a Medium,
}

impl Death for PowerCut<'_> {
    fn run(&mut self, command: &Command, at: At) -> (Ran, bool) {
        let (ran, died) = Death::run(&mut self.killer, command, at);
        if died {
            self.medium.pull();
            self.medium.put_in_again();
        }
        (ran, died)
    }

    fn last(&self) -> String {
        Death::last(&self.killer)
    }
}

/// At every 3rd call where this program writes itself; enrolments and shares, where SoftHSM does, at every 61st.
#[test]
fn a_genesis_goes_on_after_power_cuts_that_lose_what_was_not_synced() {
    if !may_mount("a_genesis_goes_on_after_power_cuts_that_lose_what_was_not_synced") {
        return;
    }
    let stage = Stage::new(Dialect::Notary, false, None);
    let medium = Medium::ext4(&stage.bench.scratch, "work-1", 24);
    let stride = |step: u64| if matches!(step, 5..=7 | 9..=13) { 61 } else { 3 };
    let mut death = PowerCut { killer: Killer::new(), medium: &medium };
    let chain = Chain {
        bench: &stage.bench,
        clock: 2,
        stride: &stride,
        units: &GENESIS_UNITS,
        enrolments: &[5, 6, 7],
        restart_at: 8,
    };
    let deaths = chain.run(&mut death);
    stage.compare(deaths.count);
    assert!(deaths.count > 50, "{}", deaths.count);
}
