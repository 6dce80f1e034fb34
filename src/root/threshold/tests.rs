use super::{Signer as Signer_, *};
use crate::root::fixture::{self, Signer};
use crate::root::profile::PYTHON_TUF;

struct Case {
    root: Root,
    signers: [Signer; 3],
    keys: Vec<Key>,
}

fn case(dialect: Dialect) -> Case {
    let signers = Signer::many::<3>();
    let root = fixture::first(dialect, &signers, 2).root().clone();
    let keys = signers.iter().map(|signer| signer.key(dialect)).collect();
    Case { root, signers, keys }
}

impl Case {
    fn signature(&self, index: usize) -> Signature {
        self.signers[index].sign(&self.root, &self.keys[index])
    }

    fn count(&self, signatures: &[Signature], counting: Counting) -> Result<Tally, Error> {
        let message = self.root.signed_bytes();
        let assumed = &BTreeSet::new();
        let ballot = Ballot { message: &message, signatures, assumed };
        count(self.root.dialect(), &Electorate::of(&self.root, Role::Root), ballot, counting)
    }
}

#[test]
fn two_of_three_are_enough_in_any_order_and_one_is_not() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let case = case(dialect);
        for pair in [[0, 1], [1, 0], [2, 0]] {
            let signatures = pair.map(|index| case.signature(index));
            assert!(case.count(&signatures, Counting::STRICTEST).unwrap().is_met());
        }
        assert!(!case.count(&[case.signature(1)], Counting::STRICTEST).unwrap().is_met());
        assert!(!case.count(&[], Counting::STRICTEST).unwrap().is_met());
    }
}

#[test]
fn two_signatures_by_one_key_count_once() {
    let case = case(Dialect::Tuf);
    let twice = [case.signature(0), case.signature(0)];
    assert_eq!(case.count(&twice, PYTHON_TUF.counting).unwrap().counted.len(), 1);
    let error = case.count(&twice, Counting::STRICTEST).unwrap_err();
    assert_eq!(error.to_string(), format!("key `{}` has signed twice", case.keys[0].id()));
}

#[test]
fn a_bad_signature_is_skipped_by_clients_and_refused_by_us() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let case = case(dialect);
        let mut bad = case.signature(0);
        bad.bytes = case.signature(1).bytes;
        let signatures = [bad, case.signature(1), case.signature(2)];
        assert!(case.count(&signatures, PYTHON_TUF.counting).unwrap().is_met());
        let error = case.count(&signatures, Counting::STRICTEST).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the signature of key `{}` is not good", case.keys[0].id())
        );
    }
}

#[test]
fn a_stranger_never_counts() {
    let case = case(Dialect::Tuf);
    let stranger = Signer::new();
    let key = stranger.key(Dialect::Tuf);
    let signatures = [case.signature(0), stranger.sign(&case.root, &key)];
    assert_eq!(case.count(&signatures, PYTHON_TUF.counting).unwrap().counted.len(), 1);
    let error = case.count(&signatures, Counting::STRICTEST).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("a signature names key `{}`, which the role does not list", key.id())
    );
}

#[test]
fn one_key_under_two_ids_is_one_signer_to_us_and_two_to_some() {
    let case = case(Dialect::Tuf);
    let mut electorate = Electorate::of(&case.root, Role::Root);
    let twin = KeyId::new("twin");
    electorate.keys.insert(twin.clone(), Cow::Borrowed(&case.keys[0]));
    let mut second = case.signature(0);
    second.key = twin;
    let signatures = [case.signature(0), second];
    let message = case.root.signed_bytes();
    let ballot = Ballot { message: &message, signatures: &signatures, assumed: &BTreeSet::new() };
    let counted = |counting| count(Dialect::Tuf, &electorate, ballot, counting);
    assert_eq!(counted(PYTHON_TUF.counting).unwrap().counted.len(), 2);
    let once = Counting { signer: Signer_::PublicKey, ..PYTHON_TUF.counting };
    assert_eq!(counted(once).unwrap().counted.len(), 1);
    let error = counted(Counting::STRICTEST).unwrap_err().to_string();
    assert_eq!(error, format!("the key listed as `twin` has the id `{}`", case.keys[0].id()));
}

#[test]
fn a_threshold_below_one_is_never_met() {
    let tally = Tally { counted: BTreeSet::from([KeyId::new("a")]), needed: 0 };
    assert!(!tally.is_met());
}

#[test]
fn every_subset_meets_the_threshold_exactly_when_it_is_large_enough() {
    let case = case(Dialect::Notary);
    for mask in 0..8_usize {
        let signatures: Vec<_> =
            (0..3).filter(|i| mask >> i & 1 == 1).map(|i| case.signature(i)).collect();
        let tally = case.count(&signatures, Counting::STRICTEST).unwrap();
        assert_eq!(tally.is_met(), mask.count_ones() >= 2);
    }
}

/// How the library counts, at one door or another; nothing but `STRICTEST` refuses.
const COUNTINGS: [Counting; 3] = [
    Counting::STRICTEST,
    PYTHON_TUF.counting,
    Counting { signer: Signer_::PublicKey, wrong_id: Fault::Skip, ..PYTHON_TUF.counting },
];

/// Good signatures of the three keys, the same with another key's bytes, and those of two strangers.
fn pool(case: &Case) -> Vec<Signature> {
    let dialect = case.root.dialect();
    let mut pool: Vec<Signature> = (0..3).map(|index| case.signature(index)).collect();
    for index in 0..3 {
        pool.push(Signature { key: pool[index].key.clone(), ..pool[(index + 1) % 3].clone() });
    }
    for stranger in Signer::many::<2>() {
        pool.push(stranger.sign(&case.root, &stranger.key(dialect)));
    }
    pool
}

/// Up to six signatures of the pool, some of them twice; every run draws the same.
fn drawn(pool: &[Signature], round: u64) -> Vec<Signature> {
    let random = |at: u64| crate::digest::Digest::of(&(round * 100 + at).to_be_bytes());
    let byte = |at| usize::from(random(at).as_bytes()[0]);
    (0..byte(0) % 7).map(|at| pool[byte(at as u64 + 1) % pool.len()].clone()).collect()
}

#[test]
fn the_order_of_signatures_never_matters() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let case = case(dialect);
        let pool = pool(&case);
        for round in 0..60 {
            let mut signatures = drawn(&pool, round);
            for counting in COUNTINGS {
                let counted = |signatures: &[Signature]| {
                    case.count(signatures, counting).map(|tally| tally.counted).ok()
                };
                let first = counted(&signatures);
                for _ in 1..signatures.len() {
                    signatures.rotate_left(1);
                    assert_eq!(counted(&signatures), first);
                }
                signatures.reverse();
                assert_eq!(counted(&signatures), first);
            }
        }
    }
}

#[test]
fn a_foreign_or_bad_signature_more_never_helps() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let case = case(dialect);
        let pool = pool(&case);
        for round in 0..60 {
            let signatures = drawn(&pool, round);
            for counting in COUNTINGS {
                let met = |signatures: &[Signature]| {
                    case.count(signatures, counting).is_ok_and(|tally| tally.is_met())
                };
                let before = met(&signatures);
                for foreign in &pool[3..] {
                    let more = [&signatures[..], std::slice::from_ref(foreign)].concat();
                    assert!(before || !met(&more), "round {round}");
                }
            }
        }
    }
}

#[test]
fn one_key_counts_once_under_any_certificates() {
    let case = case(Dialect::Notary);
    let signer = &case.signers[0];
    let keys = ["2034-01-01", "2035-01-01", "2036-01-01"].map(|until| signer.key_until(until));
    let mut electorate = Electorate::of(&case.root, Role::Root);
    electorate.keys.extend(keys.iter().map(|key| (key.id().clone(), Cow::Borrowed(key))));
    let mut signatures = vec![case.signature(0)];
    signatures.extend(keys.iter().map(|key| signer.sign(&case.root, key)));
    let message = case.root.signed_bytes();
    for mask in 1..16_usize {
        let some: Vec<_> =
            (0..4).filter(|i| mask >> i & 1 == 1).map(|i| signatures[i].clone()).collect();
        let ballot = Ballot { message: &message, signatures: &some, assumed: &BTreeSet::new() };
        for counting in [COUNTINGS[0], COUNTINGS[2]] {
            let tally = count(Dialect::Notary, &electorate, ballot, counting).unwrap();
            assert_eq!(tally.counted.len(), 1);
            assert!(!tally.is_met());
        }
    }
}

#[test]
fn a_file_is_counted_for_one_of_the_two_roots_whose_keys_sign_it() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let (own, other) = (case(dialect), case(dialect));
        let by_other = other.signers[0].sign(&own.root, &other.keys[0]);
        let file = |more: &[Signature]| {
            SignedRoot::assemble(&own.root, &[&[own.signature(0), by_other.clone()], more].concat())
        };
        let once = file(&[]);
        let found = tally(&own.root, &once, Counting::ONE_SIDE).unwrap();
        assert_eq!((found.counted, found.needed), (BTreeSet::from([own.keys[0].id().clone()]), 2));
        let found = tally(&other.root, &once, Counting::ONE_SIDE).unwrap();
        assert_eq!((found.counted.len(), found.is_met()), (1, false));
        assert!(tally(&own.root, &once, Counting::STRICTEST).is_err());
        assert!(tally(&own.root, &file(&[own.signature(1)]), Counting::ONE_SIDE).unwrap().is_met());
        // What does not count is still not passed over when it stands there twice.
        let twice = [by_other.clone(), by_other.clone()];
        let error = own.count(&twice, Counting::ONE_SIDE).unwrap_err();
        assert_eq!(error, Error::Second { id: other.keys[0].id().clone() });
    }
}
