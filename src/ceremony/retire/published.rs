//! Whether a Notary server has served the newest roots for long enough, by what it signed itself.
//!
//! Second floor: pure. docs/threats.md rule 27.

use jiff::{SignedDuration, Timestamp};

use crate::ceremony::Inputs;
use crate::ceremony::fact::RootMade;
use crate::ceremony::{admission, closing};
use crate::check::Check;
use crate::refusal::Refusal;
use crate::request::{Brought, Served};
use crate::root::online::{Named, Signed};
use crate::root::{Role, SignedRoot};
use crate::trust::Past;

/// Both requests were fetched after the last ceremony and before today, as many days apart as the plan says. When, only
/// the machines say that fetched; what the server signed says it of the later one, and no earlier day.
pub(super) fn check_dates(inputs: &Inputs, at: Timestamp) -> Result<(), Refusal> {
    let (first, second) = both(inputs)?;
    let days = inputs.plan.retire().map_or(0, |retire| retire.hold());
    let apart = second.fetched.duration_since(first.fetched);
    if apart < SignedDuration::from_hours(24 * i64::from(days)) {
        let what = format!(
            "the requests were fetched on {} and {}, less than {days} days apart",
            day(first.fetched),
            day(second.fetched)
        );
        return Err(
            refuse(what).hint("have one fetched again, on another machine, once `hold` is over")
        );
    }
    if second.fetched > at {
        let what =
            format!("a request was fetched on {}, and today is {}", day(second.fetched), day(at));
        return Err(refuse(what).hint("have it fetched again, on a machine whose clock is right"));
    }
    Ok(())
}

/// What the server served of a repository, in both requests, leads from its timestamp to the newest root.
pub(super) fn check(inputs: &Inputs, name: &str, chain: &[SignedRoot]) -> Result<(), Refusal> {
    let Some(newest) = chain.last() else { return Ok(()) };
    let (first, second) = both(inputs)?;
    let made = made(&inputs.past, name, newest)?;
    if made.is_none_or(|made| first.fetched < made) {
        let what = format!(
            "`{name}`: a request of {} is not from after the ceremony that made root {}",
            day(first.fetched),
            newest.version()
        );
        return Err(refuse(what).hint("have two requests fetched after it was published"));
    }
    let [earlier, later] = [follow(first, name, newest)?, follow(second, name, newest)?];
    let is_held = inputs.plan.retire().is_some_and(|retire| retire.hold() > 0);
    if is_held && later <= earlier {
        let what = format!("`{name}`: both requests bring one timestamp of the server");
        return Err(refuse(what).hint(
            "nothing that was signed says that days have passed: fetch again once the server signed a newer one",
        ));
    }
    Ok(())
}

/// The version of the timestamp that a server served, which names the snapshot that names the newest root.
fn follow(request: &Brought, name: &str, newest: &SignedRoot) -> Result<i64, Refusal> {
    let (root, at) = (newest.root(), request.fetched);
    let wrong = |file: &str, why: &str| {
        let what = format!("`{name}`: the {file} in the request of {} {why}", day(at));
        refuse(what).hint("publish the newest root, and have the request fetched again")
    };
    let asked = admission::again(request, name)?;
    let served = asked.and_then(|asked| asked.served);
    let Served { timestamp, snapshot } = served.ok_or_else(|| wrong("timestamp", "is missing"))?;
    let timestamp = Signed::read(root, Role::Timestamp, &timestamp, at)
        .map_err(|why| wrong("timestamp", why))?;
    let names =
        |by: &Signed, role, bytes: &[u8]| Named::by(by, role).is_some_and(|named| named.is(bytes));
    if !names(&timestamp, Role::Snapshot, &snapshot) {
        return Err(wrong("timestamp", "names another snapshot"));
    }
    let snapshot =
        Signed::read(root, Role::Snapshot, &snapshot, at).map_err(|why| wrong("snapshot", why))?;
    if !names(&snapshot, Role::Root, newest.bytes()) {
        return Err(wrong(
            "snapshot",
            &format!("names another root than root {}", newest.version()),
        ));
    }
    Ok(timestamp.version().unwrap_or_default())
}

/// Both requests, the earlier one first.
fn both(inputs: &Inputs) -> Result<(&Brought, &Brought), Refusal> {
    let (Some(one), Some(other)) = (&inputs.request, &inputs.second) else {
        return Err(refuse("one request alone shows no day after another".to_owned())
            .hint("name a `second` in `[request]`"));
    };
    Ok(if one.fetched <= other.fetched { (one, other) } else { (other, one) })
}

/// When the ceremony was closed that made this root.
fn made(past: &Past, name: &str, newest: &SignedRoot) -> Result<Option<Timestamp>, Refusal> {
    let digest = newest.digest();
    for ceremony in past.ceremonies() {
        let is_it = |root: &RootMade| root.repository == name && root.sha256 == digest;
        for piece in closing::assembled(&ceremony.record) {
            if piece?.iter().any(is_it) {
                return Ok(ceremony.record.entries().last().map(|entry| entry.at));
            }
        }
    }
    Ok(None)
}

fn refuse(what: String) -> Refusal {
    Refusal::of(Check::RetirePublished, what)
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
