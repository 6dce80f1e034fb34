//! YubiKeys by PIV, without a module.

use std::process::Command;

use super::{Kind, holds};
use crate::{
    harness::{
        media::may_mount,
        yubikey::{Readers, YubiKey},
    },
    sitting::Bench,
};

pub(super) const ROW: &str = "YubiKey";

/// Readers, and the cards that are in.
struct YubiKeys {
    readers: Readers,
    cards: Vec<(String, YubiKey)>,
}

impl Kind for YubiKeys {
    fn put_in(&mut self, _: &Bench, token: &str) -> (String, String) {
        let there = self.cards.iter().position(|(name, _)| name == token);
        let number = there.unwrap_or_else(|| {
            let number = self.cards.len();
            let reader = u16::try_from(number).unwrap();
            // Firmware of either kind: their management keys differ.
            let firmware = if number == 1 { "5.4.3" } else { "5.7.1" };
            let card = self.readers.put_in(reader, 1001 + u32::from(reader), firmware);
            self.cards.push((token.to_owned(), card));
            number
        });
        (format!("yubikey = {}\n", 1001 + number), String::new())
    }

    fn beside(&self, command: Command) -> Command {
        self.readers.beside(&command)
    }
}

#[test]
fn yubikeys_do_what_the_table_says() {
    if may_mount("yubikeys_do_what_the_table_says") {
        holds(ROW, || YubiKeys { readers: Readers::new(2), cards: Vec::new() });
    }
}
