use super::*;
use crate::root::SignedRoot;
use crate::root::fixture::{self, REPOSITORY, Signer, change, day};

fn edited(root: &Root, edit: impl FnOnce(&mut Members)) -> Root {
    let mut members = root.value().as_map().cloned().unwrap();
    edit(&mut members);
    Root::from_value(root.dialect(), Value::Map(members)).unwrap()
}

fn role(members: &mut Members, name: &str, field: &str, value: Value) {
    let Some(Value::Map(roles)) = members.get_mut("roles") else { panic!() };
    let Some(Value::Map(role)) = roles.get_mut(name) else { panic!() };
    role.insert(field, value);
}

#[test]
fn the_next_root_carries_over_what_does_not_change() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let old = Signer::many::<2>();
        let first = fixture::first(dialect, &old, 2);
        let noted = edited(first.root(), |m| {
            m.insert("x-note", Value::Integer(7));
        });
        let new = Signer::new();
        let change = change(2, vec![old[1].key(dialect), new.key(dialect)], 1);
        let next = next(dialect, Some(&noted), &change).unwrap();
        assert_eq!(next.version().get(), 2);
        assert_eq!(next.value().as_map().unwrap()["x-note"], Value::Integer(7));
        for role in Role::ONLINE {
            assert_eq!(next.role(role), first.root().role(role));
        }
        // Two root keys and three online ones: the key that left is gone.
        assert_eq!(next.keys().len(), 5);
        assert!(next.root_key_id(&old[0].public).is_none());
    }
}

#[test]
fn a_tuf_root_says_what_the_strictest_client_reads() {
    let first = fixture::first(Dialect::Tuf, &[Signer::new()], 1);
    let members = first.root().value().as_map().unwrap();
    assert_eq!(members["spec_version"], Value::text("1.0.31"));
    assert_eq!(members["consistent_snapshot"], Value::Bool(true));
    assert_eq!(members["expires"], Value::text("2031-11-30T00:00:00Z"));
    let again = SignedRoot::parse(Dialect::Tuf, first.bytes()).unwrap();
    assert_eq!(again, first);
}

#[test]
fn threshold_lowered_to_nothing_and_raised_beyond_the_keys() {
    let keys = || vec![Signer::new().key(Dialect::Tuf), Signer::new().key(Dialect::Tuf)];
    for (threshold, words) in [
        (0, "role `root`: threshold 0 needs 1 to 2 of the 2 keys listed"),
        (3, "role `root`: threshold 3 needs 1 to 2 of the 2 keys listed"),
    ] {
        let change =
            Change { roles: fixture::online(Dialect::Tuf), ..change(1, keys(), threshold) };
        let error = next(Dialect::Tuf, None, &change).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.check()), (words, Check::RootKeys));
    }
}

#[test]
fn version_skipped() {
    let signers = Signer::many::<1>();
    let first = fixture::first(Dialect::Tuf, &signers, 1);
    let keys = vec![signers[0].key(Dialect::Tuf)];
    let error = next(Dialect::Tuf, Some(first.root()), &change(3, keys.clone(), 1)).unwrap_err();
    assert_eq!(error.to_string(), "version 3 cannot follow version 1");
    assert_eq!(error.check(), Check::RootSequence);
    let change = Change { roles: fixture::online(Dialect::Tuf), ..change(2, keys, 1) };
    let error = next(Dialect::Tuf, None, &change).unwrap_err();
    assert_eq!(error.to_string(), "a first root has version 1, found 2");
}

#[test]
fn key_moved_to_another_role() {
    let signers = Signer::many::<1>();
    let first = fixture::first(Dialect::Tuf, &signers, 1);
    let (_, targets) = first.root().role_keys(Role::Targets).next().unwrap();
    let error =
        next(Dialect::Tuf, Some(first.root()), &change(2, vec![targets.clone()], 1)).unwrap_err();
    assert!(error.to_string().starts_with("one public key stands twice"), "{error}");
    let fresh = Key::plain(Dialect::Tuf, &Signer::new().public).unwrap();
    let roles = BTreeMap::from([
        (Role::Snapshot, (vec![targets.clone()], 1)),
        (Role::Targets, (vec![fresh], 1)),
    ]);
    let change = Change { roles, ..change(2, vec![signers[0].key(Dialect::Tuf)], 1) };
    let error = next(Dialect::Tuf, Some(first.root()), &change).unwrap_err();
    let words = "a key that was of role `targets` cannot become one of role `snapshot`";
    assert!(error.to_string().starts_with(words), "{error}");
    assert_eq!(error.check(), Check::RootKeys);
}

#[test]
fn role_missing_key_missing_and_id_forged() {
    let first = fixture::first(Dialect::Tuf, &[Signer::new()], 1);
    let root = first.root();
    let without = edited(root, |m| {
        let Some(Value::Map(roles)) = m.get_mut("roles") else { panic!() };
        roles.remove("snapshot");
    });
    assert_eq!(check(None, &without).unwrap_err().to_string(), "role `snapshot` is missing");
    let dangling =
        edited(root, |m| role(m, "root", "keyids", Value::List(vec![Value::text("ab")])));
    assert_eq!(
        check(None, &dangling).unwrap_err().to_string(),
        "role `root` lists `ab`, which is not among the keys"
    );
    let forged = edited(root, |m| {
        let Some(Value::Map(keys)) = m.get_mut("keys") else { panic!() };
        let (_, key) = keys.iter().next().map(|(a, b)| (a.clone(), b.clone())).unwrap();
        keys.insert("ab".to_owned(), key);
        role(m, "root", "keyids", Value::List(vec![Value::text("ab")]));
    });
    let error = check(None, &forged).unwrap_err().to_string();
    assert!(error.starts_with("the key listed as `ab` has the id `"), "{error}");
}

#[test]
fn a_notary_root_key_without_a_certificate_is_refused() {
    let plain = Key::plain(Dialect::Notary, &Signer::new().public).unwrap();
    let id = plain.id().clone();
    let change = Change { roles: fixture::online(Dialect::Notary), ..change(1, vec![plain], 1) };
    assert_eq!(
        next(Dialect::Notary, None, &change).unwrap_err().to_string(),
        format!("root key `{id}` has no certificate")
    );
}

#[test]
fn certificates_name_the_repository_and_outlive_the_root_by_two_years() {
    let signer = Signer::new();
    let keys = |until| vec![signer.key_until(until)];
    let root = |until| {
        let change =
            Change { roles: fixture::online(Dialect::Notary), ..change(1, keys(until), 1) };
        next(Dialect::Notary, None, &change).unwrap()
    };
    assert_eq!(check_certified(&root("2033-11-30"), REPOSITORY), Ok(()));
    let error = check_certified(&root("2033-11-29"), REPOSITORY).unwrap_err();
    assert_eq!(error.check(), Check::CertOutlivesRoot);
    assert!(error.to_string().ends_with(
        "ends 2033-11-29T00:00:00Z, less than two years after the root, which expires 2031-11-30T00:00:00Z"
    ));
    let error = check_certified(&root("2033-11-30"), "localhost:5000/y").unwrap_err();
    assert!(error.to_string().ends_with("is for `localhost:5000/x`, not for `localhost:5000/y`"));
}

#[test]
fn crlf_in_a_certificate() {
    let first = fixture::first(Dialect::Notary, &[Signer::new()], 1);
    let (_, key) = first.root().role_keys(Role::Root).next().unwrap();
    let text = key.bundle().unwrap().pem().replace('\n', "\r\n");
    let public = data_encoding::BASE64.encode(text.as_bytes());
    let mut value = key.value().as_map().cloned().unwrap();
    value.insert(
        "keyval".to_owned(),
        Value::map([("private", Value::Null), ("public", Value::text(public))]),
    );
    let other = Key::of(Dialect::Notary, Value::Map(value));
    let change = Change { roles: fixture::online(Dialect::Notary), ..change(1, vec![other], 1) };
    let error = next(Dialect::Notary, None, &change).unwrap_err();
    assert!(error.to_string().ends_with("is not PEM as Go writes it"), "{error}");
    assert_eq!(error.check(), Check::RootBytes);
}

#[test]
fn one_key_of_several_online_roles_stays_and_is_never_the_root_key() {
    let signer = Signer::new();
    let shared = Key::plain(Dialect::Tuf, &Signer::new().public).unwrap();
    let role = |key: &Key| (vec![key.clone()], 1);
    let roles: BTreeMap<_, _> = Role::ONLINE.map(|online| (online, role(&shared))).into();
    let keys = || vec![signer.key(Dialect::Tuf)];
    let first = next(Dialect::Tuf, None, &Change { roles, ..change(1, keys(), 1) }).unwrap();
    let second = next(Dialect::Tuf, Some(&first), &change(2, keys(), 1)).unwrap();
    // Split, it does not come back to the role that it left.
    let fresh = Key::plain(Dialect::Tuf, &Signer::new().public).unwrap();
    let roles = BTreeMap::from([(Role::Targets, role(&fresh))]);
    let third =
        next(Dialect::Tuf, Some(&second), &Change { roles, ..change(3, keys(), 1) }).unwrap();
    let roles = BTreeMap::from([(Role::Targets, role(&shared))]);
    let error =
        next(Dialect::Tuf, Some(&third), &Change { roles, ..change(4, keys(), 1) }).unwrap_err();
    assert!(matches!(error, Error::Moved { to: Role::Targets, .. }), "{error}");
    let error = next(Dialect::Tuf, Some(&first), &change(2, vec![shared], 1)).unwrap_err();
    assert!(matches!(error, Error::Twin { .. }), "{error}");
}

/// A number below `limit`, the same in every run.
fn below(limit: usize, round: usize, what: &str) -> usize {
    let digest = crate::digest::Digest::of(format!("{round} {what}").as_bytes());
    usize::from(digest.as_bytes()[0]) % limit
}

#[test]
fn a_next_root_is_taken_when_both_thresholds_signed_it_and_by_nobody_when_one_signature_is_missing()
{
    use crate::root::profile::Profile;
    use crate::root::walk::{Chain, Walker};
    for (dialect, round) in [Dialect::Notary, Dialect::Tuf].into_iter().zip([0, 100]) {
        for round in round..round + 12 {
            let number = |limit, what| below(limit, round, what);
            let all = Signer::many::<8>();
            let old = &all[..1 + number(4, "old")];
            // Some of the old keys stay, and some are new.
            let from = number(old.len() + 1, "gone");
            let new = &all[from..old.len() + 1 + number(3, "new")];
            let (needed_old, needed_new) =
                (1 + number(old.len(), "old threshold"), 1 + number(new.len(), "new threshold"));
            let first = fixture::first(dialect, old, needed_old as u32);
            let keys = new.iter().map(|signer| signer.key(dialect)).collect();
            let root = next(dialect, Some(first.root()), &change(2, keys, needed_new as u32));
            let root = root.unwrap();
            let taken = |signers: &[&Signer]| {
                let keys: Vec<Key> = signers.iter().map(|signer| signer.key(dialect)).collect();
                let second = fixture::signed(&root, signers.iter().copied().zip(&keys));
                let chain = Chain::new([first.clone(), second]);
                let at = day("2027-01-01");
                Profile::of(dialect)
                    .map(|profile| {
                        let walker = Walker { profile, repository: REPOSITORY, at };
                        walker.walk(&chain, Some(Version::FIRST)).is_ok()
                    })
                    .collect::<Vec<_>>()
            };
            let count = |signers: &[&Signer], of: &[Signer]| {
                let is_one = |signer: &&&Signer| of.iter().any(|one| one.public == signer.public);
                signers.iter().filter(is_one).count()
            };
            let enough = |signers: &[&Signer]| {
                count(signers, old) >= needed_old && count(signers, new) >= needed_new
            };
            // Whoever is not needed any more goes; in the end nobody can be spared.
            let mut quorum: Vec<&Signer> = all[..old.len().max(from + new.len())].iter().collect();
            while let Some(spare) = (0..quorum.len()).find(|at| {
                let mut fewer = quorum.clone();
                fewer.remove(*at);
                enough(&fewer)
            }) {
                quorum.remove(spare);
            }
            assert!(enough(&quorum) && taken(&quorum).iter().all(|taken| *taken), "{round}");
            for at in 0..quorum.len() {
                let mut fewer = quorum.clone();
                fewer.remove(at);
                assert!(!taken(&fewer).contains(&true), "round {round} without {at}");
            }
        }
    }
}
