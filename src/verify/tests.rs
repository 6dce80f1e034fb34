use super::*;
use crate::ceremony::tests::{Played, Room};
use crate::sums::{self, Sums};
use crate::trust::TRUST_SUMS;

fn rotation() -> Played {
    let mut room = Room::new();
    let inputs = room.genesis();
    let genesis = room.play(inputs).unwrap();
    let inputs = room.rotate(&genesis);
    room.play(inputs).unwrap()
}

fn anchors(words: Option<&str>) -> Anchors<'_> {
    let at = "2027-01-01T00:00:00Z".parse().unwrap();
    Anchors { custody: None, words, tool: Some(Digest::of(b"tool")), at }
}

fn refused(files: &Files) -> String {
    verify(files.clone(), anchors(None)).unwrap_err().to_string()
}

#[test]
fn a_whole_folder_is_proved_and_what_is_not_is_said() {
    let played = rotation();
    let words = played.folder.closing.words().join(" ");
    let found = verify(played.folder.files.clone(), anchors(Some(&words))).unwrap();
    let all = found.proved.join("\n");
    for said in [
        "The closing digest is the one whose 24 words were given.",
        "`0001-genesis` and `0002-rotate` follow one another",
        "`localhost:5000/a`: 2 roots (made here), each signed by its own threshold, and by that of the root before where there is one",
    ] {
        assert!(all.contains(said), "{said}: {all}");
    }
    let all = found.not_proved.join("\n");
    assert!(all.contains("`0001-genesis` and `0002-rotate`: This was a practice"), "{all}");
    assert!(!all.contains("no words"), "{all}");
    let found = verify(played.folder.files, anchors(None)).unwrap();
    assert!(found.not_proved[0].starts_with("That this is the folder that people signed for"));
}

#[test]
fn any_one_changed_byte_is_found() {
    let files = rotation().folder.files;
    // Every byte of the small files, and every so many of the large ones; the step divides no line length.
    for (path, bytes) in &files {
        let step = 1 + bytes.len() / 23;
        for at in (0..bytes.len()).step_by(step).chain(bytes.len().checked_sub(1)) {
            let mut changed = files.clone();
            changed.get_mut(path).unwrap()[at] ^= 1;
            assert!(verify(changed, anchors(None)).is_err(), "{path}, byte {at}");
        }
    }
}

#[test]
fn one_file_more_or_fewer_is_found() {
    let files = rotation().folder.files;
    for path in files.keys() {
        let mut fewer = files.clone();
        fewer.remove(path);
        assert!(verify(fewer, anchors(None)).is_err(), "without {path}");
    }
    for path in ["x", "metadata/x", "ceremonies/0002-rotate/x", "ceremonies/0003-renew/plan.toml"] {
        let mut more = files.clone();
        more.insert(path.to_owned(), b"x".to_vec());
        assert!(verify(more, anchors(None)).is_err(), "with {path}");
    }
}

/// Changes a file of the last ceremony, and all sums with it.
fn resummed(mut files: Files, change: impl FnOnce(&mut Files)) -> Files {
    let folder = "ceremonies/0002-rotate/";
    let before = Sums::parse(&files[&format!("{folder}{}", sums::FILE)]).unwrap();
    change(&mut files);
    let own = |path: &&String| !path.starts_with("ceremonies/");
    let mut vouched = Sums::default();
    for (path, bytes) in files.iter().filter(|(path, _)| own(path)) {
        vouched.insert(path, Digest::of(bytes)).unwrap();
    }
    files.insert(format!("{folder}{TRUST_SUMS}"), vouched.to_text().into_bytes());
    let mut own = crate::trust::below(&files, folder);
    own.remove(sums::FILE);
    let sums = Sums::of(&own).unwrap().after(before.predecessor().unwrap().clone()).unwrap();
    files.insert(format!("{folder}{}", sums::FILE), sums.to_text().into_bytes());
    files
}

#[test]
fn a_change_with_all_sums_made_anew_is_found_by_making_everything_anew() {
    let files = rotation().folder.files;
    let same = resummed(files.clone(), |_| {});
    assert_eq!(same, files);
    let custody = resummed(files.clone(), |files| {
        let text = String::from_utf8(files["custody.json"].clone()).unwrap();
        files.insert("custody.json".into(), text.replace("seat C", "seat D").into_bytes());
    });
    assert_eq!(
        refused(&custody),
        "`ceremonies/0002-rotate/TRUST-SHA256SUMS` is not what plan, request and record give [TRUST-FOLDER]"
    );
    let report = resummed(files.clone(), |files| {
        files.get_mut("ceremonies/0002-rotate/report.html").unwrap().push(b' ');
    });
    assert_eq!(
        refused(&report),
        "`ceremonies/0002-rotate/report.html` is not the report that the record gives [TRUST-FOLDER]"
    );
    let spare = resummed(files.clone(), |files| {
        files.insert("ceremonies/0002-rotate/notes.txt".into(), b"x".to_vec());
    });
    assert_eq!(
        refused(&spare),
        "`ceremonies/0002-rotate`: `notes.txt` is no file of a ceremony [TRUST-FOLDER]"
    );
    let root = resummed(files, |files| {
        let path = "metadata/localhost%3a5000%2fa/2.root.json";
        let bytes = files.remove(path).unwrap();
        let other =
            files.insert("metadata/localhost%3a5000%2fb/2.root.json".into(), bytes).unwrap();
        files.insert(path.into(), other);
    });
    assert_eq!(
        refused(&root),
        "`ceremonies/0002-rotate/TRUST-SHA256SUMS` is not what plan, request and record give [TRUST-FOLDER]"
    );
}

#[test]
fn a_folder_that_somebody_made_up_whole_is_refused_by_the_words() {
    let (real, other) = (rotation(), rotation());
    let words = real.folder.closing.words().join(" ");
    assert!(verify(real.folder.files, anchors(Some(&words))).is_ok());
    let refusal = verify(other.folder.files.clone(), anchors(Some(&words))).unwrap_err();
    assert!(
        refusal
            .to_string()
            .ends_with("is not that of the closing digest of this folder [TRUST-WORDS]"),
        "{refusal}"
    );
    let refusal = verify(other.folder.files, anchors(Some("abandon"))).unwrap_err();
    assert_eq!(refusal.to_string(), "1 word given, a digest has 24");
}
