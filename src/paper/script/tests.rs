use super::*;
use crate::ceremony::Inputs;
use crate::ceremony::tests::{GENESIS, Room};
use crate::paper::{html, text};

fn paper(inputs: &Inputs) -> Paper {
    let roster = Roster::new(&inputs.plan, &inputs.past).unwrap();
    let tool = Tool { version: "0.1.0".into(), sha256: Digest::of(b"tool") };
    script(&inputs.plan, &roster, &tool)
}

#[test]
fn the_script_has_every_step_once_with_its_number_in_both_forms() {
    let inputs = Room::new().genesis();
    let roster = Roster::new(&inputs.plan, &inputs.past).unwrap();
    let (text, html) = (text(&paper(&inputs)), html(&paper(&inputs)));
    for step in step::steps(&inputs.plan, &roster) {
        let mark = if step.act.is_irreversible() { " ⊘" } else { "" };
        let row = format!(
            "<tr><th scope=\"row\">{}{mark}</th><td>{}</td>",
            step.number,
            step.who(&roster)
        );
        assert_eq!(html.matches(&row).count(), 1, "{row}");
        let number = format!("{}{mark}", step.number);
        let first: Vec<&str> =
            text.lines().filter(|l| l.starts_with(&format!("{number:<4} | "))).collect();
        assert!(!first.is_empty(), "{number}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn every_page_says_which_plan_it_belongs_to_and_that_it_is_a_practice() {
    let inputs = Room::new().genesis();
    let words = inputs.plan.digest().words().join(" ");
    let page = html(&paper(&inputs));
    assert!(page.contains(&format!("@bottom-left {{ content: \"plan: {words}\"")));
    assert!(page.contains("@top-center { content: \"PRACTICE\""));
    assert!(GENESIS.contains("practice = true"));
}
