//! Intents: what a token means to sign, stored on it before it signs. `[ROOT-EQUIVOCATION]`
//!
//! Roof. docs/threats.md rule 3.

use serde::{Deserialize, Serialize};

use super::Session;
use super::words::table;
use crate::ceremony::closing;
use crate::ceremony::fact::{Fact, RootMade};
use crate::check::Check;
use crate::child;
use crate::child::token::Token;
use crate::digest::Digest;
use crate::refusal::Refusal;
use crate::room::pkcs11::{self, Object};
use crate::trust::{LastCeremony, Past};

/// What a token stores of what it is about to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Intent {
    /// Counts from 1 on each token.
    pub(super) sequence: u64,
    /// The head of the record when it was stored; apart from the room, the closing digest that the plan follows.
    pub(super) head: Digest,
    /// The consent digest: every repository, version and candidate.
    pub(super) consent: Digest,
}

impl Intent {
    /// Whether a finished ceremony knows it: stored in it, or apart, for what it then did.
    pub(super) fn is_past(&self, past: &Past) -> bool {
        let ceremonies = past.ceremonies();
        let mut records = ceremonies.iter().flat_map(LastCeremony::records);
        let consented = |ceremony: &LastCeremony| {
            ceremony.plan.after() == Some(self.head)
                && ceremony.records().any(|record| closing::consent(record) == Some(self.consent))
        };
        records.any(|record| record.heads().any(|head| head == self.head))
            || ceremonies.iter().any(consented)
    }

    /// The candidates that it is of, as a finished or abandoned ceremony drafted them.
    fn candidates(&self, past: &Past) -> impl Iterator<Item = Result<Vec<RootMade>, Refusal>> {
        let mut records = past.ceremonies().iter().flat_map(LastCeremony::records);
        let of_it = records.find(|record| closing::consent(record) == Some(self.consent));
        of_it.into_iter().flat_map(closing::drafted)
    }
}

/// Refuses a version that a token meant to be other bytes: what it signed apart from the room may still be published,
/// and no record says that it did, so that its ceremony could be abandoned. `[ROOT-EQUIVOCATION]`
pub(super) fn check_versions(
    past: &Past,
    holder: &str,
    meant: &[Intent],
    now: impl Fn(&str) -> Result<Option<RootMade>, Refusal>,
) -> Result<(), Refusal> {
    for piece in meant.iter().flat_map(|intent| intent.candidates(past)) {
        for earlier in piece? {
            let is_other =
                |now: RootMade| now.version == earlier.version && now.sha256 != earlier.sha256;
            if !now(&earlier.repository)?.is_some_and(is_other) {
                continue;
            }
            let what = format!(
                "token `{holder}` was to sign something else as version {} of `{}`, in a ceremony that was abandoned",
                earlier.version, earlier.repository
            );
            return Err(Refusal::of(Check::RootEquivocation, what)
                .hint("leave it out: what it signed at another site may still be published"));
        }
    }
    Ok(())
}

/// What a token, logged in, ever meant to sign.
pub(super) fn intents(token: &mut Token, holder: &str) -> Result<Vec<Intent>, Refusal> {
    let device = |error: child::Error| error.refusal(Refusal::NOTHING_DONE);
    let objects = token.objects().map_err(device)?;
    let mut meant = Vec::new();
    for object in objects.iter().filter(|object| object.application == APPLICATION) {
        let bytes = token.read(&object.label).map_err(device)?;
        meant.push(serde_json::from_slice(&bytes).map_err(|_| {
            let what = format!("token `{holder}` stores an intent that cannot be read");
            Refusal::of(Check::TrustBehindToken, what)
                .hint("somebody wrote to this token: leave it out, and find out who")
        })?);
    }
    Ok(meant)
}

/// Has a token store an intent and reads it back; false from one that stores nothing.
pub(super) fn remember(token: &mut Token, holder: &str, intent: &Intent) -> Result<bool, Refusal> {
    let device = |error: child::Error| error.refusal(Refusal::NOTHING_DONE);
    let label = format!("officiant intent {}", intent.sequence);
    let object = Object { label, application: APPLICATION.to_owned() };
    let bytes = serde_json::to_vec(intent).unwrap_or_default();
    match token.store(&object, &bytes) {
        Ok(()) => {}
        Err(child::Error::Token(pkcs11::Error::NotSupported { .. })) => return Ok(false),
        Err(error) => return Err(device(error)),
    }
    if token.read(&object.label).map_err(device)? == bytes {
        return Ok(true);
    }
    let what = format!("token `{holder}` does not give back what it stored of its intent");
    Err(Refusal::of(Check::TrustBehindToken, what)
        .hint("use another token: this one does not remember"))
}

impl Session<'_> {
    /// What a token, logged in, ever meant to sign. Refuses one that took part in a ceremony that nobody here knows of.
    pub(super) fn meant(&self, token: &mut Token, holder: &str) -> Result<Vec<Intent>, Refusal> {
        let meant = intents(token, holder)?;
        meant.iter().try_for_each(|intent| self.check_known(holder, intent))?;
        Ok(meant)
    }

    /// Has a token store what it means to sign now, unless it did before.
    pub(super) fn intend(
        &mut self,
        step: u32,
        token: &mut Token,
        of: (&str, &str),
        meant: &[Intent],
    ) -> Result<(), Refusal> {
        let (key, holder) = of;
        let (sheets, consent) = (self.ceremony.sheets()?, self.drafted_consent()?);
        let now = |name: &str| {
            let Some(at) = self.ceremony.plan().place_of(name) else { return Ok(None) };
            Ok(sheets.made(&self.ceremony, at..at + 1)?.pop())
        };
        check_versions(self.ceremony.past(), holder, meant, now)?;
        let here: Vec<&Intent> = meant.iter().filter(|intent| self.is_here(intent)).collect();
        if here.iter().any(|intent| intent.consent != consent) {
            let what = format!("token `{holder}` was to sign something else in this ceremony");
            return Err(Refusal::of(Check::RootEquivocation, what)
                .hint("a version once meant is never signed with other bytes"));
        }
        let mut stored = !here.is_empty();
        let sequence = meant.iter().map(|intent| intent.sequence).max().unwrap_or_default();
        if !stored {
            let intent = Intent { sequence: sequence + 1, head: self.record.head(), consent };
            stored = self.store_intent(token, holder, &intent)?;
        }
        if self.ceremony.has_intended(holder) {
            return Ok(());
        }
        let (key, token) = (key.to_owned(), holder.to_owned());
        self.take(step, Fact::Intended { key, token, consent, stored, apart: false })
    }

    /// Stores an intent; the receipt of the custodian carries the words where the token stores nothing.
    fn store_intent(
        &mut self,
        token: &mut Token,
        holder: &str,
        intent: &Intent,
    ) -> Result<bool, Refusal> {
        let stored = remember(token, holder, intent)?;
        if !stored {
            self.show(
                "        this token stores nothing: its custodian's receipt carries these words",
            )?;
            self.show(&table(&intent.consent))?;
        }
        Ok(stored)
    }

    /// Whether an intent was stored for this very ceremony: in it, or apart from the room.
    fn is_here(&self, intent: &Intent) -> bool {
        Some(intent.head) == self.ceremony.plan().after()
            || self.record.heads().any(|head| head == intent.head)
    }

    fn check_known(&self, holder: &str, intent: &Intent) -> Result<(), Refusal> {
        if intent.is_past(self.ceremony.past()) || self.is_here(intent) {
            return Ok(());
        }
        let what = format!(
            "token `{holder}` has signed in a ceremony that the trust folder and this record do not have"
        );
        Err(Refusal::of(Check::TrustBehindToken, what)
            .hint("bring the newest trust folder, or the longest copy of the record"))
    }
}

/// What data objects of intents are stored under.
const APPLICATION: &str = "officiant intent";
