//! A key in shares, from the vault to the tokens and back.

use officiant::{
    child::{Error, token::Object, vault::Vault},
    key::{Algorithm, Hash, Scheme},
    share::{Combinations, Set, ShareIndex, Threshold},
};

use super::{Sealer, vault};
use crate::harness::scratch::Scratch;

const SCHEME: Scheme = Scheme::EcdsaRaw(Hash::Sha256);

/// Opens share `index` with its token, and gives it to the vault.
fn open(
    vault: &mut Vault,
    set: &Set,
    index: usize,
    sealer: &mut Sealer,
    sealed: &[u8],
) -> Result<(), Error> {
    let peer = vault.peer_point(sealed, &sealer.to)?;
    let agreed = sealer.token.agree(&sealer.key, &peer)?;
    let index = ShareIndex::new(u8::try_from(index).unwrap()).unwrap();
    vault.open(set, index, (sealed, &sealer.to), &agreed)
}

fn sealers(scratch: &Scratch, count: usize) -> Vec<Sealer> {
    (1..=count).map(|number| Sealer::new(scratch, &format!("officer-{number}"))).collect()
}

#[test]
fn a_key_is_split_over_five_tokens_and_comes_back_from_any_three() {
    let scratch = Scratch::new();
    let mut sealers = sealers(&scratch, 5);
    let keys: Vec<_> = sealers.iter().map(|sealer| sealer.to.clone()).collect();
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Ed25519] {
        let scheme = if algorithm == Algorithm::Ed25519 { Scheme::Ed25519 } else { SCHEME };
        let mut maker = vault();
        let threshold = Threshold::new(3, 5).unwrap();
        let made = maker.generate("root", algorithm, threshold, &keys).unwrap();
        // Each token again: store, read back, open, compare.
        for (at, sealer) in sealers.iter_mut().enumerate() {
            let label = format!("{} {}", made.set.id, at + 1);
            let object = Object { label: label.clone(), application: "officiant share".into() };
            sealer.token.store(&object, &made.shares[at]).unwrap();
            let back = sealer.token.read(&label).unwrap();
            assert_eq!(back, made.shares[at]);
            open(&mut maker, &made.set, at + 1, sealer, &back).unwrap();
        }
        let all = Combinations { shares: 5, tried: 10, total: 10 };
        assert_eq!(maker.check_combinations(&made.set).unwrap(), all);
        drop(maker);

        // Another day: any three tokens.
        let mut later = vault();
        for index in [5, 1, 4] {
            open(&mut later, &made.set, index, &mut sealers[index - 1], &made.shares[index - 1])
                .unwrap();
        }
        later.rebuild("root", &made.set, &made.set.key).unwrap();
        let messages: Vec<Vec<u8>> = (0..600).map(|n: u32| n.to_be_bytes().to_vec()).collect();
        let inputs: Vec<_> = messages.iter().map(|message| scheme.to_sign(message)).collect();
        for (message, raw) in messages.iter().zip(later.sign("root", &inputs).unwrap()) {
            let signature = scheme.encode(algorithm, &raw).unwrap();
            made.set.key.verify(scheme, message, &signature).unwrap();
        }
    }
}
