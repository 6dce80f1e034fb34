use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

use super::*;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn folders_are_as_documented() {
    for (text, folder) in [
        ("localhost:5000/admin/demo", "localhost%3a5000%2fadmin%2fdemo"),
        ("docker.io/library/a_b-c", "docker.io%2flibrary%2fa_b-c"),
        ("Upper", "%55pper"),
        ("é", "%c3%a9"),
        (".hidden", "%2ehidden"),
        ("ends.", "ends%2e"),
        ("con", "%63on"),
        ("con.d/x", "%63on.d%2fx"),
        ("com1", "%63om1"),
        ("com10", "com10"),
        ("console", "console"),
        ("aux:1", "aux%3a1"),
        ("nul", "%6eul"),
    ] {
        assert_eq!(name(text).folder(), folder);
        assert_eq!(Name::from_folder(folder), Ok(Some(name(text))));
    }
}

#[test]
fn a_long_name_ends_with_its_digest() {
    let long = name(&format!("localhost:5000/{}", "a/".repeat(80) + "z"));
    let folder = long.folder();
    assert_eq!(folder.len(), 128 + 2 + 64);
    assert!(folder.ends_with(&format!("%_{}", Digest::of(long.as_str().as_bytes()))));
    assert_eq!(Name::from_folder(&folder), Ok(None));
    let plain = name(&"a".repeat(130));
    assert_eq!(plain.folder(), plain.as_str());
}

#[test]
fn only_the_one_spelling_is_read_back() {
    for folder in [
        "",
        "con",
        "%61",
        "%3A",
        "a%3",
        "a%",
        "A",
        ".a",
        "a.",
        "a/b",
        "%ff",
        "%2e",
        "%5c",
        "a b",
        "%_",
        "a%_e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ] {
        assert_eq!(
            Name::from_folder(folder),
            Err(Error::Folder { folder: folder.to_owned() }),
            "{folder}"
        );
    }
}

#[test]
fn bad_names_say_what_is_wrong() {
    for (text, words) in [
        ("", "a repository name has 1 to 255 bytes, found 0"),
        (&"a".repeat(256), "a repository name has 1 to 255 bytes, found 256"),
        ("a b", "repository name `a\\u{20}b` holds the character U+0020, which no name may hold"),
        (
            "a\u{202e}b",
            "repository name `a\\u{202e}b` holds the character U+202E, which no name may hold",
        ),
        ("a*", "repository name `a\\u{2a}` holds the character U+002A, which no name may hold"),
        ("a//b", "repository name `a//b` has an empty, `.` or `..` segment"),
        ("a/../b", "repository name `a/../b` has an empty, `.` or `..` segment"),
        ("/a", "repository name `/a` has an empty, `.` or `..` segment"),
        ("e\u{301}", "repository name `e\u{301}` is not in Unicode NFC"),
    ] {
        assert_eq!(text.parse::<Name>().unwrap_err().to_string(), words);
    }
    let folder = Name::from_folder("A").unwrap_err();
    assert_eq!(folder.to_string(), "folder `A` is not the folder name of any repository");
}

#[test]
fn look_alikes_are_one_edit_apart() {
    for (a, b, close) in [
        ("reg/app", "reg/app1", true),
        ("reg/app1", "reg/app2", true),
        ("reg/app", "reg/apP", true),
        ("reg/apq", "reg/aqp", true),
        ("xreg/app", "reg/app", true),
        ("a", "b", true),
        ("reg/app", "reg/app", false),
        ("reg/app12", "reg/app", false),
        ("reg/abcd", "reg/badc", false),
        ("reg/ax", "rag/ay", false),
        ("abc", "acbd", false),
    ] {
        assert_eq!(look_alike(&name(a), &name(b)), close, "{a} {b}");
        assert_eq!(look_alike(&name(b), &name(a)), close, "{b} {a}");
    }
}

/// A small xorshift: the same names in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }

    fn name(&mut self) -> Option<Name> {
        const PIECES: [&str; 22] = [
            "a",
            "A",
            "b",
            "0",
            ".",
            "-",
            "_",
            "/",
            ":",
            "é",
            "É",
            "ß",
            "ſ",
            "K",
            "k",
            "con",
            "aux.",
            "%",
            "ａ",
            "e\u{301}",
            "ﬁ",
            "long-segment/of/a/fleet",
        ];
        let pieces = 1 + self.below(9);
        let text: String = (0..pieces).map(|_| PIECES[self.below(PIECES.len())]).collect();
        text.parse().ok()
    }
}

#[test]
fn folders_stay_apart_under_case_folding_and_normalization() {
    let mut draw = Draw(7);
    let mut seen: BTreeMap<String, Name> = BTreeMap::new();
    for _ in 0..40_000 {
        let Some(name) = draw.name() else { continue };
        let folder = name.folder();
        assert!(folder.len() <= 196 && !folder.starts_with('.') && !folder.ends_with('.'));
        assert!(!is_device(&folder));
        assert!(folder.bytes().all(|b| b"abcdefghijklmnopqrstuvwxyz0123456789._%-".contains(&b)));
        if folder.contains("%_") {
            assert_eq!(Name::from_folder(&folder), Ok(None));
        } else {
            assert_eq!(Name::from_folder(&folder), Ok(Some(name.clone())));
        }
        let key: String = folder.to_lowercase().to_uppercase().to_lowercase().nfkc().collect();
        let before = seen.insert(key, name.clone());
        assert!(before.is_none_or(|before| before == name));
    }
    assert!(seen.len() > 5_000);
}

#[test]
fn any_folder_text_is_refused_or_read_to_the_name_that_has_it() {
    let mut draw = Draw(11);
    const PIECES: [&str; 12] = ["a", "%", "_", "2e", ".", "c3", "a9", "%6", "con", "-", "/", "é"];
    for _ in 0..40_000 {
        let text: String = (0..draw.below(6)).map(|_| PIECES[draw.below(PIECES.len())]).collect();
        if let Ok(Some(name)) = Name::from_folder(&text) {
            assert_eq!(name.folder(), text);
        }
    }
}

#[test]
fn a_fleet_gives_the_pairs_that_a_comparison_of_all_gives() {
    let mut draw = Draw(3);
    let names: BTreeSet<Name> = (0..400).filter_map(|_| draw.name()).collect();
    let slow: BTreeSet<(&Name, &Name)> = names
        .iter()
        .flat_map(|a| names.iter().map(move |b| (a, b)))
        .filter(|(a, b)| a < b && look_alike(a, b))
        .collect();
    assert!(!slow.is_empty());
    assert_eq!(look_alikes(&names), slow);
}

#[test]
fn groups_are_what_the_pairs_join() {
    let mut draw = Draw(5);
    for _ in 0..20 {
        let names: BTreeSet<Name> = (0..60).filter_map(|_| draw.name()).collect();
        let mut joined: Vec<BTreeSet<&Name>> = Vec::new();
        for (a, b) in look_alikes(&names) {
            let (hit, mut rest): (Vec<_>, Vec<_>) =
                joined.into_iter().partition(|group| group.contains(a) || group.contains(b));
            rest.push(hit.into_iter().flatten().chain([a, b]).collect());
            joined = rest;
        }
        joined.sort();
        let joined: Vec<Vec<&Name>> =
            joined.into_iter().map(|group| group.into_iter().collect()).collect();
        assert_eq!(alike_groups(&names), joined);
    }
}

#[test]
fn short_names_of_few_letters_are_told_apart_as_a_comparison_tells_them() {
    let mut names: Vec<Name> = Vec::new();
    for length in 1..=5 {
        for mut number in 0..3_usize.pow(length) {
            let mut text = String::new();
            for _ in 0..length {
                text.push(['a', 'B', 'b'][number % 3]);
                number /= 3;
            }
            names.push(text.parse().unwrap());
        }
    }
    let found = look_alikes(&names);
    for a in &names {
        for b in names.iter().filter(|b| a < *b) {
            assert_eq!(found.contains(&(a, b)), look_alike(a, b), "{a} {b}");
        }
    }
}

#[test]
fn a_fleet_that_is_all_alike_is_one_group() {
    let many = |start: &str| -> Vec<Name> {
        ('\u{4e00}'..'\u{8000}').map(|c| format!("{start}{c}").parse().unwrap()).collect()
    };
    let (one, other) = (many("reg/team/"), many("another/"));
    let groups = alike_groups(one.iter().chain(&other));
    assert_eq!(groups, [other.iter().collect::<Vec<_>>(), one.iter().collect()]);
}
