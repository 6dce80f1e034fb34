//! Facts and other entries of a record as sentences.
//!
//! Roof, pure.

use super::{List, minute};
use crate::ceremony::Ceremony;
use crate::ceremony::fact::Fact;
use crate::ceremony::step::Part;
use crate::digest::Digest;
use crate::paper::Row;
use crate::record::{Body, Entry};
use crate::wording::Count;

/// What came back from a step.
pub(super) fn fact(ceremony: &Ceremony, fact: &Fact) -> String {
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
        Fact::CopiesDestroyed { kept: Some(why), .. } => format!("copies are kept: {why}"),
        Fact::CopiesDestroyed { by, .. } => format!("every copy destroyed, say {}", List::and(by)),
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
        Fact::KeyCertified { key } => Count(ceremony.certified(key), "certificate").to_string(),
        Fact::KeysDestroyed { keys, .. } if keys.is_empty() => "it held no key".into(),
        Fact::KeysDestroyed { keys, .. } => format!("destroyed {}", keys.join(", ")),
        Fact::UnfinishedRead { head } => format!("its record ends with {}", head.grouped()),
        Fact::KeyMade { key, public, .. } => {
            format!("public key {}{}", public.id().grouped(), and_certified(ceremony, key))
        }
        Fact::KeyPlaced { public, .. } => {
            format!("public key {}, unwrapped there", public.id().grouped())
        }
        Fact::KeySplit { key, public, set, shares } => format!(
            "public key {}; set {set}, {}{}",
            public.id().grouped(),
            Count(shares.len(), "share"),
            and_certified(ceremony, key)
        ),
        Fact::LastTryConfirmed { token, by: [custodian, other] } => {
            format!(
                "what could be the last try of token {token}: {custodian} and {other} said that its PIN is asked for"
            )
        }
        Fact::PaperDrilled { .. } => "whole, and its passphrase fits".into(),
        Fact::RecipientDrilled { .. } => "whole, and its identity fits".into(),
        Fact::PaperRetired { by, .. } => {
            format!("paper and passphrase destroyed, say {}", List::and(by))
        }
        Fact::PublishedSeen { version, by, .. } => {
            format!("root {version}, by the clients of {}", List::and(by))
        }
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
        Fact::RootsAssembled => {
            format!("{} complete", Count(ceremony.recorded_roots(), "root"))
        }
        Fact::RootsDrafted { consent } => {
            let many = Count(ceremony.recorded_drafts(), "candidate");
            format!("{many}; consent {}", consent.grouped())
        }
        Fact::RootsRead { second_reader, alone, counted, wrong } => {
            read(*second_reader, (alone, counted), *wrong)
        }
        Fact::RootsSigned { key } => Count(ceremony.signed(key), "signature").to_string(),
        // Their step says how many.
        Fact::Assembled { .. }
        | Fact::Certified { .. }
        | Fact::Drafted { .. }
        | Fact::Signed { .. } => String::new(),
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
        Fact::TokenRetired { keys, shares, seal, .. } => {
            let shares = (!shares.is_empty()).then(|| Count(shares.len(), "share").to_string());
            let seal = seal.then(|| "its sealing key".to_owned());
            let gone: Vec<String> = keys.iter().cloned().chain(shares).chain(seal).collect();
            format!("destroyed {}", List::and(&gone))
        }
        Fact::TokenPresent { .. } => "here, with its serial and public key".into(),
    }
}

/// What else happened at a step: a row across the table, in words that need no colour.
pub(super) fn event(
    ceremony: &Ceremony,
    (entry, head): (&Entry, Digest),
    current: Option<&Fact>,
) -> Option<Row> {
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
            ("intent", format!("{at}: {}", fact(ceremony, intent)))
        }
        Body::Done { fact: bagged @ Fact::BreakTaken { .. } } => {
            let words = head.words().join(" ");
            ("break", format!("{at}: {}; on the break sheet: {words}", fact(ceremony, bagged)))
        }
        Body::Done { fact: last @ Fact::LastTryConfirmed { .. } } => {
            ("last try", format!("{at}: {}", fact(ceremony, last)))
        }
        Body::Done { fact: absent @ Fact::TokenAbsent { token, .. } } => {
            ("absent", format!("{at}: {token} {}", fact(ceremony, absent)))
        }
        Body::Done { fact: clock @ Fact::ClockAttested { .. } } => {
            ("watches", format!("{at}: {}; compared again after a restart", fact(ceremony, clock)))
        }
        Body::Done { fact: piece } if piece.is_piece() => return None,
        Body::Done { fact: done } => {
            ("undone", format!("{at}: {}; done again after a restart", fact(ceremony, done)))
        }
    };
    Some(Row::Note { kind, text })
}

fn read(second_reader: bool, (alone, counted): (&[String], &[u64]), wrong: u32) -> String {
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
    let counted = if counted.is_empty() {
        String::new()
    } else {
        format!("; typed by number: {}", List::and(counted))
    };
    format!("{who}{}{alone}{counted}", after_wrong(wrong))
}

fn and_certified(ceremony: &Ceremony, key: &str) -> String {
    match ceremony.certified(key) {
        0 => String::new(),
        many => format!("; {}", Count(many, "certificate")),
    }
}

fn after_wrong(wrong: u32) -> String {
    match wrong {
        0 => String::new(),
        n => format!(", after {}", Count(n as usize, "wrong answer")),
    }
}
