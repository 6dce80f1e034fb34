use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::share::{Damage, SHARE_LEN, draw};

const ID: SetId = SetId::from_bytes([7; 16]);

fn made(algorithm: Algorithm, needed: u8, total: u8) -> (Secret<32>, Split) {
    let (secret, _) = draw(algorithm, entropy).unwrap();
    let split = split(&secret, algorithm, Threshold::new(needed, total).unwrap(), ID).unwrap();
    (secret, split)
}

/// Another 32 bytes each time, so that no two keys of these tests are equal.
fn entropy(bytes: &mut [u8]) -> Result<(), ()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    bytes.copy_from_slice(Digest::of(&number.to_be_bytes()).as_bytes());
    Ok(())
}

fn admit(split: &Split, index: u8) -> Admitted {
    let share = &split.shares[usize::from(index) - 1];
    split.set.admit(ShareIndex::new(index).unwrap(), share).unwrap()
}

fn refused(set: &Set, index: u8, bytes: &SecretBytes) -> String {
    let refused = set.admit(ShareIndex::new(index).unwrap(), bytes).map(|_| ());
    refused.unwrap_err().to_string()
}

/// Changes a share and mends its checksum, as a forger would.
fn forged(share: &SecretBytes, change: impl FnOnce(&mut [u8])) -> SecretBytes {
    SecretBytes::fill(SHARE_LEN, |bytes| {
        bytes.copy_from_slice(share.expose());
        change(bytes);
        let sum = crate::share::share::checksum(&bytes[..SHARE_LEN - 8]);
        bytes[SHARE_LEN - 8..].copy_from_slice(&sum);
    })
}

#[test]
fn every_subset_large_enough_gives_the_key_and_every_smaller_one_is_refused() {
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Ed25519] {
        for total in 2..=7 {
            for needed in 2..=total {
                let (secret, split) = made(algorithm, needed, total);
                let shares: Vec<_> = (1..=total).map(|index| admit(&split, index)).collect();
                for mask in 0u32..1 << total {
                    let chosen = shares.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1);
                    let quorum = Quorum::gather(&split.set, chosen.map(|(_, s)| s).collect());
                    let found = mask.count_ones() as u8;
                    match quorum {
                        Ok(quorum) => {
                            assert!(found >= needed && quorum.recover().unwrap().matches(&secret));
                        }
                        Err(error) => assert_eq!(error, Error::TooFew { found, needed }),
                    }
                }
            }
        }
    }
}

#[test]
fn one_share_fewer_tells_the_crate_nothing_whichever_they_are() {
    for total in 2..=7_u8 {
        for needed in 2..=total {
            let shares = create_shares(&[7; 64], total, needed).unwrap();
            for mask in (0u32..1 << total).filter(|mask| mask.count_ones() + 1 == u32::from(needed))
            {
                let chosen = shares.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1);
                let chosen: Vec<_> = chosen.map(|(_, share)| share.clone()).collect();
                assert_eq!(combine_shares(&chosen).unwrap(), None, "{needed} of {total}: {mask:b}");
            }
        }
    }
}

#[test]
fn one_flipped_bit_anywhere_names_its_share_in_every_set() {
    for total in 2..=7 {
        for needed in 2..=total {
            let (_, split) = made(Algorithm::Ed25519, needed, total);
            for (index, share) in (1..=total).zip(&split.shares) {
                for bit in 0..SHARE_LEN * 8 {
                    let bytes = SecretBytes::fill(SHARE_LEN, |bytes| {
                        bytes.copy_from_slice(share.expose());
                        bytes[bit / 8] ^= 1 << (bit % 8);
                    });
                    let told = refused(&split.set, index, &bytes);
                    let words = format!("share {index} is damaged: ");
                    assert!(told.starts_with(&words), "{needed} of {total}, bit {bit}: {told}");
                }
            }
        }
    }
}

#[test]
fn one_flipped_bit_under_a_mended_checksum_is_seen_all_the_same() {
    let (_, split) = made(Algorithm::EcdsaP256, 2, 3);
    // It is seen by what the set says and by the commitment.
    for bit in 40..(SHARE_LEN - 8) * 8 {
        let mended = forged(&split.shares[1], |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        assert!(split.set.admit(ShareIndex::new(2).unwrap(), &mended).is_err(), "bit {bit}");
    }
}

#[test]
fn a_share_of_index_zero_would_decide_the_key_and_is_refused() {
    let (_, split) = made(Algorithm::EcdsaP256, 3, 5);
    // The forger knows the format and picks the key: his block under his key share, with index 0.
    let (_, evil) = made(Algorithm::EcdsaP256, 2, 2);
    let forgery = forged(&split.shares[0], |bytes| {
        bytes[21] = 0;
        bytes[56..168].copy_from_slice(&evil.shares[0].expose()[56..168]);
    });
    assert_eq!(refused(&split.set, 1, &forgery), "share 1 is forged: it says that its index is 0");
    assert_eq!(ShareIndex::new(0), None);
}

#[test]
fn the_crate_itself_would_take_the_index_zero_forgery() {
    let honest = create_shares(&[1; 64], 5, 3).unwrap();
    let evil = create_shares(&[2; 64], 1, 1).unwrap().remove(0);
    // With k = 1 the key share is the key itself, so at index 0 it stands alone.
    let forgery = [&[0], &evil[1..]].concat();
    let shares = [forgery, honest[0].clone(), honest[1].clone()];
    assert_eq!(combine_shares(&shares).unwrap(), Some(vec![2; 64]));
}

#[test]
fn what_is_wrong_with_a_share_is_said_in_words() {
    let (secret, split) = made(Algorithm::EcdsaP256, 2, 3);
    let share = |index: usize| &split.shares[index - 1];
    let threshold = split.set.threshold;
    let id = SetId::from_bytes([8; 16]);
    let other = super::split(&secret, Algorithm::EcdsaP256, threshold, id).unwrap();
    let again = super::split(&secret, Algorithm::EcdsaP256, threshold, ID).unwrap();
    for (index, bytes, words) in [
        (
            3,
            &other.shares[2],
            "share 3 belongs to set 08080808080808080808080808080808, expected set 07070707070707070707070707070707",
        ),
        (2, share(3), "share 2 is in truth share 3"),
        (4, share(3), "share 4 cannot be: the set has 3 shares"),
        (3, &forged(share(3), |b| b[21] = 9), "share 9 cannot be: the set has 3 shares"),
        (3, &forged(share(3), |b| b[22] = 1), "share 3 was made for another key or threshold"),
        (3, &forged(share(3), |b| b[30] ^= 1), "share 3 was made for another key or threshold"),
        (1, &again.shares[0], "share 1 is not the share that was recorded when the set was made"),
        (1, &SecretBytes::copy_of(b"OFSH"), "share 1 is damaged: expected 176 bytes, found 4"),
        (
            1,
            &SecretBytes::copy_of(&[0; SHARE_LEN]),
            "share 1 is damaged: it does not begin as a share does",
        ),
        (1, &forged(share(1), |b| b[4] = 2), "share 1 is damaged: expected version 1, found 2"),
    ] {
        assert_eq!(refused(&split.set, index, bytes), words);
    }
    assert!(matches!(
        Share::decode(&SecretBytes::copy_of(&[share(1).expose(), &[0]].concat())),
        Err(Damage::Length { found: 177 })
    ));
}

#[test]
fn too_few_twice_and_foreign_are_refused_before_combining() {
    let (_, split) = made(Algorithm::Ed25519, 3, 4);
    let gather = |shares: Vec<&Admitted>| {
        Quorum::gather(&split.set, shares).map(|_| ()).unwrap_err().to_string()
    };
    let (one, two) = (admit(&split, 1), admit(&split, 2));
    assert_eq!(gather(vec![&one, &two]), "2 of the 3 shares that are needed are here");
    assert_eq!(gather(vec![&one, &two, &one]), "share 1 was given twice");
    let (_, mut foreign) = made(Algorithm::Ed25519, 3, 4);
    foreign.set.id = SetId::from_bytes([9; 16]);
    let error = Quorum::gather(&foreign.set, vec![&one, &two]).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::OtherSet { share: 1, .. }));
}

#[test]
fn a_set_that_was_never_right_is_found_by_its_public_key() {
    let (_, split) = made(Algorithm::EcdsaP256, 2, 3);
    let (_, other) = made(Algorithm::EcdsaP256, 2, 3);
    let shares: Vec<_> = (1..=3).map(|index| admit(&split, index)).collect();
    let wrong = Set { key: other.set.key, ..split.set.clone() };
    let error = wrong.check_combinations(&shares).unwrap_err();
    assert_eq!(error.to_string(), "the shares combine to another key than the set says");
}

#[test]
fn every_subset_is_combined_or_a_stated_sample() {
    let (_, split) = made(Algorithm::Ed25519, 3, 5);
    let shares: Vec<_> = (1..=5).map(|index| admit(&split, index)).collect();
    let all = Combinations { tried: 10, total: 10 };
    assert_eq!(split.set.check_combinations(&shares), Ok(all));
    assert_eq!(binomial(32, 16), 601_080_390);
    let every: std::collections::BTreeSet<_> = (0..10).map(|rank| subset((5, 3), rank)).collect();
    assert_eq!(every.len(), 10);
    assert!(every.iter().all(|subset| subset.len() == 3));
}

#[test]
fn thresholds_outside_two_to_thirty_two_are_refused() {
    for (needed, total) in [(0, 0), (1, 1), (1, 3), (4, 3), (2, 33)] {
        assert_eq!(Threshold::new(needed, total), Err(Error::Threshold { needed, total }));
    }
    assert!(serde_json::from_str::<Threshold>("[1,3]").is_err());
}

#[test]
fn a_set_reads_back_from_json() {
    let (_, split) = made(Algorithm::EcdsaP256, 2, 3);
    let text = serde_json::to_string(&split.set).unwrap();
    assert_eq!(serde_json::from_str::<Set>(&text).unwrap(), split.set);
    assert!("0707".parse::<SetId>().is_err());
    assert_eq!(ID.to_string().parse::<SetId>(), Ok(ID));
}
