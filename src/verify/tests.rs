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
    verify(files.clone(), anchors(None), &Means::default()).unwrap_err().to_string()
}

#[test]
fn a_whole_folder_is_proved_and_what_is_not_is_said() {
    let played = rotation();
    let words = played.folder.closing.words().join(" ");
    let found =
        verify(played.folder.files.clone(), anchors(Some(&words)), &Means::default()).unwrap();
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
    let found = verify(played.folder.files, anchors(None), &Means::default()).unwrap();
    assert!(found.not_proved[0].starts_with("That this is the folder that people signed for"));
}

#[test]
fn any_one_changed_byte_is_found() {
    let files = rotation().folder.files;
    // Every byte of the small files, and every so many of the large ones; the step divides no line length.
    for (path, bytes) in &files {
        let bytes = bytes.read().unwrap();
        let step = 1 + bytes.len() / 23;
        for at in (0..bytes.len()).step_by(step).chain(bytes.len().checked_sub(1)) {
            let (mut changed, mut other) = (files.clone(), bytes.clone());
            other[at] ^= 1;
            changed.insert(path, other);
            assert!(
                verify(changed, anchors(None), &Means::default()).is_err(),
                "{path}, byte {at}"
            );
        }
    }
}

#[test]
fn one_file_more_or_fewer_is_found() {
    let files = rotation().folder.files;
    for path in files.paths() {
        let mut fewer = files.clone();
        fewer.remove(path);
        assert!(verify(fewer, anchors(None), &Means::default()).is_err(), "without {path}");
    }
    for path in ["x", "metadata/x", "ceremonies/0002-rotate/x", "ceremonies/0003-renew/plan.toml"] {
        let mut more = files.clone();
        more.insert(path, b"x".to_vec());
        assert!(verify(more, anchors(None), &Means::default()).is_err(), "with {path}");
    }
}

/// Changes a file of the last ceremony, and all sums with it.
fn resummed(mut files: Files, change: impl FnOnce(&mut Files)) -> Files {
    let folder = "ceremonies/0002-rotate/";
    let before = files.read(&format!("{folder}{}", sums::FILE)).unwrap().unwrap();
    let before = Sums::parse(&before).unwrap();
    change(&mut files);
    let own = |path: &str| !path.starts_with("ceremonies/");
    let mut vouched = Sums::default();
    for (path, bytes) in files.iter().filter(|(path, _)| own(path)) {
        vouched.insert(path, bytes.digest().unwrap()).unwrap();
    }
    files.insert(format!("{folder}{TRUST_SUMS}"), vouched.to_text().into_bytes());
    let mut own = files.below(folder);
    own.remove(sums::FILE);
    let sums = Sums::of(&own.held().unwrap())
        .unwrap()
        .after(before.predecessor().unwrap().clone())
        .unwrap();
    files.insert(format!("{folder}{}", sums::FILE), sums.to_text().into_bytes());
    files
}

#[test]
fn a_change_with_all_sums_made_anew_is_found_by_making_everything_anew() {
    let files = rotation().folder.files;
    let same = resummed(files.clone(), |_| {});
    assert_eq!(same.difference(&files).unwrap(), None);
    let custody = resummed(files.clone(), |files| {
        let text = String::from_utf8(files.read("custody.json").unwrap().unwrap()).unwrap();
        files.insert("custody.json", text.replace("seat C", "seat D").into_bytes());
    });
    assert_eq!(
        refused(&custody),
        "`ceremonies/0002-rotate/TRUST-SHA256SUMS` is not what plan, request and record give [TRUST-FOLDER]"
    );
    let report = resummed(files.clone(), |files| {
        let path = "ceremonies/0002-rotate/report.html";
        let mut report = files.read(path).unwrap().unwrap();
        report.push(b' ');
        files.insert(path, report);
    });
    assert_eq!(
        refused(&report),
        "`ceremonies/0002-rotate/report.html` is not the report that the record gives [TRUST-FOLDER]"
    );
    let spare = resummed(files.clone(), |files| {
        files.insert("ceremonies/0002-rotate/notes.txt", b"x".to_vec());
    });
    assert_eq!(
        refused(&spare),
        "`ceremonies/0002-rotate`: `notes.txt` is no file of a ceremony [TRUST-FOLDER]"
    );
    let root = resummed(files, |files| {
        let [one, other] =
            ["a", "b"].map(|name| format!("metadata/localhost%3a5000%2f{name}/2.root.json"));
        let bytes = [&one, &other].map(|path| files.get(path).cloned().unwrap());
        for (path, bytes) in [other, one].into_iter().zip(bytes) {
            files.insert(path, bytes);
        }
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
    assert!(verify(real.folder.files, anchors(Some(&words)), &Means::default()).is_ok());
    let refusal =
        verify(other.folder.files.clone(), anchors(Some(&words)), &Means::default()).unwrap_err();
    assert!(
        refusal
            .to_string()
            .ends_with("is not that of the closing digest of this folder [TRUST-WORDS]"),
        "{refusal}"
    );
    let refusal =
        verify(other.folder.files, anchors(Some("abandon")), &Means::default()).unwrap_err();
    assert_eq!(refusal.to_string(), "1 word given, a digest has 24");
}
