//! One certificate name over repositories of different owners, by ways that the plan does not name: certificates that
//! stay as they were.

use officiant::root::{Dialect, Role};

use super::bad_answer::waits_at;
use super::genesis::on_tokens;
use super::{Bench, PlanText, Publisher};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const NAMES: [&str; 2] = ["localhost:5000/a", "localhost:5000/b"];
const GUN: &str = "certificate_name = \"gun\"\n";
const SHARED: [&str; 2] = [
    "`localhost:5000/a` and `localhost:5000/b` would share root keys, and have different targets keys [ROOT-SHARED]",
    "nothing in a root names its repository: whoever owns one could take over the other",
];

/// After a genesis of two repositories of one owner under one wildcard, ready for the next ceremony.
fn under_a_wildcard() -> Bench {
    let mut bench = Bench::new(Dialect::Notary, &NAMES);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let plan = std::fs::read_to_string(bench.write_plan(&on_tokens())).unwrap();
    let wildcard = plan.replace(GUN, "certificate_name = \"localhost:5000/*\"\n");
    bench.lay_plan(&wildcard, &[Role::Targets]);
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench
}

/// Lays the request and the plan of a ceremony that keeps the root keys, and gives the second repository to another
/// owner.
fn part(bench: &mut Bench, ceremony: &'static str, change: fn(&str) -> String) {
    bench.online.insert(Role::Targets, Publisher::new());
    let other = Publisher::new();
    let mut request = bench.request(&bench.published());
    let second = request.repositories.values_mut().nth(1).unwrap();
    second.keys.insert(Role::Targets, vec![other.public()]);
    let digest = bench.lay_request(&request);
    let after = Some(bench.closing(1));
    let (keys, roles) = (Vec::new(), vec![Role::Targets]);
    let text = PlanText { ceremony, after, keys, roles, ..on_tokens() };
    let plan = change(&bench.plan_toml(&text, digest));
    // The second repository's own pin and proof.
    let id = bench.online[&Role::Targets].public().id().to_string();
    let at = plan.rfind(&id).unwrap();
    let plan = format!("{}{}{}", &plan[..at], other.public().id(), &plan[at + id.len()..]);
    bench.lay_plan(&plan, &[Role::Targets]);
    bench.lay_proof(NAMES[1], Role::Targets, &other, plan.as_bytes());
}

#[test]
fn a_wildcard_that_is_kept_over_repositories_that_part_is_refused() {
    let mut bench = under_a_wildcard();
    part(&mut bench, "rotate", |plan| plan.replace(GUN, ""));
    bench.refuses(1, SHARED[0], SHARED[1]);
}

#[test]
fn a_token_that_is_not_here_keeps_no_wildcard_over_repositories_that_part() {
    // Every key gets a certificate for each repository, but for the one whose token stayed at home.
    let mut bench = under_a_wildcard();
    part(&mut bench, "renew", str::to_owned);
    bench.write_answers(&TOKENS, "\"insert officer-c\" = \"absent ill\"\n");
    bench.stops(|| bench.conduct(), 1, [SHARED[0], SHARED[1], &waits_at(12)]);
}
