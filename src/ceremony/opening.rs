//! What must be right before anybody is asked anything, and whether the clock may be believed.
//!
//! Second floor: pure.

use jiff::{SignedDuration, Timestamp};

use super::Inputs;
use super::fact::Watch;
use super::plan::{Kind, Plan, midnight};
use crate::check::Check;
use crate::refusal::{Exit, Refusal};
use crate::root::Dialect;
use crate::trust::Past;

/// How far a watch may be from the machine's clock.
const WATCH_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// How long a TUF root of a practice may live.
const PRACTICE_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Checks the clock against plan and past.
pub(super) fn check(inputs: &Inputs, at: Timestamp) -> Result<(), Refusal> {
    check_window(&inputs.plan, at, false)?;
    check_floor(inputs, at)
}

/// Checks the two watches against the machine, the plan's window and the floor. `[CLOCK-WINDOW]` Once a token has begun to sign
/// (`is_begun`), the window's end no longer refuses: what was begun must be finished.
pub(super) fn check_clock(
    inputs: &Inputs,
    watches: &[Watch],
    is_begun: bool,
) -> Result<(), Refusal> {
    let refuse = |what: String| {
        Err(Refusal::of(Check::ClockWindow, what).hint("two people read two watches"))
    };
    let [first, second] = watches else {
        return refuse(format!("{} watches were read, two are needed", watches.len()));
    };
    if first.who == second.who {
        return refuse(format!("{} read both watches, two people are needed", first.who));
    }
    for watch in watches {
        check_window(&inputs.plan, watch.machine, is_begun)?;
        check_floor(inputs, watch.machine)?;
        if !watch.agrees() {
            // By how much is not said: the next answer is to come from a watch again.
            let what = format!(
                "the watch of {} and the machine's clock are more than 5 minutes apart",
                watch.who
            );
            return Err(Refusal::of(Check::ClockWindow, what).hint(
                "read that watch again, in UTC; if it was right, set the machine's clock to UTC",
            ));
        }
    }
    Ok(())
}

impl Watch {
    /// Whether it shows what the machine's clock shows.
    pub fn agrees(&self) -> bool {
        self.read.duration_since(self.machine).abs() <= WATCH_TOLERANCE
    }
}

fn check_window(plan: &Plan, at: Timestamp, is_begun: bool) -> Result<(), Refusal> {
    let when = plan.when();
    if midnight(when.from) <= at && (is_begun || at < midnight(when.until)) {
        return Ok(());
    }
    let day = at.strftime("%Y-%m-%d");
    let what = format!("the clock says {day}, the plan is for {} until {}", when.from, when.until);
    Err(Refusal::of(Check::ClockWindow, what)
        .hint("set the machine's clock, or have the plan dated anew"))
}

/// The clock is never before the last plan's window: that one had two people's watches.
fn check_floor(inputs: &Inputs, at: Timestamp) -> Result<(), Refusal> {
    match inputs.past.last().map(|last| last.plan.when().from) {
        Some(floor) if at < midnight(floor) => {
            let what = format!("the clock is before {floor}, when the last ceremony could begin");
            Err(Refusal::of(Check::ClockWindow, what).hint("set the machine's clock"))
        }
        _ => Ok(()),
    }
}

/// Checks that a plan continues this past, and no other. `[PLAN-AFTER]`
///
/// # Errors
/// The refusal names both digests.
pub(super) fn check_after(plan: &Plan, past: &Past) -> Result<(), Refusal> {
    let last = past.last();
    let refuse = |what: String| {
        Err(Refusal::of(Check::PlanAfter, what).hint(
            "bring the trust folder that the plan follows, or the plan that follows this one",
        ))
    };
    match (plan.after(), last.map(|last| last.closing)) {
        (None, None) if plan.kind() == Kind::Genesis => Ok(()),
        (None, None) => refuse_rotation_without_past(plan),
        (Some(after), Some(closing)) if after == closing => Ok(()),
        (Some(after), Some(closing)) => {
            refuse(format!("the plan follows {after}, the trust folder ends with {closing}"))
        }
        (Some(after), None) => {
            refuse(format!("the plan follows {after}, and no trust folder is here"))
        }
        (None, Some(closing)) => {
            refuse(format!("the trust folder ends with {closing}, and the plan follows nothing"))
        }
    }
}

/// A rotation may come first when every old key is adopted from a token: repositories of another tool.
fn refuse_rotation_without_past(plan: &Plan) -> Result<(), Refusal> {
    let adopts = plan.kind() == Kind::Rotate && plan.keys().any(|key| !key.is_made());
    if adopts || plan.kind() == Kind::Abandon {
        return Ok(());
    }
    let kind = plan.kind().with_article();
    let what = format!("{kind} follows a ceremony, and no trust folder is here");
    Err(Refusal::of(Check::PlanAfter, what)
        .hint("name the trust folder in room.toml, and `after` in the plan"))
}

/// Checks that a practice can mislead nobody. `[PRACTICE-NAMES]`
pub(super) fn check_practice(plan: &Plan) -> Result<(), Refusal> {
    if !plan.practice() {
        return Ok(());
    }
    let named = plan.repositories().iter().map(|repository| repository.name.as_str());
    let certified = plan.root().and_then(|root| root.certificate_name.as_deref());
    let certified = certified.filter(|name| *name != "gun");
    if let Some(real) = named.chain(certified).find(|name| !is_test_name(name)) {
        let what = format!("`{real}` is no name for a practice");
        let hint =
            "a practice names hosts `localhost`, `127.0.0.1`, or below `.test` or `.invalid`";
        return Err(Refusal::of(Check::PracticeNames, what).hint(hint));
    }
    if let (Dialect::Tuf, Some(root)) = (plan.dialect(), plan.root()) {
        let life = midnight(root.expires).duration_since(midnight(plan.when().from));
        if life > PRACTICE_LIFE {
            let what = format!(
                "a TUF root of a practice expires within 30 days, the plan says {}",
                root.expires
            );
            return Err(Refusal::of(Check::PracticeNames, what)
                .hint("set `expires` within 30 days of `when.from`"));
        }
    }
    Ok(())
}

/// Whether a name's host is one that no client in the world trusts.
fn is_test_name(name: &str) -> bool {
    let host = name.split('/').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    host == "localhost"
        || host == "127.0.0.1"
        || host.ends_with(".test")
        || host.ends_with(".invalid")
}

/// The refusal of a plan that asks for what only a request can give.
pub(super) fn no_request() -> Refusal {
    Refusal::new(Exit::Usage, "the plan names a request, and none is on the in media")
        .hint("put in the media that `courier fetch` wrote")
}
