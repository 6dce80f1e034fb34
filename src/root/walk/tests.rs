use super::*;
use crate::root::fixture::{self, REPOSITORY, Signer, day};
use crate::root::profile::{
    ALL, NOTARY_CLIENT, NOTARY_SERVER, PYTHON_TUF, STRICTEST_NOTARY, STRICTEST_TUF, TOUGH,
};
use crate::root::succession::{self, Change};
use crate::root::{Dialect, Expiry};

fn walk(chain: &Chain, profile: &Profile, start: u64, at: &str) -> Result<(), String> {
    let walker = Walker { profile, repository: REPOSITORY, at: day(at) };
    walker.walk(chain, Version::new(start)).map_err(|stop| stop.to_string())
}

#[test]
fn every_client_walks_a_chain_that_replaces_every_key() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let chain = fixture::chain(dialect, 5);
        for profile in ALL.into_iter().filter(|profile| profile.dialect == dialect) {
            for start in 0..=5 {
                assert_eq!(walk(&chain, profile, start, "2027-01-01"), Ok(()), "{}", profile.name);
            }
        }
    }
}

#[test]
fn a_candidate_walks_before_it_is_signed() {
    let old = Signer::many::<3>();
    let new = Signer::many::<3>();
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let first = fixture::first(dialect, &old, 2);
        let keys: Vec<_> = new.iter().map(|signer| signer.key(dialect)).collect();
        let change = fixture::change(2, keys.clone(), 2);
        let root = succession::next(dialect, Some(first.root()), &change).unwrap();
        let candidate = SignedRoot::assemble(&root, &[]);
        let mut signers: BTreeSet<KeyId> =
            old.iter().take(2).map(|signer| signer.key(dialect).id().clone()).collect();
        signers.insert(keys[0].id().clone());
        let one_is_missing =
            Chain::new([first.clone()]).with_candidate(candidate.clone(), signers.clone());
        signers.insert(keys[2].id().clone());
        let complete = Chain::new([first.clone()]).with_candidate(candidate, signers);
        for profile in ALL.into_iter().filter(|profile| profile.dialect == dialect) {
            assert_eq!(walk(&complete, profile, 1, "2027-01-01"), Ok(()));
            assert_eq!(
                walk(&one_is_missing, profile, 1, "2027-01-01"),
                Err("version 2: 1 of its own keys count, it needs 2".to_owned())
            );
        }
    }
}

#[test]
fn a_version_that_is_missing_stops_whoever_needs_it() {
    let full = fixture::chain(Dialect::Notary, 4);
    let files: Vec<_> = full.files().values().filter(|f| f.version().get() != 3).cloned().collect();
    let gap = Chain::new(files);
    assert_eq!(
        walk(&gap, &NOTARY_CLIENT, 1, "2027-01-01"),
        Err("version 3: is not published".to_owned())
    );
    assert_eq!(
        walk(&gap, &NOTARY_SERVER, 1, "2027-01-01"),
        Err("version 4: says that it is version 4, expected 3".to_owned())
    );
    assert_eq!(walk(&gap, &STRICTEST_NOTARY, 4, "2027-01-01"), Ok(()));
}

#[test]
fn the_notary_client_jumps_where_tuf_clients_step() {
    let signers = Signer::many::<1>();
    let first = fixture::first(Dialect::Notary, &signers, 1);
    let second = fixture::after(&first, &signers, &signers);
    let third = fixture::after(&second, &signers, &signers);
    let gap = Chain::new([first, third]);
    assert_eq!(walk(&gap, &NOTARY_CLIENT, 1, "2027-01-01"), Ok(()));
    assert!(walk(&gap, &STRICTEST_NOTARY, 1, "2027-01-01").is_err());
}

#[test]
fn an_expired_root_in_a_notary_cache_can_jump_one_rotation_only() {
    let signer = Signer::new();
    let keys = vec![signer.key(Dialect::Notary)];
    let change = Change {
        roles: fixture::online(Dialect::Notary),
        expires: day("2027-01-01"),
        ..fixture::change(1, keys.clone(), 1)
    };
    let root = succession::next(Dialect::Notary, None, &change).unwrap();
    let first = fixture::signed(&root, [(&signer, &keys[0])]);
    let next = [Signer::new()];
    let second = fixture::after(&first, std::slice::from_ref(&signer), &next);
    let third = fixture::after(&second, &next, &[Signer::new()]);
    let files = vec![first, second, third];
    let one = Chain::new(files[..2].to_vec());
    let two = Chain::new(files);
    assert_eq!(walk(&one, &NOTARY_CLIENT, 1, "2027-01-02"), Ok(()));
    assert_eq!(walk(&two, &NOTARY_CLIENT, 1, "2027-01-01"), Ok(()));
    assert_eq!(
        walk(&two, &NOTARY_CLIENT, 1, "2027-01-02"),
        Err("version 3: 0 of the keys before it count, they need 1".to_owned())
    );
    assert_eq!(walk(&two, &STRICTEST_NOTARY, 1, "2027-01-02"), Ok(()));
}

#[test]
fn an_expired_certificate_bricks_what_an_expired_root_does_not() {
    let chain = fixture::chain(Dialect::Notary, 2);
    for profile in [&NOTARY_CLIENT, &NOTARY_SERVER] {
        assert_eq!(
            walk(&chain, profile, 1, "2033-12-01").unwrap_err(),
            "version 2: expired 2031-11-30T00:00:00Z"
        );
    }
    assert_eq!(
        walk(&chain, &NOTARY_CLIENT, 1, "2033-12-02").unwrap_err(),
        "version 1: no root certificate is valid for `localhost:5000/x`"
    );
    assert_eq!(
        walk(&chain, &NOTARY_SERVER, 1, "2033-12-02").unwrap_err(),
        "version 2: no root certificate is valid for `localhost:5000/x`"
    );
}

#[test]
fn clients_differ_about_the_last_instant() {
    let chain = fixture::chain(Dialect::Tuf, 2);
    assert_eq!(walk(&chain, &TOUGH, 1, "2031-11-30"), Ok(()));
    assert!(walk(&chain, &PYTHON_TUF, 1, "2031-11-30").is_err());
    assert!(walk(&chain, &STRICTEST_TUF, 1, "2031-11-30").is_err());
}

#[test]
fn another_repository_finds_no_certificate() {
    let chain = fixture::chain(Dialect::Notary, 2);
    let walker =
        Walker { profile: &NOTARY_CLIENT, repository: "localhost:5000/y", at: day("2027-01-01") };
    assert_eq!(
        walker.walk(&chain, None).unwrap_err().to_string(),
        "version 2: no root certificate is valid for `localhost:5000/y`"
    );
}

#[test]
fn one_key_in_two_certificates_counts_twice_for_notary_and_once_for_us() {
    let signer = Signer::new();
    let keys = vec![signer.key_until("2033-12-01"), signer.key_until("2034-12-01")];
    let change = Change { roles: fixture::online(Dialect::Notary), ..fixture::change(1, keys, 2) };
    let error = succession::next(Dialect::Notary, None, &change).unwrap_err();
    assert!(error.to_string().starts_with("one public key stands twice"), "{error}");
    // Built by hand, as an attacker would.
    let first = fixture::first(Dialect::Notary, &[Signer::new(), Signer::new()], 2);
    let mut value = first.root().value().clone();
    let keys = change.root_keys;
    if let crate::cjson::Value::Map(members) = &mut value {
        for key in &keys {
            let Some(crate::cjson::Value::Map(all)) = members.get_mut("keys") else { panic!() };
            all.insert(key.id().as_str().to_owned(), key.value().clone());
        }
        let Some(crate::cjson::Value::Map(roles)) = members.get_mut("roles") else { panic!() };
        let ids = keys.iter().map(|key| crate::cjson::Value::text(key.id().as_str())).collect();
        let Some(crate::cjson::Value::Map(role)) = roles.get_mut("root") else { panic!() };
        role.insert("keyids".to_owned(), crate::cjson::Value::List(ids));
    }
    let root = Root::from_value(Dialect::Notary, value).unwrap();
    let chain = Chain::new([fixture::signed(&root, keys.iter().map(|key| (&signer, key)))]);
    assert_eq!(walk(&chain, &NOTARY_CLIENT, 1, "2027-01-01"), Ok(()));
    assert_eq!(
        walk(&chain, &STRICTEST_NOTARY, 1, "2027-01-01").unwrap_err(),
        "version 1: 1 of its own keys count, it needs 2"
    );
}

#[test]
fn bytes_that_a_server_would_write_otherwise_break_every_notary_client() {
    let first = fixture::first(Dialect::Notary, &[Signer::new()], 1);
    let mut bytes = first.bytes().to_vec();
    bytes.push(b'\n');
    let chain = Chain::new([SignedRoot::parse(Dialect::Notary, &bytes).unwrap()]);
    assert_eq!(walk(&chain, &NOTARY_SERVER, 0, "2027-01-01"), Ok(()));
    assert_eq!(
        walk(&chain, &NOTARY_CLIENT, 0, "2027-01-01").unwrap_err(),
        "version 1: its bytes are not those that a trust server writes"
    );
}

#[test]
fn python_reads_whole_seconds_and_tough_its_own_spelling() {
    for (text, python, tough) in [
        ("2031-11-30T00:00:00Z", true, true),
        ("2031-11-30T00:00:00.500Z", false, true),
        ("2031-11-30T00:00:00.5Z", false, false),
        ("2031-11-30T00:00:00+00:00", false, false),
    ] {
        let expires = Expiry::from_text(text).unwrap();
        let first = fixture::first(Dialect::Tuf, &[Signer::new()], 1);
        let mut value = first.root().value().clone();
        if let crate::cjson::Value::Map(members) = &mut value {
            members.insert("expires".to_owned(), crate::cjson::Value::text(expires.text()));
        }
        let root = Root::from_value(Dialect::Tuf, value).unwrap();
        let file = SignedRoot::assemble(&root, &[]);
        assert_eq!(PYTHON_TUF.shape.check(&file).is_ok(), python, "{text}");
        assert_eq!(TOUGH.shape.check(&file).is_ok(), tough, "{text}");
    }
}

#[test]
fn chains_and_what_is_in_them_are_walked_by_several_threads_at_once() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Key>();
    crosses::<SignedRoot>();
    crosses::<Chain>();
    crosses::<Stop>();
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let chain = fixture::chain(dialect, 4);
        std::thread::scope(|scope| {
            for profile in Profile::of(dialect) {
                let chain = &chain;
                scope.spawn(move || assert_eq!(walk(chain, profile, 1, "2027-01-01"), Ok(())));
            }
        });
    }
}
