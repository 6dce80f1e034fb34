use super::*;
use crate::ceremony::candidate::{CANDIDATES, line};
use crate::ceremony::tests::{NAMES, Played, Room, all};
use crate::paper::text;
use crate::root::Role;

/// A rotation, and the folder that its room lays on media for the second reader.
fn rotation() -> (Played, Past, Files) {
    let mut room = Room::new();
    let inputs = room.genesis();
    let genesis = room.play(inputs).unwrap();
    let inputs = room.rotate(&genesis);
    let past = inputs.past.clone();
    let played = room.play(inputs).unwrap();
    let mut files = Files::default();
    files.insert(plan::FILE, room.text.clone());
    files.insert(ROOM, b"room.toml".to_vec());
    let drafts = all(&played.ceremony).into_iter();
    let lines = drafts.map(|draft| line(&draft, &draft.candidate.clone()));
    files.insert(CANDIDATES, lines.collect::<Vec<_>>().concat());
    (played, past, files)
}

/// The same with other lines of the candidates.
fn with_lines(files: &Files, change: impl FnOnce(&mut Vec<String>)) -> Files {
    let text = String::from_utf8(files.read(CANDIDATES).unwrap().unwrap()).unwrap();
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    let mut files = files.clone();
    files.insert(CANDIDATES, lines.concat().into_bytes());
    files
}

fn refused(files: Files, own: Option<&Past>) -> String {
    folder(files, own).unwrap_err().to_string()
}

#[test]
fn the_second_reader_sees_the_change_and_says_the_same_words() {
    let (played, past, files) = rotation();
    let Shown::Candidate(found) = folder(files, Some(&past)).unwrap() else { panic!() };
    assert_eq!(found.consent, played.ceremony.drafted().unwrap());
    let shown = text(&found.paper());
    for said in [
        "2 repositories change in one way",
        "The version goes from 1 to 2.",
        "root-a",
        "own trust folder.",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

#[test]
fn another_candidate_has_other_words_or_none() {
    let (played, past, files) = rotation();
    let mut other = files.clone();
    other.insert(ROOM, b"another room".to_vec());
    let Shown::Candidate(found) = folder(other, None).unwrap() else { panic!() };
    assert_ne!(found.consent, played.ceremony.drafted().unwrap());

    let mut spare = files.clone();
    spare.insert("metadata/x/1.root.json", b"{}".to_vec());
    assert_eq!(
        refused(spare, None),
        "`metadata/x/1.root.json` belongs to no repository of the plan [SECOND-READER]"
    );

    type Change = fn(&mut Vec<String>);
    let changes: [(Change, &str); 5] = [
        (
            |lines| drop(lines.pop()),
            "candidates.jsonl:2: the candidate of `localhost:5000/b` is missing",
        ),
        (
            |lines| lines.push(lines[1].clone()),
            "candidates.jsonl:3: it belongs to no repository of the plan",
        ),
        (
            |lines| lines.swap(0, 1),
            "candidates.jsonl:1: `localhost:5000/b` stands where `localhost:5000/a` is planned",
        ),
        (
            |lines| lines[1].insert(1, ' '),
            "candidates.jsonl:2: it is not written as a candidate is",
        ),
        (|lines| lines[1].truncate(9), "candidates.jsonl:2: it is not written as a candidate is"),
    ];
    for (change, words) in changes {
        let refused = refused(with_lines(&files, change), None);
        assert_eq!(refused, format!("{words} [SECOND-READER]"));
    }

    let complete = Past::read(played.folder.files.clone()).unwrap();
    let draft = all(&played.ceremony).swap_remove(0);
    let [_, newest] = &complete.chain(NAMES[0]).unwrap()[..] else { panic!() };
    let signed = String::from_utf8(line(&draft, newest)).unwrap();
    assert_eq!(
        refused(with_lines(&files, |lines| lines[0] = signed), None),
        "`localhost:5000/a`: the candidate carries signatures before anybody consented [SECOND-READER]"
    );

    let swapped = with_lines(&files, |lines| {
        let root = |line: &str| line.split('"').nth(7).unwrap().to_owned();
        let (one, two) = (root(&lines[0]), root(&lines[1]));
        *lines = vec![lines[0].replace(&one, &two), lines[1].replace(&two, &one)];
    });
    assert!(refused(swapped, None).ends_with("and the plan does not pin it [REQUEST-KEY-PINNED]"));

    let elsewhere = Past::read(rotation().0.folder.files).unwrap();
    assert_eq!(
        refused(files, Some(&elsewhere)),
        "`localhost:5000/a`: the candidate does not follow root 2 of your trust folder [SECOND-READER]"
    );
    assert!(past.latest(NAMES[0]).unwrap().is_some());
}

#[test]
fn a_root_is_shown_with_its_signatures_and_against_the_one_before() {
    let (played, ..) = rotation();
    let draft = all(&played.ceremony).swap_remove(0);
    let past = Past::read(played.folder.files).unwrap();
    let [one, two] = &past.chain(NAMES[0]).unwrap()[..] else { panic!() };
    let Shown::Root(found) = file(two.bytes(), Some(one.bytes())).unwrap() else { panic!() };
    assert_eq!(
        found.tallies.iter().map(|t| (t.counted, t.needed)).collect::<Vec<_>>(),
        [(3, 2), (3, 2)]
    );
    let shown = text(&found.paper());
    assert!(shown.contains("The version goes from 1 to 2."), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let candidate = draft.candidate.clone();
    let Shown::Root(found) = file(candidate.bytes(), None).unwrap() else { panic!() };
    assert_eq!(found.tallies.iter().map(|t| (t.counted, t.needed)).collect::<Vec<_>>(), [(0, 2)]);
    assert!(text(&found.paper()).contains("new root: 0 counted, 2 needed: too few"));
}

/// As `notary key list` and `notary list --roles` print them: tests/vectors/notary/ORIGIN.md.
#[test]
fn a_certified_key_is_shown_with_both_of_its_ids() {
    let bytes = include_bytes!("../../tests/vectors/notary/1.root.json");
    let Shown::Root(found) = file(bytes, None).unwrap() else { panic!() };
    let ids = |role| {
        let role = found.roles.iter().find(|shown| shown.role == role).unwrap();
        (role.keys[0].id.clone(), role.keys[0].canonical_id.clone())
    };
    let (listed, canonical) = ids(Role::Root);
    assert!(std::str::from_utf8(bytes).unwrap().contains(&listed));
    let told = "e37dda14bf340e7c102ae653fb5975caec2e9ac6a5aed1a813ed6bf8c7eca171";
    assert_eq!(canonical.as_deref(), Some(told));
    assert_eq!(ids(Role::Targets).1, None);
    let shown = text(&found.paper());
    for id in [told, &listed, &ids(Role::Targets).0] {
        assert!(shown.contains(id), "{id}: {shown}");
    }
}

#[test]
fn folders_and_proofs_are_shown_and_strangers_refused() {
    let (played, _, _) = rotation();
    let files = played.folder.files;
    let shown = text(&paper(&folder(files.clone(), None).unwrap()));
    assert!(shown.contains("2 of root-b, root-c,"), "{shown}");
    let request = files.below("ceremonies/0001-genesis/request/");
    let shown = text(&paper(&folder(request, None).unwrap()));
    assert!(shown.contains("offers targets"), "{shown}");
    let at = "ceremonies/0001-genesis/proofs/localhost%3a5000%2fa/targets-";
    let proof = files.range(at).next().unwrap().1.read().unwrap();
    let shown = text(&paper(&file(&proof, None).unwrap()));
    assert!(shown.contains("`localhost:5000/a`, role `targets`"), "{shown}");
    let refusal = file(b"hello", None).unwrap_err().to_string();
    assert!(refusal.starts_with("the file is no root: "), "{refusal}");
    let refusal = folder(Files::from_iter([("x", vec![])]), None).unwrap_err().to_string();
    assert_eq!(refusal, "the folder is no trust folder, no candidate and no request");
}
