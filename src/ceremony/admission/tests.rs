use crate::ceremony::means::Means;
use crate::ceremony::plan::Plan;
use crate::ceremony::tests::{GENESIS, Room};
use crate::ceremony::{Ceremony, Inputs};
use crate::request::Request;
use crate::trust::Past;

#[test]
fn one_fetch_that_is_named_twice_is_refused_whatever_the_plan_is_dated() {
    let room = Room::new();
    let first = room.request.clone();
    let fetched = first.fetched + jiff::SignedDuration::from_secs(1);
    let later = Request { fetched, ..first.clone() };
    let digest = first.digest().unwrap();
    let named = format!("sha256 = \"{digest}\"");
    // The dates of a rehearsal are thirty years back.
    for (year, day) in [("2026-12", "2026-12-02T09:00:00Z"), ("1996-12", "1996-12-02T09:00:00Z")] {
        let open = |second: &Request| {
            let both = format!("{named}, second = \"{}\"", second.digest().unwrap());
            let text = room.plan_text(&GENESIS.replace("2026-12", year), &Past::default(), true);
            let plan = Plan::parse(text.replace(&named, &both).as_bytes(), |_| None).unwrap();
            let proofs = room.proofs(plan.digest());
            let (past, unfinished) = Default::default();
            let brought = |request: &Request| Some(request.try_into().unwrap());
            let (request, second) = (brought(&first), brought(second));
            let means = Means::default();
            let inputs = Inputs { plan, past, request, second, proofs, unfinished, means };
            Ceremony::open(inputs, day.parse().unwrap())
        };
        let told = open(&first).unwrap_err().to_string();
        assert_eq!(
            told,
            format!("`second` in the plan is the first request again, {digest} [REQUEST-TWICE]")
        );
        open(&later).unwrap();
    }
}
