use super::*;
use crate::ceremony::tests::{GENESIS, NAMES, Played, Room};
use crate::digest::Digest;
use crate::trust::Past;

/// A plan of a stage as a rehearsal would read it, with one key for each online role.
/// The request of a rehearsal, fetched twice.
fn request() -> PlannedRequest {
    PlannedRequest { sha256: Digest::of(b"request"), second: Some(Digest::of(b"second")) }
}

/// The module of the rehearsal's tokens.
fn soft() -> Digest {
    Digest::of(b"libsofthsm2.so")
}

fn read(stage: &Stage, after: Option<Digest>) -> Plan {
    let online = Role::ONLINE.map(|role| (role, Digest::of(role.to_string().as_bytes())));
    let text = stage.text(after, Some(request()), &online.into(), &Past::default());
    Plan::parse(text.as_bytes(), |_| None).unwrap()
}

/// The stages of a genesis whose plan says this at its top and this at its end.
fn genesis(top: &str, end: &str) -> Vec<Stage> {
    let text = GENESIS.replace("practice = true\n", &format!("practice = true\n{top}\n")) + end;
    let inputs = Room::new().inputs(&text, Past::default(), true);
    let roster = Roster::new(&inputs.plan, &inputs.past).unwrap();
    let chains = NAMES.map(|name| (name.to_owned(), Vec::new()));
    stages(&inputs.plan, &roster, &chains.into(), soft())
}

/// The stages of a rotation, and the ceremony before it.
fn rotation() -> (Vec<Stage>, Played) {
    let mut room = Room::new();
    let inputs = room.genesis();
    let before = room.play(inputs).unwrap();
    let inputs = room.rotate(&before);
    let chains = NAMES.map(|name| (name.to_owned(), inputs.past.chain(name).unwrap())).into();
    let roster = Roster::new(&inputs.plan, &inputs.past).unwrap();
    (stages(&inputs.plan, &roster, &chains, soft()), before)
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// What makes a plan inert: names that nobody trusts, keys of nobody, dates of thirty years ago.
#[track_caller]
fn is_inert(plan: &Plan) {
    let names = plan.repositories().iter().map(|planned| planned.name.clone());
    let expected = NAMES.map(|name| format!("rehearsal.invalid/{name}"));
    assert_eq!(names.collect::<Vec<_>>(), expected);
    assert!(plan.title().starts_with("REHEARSAL: "), "{}", plan.title());
    assert!(!plan.practice());
    assert!(plan.when().until <= day("2000-01-01"), "{:?}", plan.when());
    assert!(plan.roles().all(|role| role.owner == Some(Owner::Server)));
    assert!(plan.keys().all(|key| key.is_made()));
}

#[test]
fn a_genesis_has_no_past_to_stand_in_for() {
    let all = genesis("", "");
    let [stage] = all.as_slice() else { panic!("{} stages", all.len()) };
    assert_eq!(stage.title, "REHEARSAL of Practice root");
    let plan = read(stage, None);
    is_inert(&plan);
    assert_eq!(plan.kind(), Kind::Genesis);
    // Thirty years with seven leap days before each day of the plan.
    let when = Window { from: day("1996-12-01"), until: day("1996-12-15") };
    assert_eq!((plan.when(), stage.from()), (when, when.from));
    let root = plan.root().unwrap();
    assert_eq!(root.expires, day("2001-11-30"));
    // Where eight leap days lie between, a day later.
    assert_eq!(root.certificates_until, Some(day("2003-12-01")));
    let pins: BTreeSet<Role> = plan.repositories()[0].pins.iter().map(|(role, _)| role).collect();
    assert_eq!(pins, Role::ONLINE.into());
}

#[test]
fn what_binds_a_plan_to_the_world_is_left_out_of_its_rehearsal() {
    let module = Digest::of(b"module");
    let top = format!("safe_until = 2030-01-01\nmodules = [\"{module}\"]");
    let end = "certificate_name = \"localhost:5000/*\"\n\
               [[exclude]]\nname = \"localhost:5000/c\"\nreason = \"cut off\"\n";
    let plan = read(&genesis(&top, end)[0], None);
    is_inert(&plan);
    assert_eq!((plan.modules(), plan.exclusions()), (&[soft()][..], &[][..]));
    assert_eq!(plan.safe_until(), Some(day("2000-01-02")));
    let called = plan.root().and_then(|root| root.certificate_name.clone());
    assert_eq!(called.as_deref(), Some("rehearsal.invalid/localhost:5000/*"));
}

#[test]
fn a_past_is_made_again_with_its_keys_holders_thresholds_and_dates() {
    let (all, before) = rotation();
    let [stand_in, itself] = all.as_slice() else { panic!("{} stages", all.len()) };
    assert_eq!(stand_in.title, "stand-in of the past: root 1 of 1");
    let plan = read(stand_in, None);
    is_inert(&plan);
    assert_eq!((plan.kind(), plan.title()), (Kind::Genesis, "REHEARSAL: stand-in of root 1"));
    // On the days of the plan that is rehearsed, until the days of the root that it stands in for.
    assert_eq!(plan.when(), Window { from: day("1996-12-20"), until: day("1996-12-31") });
    let (root, old) = (plan.root().unwrap(), before.ceremony.plan().root().unwrap());
    assert_eq!((&root.keys, root.threshold), (&old.keys, old.threshold));
    assert_eq!(root.expires, day("2001-11-30"));
    assert_eq!(root.certificates_until, Some(day("2003-12-01")));
    let held = |plan: &Plan| -> Vec<PlannedKey> { plan.keys().cloned().collect() };
    assert_eq!(held(&plan), held(before.ceremony.plan()));
    let tokens = |plan: &Plan| -> BTreeMap<String, String> {
        plan.tokens().map(|token| (token.name.clone(), token.custodian.clone())).collect()
    };
    assert_eq!(tokens(&plan), tokens(before.ceremony.plan()));
    assert_eq!(plan.roles().map(|role| role.name).collect::<Vec<_>>(), Role::ONLINE);

    let plan = read(itself, Some(before.folder.closing));
    is_inert(&plan);
    assert_eq!((plan.kind(), plan.title()), (Kind::Rotate, "REHEARSAL: Practice rotation"));
    assert_eq!(plan.keys().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["root-c"]);
    assert_eq!(plan.root().unwrap().keys, ["root-b", "root-c", "root-spare"]);
}
