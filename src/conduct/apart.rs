//! Holders apart: a custodian at another site signs a candidate, after reading the change there.
//!
//! Roof. docs/threats.md rules 3, 4 and 5.

use super::alone::{Found, find, log_in};
use super::intent::{Intent, check_versions, intents, remember};
use super::words::{Asked, Mouth, ask_words, table};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::draft::to_sign;
use crate::ceremony::reading::{alike, page_of};
use crate::check::Check;
use crate::child::token::Driver;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Console, Prompt};
use crate::trust::Past;

/// Who speaks at a site apart: no record takes what is said there.
pub(super) struct Site<'a>(pub(super) &'a mut dyn Console);

impl Mouth for Site<'_> {
    fn show(&mut self, text: &str) -> Result<(), Refusal> {
        self.0.show(text).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
    }

    fn ask(&mut self, prompt: &Prompt) -> Result<String, Refusal> {
        self.0.ask(prompt).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
    }
}

/// Has a token sign a candidate with every key of the trust folder that it holds and that the candidate takes.
///
/// # Errors
/// `[CONSENT-CUSTODIAN]`, `[ROOT-EQUIVOCATION]`, `[TRUST-BEHIND-TOKEN]`, `[TOKEN-KEY]`, `[TOKEN-PIN]`,
/// `[SIGNATURE-GOOD]`; a token that holds no key of this candidate.
pub fn sign(
    past: &Past,
    mut candidate: Candidate,
    (name, driver): (&str, &Driver),
    console: &mut dyn Console,
) -> Result<Candidate, Refusal> {
    let after = past.last().map(|last| last.closing);
    let after = after.filter(|after| candidate.plan.after() == Some(*after)).ok_or_else(|| {
        Refusal::of(Check::PlanAfter, "the candidate's plan does not follow your trust folder")
            .hint("bring the newest trust folder; if it is the newest, say stop")
    })?;
    let mut found = find(past, name, driver)?;
    let keys: Vec<(String, PublicKey)> = found
        .holds
        .keys
        .iter()
        .filter(|(_, public)| candidate.drafts.iter().any(|draft| !draft.ids(public).is_empty()))
        .cloned()
        .collect();
    if keys.is_empty() {
        let what = format!("token `{name}` holds no key that signs this candidate");
        return Err(Refusal::new(Exit::Usage, what).hint("bring the token of one that does"));
    }
    let mut site = Site(console);
    let consent = candidate.consent();
    read(past, &candidate, &mut site)?;
    let asked = Asked {
        step: 1,
        id: &format!("consent {name}"),
        who: &found.known.custodian.clone(),
        what: "the consent digest, as the room or a second machine gives it by another way: by typing them you let your token sign",
        check: Check::ConsentCustodian,
        count: 4,
    };
    ask_words(&mut site, &asked, &consent)?;
    log_in(&mut found, site.0)?;
    let known = intents(&mut found.token, name)?;
    check_intents(past, name, &known, (after, consent))?;
    let now = |name: &str| Ok(candidate.made(name));
    check_versions(past, name, &known, now)?;
    let sequence = known.iter().map(|intent| intent.sequence).max().unwrap_or_default() + 1;
    let new = (!known.iter().any(|intent| intent.head == after)).then_some(Intent {
        sequence,
        head: after,
        consent,
    });
    let signed = sign_with(&mut found, &mut candidate, (new, &keys), &mut site);
    signed.map_err(|refusal| refusal.standing(MEANT)).map(|()| candidate)
}

/// Has the token store what it means to sign, unless it did before, and sign.
fn sign_with(
    found: &mut Found<'_>,
    candidate: &mut Candidate,
    (new, keys): (Option<Intent>, &[(String, PublicKey)]),
    site: &mut Site<'_>,
) -> Result<(), Refusal> {
    if let Some(intent) = new
        && !remember(&mut found.token, &found.known.name, &intent)?
    {
        site.show("this token stores nothing: its custodian's receipt carries these words")?;
        site.show(&table(&intent.consent))?;
    }
    for (key, public) in keys {
        let inputs = to_sign(&candidate.drafts, public)?;
        let held = found.key(public)?;
        let raw = found.token.sign(&held, &inputs);
        candidate.sign(public, &raw.map_err(|error| error.refusal(MEANT))?)?;
        site.show(&format!("key {key} signs"))?;
    }
    found.token.logout().map_err(|error| error.refusal(MEANT))
}

/// Shows the change, as the room does.
fn read(past: &Past, candidate: &Candidate, site: &mut Site<'_>) -> Result<(), Refusal> {
    let called = |public: &PublicKey| past.custody().key_of(public).map(|known| known.name.clone());
    let page = page_of(&candidate.drafts, &called);
    for names in alike(&page.look_alikes) {
        site.show(&format!("look twice: {names}"))?;
    }
    for group in page.groups() {
        site.show(&group.text(&|place| candidate.drafts[place].repository.as_str()))?;
    }
    Ok(())
}

/// A token that meant to sign another candidate after the same ceremony, here or in the room, signs no other one.
fn check_intents(
    past: &Past,
    name: &str,
    known: &[Intent],
    (after, consent): (Digest, Digest),
) -> Result<(), Refusal> {
    for intent in known {
        if intent.head == after && intent.consent != consent {
            let what = format!("token `{name}` was to sign something else after this ceremony");
            return Err(Refusal::of(Check::RootEquivocation, what)
                .hint("a version once meant is never signed with other bytes"));
        }
        if intent.head != after && !intent.is_past(past) {
            let what = format!(
                "token `{name}` has signed in a ceremony that the trust folder does not have"
            );
            return Err(
                Refusal::of(Check::TrustBehindToken, what).hint("bring the newest trust folder")
            );
        }
    }
    Ok(())
}

/// What is true once a token is to store what it means to sign.
pub const MEANT: &str = "no signature was written; what the token has stored that it is to sign it signs again, and nothing else";
