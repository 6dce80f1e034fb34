use super::*;
use crate::ceremony::step::Part;
use crate::ceremony::tests::{Played, Room};
use crate::paper::{html, text};

fn rotation() -> Played {
    let mut room = Room::new();
    let inputs = room.genesis();
    let genesis = room.play(inputs).unwrap();
    let inputs = room.rotate(&genesis);
    room.absent.insert("officer-3".into());
    room.play(inputs).unwrap()
}

#[test]
fn the_report_has_every_step_of_the_script_with_what_came_back() {
    let played = rotation();
    let paper = report(&played.ceremony, &played.record);
    let (text, html) = (text(&paper), html(&paper));
    for step in played.ceremony.steps() {
        let who = step.who(played.ceremony.roster());
        let row = format!("<tr><th scope=\"row\">{}</th><td>{who}</td>", step.number);
        assert_eq!(html.matches(&row).count(), 1, "{row}");
        assert!(text.lines().any(|line| line.starts_with(&format!("{:<3} | ", step.number))));
    }
    for said in [
        "the words were right, after 1 wrong answer",
        "not here: in the safe",
        "token officer-3 is not here: in the safe",
        "3 counted, 2 needed",
        "new root keys: <code>root-c</code>",
        "root keys that go: <code>root-a</code>",
        "This was a practice: its tokens are software",
        "The request was fetched on one machine only",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn what_else_happened_stands_at_its_step() {
    let mut played = rotation();
    let fact = Fact::Exception {
        expected: "two witnesses".into(),
        happened: "one came".into(),
        decided: "go on".into(),
        by: "seat B".into(),
    };
    let at = played.record.entries()[3].at;
    played.record.append(at, 3, Body::Done { fact }).unwrap();
    let exit = crate::refusal::Exit::Device;
    for check in [Some(crate::check::Check::MediaKind), None] {
        played.record.append(at, 3, Body::Refused { check, exit }).unwrap();
    }
    let fact = Fact::Intended {
        key: "root-b".into(),
        token: "officer-2".into(),
        consent: crate::digest::Digest::of(b""),
        stored: false,
        apart: false,
    };
    played.record.append(at, 4, Body::Done { fact }).unwrap();
    let fact = Fact::Resumed {
        page: Some(Part::Keys),
        wrong: 2,
        undone: vec!["key `x` is made anew".into()],
    };
    played.record.append(at, 4, Body::Done { fact }).unwrap();
    let paper = report(&played.ceremony, &played.record);
    let text = text(&paper).replace("\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "expected: two witnesses; happened: one came; decided: go on; by seat B",
        "UTC: [MEDIA-KIND] A media is used only for what its marker file says",
        "UTC: A token or a media did not do its part.",
        "the words of page Keys were right, after 2 wrong answers; key `x` is made anew",
        "1 exception: in each, people went on",
        "officer-2 stores nothing; it intends: e3b0 c442",
        "Token `officer-2` stores no data: what it meant to sign stands on its custodian's receipt alone.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}
