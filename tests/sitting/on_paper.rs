//! A key in shares over tokens and papers: made, proven, and used, in a practice and in a rehearsal.

use std::fs;
use std::path::PathBuf;

use officiant::{
    root::{Dialect, Role},
    share::paper::PaperShare,
    trust::Held,
};

use super::abandon::write_abandon;
use super::genesis::in_shares;
use super::officer::Officer;
use super::{Bench, Holding, PIN, PlanText};
use crate::harness::command::Ran;

const TOKENS: [&str; 1] = ["share-1"];
pub(super) const PAPERS: [&str; 2] = ["sheet-a", "sheet-b"];

/// A genesis with one key in shares, 2 of 3: one on a token, two on paper.
pub(super) fn on_paper() -> PlanText {
    PlanText {
        keys: vec![("root-s", "ecdsa-p256", Holding::Papers(2, &TOKENS, &PAPERS))],
        ..in_shares()
    }
}

/// Other targets, signed with the shares.
fn rotation(bench: &Bench) -> PlanText {
    PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(bench.number - 1)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..in_shares()
    }
}

/// The passphrase that the screen of a practice showed for a paper.
pub(super) fn passphrase(screen: &str, paper: &str) -> String {
    let words: Vec<&str> = screen.split_whitespace().collect();
    let at = words
        .windows(4)
        .position(|w| w[..3] == ["passphrase", "of", "paper"] && w[3].starts_with(paper));
    let found = words[at.unwrap()..].iter().find(|word| word.matches('-').count() == 9);
    (*found.unwrap()).to_owned()
}

/// A room after a genesis on paper, before a rotation; and the passphrases of its papers.
fn after_genesis() -> (Bench, Vec<String>) {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_paper());
    let screen = bench.conduct().ok().stderr;
    assert_eq!(bench.shape("localhost:5000/one", 1), "1 of root-s, signed by root-s");
    let words = PAPERS.iter().map(|paper| passphrase(&screen, paper)).collect();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.online.insert(Role::Targets, super::Publisher::new());
    bench.write_plan(&rotation(&bench));
    (bench, words)
}

/// Writes answers with PINs for the token and these words for the papers, and conducts.
fn conduct(bench: &Bench, words: &[String], more: &str) -> Ran {
    let papers = PAPERS.iter().zip(words).map(|(paper, words)| format!("{paper} = \"{words}\"\n"));
    let papers: String = papers.collect();
    let n = bench.number;
    let text = format!("[pin]\nshare-1 = \"{PIN}\"\n{papers}[answer]\n{more}");
    bench.scratch.file(&format!("answers-{n}.toml"), text);
    bench.conduct()
}

/// The picture of a paper's codes that the genesis laid out to be printed.
pub(super) fn picture(bench: &Bench, paper: &str) -> PathBuf {
    let folder = fs::read_dir(bench.path("work-1/papers")).unwrap();
    let mut paths = folder.map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(paper) && name.ends_with(".png")
    };
    paths.find(is_it).unwrap()
}

#[test]
fn a_key_over_tokens_and_papers_is_made_and_signs_by_its_papers_alone() {
    let (bench, words) = after_genesis();
    let custody: officiant::trust::Custody =
        serde_json::from_slice(&fs::read(bench.trust(1).join("custody.json")).unwrap()).unwrap();
    let papers = custody.papers.iter().map(|paper| (paper.name.as_str(), paper.custodian.as_str()));
    let kept = [("sheet-a", "seat of sheet-a"), ("sheet-b", "seat of sheet-b")];
    assert_eq!(papers.collect::<Vec<_>>(), kept);
    let Held::Shares { set, shares, .. } = &custody.keys[0].held else { panic!("no shares") };
    let held: Vec<&str> = shares.iter().map(|share| share.holder.as_str()).collect();
    assert_eq!(held, ["share-1", "sheet-a", "sheet-b"]);
    // The page says what it is; no passphrase stands on it, in the record, or in any folder.
    let page = picture(&bench, "sheet-a").with_extension("html");
    let page = fs::read_to_string(page).unwrap();
    for said in ["If you found this page", "PRACTICE", set, "seat of sheet-a", "<svg"] {
        assert!(page.contains(said), "{said}");
    }
    let mut grep = crate::harness::command::command("grep", bench.scratch.path());
    grep.args(["-rlF", "-e", &words[0], "-e", &words[1], "."]);
    assert_eq!(crate::harness::command::run(&mut grep).stdout, "", "a passphrase lies somewhere");
    // One paper by its scan, the other by what zbar read of it; the token stays away.
    let (scan, other) = (picture(&bench, "sheet-a"), picture(&bench, "sheet-b"));
    let codes = bench.path("codes.txt");
    let zbar = crate::harness::command::run(
        crate::harness::command::command("zbarimg", bench.scratch.path())
            .args(["-q", "--raw", "-Sdisable", "-Sqrcode.enable"])
            .arg(other),
    );
    fs::write(&codes, zbar.stdout).unwrap();
    let answers = format!(
        "\"insert share-1\" = \"absent on the train\"\n\"scan sheet-a\" = \"{}\"\n\"scan sheet-b\" = \"{}\"\n",
        scan.display(),
        codes.display()
    );
    conduct(&bench, &words, &answers).ok();
    assert_eq!(bench.shape("localhost:5000/one", 2), "1 of root-s, signed by root-s");
    let remarks = bench.remarks().join("\n");
    assert!(remarks.contains("token share-1 was not here: on the train"), "{remarks}");
    let trust = bench.trust(2);
    bench.officiant(&["verify", trust.to_str().unwrap()]).ok();
    let scanned = bench.officiant(&[
        "share",
        "scan",
        scan.to_str().unwrap(),
        "--trust",
        trust.to_str().unwrap(),
    ]);
    let told = scanned.ok().stdout;
    assert!(told.contains("the share of key root-s that was made for sheet-a"), "{told}");
}

#[test]
fn a_paper_that_is_not_the_one_or_words_that_are_not_its_are_refused_by_name() {
    let (bench, words) = after_genesis();
    let saved = bench.save();
    let other = picture(&bench, "sheet-b");
    let wrong = format!("\"scan sheet-a\" = \"{}\"\n", other.display());
    let ran = conduct(&bench, &words, &wrong);
    let what = "error: share 2 is in truth share 3 [SHARE-INDEX]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    bench.restore(&saved);
    let crossed = [words[1].clone(), words[1].clone()];
    let ran = conduct(&bench, &crossed, "\"insert share-1\" = \"absent on the train\"\n");
    let what = "error: share 2: the passphrase does not open the sealed file [SHARE-PASSPHRASE]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    // `resume` asks once more, and finishes.
    let n = bench.number;
    let papers = format!("sheet-a = \"{}\"\nsheet-b = \"{}\"\n", words[0], words[1]);
    let text = format!(
        "[pin]\nshare-1 = \"{PIN}\"\n{papers}[answer]\n\"insert share-1\" = \"absent on the train\"\n"
    );
    bench.scratch.file(&format!("answers-{n}.toml"), text);
    bench.resume().ok();
    assert_eq!(bench.shape("localhost:5000/one", 2), "1 of root-s, signed by root-s");
}

#[test]
fn a_set_whose_paper_was_not_proven_is_made_anew_with_other_words() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_paper());
    // What is read back is no page of this set.
    let other = bench.scratch.file("other.txt", "1 ABCDE abandon\n");
    bench.write_answers(&TOKENS, &format!("\"scan sheet-a\" = \"{}\"\n", other.display()));
    let first = bench.conduct();
    let what = "error: line 1 does not agree with its check word [SHARE-PAPER]\n";
    assert!(first.stderr.contains(what) && first.code() == 1, "{}", first.stderr);
    assert!(
        first
            .stderr
            .contains("key root-s, in memory only until its shares are proven, is made anew")
    );
    bench.write_answers(&TOKENS, "");
    let second = bench.resume().ok();
    let words: Vec<&str> = second.stderr.split_whitespace().collect();
    let burn = "is made anew; destroy what was printed of it, and its passphrases";
    assert!(words.join(" ").contains(burn), "{}", second.stderr);
    assert_ne!(passphrase(&first.stderr, "sheet-a"), passphrase(&second.stderr, "sheet-a"));
    assert_eq!(bench.shape("repo.test", 1), "1 of root-s, signed by root-s");
}

#[test]
fn the_papers_of_an_abandoned_key_are_named_to_be_destroyed_and_their_names_are_free() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_paper());
    bench.write_answers(&TOKENS, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, None);
    bench.conduct().ok();
    let left = [("sheet-a", 2), ("sheet-b", 3)].map(|(paper, index)| {
        format!(
            "paper {paper} carries share {index} of key root-s, which is not used: destroy it and its passphrase"
        )
    });
    assert_eq!(bench.remarks(), left);
    assert!(bench.custody().papers.is_empty());
    bench.officiant(&["verify", "media/out-2a/trust"]).ok();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&PlanText { after: Some(bench.closing(2)), ..on_paper() });
    bench.conduct().ok();
    assert_eq!(bench.custody().papers.len(), 2);
}

#[test]
fn a_page_is_printed_once_more_and_what_is_not_the_share_is_refused() {
    let (bench, _) = after_genesis();
    let custody = bench.path("media/room-1/custody");
    let sets = fs::read_dir(&custody).unwrap().map(|entry| entry.unwrap().path());
    let set = sets.into_iter().find(|path| path.join("2.age").exists()).unwrap();
    let trust = bench.trust(1);
    let share = |arguments: &[&str]| {
        let all = [&["share"], arguments, &["--trust", trust.to_str().unwrap()]].concat();
        bench.officiant(&all)
    };
    let file = |index: u8| set.join(format!("{index}.age")).display().to_string();
    share(&["print", &file(2), "--png", "again.png"]).ok();
    share(&["print", &file(2), "--svg", "again.svg"]).ok();
    assert!(fs::read_to_string(bench.path("again.svg")).unwrap().starts_with("<svg"));
    assert_eq!(
        fs::read(bench.path("again.png")).unwrap(),
        fs::read(picture(&bench, "sheet-a")).unwrap()
    );
    let page = share(&["print", &file(2)]).ok().stdout;
    assert!(page.contains("PRACTICE") && page.contains("kept by seat of sheet-a"), "{page}");
    let told = share(&["scan", "again.png"]).ok().stdout;
    assert!(told.contains("made for sheet-a"), "{told}");
    // What was printed is text, too: its lines are read back from it.
    let lines: Vec<&str> = page
        .lines()
        .filter(|line| {
            let mut fields = line.split_whitespace();
            let is_number = fields.next().is_some_and(|first| first.parse::<u8>().is_ok());
            is_number && fields.next().is_some_and(|group| group.len() == 5)
        })
        .collect();
    bench.scratch.file("lines.txt", lines.join("\n"));
    assert_eq!(share(&["scan", "lines.txt"]).ok().stdout, told);
    let set_id = set.file_name().unwrap().to_str().unwrap();
    bench.scratch.file("other.age", "no share");
    let vector = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/format/paper/codes.txt");
    // Of the same set and place, whole, and not what was made: sealed otherwise.
    let known = PaperShare::from_typed(&lines.join("\n")).unwrap();
    let forged = PaperShare { sealed: vec![7; 300], ..known };
    bench.scratch.file("forged.txt", forged.codes().unwrap().join("\n"));
    let unknown = "`other.age` is no share that the trust folder knows [SHARE-COMMITMENT]";
    let on_token = format!(
        "share 1 of set {set_id} is held by token `share-1`, not by a paper [SHARE-HOLDER]"
    );
    let foreign = "the share on paper belongs to set 000102030405060708090a0b0c0d0e0f, which the trust folder does not know [SHARE-SET]";
    let not_made = format!(
        "share 2 of set {set_id}, as the paper has it, is not the one that was made [SHARE-COMMITMENT]"
    );
    for (arguments, what) in [
        (vec!["print", "other.age"], unknown),
        (vec!["print", &file(1)], &on_token),
        (vec!["scan", vector], foreign),
        (vec!["scan", "forged.txt"], &not_made),
        (
            vec!["print", &file(2), "--png", "lines.txt"],
            "`lines.txt` already exists with other content [MEDIA-OWN]",
        ),
    ] {
        let ran = share(&arguments);
        assert_eq!(ran.stderr.lines().next().unwrap(), format!("error: {what}"), "{}", ran.stderr);
        assert_ne!(ran.code(), 0);
    }
}

#[test]
fn a_genesis_and_a_rotation_on_paper_are_rehearsed() {
    let (bench, _) = after_genesis();
    bench.rehearse().ok();
}

#[test]
fn people_write_words_on_cards_and_type_the_lines_of_their_pages() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_paper());
    let mut officer = Officer::before(&bench);
    let ended = officer.sit(&bench.sitting());
    assert!(ended.status.success(), "{}", ended.transcript);
    let cards = officer.cards.clone();
    assert_eq!(cards.len(), 2);
    for (paper, card) in &cards {
        // Its words were shown once, the screen was cleared after them, and nothing of them was echoed.
        let screen = ended.transcript.replace('\r', "");
        let shown: String =
            (1..).zip(card).map(|(n, word)| format!("        {n:>2}  {word}\n")).collect();
        let (_, after) = screen.split_once(&shown).unwrap();
        let (asked, after) = after.split_once("the words are gone from the screen\n").unwrap();
        assert!(asked.contains(paper.as_str()) && !after.contains(&shown), "{asked}");
        let typed: Vec<String> = card.iter().map(|word| word.chars().take(4).collect()).collect();
        assert!(!screen.contains(&typed.join(" ")), "{screen}");
    }
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.online.insert(Role::Targets, super::Publisher::new());
    bench.write_plan(&rotation(&bench));
    let mut officer = Officer { cards, ..Officer::before(&bench) };
    let ended = officer.sit(&bench.sitting());
    assert!(ended.status.success(), "{}", ended.transcript);
    assert_eq!(bench.shape("repo.test", 2), "1 of root-s, signed by root-s");
}

#[test]
fn papers_give_way_to_new_papers_and_none_is_printed_twice() {
    let (bench, words) = after_genesis();
    let again = |papers: &'static [&'static str], after: &Bench| PlanText {
        ceremony: "rotate",
        after: Some(after.closing(1)),
        keys: vec![("root-t", "ecdsa-p256", Holding::Papers(2, &TOKENS, papers))],
        root: vec!["root-t"],
        roles: vec![Role::Targets],
        ..in_shares()
    };
    bench.write_plan(&again(&PAPERS, &bench));
    let ran = conduct(&bench, &words, "");
    let what = "error: paper `sheet-a` is in the trust folder already, or a token is called so\n\
                hint: give the new paper another name: each carries one share\n";
    assert!(ran.stderr.starts_with(what) && ran.code() == 2, "{}", ran.stderr);
    bench.write_plan(&again(&["sheet-c", "sheet-d"], &bench));
    conduct(&bench, &words, "").ok();
    assert_eq!(bench.shape("localhost:5000/one", 2), "1 of root-t, signed by root-s root-t");
    let names: Vec<String> = bench.custody().papers.into_iter().map(|paper| paper.name).collect();
    assert_eq!(names, ["sheet-a", "sheet-b", "sheet-c", "sheet-d"]);
}

#[test]
fn a_plan_whose_papers_cannot_be_is_refused() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let plan = fs::read_to_string(bench.write_plan(&on_paper())).unwrap();
    let check = |plan: &str| {
        let path = bench.scratch.file("changed.toml", plan);
        bench.officiant(&["check", path.to_str().unwrap()])
    };
    let told = check(&plan).ok().stdout;
    let sign = "seat of share-1 + seat of sheet-a; seat of share-1 + seat of sheet-b; seat of sheet-a + seat of sheet-b";
    let words: Vec<&str> = told.split_whitespace().collect();
    assert!(words.join(" ").contains(sign), "{told}");
    let paper = "[[paper]]\nname = \"sheet-a\"\n";
    let more =
        "[[paper]]\nname = \"sheet-c\"\ncustodian = \"seat C\"\n[[paper]]\nname = \"sheet-a\"\n";
    for (old, new, what) in [
        (paper, more, "paper `sheet-c` carries no share of this plan"),
        ("\"sheet-b\"]", "\"sheet-c\"]", "paper `sheet-b` carries no share of this plan"),
        (
            "\"sheet-b\"]",
            "\"sheet-b\", \"sheet-c\"]",
            "paper `sheet-c` is named by a key, and by no `[[paper]]`",
        ),
        ("\"sheet-b\"]", "\"sheet-a\"]", "key `root-s` has two shares on one paper"),
        ("name = \"sheet-b\"", "name = \"share-1\"", "a token and a paper are called `share-1`"),
        (
            "seat of sheet-b",
            "seat of share-1",
            "key `root-s`: seat of share-1 holds two shares, on `share-1` and `sheet-b` [SHARE-HOLDER]",
        ),
    ] {
        assert_eq!(plan.matches(old).count(), 1, "{old}");
        let ran = check(&plan.replace(old, new));
        assert!(ran.stderr.lines().next().unwrap().ends_with(what), "{what}\n{}", ran.stderr);
        assert_ne!(ran.code(), 0);
    }
}

#[test]
fn a_key_on_papers_alone_needs_no_token() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&[]);
    bench.write_answers(&[], "");
    let papers = &["sheet-a", "sheet-b", "sheet-c"];
    let keys = vec![("root-s", "ed25519", Holding::Papers(2, &[], papers))];
    bench.write_plan(&PlanText { keys, ..in_shares() });
    let screen = bench.conduct().ok().stderr;
    assert!(
        screen.contains("drawn from the kernel alone: no token here gives randomness"),
        "{screen}"
    );
    assert_eq!(bench.shape("repo.test", 1), "1 of root-s, signed by root-s");
}
