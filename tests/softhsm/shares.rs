//! A key in shares, from the vault to the tokens and back.

use std::collections::BTreeSet;

use officiant::{
    child::{
        Error,
        token::Object,
        vault::{Sealed, Vault},
    },
    key::{Algorithm, Hash, PublicKey, Scheme, ToSign},
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
    let asked = vault.asked(sealed, &sealer.to)?;
    let agreed = sealer.token.answer((&sealer.key, &sealer.to), &asked)?;
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
        let all = Combinations { tried: 10, total: 10 };
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

fn words<T>(result: Result<T, Error>) -> String {
    result.map(|_| ()).unwrap_err().refusal("nothing was signed").to_string()
}

/// A set of 2 of 3 on three tokens.
struct Bench {
    sealers: Vec<Sealer>,
    made: Sealed,
    #[expect(dead_code, reason = "held for its lifetime")]
    scratch: Scratch,
}

impl Bench {
    fn new() -> Self {
        let scratch = Scratch::new();
        let sealers = sealers(&scratch, 3);
        let keys: Vec<_> = sealers.iter().map(|sealer| sealer.to.clone()).collect();
        let threshold = Threshold::new(2, 3).unwrap();
        let made = vault().generate("root", Algorithm::EcdsaP256, threshold, &keys).unwrap();
        Self { sealers, made, scratch }
    }

    /// Opens what stands at place `at` as share `index`.
    fn open(&mut self, vault: &mut Vault, index: usize, at: usize) -> Result<(), Error> {
        let (set, sealed) = (self.made.set.clone(), self.made.shares[at - 1].clone());
        open(vault, &set, index, &mut self.sealers[at - 1], &sealed)
    }
}

#[test]
fn a_bad_share_names_itself_before_anything_is_combined() {
    let (mut bench, mut other, mut vault) = (Bench::new(), Bench::new(), vault());
    assert_eq!(words(bench.open(&mut vault, 3, 2)), "share 3 is in truth share 2 [SHARE-INDEX]");
    assert_eq!(
        words(bench.open(&mut vault, 9, 2)),
        "share 9 cannot be: the set has 3 shares [SHARE-INDEX]"
    );
    bench.open(&mut vault, 1, 1).unwrap();
    assert_eq!(words(bench.open(&mut vault, 1, 1)), "share 1 was given twice [SHARE-INDEX]");
    // A share of another set, sealed to its own token.
    let (ours, theirs) = (bench.made.set.clone(), other.made.shares[1].clone());
    assert_eq!(
        words(open(&mut vault, &ours, 2, &mut other.sealers[1], &theirs)),
        format!(
            "share 2 belongs to set {}, expected set {} [SHARE-SET]",
            other.made.set.id, ours.id
        )
    );
    // The sealed file of another token.
    let sealed = bench.made.shares[2].clone();
    assert_eq!(
        words(open(&mut vault, &ours, 2, &mut bench.sealers[1], &sealed)),
        "the sealed file is for another token [TOKEN-SEAL]"
    );
    // A damaged file.
    let mut damaged = bench.made.shares[1].clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(
        words(open(&mut vault, &ours, 2, &mut bench.sealers[1], &damaged)),
        "share 2: the sealed file is damaged, or its token agreed on another secret [SHARE-COMMITMENT]"
    );
    // Not the share that was committed to.
    let mut set = ours.clone();
    set.commitments.swap(1, 2);
    let sealed = bench.made.shares[1].clone();
    assert_eq!(
        words(open(&mut vault, &set, 2, &mut bench.sealers[1], &sealed)),
        "share 2 is not the share that was recorded when the set was made [SHARE-COMMITMENT]"
    );
    // None of these was taken: one share is still all there is.
    let few = "1 of the 2 shares that are needed are here [SHARE-QUORUM]";
    assert_eq!(words(vault.rebuild("root", &ours, &ours.key)), few);
    assert_eq!(words(vault.check_combinations(&ours)), few);
}

#[test]
fn a_rebuilt_key_is_the_one_of_the_signed_root_or_none() {
    let (mut bench, other, mut vault) = (Bench::new(), Bench::new(), vault());
    bench.open(&mut vault, 1, 1).unwrap();
    bench.open(&mut vault, 3, 3).unwrap();
    let set = bench.made.set.clone();
    assert_eq!(
        words(vault.rebuild("root", &set, &other.made.set.key)),
        format!("set {} is of another key than the signed root lists [SHARE-KEY]", set.id)
    );
    // custody.json says another key, and so does the root: the shares do not.
    let lie = Set { key: other.made.set.key.clone(), ..set.clone() };
    assert_eq!(
        words(vault.rebuild("root", &lie, &lie.key)),
        "the shares combine to another key than the set says [SHARE-KEY]"
    );
    let input = [SCHEME.to_sign(b"root")];
    assert_eq!(words(vault.sign("root", &input)), "the vault holds no key `root`");
    vault.rebuild("root", &set, &set.key).unwrap();
    assert_eq!(
        words(vault.rebuild("root", &set, &set.key)),
        "the vault already holds a key `root`"
    );
    vault.sign("root", &input).unwrap();
    vault.forget("root").unwrap();
    assert_eq!(words(vault.sign("root", &input)), "the vault holds no key `root`");
    vault.forget_shares(set.id).unwrap();
    assert!(words(vault.rebuild("root", &set, &set.key)).starts_with("0 of the 2 shares"));
}

#[test]
fn one_token_holds_one_share_and_only_what_fits_is_split() {
    let (bench, mut vault) = (Bench::new(), vault());
    let keys: Vec<_> = bench.sealers.iter().map(|sealer| sealer.to.clone()).collect();
    let threshold = Threshold::new(2, 3).unwrap();
    let mut generate =
        |algorithm, keys: &[_]| words(vault.generate("x", algorithm, threshold, keys));
    assert_eq!(
        generate(Algorithm::EcdsaP256, &keys[..2]),
        "3 shares need 3 sealing keys, there are 2"
    );
    let twice = [keys[0].clone(), keys[1].clone(), keys[0].clone()];
    assert_eq!(
        generate(Algorithm::EcdsaP256, &twice),
        "shares 1 and 3 would go to the same key [SHARE-HOLDER]"
    );
    assert_eq!(
        generate(Algorithm::EcdsaP384, &keys),
        "a key of ecdsa-p384 cannot be held in shares: only ecdsa-p256 and ed25519 fit the 32 bytes [SHARE-THRESHOLD]"
    );
}

#[test]
fn dry_signatures_come_from_another_key_each_time() {
    let mut vault = vault();
    let input = [SCHEME.to_sign(b"root")];
    let mut dry = |inputs: &[ToSign]| vault.sign_dry(Algorithm::EcdsaP256, inputs).unwrap();
    let (first, second) = (dry(&input), dry(&input));
    let (public, raw) = &first[0];
    assert_ne!(*public, second[0].0);
    let signature = SCHEME.encode(Algorithm::EcdsaP256, raw).unwrap();
    public.verify(SCHEME, b"root", &signature).unwrap();
    // A batch has one key; what the wire cuts in two has two.
    let keys = |made: Vec<(PublicKey, Vec<u8>)>| {
        made.into_iter().map(|(public, _)| public).collect::<BTreeSet<_>>().len()
    };
    let many = vec![input[0].clone(); 257];
    assert_eq!((keys(dry(&many[..256])), keys(dry(&many))), (1, 2));
}
