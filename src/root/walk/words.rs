//! The exact words of every refusal of a walk.

use super::*;
use crate::root::fixture::day;

#[test]
fn each_reason_has_its_words() {
    let version = |n| Version::new(n).unwrap();
    let id = || KeyId::new("ab");
    let rows: Vec<(Reason, &str)> = vec![
        (Reason::Absent, "is not published"),
        (Reason::Bytes, "its bytes are not those that a trust server writes"),
        (Reason::Expired { expires: day("2031-01-02") }, "expired 2031-01-02T00:00:00Z"),
        (Reason::NewKeys { counted: 1, needed: 2 }, "1 of its own keys count, it needs 2"),
        (
            Reason::NoCertificate { repository: "localhost/x".to_owned() },
            "no root certificate is valid for `localhost/x`",
        ),
        (Reason::OldKeys { counted: 1, needed: 2 }, "1 of the keys before it count, they need 2"),
        (Reason::TooLarge { found: 9, limit: 8 }, "9 bytes, the client reads 8"),
        (Reason::TooManySteps { limit: 256 }, "more than 256 versions away"),
        (
            Reason::Version { expected: version(2), found: version(9) },
            "says that it is version 9, expected 2",
        ),
        (Reason::Counting(threshold::Error::Second { id: id() }), "key `ab` has signed twice"),
        (Reason::Shape(ShapeError::ConsistentSnapshot), "`consistent_snapshot` is missing"),
        (
            Reason::Shape(ShapeError::Expires { found: "2031".to_owned() }),
            "`expires` is written as `2031`",
        ),
        (
            Reason::Shape(ShapeError::KeyMissing { name: "root".to_owned(), id: id() }),
            "role `root` lists `ab`, which is not among the keys",
        ),
        (
            Reason::Shape(ShapeError::Kind {
                id: id(),
                kind: "ecdsa".to_owned(),
                scheme: "ecdsa-sha2-nistp384".to_owned(),
            }),
            "key `ab` is of type `ecdsa` with scheme `ecdsa-sha2-nistp384`",
        ),
        (
            Reason::Shape(ShapeError::ListedTwice { name: "root".to_owned(), id: id() }),
            "role `root` lists `ab` twice",
        ),
        (
            Reason::Shape(ShapeError::OtherRole { name: "mirror".to_owned() }),
            "there is a role `mirror`",
        ),
        (
            Reason::Shape(ShapeError::RoleMissing { role: Role::Snapshot }),
            "role `snapshot` is missing",
        ),
        (Reason::Shape(ShapeError::SignedTwice { id: id() }), "key `ab` has signed twice"),
        (
            Reason::Shape(ShapeError::SpecVersion { found: "2.0.0".to_owned() }),
            "`spec_version` is `2.0.0`",
        ),
        (
            Reason::Shape(ShapeError::Threshold { name: "root".to_owned(), found: 0 }),
            "role `root` has the threshold 0",
        ),
        (Reason::Shape(ShapeError::Undecodable { id: id() }), "key `ab` does not decode"),
        (
            Reason::Shape(ShapeError::WrongId { listed: id(), own: KeyId::new("cd") }),
            "the key listed as `ab` has the id `cd`",
        ),
    ];
    for (reason, words) in rows {
        let stop = Stop { version: version(7), reason };
        assert_eq!(stop.to_string(), format!("version 7: {words}"));
    }
}
