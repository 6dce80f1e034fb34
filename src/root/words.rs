//! The exact words of every refusal of a root and of a succession, with its check.

use super::succession::Error as SuccessionError;
use super::threshold::Error as CountError;
use super::*;
use crate::check::Check;
use crate::key::PublicKey;
use crate::root::fixture::day;

#[test]
fn every_reason_why_a_document_is_no_root_has_its_words() {
    let rows = [
        (
            Error::Algorithm { dialect: Dialect::Notary, algorithm: Algorithm::Ed25519 },
            "a notary root takes no key of ed25519",
        ),
        (
            Error::Expires { found: "never".to_owned() },
            "`expires` is a date and time of RFC 3339, found `never`",
        ),
        (Error::Json(cjson::Error::NegativeZero { at: 7 }), "byte 7: zero has no sign, found `-0`"),
        (Error::Key(key::Error::BadSignature), "the signature is not by this key over these bytes"),
        (
            Error::Kind { expected: "Root", found: "Targets".to_owned() },
            "expected `_type` `Root`, found `Targets`",
        ),
        (
            Error::Missing { field: "keys".to_owned(), place: "signed".to_owned() },
            "`keys` is missing in signed",
        ),
        (Error::wrong("keys", "an object"), "`keys` is an object"),
        (Error::Version { found: 0 }, "a version is a number from 1 to 2^53, found 0"),
    ];
    for (error, words) in rows {
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn every_reason_why_a_root_cannot_follow_has_its_words_and_its_check() {
    use SuccessionError as E;
    let (id, other) = (|| KeyId::new("ab"), || KeyId::new("cd"));
    let version = |number| Version::new(number).unwrap();
    let key = PublicKey::from_ed25519(&[7; 32]).unwrap();
    let moved = format!(
        "a key that was of role `targets` cannot become one of role `root`: `{}`",
        key.id()
    );
    let rows = [
        (
            E::CertificateBytes { id: id() },
            Check::RootBytes,
            "the certificate of key `ab` is not PEM as Go writes it",
        ),
        (
            E::CertificateEnds { id: id(), ends: day("2032-01-01"), expires: day("2031-01-01") },
            Check::CertOutlivesRoot,
            "the certificate of `ab` ends 2032-01-01T00:00:00Z, less than two years after the root, which expires 2031-01-01T00:00:00Z",
        ),
        (
            E::CertificateName { id: id(), name: "a".to_owned(), repository: "b".to_owned() },
            Check::CertProfile,
            "the certificate of `ab` is for `a`, not for `b`",
        ),
        (
            E::Dialect { last: Dialect::Notary, found: Dialect::Tuf },
            Check::RootSequence,
            "a tuf root cannot follow a notary root",
        ),
        (
            E::KeyId { listed: id(), own: other() },
            Check::RootKeys,
            "the key listed as `ab` has the id `cd`",
        ),
        (
            E::KeyMissing { role: Role::Root, id: id() },
            Check::RootKeys,
            "role `root` lists `ab`, which is not among the keys",
        ),
        (
            E::KeyUnreadable { role: Role::Root, id: id() },
            Check::RootKeys,
            "role `root`: key `ab` is of no kind that can be read here",
        ),
        (E::Moved { key, from: Role::Targets, to: Role::Root }, Check::RootKeys, &moved),
        (E::NoCertificate { id: id() }, Check::RootKeys, "root key `ab` has no certificate"),
        (E::RoleMissing { role: Role::Targets }, Check::RootKeys, "role `targets` is missing"),
        (
            E::Root(Error::Version { found: 0 }),
            Check::RootBytes,
            "a version is a number from 1 to 2^53, found 0",
        ),
        (
            E::Sequence { last: Some(version(2)), expected: version(3), found: version(4) },
            Check::RootSequence,
            "version 4 cannot follow version 2",
        ),
        (
            E::Sequence { last: None, expected: version(1), found: version(4) },
            Check::RootSequence,
            "a first root has version 1, found 4",
        ),
        (
            E::Threshold { role: Role::Root, threshold: 3, keys: 2 },
            Check::RootKeys,
            "role `root`: threshold 3 needs 1 to 2 of the 2 keys listed",
        ),
        (
            E::Twin { id: id(), first: Role::Root, second: Role::Targets },
            Check::RootKeys,
            "one public key stands twice, in role `root` and as `ab` in role `targets`",
        ),
    ];
    for (error, check, words) in rows {
        assert_eq!((error.to_string().as_str(), error.check()), (words, check));
    }
}

#[test]
fn every_reason_why_a_document_is_not_counted_has_its_words() {
    let (id, own) = (|| KeyId::new("ab"), KeyId::new("cd"));
    let rows = [
        (CountError::Bad { id: id() }, "the signature of key `ab` is not good"),
        (CountError::Second { id: id() }, "key `ab` has signed twice"),
        (
            CountError::UnknownKey { id: id() },
            "a signature names key `ab`, which the role does not list",
        ),
        (CountError::WrongId { listed: id(), own }, "the key listed as `ab` has the id `cd`"),
    ];
    for (error, words) in rows {
        assert_eq!(error.to_string(), words);
    }
}
