//! Weaknesses of tokens that their makers made known, by model and firmware: a table with its date.
//!
//! First floor: pure. docs/design.md says what each is worth here.

use jiff::civil::{Date, date};

use crate::key::Algorithm;

/// The day up to which the table was kept: what became known later it does not know.
pub const KNOWN_UNTIL: Date = date(2026, 11, 27);

/// A weakness.
#[derive(Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Its maker's number, and the public one.
    pub id: &'static str,
    /// When it was made known.
    pub published: Date,
    /// What it means, as a clause.
    pub means: &'static str,
    /// The firmware that has it, first and first without.
    firmware: (Firmware, Firmware),
    of: Of,
    /// Whether a key of that kind can be found by its public half alone: none is made.
    pub is_fatal: bool,
}

/// Major, minor, patch.
type Firmware = [u8; 3];

/// The keys that it weakens.
#[derive(Debug, PartialEq, Eq)]
enum Of {
    Ecdsa,
    EcdsaAndRsa,
    Rsa,
}

impl Advisory {
    /// Whether it weakens keys of that kind.
    pub const fn touches(&self, algorithm: Algorithm) -> bool {
        let is_rsa = matches!(algorithm, Algorithm::Rsa(_));
        match &self.of {
            _ if matches!(algorithm, Algorithm::Ed25519) => false,
            Of::Ecdsa => !is_rsa,
            Of::EcdsaAndRsa => true,
            Of::Rsa => is_rsa,
        }
    }

    /// What is told of it.
    pub fn sentence(&self) -> String {
        format!("{}, {}: {}", self.id, self.published, self.means)
    }
}

/// The weaknesses of a token, by what it says of itself; none is known of other makers' tokens.
pub fn of(model: &str, firmware: &str) -> Vec<&'static Advisory> {
    let known = model.contains("YubiKey").then(|| read(firmware)).flatten();
    let has = |advisory: &&Advisory| {
        known.is_some_and(|known| (advisory.firmware.0..advisory.firmware.1).contains(&known))
    };
    TABLE.iter().filter(has).collect()
}

/// The one with that id, if the table still has it.
pub fn called(id: &str) -> Option<&'static Advisory> {
    TABLE.iter().find(|advisory| advisory.id == id)
}

/// How many there are.
pub const fn count() -> usize {
    TABLE.len()
}

/// `5.7.1`; or `5.71`, as PKCS#11 has room for two numbers and the module of YubiKeys puts the last two into one.
fn read(firmware: &str) -> Option<Firmware> {
    let parts: Option<Vec<u8>> = firmware.split('.').map(|part| part.parse().ok()).collect();
    match parts?[..] {
        [major, minor, patch] => Some([major, minor, patch]),
        [major, both] => Some([major, both / 10, both % 10]),
        _ => None,
    }
}

/// In the order of their publication.
const TABLE: [Advisory; 3] = [
    Advisory {
        id: "YSA-2017-01 (CVE-2017-15361, ROCA)",
        published: date(2017, 10, 16),
        means: "whoever has the public half of an RSA key that it made can find the private one",
        firmware: ([4, 2, 6], [4, 3, 5]),
        of: Of::Rsa,
        is_fatal: true,
    },
    Advisory {
        id: "YSA-2019-02",
        published: date(2019, 6, 13),
        means: "what it draws first after it is put in is partly known: signatures can give an ECDSA key away, and RSA keys are weaker",
        firmware: ([4, 4, 2], [4, 4, 5]),
        of: Of::EcdsaAndRsa,
        is_fatal: false,
    },
    Advisory {
        id: "YSA-2024-03 (CVE-2024-45678, EUCLEAK)",
        published: date(2024, 9, 3),
        means: "whoever has it in hands, with a laboratory and its PIN, can find its ECDSA keys while it signs",
        firmware: ([5, 0, 0], [5, 7, 0]),
        of: Of::Ecdsa,
        is_fatal: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weakness_is_known_by_model_and_firmware_and_of_the_keys_that_it_weakens() {
        let [roca, random, eucleak] = ["YSA-2017-01", "YSA-2019-02", "YSA-2024-03"];
        for (model, firmware, known) in [
            ("YubiKey", "4.2.5", vec![]),
            ("YubiKey", "4.2.6", vec![roca]),
            ("YubiKey", "4.3.4", vec![roca]),
            ("YubiKey YK4", "4.34", vec![roca]),
            ("YubiKey", "4.3.5", vec![]),
            ("YubiKey", "4.4.4", vec![random]),
            ("YubiKey", "4.4.5", vec![]),
            ("YubiKey", "5.4.3", vec![eucleak]),
            ("YubiKey YK5", "5.43", vec![eucleak]),
            ("YubiKey", "5.7.0", vec![]),
            ("YubiKey YK5", "5.71", vec![]),
            ("YubiKey", "", vec![]),
            ("YubiKey", "5.4.3.2", vec![]),
            ("PKCS#15 emulated", "5.4.3", vec![]),
        ] {
            let found: Vec<&str> = of(model, firmware)
                .into_iter()
                .map(|advisory| advisory.id.split(' ').next().unwrap())
                .collect();
            assert_eq!(found, known, "{model} {firmware}");
        }
        let all = Algorithm::OFFERED;
        let touched = TABLE.map(|advisory| all.map(|algorithm| advisory.touches(algorithm)));
        let (ecdsa, rsa) = ([true, true, false, false, false], [false, false, false, true, true]);
        assert_eq!(touched, [rsa, [true, true, false, true, true], ecdsa]);
        assert!(TABLE.iter().all(|advisory| called(advisory.id) == Some(advisory)));
        assert!(TABLE.iter().all(|advisory| advisory.published < KNOWN_UNTIL));
    }
}
