//! What a Notary server serves around the roots: what is taken from it, and what it must serve afterwards.

use std::sync::Mutex;

use officiant::digest::Digest;

use super::fake::{FakeNotary, Served, honest, reply};
use super::made::Soft;
use super::said;

/// Plays a lie of the server, and sees that a root with other targets keys is refused and nothing uploaded.
#[track_caller]
fn never_signed(file: &str, why: &str, lie: impl FnOnce(&mut Served)) {
    let it = FakeNotary::new();
    let first = it.first();
    let fresh = Soft::new();
    let second = it.root(Some(&first), &fresh);
    lie(&mut it.served.lock().unwrap());
    let uploads = it.fake.count("POST");
    let refused = it.publish(&[&first, &second], &[&fresh]);
    assert_eq!(
        refused.stderr,
        format!(
            "error: repository `a`: the server's `{file}` {why} [PUBLISH-COMPARED]\n\
             hint: clients do not take it either, or somebody stands between this machine and the server: find out which\n\
             nothing was published\n"
        )
    );
    assert_eq!((refused.code(), it.fake.count("POST")), (1, uploads));
}

#[test]
fn targets_that_no_publisher_signed_are_never_signed() {
    let evil = r#"{"signed":{"_type":"Targets","delegations":{"keys":{},"roles":[]},"expires":"2099-01-01T00:00:00Z","targets":{"evil":{"hashes":{},"length":1}},"version":7},"signatures":[]}"#;
    // By the server itself, which signs snapshot and timestamp over it.
    never_signed("targets.json", "is signed by the targets keys of no published root", |served| {
        served.files.insert("targets.json".to_owned(), evil.to_owned());
        served.sign();
    });
    // By somebody between, who has no key of the server's.
    never_signed("timestamp.json", "is not signed by the keys that are named for it", |served| {
        served.timestamp = Soft::new();
        served.files.insert("targets.json".to_owned(), evil.to_owned());
        served.sign();
    });
    never_signed(
        "targets.json",
        "is not the one that is named by what was signed over it",
        |served| {
            for (file, bytes) in &mut served.files {
                if file.starts_with("targets") {
                    evil.clone_into(bytes);
                }
            }
        },
    );
    never_signed("snapshot.json", "is not signed by the keys that are named for it", |served| {
        served.snapshot = Soft::new();
        served.sign();
    });
}

#[test]
fn targets_that_are_hidden_are_not_taken_for_none() {
    never_signed(
        "targets.json",
        "is not the one that is named by what was signed over it",
        |served| served.files.retain(|file, _| !file.starts_with("targets")),
    );
    never_signed("timestamp.json", "is missing", |served| {
        served.files.remove("timestamp.json");
    });
}

#[test]
fn what_was_served_weeks_ago_is_not_taken_for_what_is_served_now() {
    never_signed("timestamp.json", "has expired", |served| {
        served.hours = -1;
        served.sign();
    });
}

#[test]
fn what_is_signed_anew_is_told_with_its_version_its_size_and_its_digest() {
    let it = FakeNotary::new();
    let first = it.first();
    let fresh = Soft::new();
    let second = it.root(Some(&first), &fresh);
    let ran = it.publish(&[&first, &second], &[&fresh]).ok();
    let served = it.served.lock().unwrap().files["targets.json"].clone();
    assert_eq!(
        said(&ran),
        format!(
            "a: version 1 → 2, fetched back and equal\n  `targets.json` version 2 with 0 targets signed for version 2: {}\n",
            Digest::of(served.as_bytes())
        )
    );
}

#[test]
fn a_root_that_keeps_the_targets_keys_goes_up_whatever_stands_around_it() {
    let it = FakeNotary::new();
    let first = it.first();
    let second = it.root(Some(&first), &it.targets);
    // Signed in a way that nobody here reads; it is for clients to say.
    {
        let mut served = it.served.lock().unwrap();
        let targets = &served.files["targets.json"];
        let odd = targets.replace("\"method\":\"ecdsa\"", "\"method\":\"odd\"");
        served.files.insert("targets.json".to_owned(), odd);
        served.sign();
    }
    let ran = it.publish(&[&second], &[]).ok();
    assert_eq!(
        said(&ran),
        "a: version 1 → 2, fetched back and equal\n  \
         repository `a`: the server's `targets.json` is signed by the targets keys of no published root [PUBLISH-COMPARED]\n"
    );
}

#[test]
fn a_server_that_serves_other_bytes_than_it_was_given_is_found_out() {
    for (damaged, told) in [
        ("1.root.json", "the server now serves another `1.root.json` than was uploaded"),
        ("root.json", "the server now serves another `root.json` than was uploaded"),
        ("targets.json", "the server now serves another `targets.json` than was uploaded"),
        (
            "targets.",
            "the server's `targets.json` is not the one that is named by what was signed over it",
        ),
        (
            "snapshot.",
            "the server's `snapshot.json` is not the one that is named by what was signed over it",
        ),
        ("timestamp.json", "the server's `timestamp.json` is no metadata"),
    ] {
        let it = FakeNotary::answering(move |asked, stream, served| {
            let file = asked.file();
            let by_digest = damaged.ends_with('.') && file.starts_with(damaged) && file.len() > 64;
            match served.files.get(file) {
                Some(bytes) if file == damaged || by_digest => {
                    reply(stream, "200 OK", "", &bytes.replacen(':', ": ,", 1));
                }
                _ => honest(asked, stream, served),
            }
        });
        let first = it.root(None, &it.targets);
        let refused = it.publish(&[&first], &[&it.targets]);
        assert_eq!(refused.code(), 1);
        assert_eq!(
            refused.stderr.lines().next().unwrap(),
            format!("error: repository `a`: {told} [PUBLISH-COMPARED]")
        );
        assert!(
            refused
                .stderr
                .ends_with("no repository was published whole; publish again to see and finish\n"),
            "{}",
            refused.stderr
        );
        assert_eq!(said(&refused), "a: failed\n");
    }
}

#[test]
fn a_snapshot_of_other_targets_or_of_another_root_is_found_out() {
    for (file, told) in [("root.json", "snapshot.json"), ("targets.json", "targets.json")] {
        let shown = Mutex::new(None::<String>);
        // It signs over other bytes than it serves under the plain name.
        let it = FakeNotary::answering(move |asked, stream, served| {
            let mut shown = shown.lock().unwrap();
            match &*shown {
                Some(bytes) if asked.file() == file => reply(stream, "200 OK", "", bytes),
                _ => honest(asked, stream, served),
            }
            if asked.is("POST") {
                let bytes = served.files[file].clone();
                served.files.insert(file.to_owned(), format!("{bytes} "));
                served.sign();
                *shown = Some(bytes);
            }
        });
        let first = it.root(None, &it.targets);
        let refused = it.publish(&[&first], &[&it.targets]);
        assert_eq!(
            refused.stderr.lines().next().unwrap(),
            format!(
                "error: repository `a`: the server now serves another `{told}` than was uploaded [PUBLISH-COMPARED]"
            )
        );
    }
}

#[test]
fn an_upload_whose_answer_is_lost_is_found_published() {
    let it = FakeNotary::answering(|asked, stream, served| match asked.is("POST") {
        true => served.take(&asked.body(stream)),
        false => honest(asked, stream, served),
    });
    let first = it.root(None, &it.targets);
    let ran = it.publish(&[&first], &[&it.targets]).ok();
    assert!(said(&ran).starts_with("a: version 0 → 1, fetched back and equal\n"), "{ran:?}");
    assert_eq!(it.fake.count("POST"), 1);
}

#[test]
fn an_upload_is_sent_again_only_where_that_may_help_and_after_it_was_looked_for() {
    for (status, sent) in [("503 Busy", 3), ("500 Broken", 1)] {
        let it = FakeNotary::answering(move |asked, stream, served| match asked.is("POST") {
            true => {
                asked.body(stream);
                reply(stream, status, "", "");
            }
            false => honest(asked, stream, served),
        });
        let first = it.root(None, &it.targets);
        let refused = it.publish(&[&first], &[&it.targets]);
        assert_eq!(refused.code(), 3);
        assert_eq!(
            refused.stderr,
            format!(
                "error: {}/v2/a/_trust/tuf/: the server answered {}\n\
                 hint: ask who runs the server\n\
                 no repository was published whole; publish again to see and finish\n",
                it.fake.url,
                &status[..3]
            )
        );
        let asked = it.fake.asked();
        let first = asked.iter().position(|asked| asked.is("POST")).unwrap();
        let asked: Vec<_> = asked[first..].iter().map(|asked| asked.line.clone()).collect();
        assert_eq!(asked.len(), 2 * sent, "{asked:?}");
        for pair in asked.chunks(2) {
            assert!(pair[0].starts_with("POST /v2/a/_trust/tuf/ "), "{asked:?}");
            assert!(pair[1].starts_with("GET /v2/a/_trust/tuf/1.root.json "), "{asked:?}");
        }
    }
}

#[test]
fn a_refusal_without_a_reason_is_told_with_what_it_usually_means() {
    let it = FakeNotary::answering(|asked, stream, served| match asked.is("POST") {
        true => {
            asked.body(stream);
            let said = r#"{"errors":[{"code":"INVALID_UPDATE","message":"Update sent by the client is invalid."}]}"#;
            reply(stream, "400 Bad Request", "", said);
        }
        false => honest(asked, stream, served),
    });
    let first = it.root(None, &it.targets);
    let refused = it.publish(&[&first], &[&it.targets]);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        "error: repository `a`: the server refuses version 1 without a reason\n\
         hint: so it does when the certificates of its newest root have ended: ask who runs the server\n\
         no repository was published whole; publish again to see and finish\n"
    );
}
