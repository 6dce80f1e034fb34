//! Records that say what no room brought: each is refused where it is taken up, in a ceremony and in its replay.

use super::*;
use crate::attestation::{PinPolicy, TouchPolicy};
use crate::ceremony::Inputs;
use crate::ceremony::fact::{Attested, ModuleRead, RootMade};
use crate::ceremony::tests::{GENESIS, Pair, Room};
use crate::digest::Digest;
use crate::key::{Algorithm, KemKey, PublicKey};
use crate::record::{Body, Mode, Record, Tool};
use crate::trust::Past;

/// New certificates for the keys of the genesis.
const RENEW: &str = r#"
ceremony = "renew"
title = "Practice renewal"
dialect = "notary"
quorum_people = 2
practice = true
when = { from = 2026-12-20, until = 2026-12-31 }
ROOT
[root]
keys = ["root-a", "root-b", "root-spare"]
threshold = 2
expires = 2031-11-30
certificates_until = 2033-11-30
"#;

/// A genesis up to a step, the facts of which are changed.
fn refused(at: fn(&Act) -> bool, change: impl Fn(&Ceremony, &mut Fact)) -> String {
    let mut room = Room::new();
    let inputs = room.genesis();
    let (mut ceremony, number, facts) = room.until(inputs, at);
    for mut fact in facts {
        let whole = fact.clone();
        change(&ceremony, &mut fact);
        match ceremony.clone().accept(number, fact.clone()) {
            Err(refusal) => return refusal.to_string(),
            Ok(next) => {
                assert_eq!(fact, whole, "a changed fact was taken up");
                ceremony = next;
            }
        }
    }
    panic!("nothing was changed");
}

fn other_key() -> PublicKey {
    Pair::new(Algorithm::EcdsaP256).public()
}

#[test]
fn a_fact_of_another_step_another_token_or_another_order_is_refused() {
    let order = "the record says step 6 where step 5 is next [FACT-ORDER]";
    let mut room = Room::new();
    let inputs = room.genesis();
    let (ceremony, _, _) = room.until(inputs, |act| matches!(act, Act::EnrolToken { .. }));
    let early = Fact::TokenPresent { token: "officer-b".into() };
    assert_eq!(ceremony.clone().accept(6, early).unwrap_err().to_string(), order);
    let other = Fact::TokenPresent { token: "officer-a".into() };
    let same = "the record says step 5 where step 5 is next [FACT-ORDER]";
    assert_eq!(ceremony.clone().accept(5, other).unwrap_err().to_string(), same);
    let absent = Fact::TokenAbsent { token: "officer-b".into(), reason: "ill".into() };
    assert_eq!(ceremony.accept(5, absent).unwrap_err().to_string(), same);
}

#[test]
fn only_a_token_with_a_root_key_signs_at_another_site() {
    let mut room = Room::new();
    let genesis = room.genesis();
    let before = room.play(genesis).unwrap();
    let inputs = room.rotate(&before);
    let (mut ceremony, _, _) = room.until(inputs, |act| matches!(act, Act::PresentToken { .. }));
    let (mut taken, mut refused) = (0, 0);
    while let Some(step) = ceremony.next().cloned() {
        let Act::PresentToken { token } = &step.act else { break };
        let elsewhere =
            ceremony.clone().accept(step.number, Fact::TokenElsewhere { token: token.clone() });
        if token.ends_with(|last: char| last.is_ascii_digit()) {
            let what = format!(
                "the record says step {0} where step {0} is next [FACT-ORDER]",
                step.number
            );
            assert_eq!(elsewhere.unwrap_err().to_string(), what, "{token}");
            refused += 1;
        } else {
            assert!(elsewhere.unwrap().is_elsewhere(token), "{token}");
            taken += 1;
        }
        for fact in room.facts(&ceremony, &step).unwrap() {
            ceremony = ceremony.accept(step.number, fact).unwrap();
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} {refused}");
}

#[test]
fn a_ceremony_that_pins_no_module_has_its_exception() {
    let mut room = Room::new();
    let plan = GENESIS.replace("practice = true\n", "");
    let inputs = room.inputs(&plan, crate::trust::Past::default(), true);
    let (ceremony, number, facts) = room.until(inputs, |act| *act == Act::ReadRoom);
    let [.., read] = facts.as_slice() else { panic!("nothing was read") };
    let read = |ceremony: Ceremony| ceremony.accept(number, read.clone());
    let missing = format!("step {number} lacks the exception that it needs [FACT-ORDER]");
    assert_eq!(read(ceremony.clone()).unwrap_err().to_string(), missing);
    let exception = Fact::Exception {
        expected: "modules".into(),
        happened: "none".into(),
        decided: "go on".into(),
        by: "all".into(),
    };
    assert!(read(ceremony.accept(number, exception).unwrap()).is_ok());
}

#[test]
fn a_module_that_the_plan_does_not_pin_is_refused() {
    let mut room = Room::new();
    let pinned = Digest::of(b"the module that was reviewed");
    let plan =
        GENESIS.replace("practice = true", &format!("practice = true\nmodules = [\"{pinned}\"]"));
    let inputs = room.inputs(&plan, Past::default(), true);
    let (ceremony, number, _) = room.until(inputs, |act| *act == Act::ReadRoom);
    let read = |sha256| {
        let modules = vec![ModuleRead { name: "softhsm".into(), sha256 }];
        ceremony.clone().accept(number, Fact::RoomRead { room: Digest::of(b""), modules })
    };
    assert!(read(pinned).is_ok());
    let found = Digest::of(b"another");
    assert_eq!(
        read(found).unwrap_err().to_string(),
        format!("module `softhsm` has digest {found}, which the plan does not pin [ROOM-MODULES]")
    );
}

#[test]
fn an_intent_or_a_candidate_of_other_bytes_is_refused() {
    let intent = refused(
        |act| matches!(act, Act::SignRoots { .. }),
        |_, fact| {
            if let Fact::Intended { consent, .. } = fact {
                *consent = Digest::of(b"other candidates");
            }
        },
    );
    assert_eq!(
        intent,
        "token `officer-a` intends to sign something else than was drafted [ROOT-EQUIVOCATION]"
    );
    let changes: [fn(&mut RootMade); 2] =
        [|root| root.sha256 = Digest::of(b"x"), |root| root.version = 2];
    for change in changes {
        let drafted = refused(
            |act| *act == Act::DraftRoots,
            |_, fact| {
                if let Fact::Drafted { roots } = fact {
                    change(&mut roots[0]);
                }
            },
        );
        assert_eq!(
            drafted,
            "the recorded candidates are not those that plan, request and record give [ROOT-EQUIVOCATION]"
        );
    }
}

#[test]
fn a_signature_that_is_not_good_is_refused() {
    let refusal = refused(
        |act| matches!(act, Act::SignRoots { .. }),
        |_, fact| {
            if let Fact::Signed { signatures, .. } = fact {
                signatures[0].signature = signatures[1].signature.clone();
            }
        },
    );
    assert_eq!(
        refusal,
        "`localhost:5000/a`: the signature is not by this key over these bytes [SIGNATURE-GOOD]"
    );
}

#[test]
fn a_complete_root_of_other_bytes_is_refused() {
    let refusal = refused(
        |act| *act == Act::AssembleRoots,
        |_, fact| {
            if let Fact::Assembled { roots } = fact {
                roots[1].sha256 = Digest::of(b"x");
            }
        },
    );
    assert_eq!(refusal, "the recorded roots are not those that the record gives [ROOT-BYTES]");
}

#[test]
fn a_certificate_of_another_repository_is_refused() {
    let refusal = refused(
        |act| matches!(act, Act::MakeKey { .. }),
        |_, fact| {
            if let Fact::Certified { certificates, .. } = fact {
                certificates[0].certificate = certificates[1].certificate.clone();
            }
        },
    );
    assert_eq!(
        refusal,
        "`localhost:5000/a`: the certificate is of another key, name or end than planned [CERT-PROFILE]"
    );
}

/// What is said of the first certificate of a key with other bytes in it.
fn refused_certificate(edit: impl Fn(&mut Vec<u8>)) -> String {
    refused(
        |act| matches!(act, Act::MakeKey { .. }),
        |_, fact| {
            if let Fact::Certified { certificates, .. } = fact {
                let pem = &certificates[0].certificate;
                let bundle = crate::root::certificate::Bundle::read(pem).unwrap();
                let mut der = bundle.leaf().der().to_vec();
                edit(&mut der);
                let changed = crate::root::certificate::Certificate::from_der(&der).unwrap();
                certificates[0].certificate = changed.to_pem();
            }
        },
    )
}

#[test]
fn a_certificate_that_may_do_more_than_a_root_certificate_is_refused() {
    let refusal = refused_certificate(|der| {
        let at = der.windows(4).position(|bytes| bytes == [3, 2, 7, 0x80]).unwrap();
        der[at..at + 4].copy_from_slice(&[3, 2, 2, 0x84]);
    });
    assert_eq!(
        refusal,
        "`localhost:5000/a`: the certificate says more or less than a certificate made here [CERT-PROFILE]"
    );
}

#[test]
fn a_certificate_whose_signature_is_not_good_is_refused() {
    let refusal = refused_certificate(|der| *der.last_mut().unwrap() ^= 1);
    assert_eq!(
        refusal,
        "certificate for `localhost:5000/a`: the signature is not by this key over these bytes [SIGNATURE-GOOD]"
    );
}

#[test]
fn one_public_key_for_two_names_is_refused() {
    let refusal = refused(
        |act| matches!(act, Act::MakeKey { key, .. } if key == "root-b"),
        |ceremony, fact| {
            if let Fact::KeyMade { public, .. } = fact {
                *public = ceremony.public("root-a").unwrap();
            }
        },
    );
    assert_eq!(refusal, "key `root-b` has the public key of `root-a` [ROOT-KEY-TWIN]");
}

#[test]
fn a_token_with_another_kind_of_key_or_the_keys_of_another_token_is_refused() {
    let kind = refused(
        |act| matches!(act, Act::MakeKey { .. }),
        |_, fact| {
            if let Fact::KeyMade { public, .. } = fact {
                *public = Pair::new(Algorithm::Ed25519).public();
            }
        },
    );
    assert_eq!(kind, "key `root-a` is `ed25519`, the plan says `ecdsa-p256` [TOKEN-KEY]");
    let twin = refused(
        |act| matches!(act, Act::EnrolToken { token } if token == "officer-b"),
        |ceremony, fact| {
            let Some(Fact::TokenEnrolled { attest: other, .. }) =
                ceremony.facts().find(|fact| matches!(fact, Fact::TokenEnrolled { .. }))
            else {
                return;
            };
            if let Fact::TokenEnrolled { attest, .. } = fact {
                *attest = other.clone();
            }
        },
    );
    assert_eq!(twin, "token `officer-b` shows a public key that another token has [TOKEN-KEY]");
}

#[test]
fn a_sealing_key_is_there_exactly_where_a_share_goes() {
    let refusal = refused(
        |act| matches!(act, Act::EnrolToken { token } if token == "officer-1"),
        |_, fact| {
            if let Fact::TokenEnrolled { seal, .. } = fact {
                *seal = None;
            }
        },
    );
    assert_eq!(
        refusal,
        "token `officer-1` needs a sealing key exactly if it gets a share [TOKEN-SEAL]"
    );
    let refusal = refused(
        |act| matches!(act, Act::EnrolToken { token } if token == "officer-a"),
        |_, fact| {
            if let Fact::TokenEnrolled { seal, .. } = fact {
                *seal = Some(other_key());
            }
        },
    );
    assert!(refusal.ends_with("[TOKEN-SEAL]"), "{refusal}");
    // Its other half never without it, and never that of another token.
    let refusal = refused(
        |act| matches!(act, Act::EnrolToken { token } if token == "officer-a"),
        |_, fact| give_kem(fact),
    );
    assert!(refusal.ends_with("[TOKEN-SEAL]"), "{refusal}");
}

/// Gives a token that is enrolled here an ML-KEM half, always the same.
fn give_kem(fact: &mut Fact) {
    if let Fact::TokenEnrolled { kem, .. } = fact {
        *kem = KemKey::from_bytes(&[0; 1184]).ok();
        assert!(kem.is_some());
    }
}

#[test]
fn two_tokens_with_one_ml_kem_key_are_refused() {
    let mut room = Room::new();
    let inputs = room.genesis();
    let (mut ceremony, ..) =
        room.until(inputs, |act| matches!(act, Act::EnrolToken { token } if token == "officer-1"));
    for token in ["officer-1", "officer-2"] {
        let step = ceremony.next().cloned().unwrap();
        assert_eq!(step.act.token(), Some(token));
        let mut fact = room.facts(&ceremony, &step).unwrap().remove(0);
        give_kem(&mut fact);
        match ceremony.clone().accept(step.number, fact) {
            Ok(next) => ceremony = next,
            Err(refusal) => {
                let told =
                    "token `officer-2` shows a public key that another token has [TOKEN-KEY]";
                return assert_eq!(refusal.to_string(), told);
            }
        }
    }
    panic!("the copy was enrolled");
}

#[test]
fn shares_for_other_tokens_or_without_a_proof_are_refused() {
    let swapped = refused(
        |act| matches!(act, Act::SplitKey { .. }),
        |_, fact| {
            if let Fact::KeySplit { shares, .. } = fact {
                shares[0].holder = "officer-a".into();
            }
        },
    );
    assert_eq!(
        swapped,
        "key `root-spare` was split for other tokens than the plan says [SHARE-THRESHOLD]"
    );
    for (tried, of) in [(0, 3), (4, 3)] {
        let unproven = refused(
            |act| matches!(act, Act::CombineShares { .. }),
            |_, fact| {
                *fact = Fact::SharesCombined { key: "root-spare".into(), tried, of };
            },
        );
        assert_eq!(unproven, "the shares of key `root-spare` were not all proven [SHARE-PROVEN]");
    }
}

#[test]
fn watches_of_one_person_or_of_another_hour_are_refused() {
    let one = refused(
        |act| *act == Act::AttestClock,
        |_, fact| {
            if let Fact::ClockAttested { watches } = fact {
                watches[1].who = watches[0].who.clone();
            }
        },
    );
    assert_eq!(one, "seat A read both watches, two people are needed [CLOCK-WINDOW]");
    let hour = refused(
        |act| *act == Act::AttestClock,
        |_, fact| {
            if let Fact::ClockAttested { watches } = fact {
                watches[0].read += jiff::SignedDuration::from_mins(61);
            }
        },
    );
    assert_eq!(
        hour,
        "the watch of seat A and the machine's clock are more than 5 minutes apart [CLOCK-WINDOW]"
    );
}

#[test]
fn a_record_of_another_mode_than_the_plans_is_refused() {
    let real = GENESIS.replace("practice = true\n", "");
    let mut room = Room::new();
    let [practice, real] = [GENESIS, &real].map(|plan| room.inputs(plan, Past::default(), true));
    let opened = |inputs: &Inputs, mode| {
        let mut record = Record::default();
        let tool = Tool { version: String::new(), sha256: Digest::of(b"") };
        let (plan, after) = (inputs.plan.digest(), inputs.plan.after());
        let body = Body::Opened { tool, plan, after, inputs: Digest::of(b""), mode };
        record.append(room.now, 0, body).unwrap();
        crate::ceremony::replay(inputs.clone(), &record).map_err(|refusal| refusal.to_string())
    };
    assert!(opened(&practice, Mode::Practice).is_ok());
    for (inputs, mode) in [
        (&practice, Mode::Ceremony),
        (&practice, Mode::Rehearsal),
        (&real, Mode::Practice),
        (&real, Mode::Rehearsal),
    ] {
        assert_eq!(
            opened(inputs, mode).unwrap_err(),
            "record line 1: it opens another plan, another past or another kind of ceremony [FACT-ORDER]"
        );
    }
}

#[test]
fn certificates_or_signatures_for_other_repositories_than_planned_are_refused() {
    let certified = refused(
        |act| matches!(act, Act::MakeKey { .. }),
        |_, fact| {
            if let Fact::Certified { certificates, .. } = fact {
                certificates.swap(0, 1);
            }
        },
    );
    assert_eq!(
        certified,
        "key `root-a` has certificates for other repositories than planned [FACT-ORDER]"
    );
    let signed = refused(
        |act| matches!(act, Act::SignRoots { .. }),
        |_, fact| {
            if let Fact::Signed { signatures, .. } = fact {
                signatures.swap(0, 1);
            }
        },
    );
    assert_eq!(signed, "key `root-a` signed for other repositories than planned [FACT-ORDER]");
}

#[test]
fn a_step_of_which_a_piece_is_missing_is_not_at_its_end() {
    let certifies = Act::CertifyWithShares { key: "root-spare".to_owned() };
    let ends: [fn(&Act) -> bool; 4] = [
        |act| *act == Act::DraftRoots,
        |act| *act == Act::AssembleRoots,
        |act| matches!(act, Act::SignRoots { .. }),
        |act| matches!(act, Act::CertifyWithShares { .. }),
    ];
    let shorten = |fact: &mut Fact| match fact {
        Fact::Drafted { roots } | Fact::Assembled { roots } => drop(roots.pop()),
        Fact::Signed { signatures, .. } => drop(signatures.pop()),
        Fact::Certified { certificates, .. } => drop(certificates.pop()),
        _ => {}
    };
    for at in ends {
        let mut room = Room::new();
        let mut inputs = room.genesis();
        if at(&certifies) {
            let genesis = room.play(inputs).unwrap();
            let past = room.rotate(&genesis).past;
            inputs = room.inputs(RENEW, past, false);
        }
        let (mut ceremony, number, facts) = room.until(inputs, at);
        let mut told = None;
        for mut fact in facts {
            shorten(&mut fact);
            match ceremony.clone().accept(number, fact) {
                Ok(next) => ceremony = next,
                Err(refusal) => told = Some(refusal.to_string()),
            }
        }
        let told = told.expect("a step that ended without its last piece");
        assert_eq!(told, format!("step {number} ends with 1 of 2 recorded [FACT-ORDER]"));
        assert_eq!(ceremony.next().map(|step| step.number), Some(number));
    }
}

#[test]
fn a_new_key_is_certified_before_anything_else_is_done() {
    let mut room = Room::new();
    let inputs = room.genesis();
    let (ceremony, number, facts) = room.until(inputs, |act| matches!(act, Act::MakeKey { .. }));
    let [made, Fact::Certified { key, certificates }] = &facts[..] else { panic!("{facts:?}") };
    let piece = |at: usize| {
        let certificates = certificates[at..=at].to_vec();
        Fact::Certified { key: key.clone(), certificates }
    };
    let at = |ceremony: &Ceremony| ceremony.next().map(|step| step.number);
    assert!(ceremony.clone().accept(number, piece(0)).is_err());
    let mut ceremony = ceremony.accept(number, made.clone()).unwrap();
    assert!(ceremony.clone().accept(number, made.clone()).is_err());
    for one in [0, 1] {
        assert_eq!(at(&ceremony), Some(number));
        assert!(ceremony.clone().accept(number, piece(1 - one)).is_err());
        ceremony = ceremony.accept(number, piece(one)).unwrap();
    }
    assert!(at(&ceremony) > Some(number));
    assert!(ceremony.accept(number, piece(0)).is_err());
}

#[test]
fn a_last_try_that_one_person_wanted_is_refused() {
    let mut room = Room::new();
    let inputs = room.genesis();
    let (ceremony, number, _) =
        room.until(inputs, |act| matches!(act, Act::EnrolToken { token } if token == "officer-a"));
    let custodian = ceremony.roster().custodian("officer-a").to_owned();
    let said = |number: u32, token: &str, by: [&str; 2]| {
        let by = by.map(str::to_owned);
        let fact = Fact::LastTryConfirmed { token: token.to_owned(), by };
        ceremony.clone().accept(number, fact).map(drop).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(said(number, "officer-a", [&custodian, "witness"]), Ok(()));
    let alone =
        "not two seats said that the last try of token `officer-a` is used [TOKEN-LAST-TRY]";
    assert_eq!(said(number, "officer-a", [&custodian, &custodian]), Err(alone.to_owned()));
    assert_eq!(said(number, "officer-a", ["operator", "witness"]), Err(alone.to_owned()));
    let other = said(number, "officer-b", [&custodian, "witness"]).unwrap_err();
    assert!(other.ends_with("[FACT-ORDER]"), "{other}");
    assert!(said(number + 1, "officer-a", [&custodian, "witness"]).is_err());
}

#[test]
fn a_key_that_is_attested_with_other_rules_or_by_nobody_known_is_refused() {
    let said = |pin, touch, by_maker| Attested {
        file: Digest::of(b"certificates"),
        firmware: "5.7.4".to_owned(),
        pin,
        touch,
        by_maker,
    };
    let refused_with = |attest: Option<Attested>, root: Option<Attested>| {
        let at: fn(&Act) -> bool = match root {
            Some(_) => |act| matches!(act, Act::MakeKey { .. }),
            None => |act| matches!(act, Act::EnrolToken { .. }),
        };
        refused(at, move |_, fact| match fact {
            Fact::TokenEnrolled { attested, .. } => *attested = attest.clone(),
            Fact::KeyMade { attested, .. } => *attested = root.clone(),
            _ => {}
        })
    };
    let rules = " is attested with other rules than were asked for [TOKEN-ATTESTED]";
    let (once, cached) = (PinPolicy::Once, TouchPolicy::Cached);
    for told in [
        refused_with(Some(said(once, cached, true)), None),
        refused_with(Some(said(PinPolicy::Never, TouchPolicy::Never, true)), None),
        refused_with(None, Some(said(once, TouchPolicy::Never, true))),
    ] {
        assert!(told.ends_with(rules), "{told}");
    }
    // No practice: somebody decides about a maker that nobody knows.
    let mut room = Room::new();
    let pinned = format!("modules = [\"{}\"]", Digest::of(b"libsofthsm2.so"));
    let plan = GENESIS.replace("practice = true", &pinned);
    let inputs = room.inputs(&plan, Past::default(), true);
    let (ceremony, number, facts) = room.until(inputs, |act| matches!(act, Act::MakeKey { .. }));
    let [Fact::KeyMade { key, public, statement, .. }, ..] = &facts[..] else {
        panic!("{facts:?}");
    };
    let (key, public, statement) = (key.clone(), public.clone(), statement.clone());
    let attested = Some(said(once, cached, false));
    let advised = Vec::new();
    let unknown = Fact::KeyMade { key, public, statement, attested, advised };
    let told = ceremony.clone().accept(number, unknown.clone()).unwrap_err().to_string();
    assert!(told.ends_with("lacks the exception that it needs [FACT-ORDER]"), "{told}");
    let text = || "text".to_owned();
    let decided =
        Fact::Exception { expected: text(), happened: text(), decided: text(), by: text() };
    assert!(ceremony.accept(number, decided).unwrap().accept(number, unknown).is_ok());
}

#[test]
fn a_key_on_a_token_with_a_known_weakness_needs_somebody_who_decided_it() {
    let mut room = Room::new();
    let pinned = format!("modules = [\"{}\"]", Digest::of(b"libsofthsm2.so"));
    let plan = GENESIS.replace("practice = true", &pinned);
    let inputs = room.inputs(&plan, Past::default(), true);
    let (ceremony, number, facts) = room.until(inputs, |act| matches!(act, Act::MakeKey { .. }));
    let mut fact = facts[0].clone();
    if let Fact::KeyMade { advised, .. } = &mut fact {
        advised.push("YSA-2024-03".to_owned());
    }
    let told = ceremony.accept(number, fact).unwrap_err().to_string();
    assert!(told.ends_with("lacks the exception that it needs [FACT-ORDER]"), "{told}");
}
