use super::*;
use crate::root::fixture::{self, REPOSITORY, Signer, day};
use crate::root::succession::{self, Change};
use crate::root::walk::Reason;
use crate::root::{Key, SignedRoot};

#[test]
fn each_pair_says_on_which_day_it_first_fails_and_why() {
    let chain = fixture::chain(Dialect::Notary, 2);
    let fares = survey(&chain, Dialect::Notary, REPOSITORY, day("2027-01-01"));
    // Client: first use, 1, 2. Server: 1, 2. Strictest: 1, 2.
    assert_eq!(fares.len(), 7);
    let server =
        fares.iter().position(|f| f.profile.name == "Notary server" && f.start == Version::new(2));
    let (ends, stop) = fares[server.unwrap()].ends.clone().unwrap();
    assert_eq!(ends, day("2033-12-01"), "a server takes updates until the certificates end");
    assert!(matches!(stop.reason, Reason::NoCertificate { .. }), "{stop}");
    let fares = fares.into_iter().enumerate().filter(|(index, _)| Some(*index) != server);
    for (_, fare) in fares {
        assert_eq!(fare.today, Ok(()));
        let (ends, stop) = fare.ends.unwrap();
        assert_eq!(ends, day("2031-11-30"));
        assert!(matches!(stop.reason, Reason::Expired { .. }), "{stop}");
    }
}

#[test]
fn a_rotation_without_the_old_threshold_cuts_off_who_holds_the_old_root() {
    let old = Signer::many::<2>();
    let first = fixture::first(Dialect::Tuf, &old, 2);
    let second = fixture::after(&first, &old[..1], &[Signer::new()]);
    let before = Chain::new([first.clone()]);
    let after = Chain::new([first, second]);
    let lost = cut_off(&before, &after, Dialect::Tuf, (REPOSITORY, day("2027-01-01")));
    let who: Vec<_> =
        lost.iter().map(|(start, profile, _)| (start.map(|v| v.get()), profile.name)).collect();
    assert_eq!(who, [(Some(1), "python-tuf"), (Some(1), "tough"), (Some(1), "strictest reader")]);
    assert_eq!(lost[0].2.to_string(), "version 2: 1 of the keys before it count, they need 2");
}

#[test]
fn who_is_cut_off_already_is_not_cut_off_again() {
    let chain = fixture::chain(Dialect::Tuf, 2);
    let third = {
        let signer = Signer::new();
        let last = &chain.files()[&Version::new(2).unwrap()];
        fixture::after(last, &[Signer::new()], &[signer])
    };
    let files: Vec<_> = chain.files().values().cloned().collect();
    let broken = Chain::new(files.iter().cloned().chain([third.clone()]));
    let fourth = fixture::after(&third, &[Signer::new()], &[Signer::new()]);
    let worse = Chain::new(files.into_iter().chain([third, fourth]));
    let lost = cut_off(&broken, &worse, Dialect::Tuf, (REPOSITORY, day("2027-01-01")));
    assert!(lost.iter().all(|(start, ..)| start.is_some_and(|v| v.get() >= 3)), "{lost:?}");
}

#[test]
fn a_first_root_must_be_reached_by_everyone() {
    let first = fixture::first(Dialect::Notary, &Signer::many::<3>(), 2);
    let after = Chain::new([first]);
    let lost =
        cut_off(&Chain::new([]), &after, Dialect::Notary, ("localhost:5000/y", day("2027-01-01")));
    assert_eq!(lost.len(), 5, "{lost:?}");
}

#[test]
fn an_old_notary_key_misleads_until_its_certificates_end_and_a_tuf_key_for_ever() {
    let notary = old_keys(&fixture::chain(Dialect::Notary, 3));
    assert_eq!(notary.len(), 2);
    assert!(notary.iter().all(|old| old.until == Some(day("2033-12-01")) && old.needed == 1));
    let tuf = old_keys(&fixture::chain(Dialect::Tuf, 3));
    assert!(tuf.iter().all(|old| old.until.is_none()));
    let mut last: Vec<_> = tuf.iter().map(|old| old.last.get()).collect();
    last.sort_unstable();
    assert_eq!(last, [1, 2]);
}

#[test]
fn a_server_whose_certificates_have_ended_is_cut_off_already() {
    let chain = fixture::chain(Dialect::Notary, 2);
    let mut files = chain.files().values().cloned();
    let before = Chain::new(files.next());
    let lost = cut_off(&before, &chain, Dialect::Notary, (REPOSITORY, day("2034-01-01")));
    assert!(lost.iter().all(|(start, ..)| start.is_some_and(|v| v.get() == 2)), "{lost:?}");
}

/// A first root of three keys, two of which must sign it, with certificates until these years; the first `signed` do.
fn with_certificates(until: [&str; 3], count: usize) -> SignedRoot {
    let signers = Signer::many::<3>();
    let keys: Vec<Key> =
        signers.iter().zip(until).map(|(signer, until)| signer.key_until(until)).collect();
    let change = fixture::change(1, keys.clone(), 2);
    let change = Change { roles: fixture::online(Dialect::Notary), ..change };
    let root = succession::next(Dialect::Notary, None, &change).unwrap();
    fixture::signed(&root, signers.iter().zip(&keys).take(count))
}

#[test]
fn two_of_three_certificates_outlive_one_that_ends_if_all_three_have_signed() {
    let until = ["2030-01-01", "2031-01-01", "2032-01-01"];
    let now = day("2027-01-01");
    let end = |signed| certificates_end(&with_certificates(until, signed), REPOSITORY, now);
    assert_eq!(end(3), Some(day("2031-01-01")));
    assert_eq!(
        end(2),
        Some(day("2030-01-01")),
        "the third certificate is valid, and signed nothing"
    );
}

#[test]
fn certificates_of_which_too_few_count_have_ended_now() {
    let root = with_certificates(["2030-01-01", "2031-01-01", "2032-01-01"], 3);
    for (repository, now) in [(REPOSITORY, "2031-06-01"), ("localhost:5000/y", "2027-01-01")] {
        assert_eq!(certificates_end(&root, repository, day(now)), Some(day(now)));
    }
    // Its last second still counts.
    assert_eq!(certificates_end(&root, REPOSITORY, day("2031-01-01")), Some(day("2031-01-01")));
}

#[test]
fn between_two_calm_moments_nobody_fares_otherwise() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let chain = fixture::chain(dialect, 2);
        let points = turning_points(&chain, Timestamp::UNIX_EPOCH);
        let beside = |by: i64| points.iter().map(move |p| *p + SignedDuration::from_secs(by));
        let moments: Vec<Timestamp> = [-1, 0, 1, 2].into_iter().flat_map(beside).collect();
        let fares = |at| survey(&chain, dialect, REPOSITORY, at);
        let mut calm = 0;
        for one in &moments {
            for other in &moments {
                if is_calm(&chain, *one, *other) {
                    calm += usize::from(one != other);
                    assert_eq!(fares(*one), fares(*other), "{one} {other}");
                }
            }
        }
        assert!(calm > 0 && !is_calm(&chain, moments[0], moments[points.len()]));
    }
}
