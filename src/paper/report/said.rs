//! Facts and other entries of a record as sentences.
//!
//! Roof, pure.

use super::{List, minute};
use crate::ceremony::fact::{Certified, Fact};
use crate::ceremony::step::Part;
use crate::digest::Digest;
use crate::paper::Row;
use crate::record::{Body, Entry};
use crate::wording::Count;

/// What came back from a step.
pub(super) fn fact(fact: &Fact) -> String {
    match fact {
        Fact::BagsOpened { bags } if bags.is_empty() => "no record says of any bag".into(),
        Fact::BagsOpened { bags } | Fact::BreakTaken { bags } | Fact::TokensBagged { bags } => {
            let said = bags.iter().map(|bag| format!("{} in {}", bag.holder, bag.bag));
            said.collect::<Vec<_>>().join("; ")
        }
        Fact::PeopleSeated { taken, empty, .. } => {
            let empty = empty.iter().map(|(seat, why)| format!("; {seat} is empty: {why}"));
            format!("{} taken{}", Count(taken.len(), "seat"), empty.collect::<String>())
        }
        Fact::ClockAttested { watches } => {
            let read = watches.iter().map(|watch| format!("{}: {}", watch.who, minute(watch.read)));
            read.collect::<Vec<_>>().join("; ")
        }
        Fact::Closed { remarks } => format!("closed; {} below", Count(remarks.len(), "remark")),
        Fact::EntropyDrawn { tokens, reseeded } => {
            let how = if *reseeded { "the kernel reseeded" } else { "the kernel was fed" };
            format!("from {}; {how}", List::and(tokens))
        }
        Fact::Exception { happened, .. } => happened.clone(),
        Fact::FoldersExported { closing, media } => {
            format!("on {}; closing digest {}", Count(*media as usize, "media"), closing.grouped())
                .replace("medias", "media")
        }
        Fact::Intended { token, consent, apart: true, .. } => {
            format!("token {token} signed at another site: {}", consent.grouped())
        }
        Fact::Intended { token, consent, stored, .. } => {
            // What stores nothing may be a paper.
            match stored {
                true => format!("token {token} stored its intent: {}", consent.grouped()),
                false => format!("{token} stores nothing; it intends: {}", consent.grouped()),
            }
        }
        Fact::KeyCertified { certificates, .. } => certified(certificates),
        Fact::KeysDestroyed { keys, .. } if keys.is_empty() => "it held no key".into(),
        Fact::KeysDestroyed { keys, .. } => format!("destroyed {}", keys.join(", ")),
        Fact::UnfinishedRead { head } => format!("its record ends with {}", head.grouped()),
        Fact::KeyMade { public, certificates, .. } => {
            format!("public key {}{}", public.id().grouped(), and_certified(certificates))
        }
        Fact::KeyPlaced { public, .. } => {
            format!("public key {}, unwrapped there", public.id().grouped())
        }
        Fact::KeySplit { public, set, shares, certificates, .. } => format!(
            "public key {}; set {set}, {}{}",
            public.id().grouped(),
            Count(shares.len(), "share"),
            and_certified(certificates)
        ),
        Fact::LastTryConfirmed { token, by: [custodian, other] } => {
            format!(
                "what could be the last try of token {token}: {custodian} and {other} said that its PIN is asked for"
            )
        }
        Fact::PaperDrilled { .. } => "whole, and its passphrase fits".into(),
        Fact::RecipientDrilled { .. } => "whole, and its identity fits".into(),
        Fact::PlanConfirmed { wrong } | Fact::TrustConfirmed { wrong } => {
            format!("the words were right{}", after_wrong(*wrong))
        }
        Fact::RequestRead { request, second } => {
            let second =
                second.map_or_else(String::new, |digest| format!("; second {}", digest.grouped()));
            format!("{}{second}", request.grouped())
        }
        Fact::Resumed { .. } => "done before a restart, and not needed again".into(),
        Fact::RoomRead { room, modules } => {
            format!("room.toml {}; {}", room.grouped(), Count(modules.len(), "module"))
        }
        Fact::RootsAssembled { roots } => format!("{} complete", Count(roots.len(), "root")),
        Fact::RootsDrafted { roots, consent } => {
            format!("{}; consent {}", Count(roots.len(), "candidate"), consent.grouped())
        }
        Fact::RootsRead { second_reader, alone, wrong } => read(*second_reader, alone, *wrong),
        Fact::RootsSigned { signatures, .. } => Count(signatures.len(), "signature").to_string(),
        Fact::ShareOpened { index, .. } => format!("share {index} opened"),
        Fact::ShareStored { index, on_token, .. } => {
            let place =
                if *on_token { "on the token" } else { "in the custody folder, not on a token" };
            format!("share {index} stored {place}, read back, opened, equal")
        }
        Fact::SharesCombined { tried, of, .. } => {
            format!("{tried} of {of} combinations, all equal to the public key")
        }
        Fact::TokenAbsent { reason, .. } => format!("not here: {reason}"),
        Fact::TokenAdopted { model, public, .. } => {
            format!("model {model}; public key {}", public.id().grouped())
        }
        Fact::TokenDrilled { keys, statement, .. } => {
            let mut proved: Vec<&str> = keys.iter().map(|key| key.key.as_str()).collect();
            if statement.is_some() {
                proved.push("what is sealed to it");
            }
            format!("proved {}", List::and(&proved))
        }
        Fact::TokenEnrolled { model, attest, .. } => {
            format!("model {model}; attest key {}", attest.id().grouped())
        }
        Fact::TokenElsewhere { .. } => "not here: it is to sign at another site".into(),
        Fact::TokenPresent { .. } => "here, with its serial and public key".into(),
    }
}

/// What else happened at a step: a row across the table, in words that need no colour.
pub(super) fn event(entry: &Entry, head: Digest, current: Option<&Fact>) -> Option<Row> {
    let at = minute(entry.at);
    let (kind, text) = match &entry.body {
        Body::Begun { .. } | Body::Opened { .. } => return None,
        Body::Checkpoint { part } => {
            ("checkpoint", format!("{at}: {part}; on paper: {}", head.words().join(" ")))
        }
        Body::Refused { check: Some(check), .. } => {
            ("refused", format!("{at}: {check} {}", check.rule()))
        }
        Body::Refused { check: None, exit } => ("refused", format!("{at}: {}", exit.sentence())),
        Body::Done { fact: done } if Some(done) == current => return None,
        Body::Done { fact: Fact::Exception { expected, happened, decided, by } } => {
            let text = format!(
                "{at}: expected: {expected}; happened: {happened}; decided: {decided}; by {by}"
            );
            ("exception", text)
        }
        Body::Done { fact: Fact::Resumed { page, wrong, undone } } => {
            let undone =
                if undone.is_empty() { String::new() } else { format!("; {}", undone.join("; ")) };
            let page = page.map_or("the plan", Part::title);
            let wrong = after_wrong(*wrong);
            ("restarted", format!("{at}: the words of page {page} were right{wrong}{undone}"))
        }
        Body::Done { fact: intent @ Fact::Intended { .. } } => {
            ("intent", format!("{at}: {}", fact(intent)))
        }
        Body::Done { fact: bagged @ Fact::BreakTaken { .. } } => {
            let words = head.words().join(" ");
            ("break", format!("{at}: {}; on the break sheet: {words}", fact(bagged)))
        }
        Body::Done { fact: last @ Fact::LastTryConfirmed { .. } } => {
            ("last try", format!("{at}: {}", fact(last)))
        }
        Body::Done { fact: absent @ Fact::TokenAbsent { token, .. } } => {
            ("absent", format!("{at}: {token} {}", fact(absent)))
        }
        Body::Done { fact: clock @ Fact::ClockAttested { .. } } => {
            ("watches", format!("{at}: {}; compared again after a restart", fact(clock)))
        }
        Body::Done { fact: done } => {
            ("undone", format!("{at}: {}; done again after a restart", fact(done)))
        }
    };
    Some(Row::Note { kind, text })
}

fn read(second_reader: bool, alone: &[String], wrong: u32) -> String {
    let who = if second_reader {
        "another machine gave the words"
    } else {
        "no second machine: an exception"
    };
    let alone = if alone.is_empty() {
        String::new()
    } else {
        format!("; typed by name: {}", List::names(alone))
    };
    format!("{who}{}{alone}", after_wrong(wrong))
}

fn certified(certificates: &[Certified]) -> String {
    Count(certificates.len(), "certificate").to_string()
}

fn and_certified(certificates: &[Certified]) -> String {
    if certificates.is_empty() {
        return String::new();
    }
    format!("; {}", certified(certificates))
}

fn after_wrong(wrong: u32) -> String {
    match wrong {
        0 => String::new(),
        n => format!(", after {}", Count(n as usize, "wrong answer")),
    }
}
