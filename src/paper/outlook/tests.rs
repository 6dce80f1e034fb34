use super::*;
use crate::ceremony::prospect::Prospects;
use crate::ceremony::supposed::supposed;
use crate::ceremony::tests::{Pair, Room};
use crate::ceremony::{Inputs, tests::Played};
use crate::paper::text;

fn outlook(inputs: Inputs, at: jiff::Timestamp) -> Outlook {
    let roster = Roster::new(&inputs.plan, &inputs.past).unwrap();
    let mut outlook = Outlook::of_plan(&inputs.plan, &roster);
    let ceremony = Ceremony::open(inputs, at).unwrap();
    let mut stand_in = |algorithm| Ok(Pair::new(algorithm).public());
    let ceremony = supposed(ceremony, &mut stand_in, at).unwrap();
    let prospects = Prospects::of(&ceremony, at).unwrap();
    outlook.walked(&ceremony, Some(prospects));
    outlook
}

fn genesis(room: &mut Room) -> Played {
    let inputs = room.genesis();
    room.play(inputs).unwrap()
}

#[test]
fn a_genesis_and_a_rotation_are_foreseen_with_stand_ins() {
    let mut room = Room::new();
    let at = room.now;
    let inputs = room.genesis();
    let found = outlook(inputs, at);
    assert_eq!(found.steps, 28);
    let shown = text(&found.paper());
    for said in [
        "can sign together: any 2 of: seat A; seat B; 2 of seat 1, seat 2 and seat 3",
        "5 tokens are enrolled: the SO PIN is drawn and discarded unshown",
        "Key `root-spare` is lost when more than 1 of its 3 shares are.",
        "An exception will be needed: server-made keys are fetched on two machines",
        "Every client walks from every old root to the new one",
    ] {
        let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(said), "{said}: {shown}");
    }
    assert!(!found.horizon.is_empty());
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let played = genesis(&mut room);
    let inputs = room.rotate(&played);
    let found = outlook(inputs, room.now);
    let said = "`localhost:5000/a`: with 2 of the keys of root 1, root-a among them,";
    assert!(found.warnings.iter().any(|warning| warning.starts_with(said)), "{:?}", found.warnings);
}
