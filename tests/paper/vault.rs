//! Keys on papers alone, in the vault: split, given away with their passphrases, and rebuilt.

use std::path::PathBuf;

use officiant::{
    child::{Error, Launch, vault::Vault},
    key::Algorithm,
    seal::{Opener, SealTo},
    secret::{Passphrase, SecretBytes},
    share::{Combinations, Set, ShareIndex, Threshold, paper::PaperShare},
};

use crate::harness::{command::command, pty::Pty, scratch::Scratch};

fn vault() -> Vault {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_officiant"));
    Vault::start(&Launch { program, ..Launch::this_binary("vault") }).unwrap()
}

fn index(index: u8) -> ShareIndex {
    ShareIndex::new(index).unwrap()
}

/// Three papers, two of which are needed, each with its words; and the vault that made them.
fn made() -> (Vault, Set, Vec<(PaperShare, String)>) {
    let mut vault = vault();
    let threshold = Threshold::new(2, 3).unwrap();
    let to = [SealTo::Passphrase, SealTo::Passphrase, SealTo::Passphrase];
    let made = vault.generate("root", Algorithm::Ed25519, threshold, &to).unwrap();
    let papers = (1..).zip(&made.shares).map(|(number, sealed)| {
        let words = vault.passphrase(&made.set, index(number)).unwrap();
        (PaperShare::of(&made.set, index(number), sealed), words.expose().to_owned())
    });
    let papers = papers.collect();
    (vault, made.set, papers)
}

fn by(words: &str) -> Opener {
    Opener::Passphrase(Passphrase::typed(&SecretBytes::copy_of(words.as_bytes())).unwrap())
}

fn told(result: Result<(), Error>) -> String {
    result.unwrap_err().refusal("").to_string()
}

#[test]
fn any_two_of_three_papers_give_the_key_and_one_does_not() {
    let (mut maker, set, papers) = made();
    for (paper, text) in &papers {
        maker.open_by(&set, paper.index, &paper.sealed, by(text)).unwrap();
    }
    assert_eq!(maker.check_combinations(&set).unwrap(), Combinations { tried: 3, total: 3 });
    drop(maker);
    for pair in [[0, 1], [0, 2], [1, 2]] {
        let mut later = vault();
        for (at, few) in pair.into_iter().zip([true, false]) {
            let (paper, text) = &papers[at];
            // What stands on paper is enough, with the words.
            let paper = PaperShare::from_codes(&paper.codes().unwrap()).unwrap();
            paper.expect(&set, paper.index).unwrap();
            later.open_by(&set, paper.index, &paper.sealed, by(text)).unwrap();
            let rebuilt = later.rebuild("root", &set, &set.key);
            match few {
                true => assert_eq!(
                    told(rebuilt),
                    "1 of the 2 shares that are needed are here [SHARE-QUORUM]"
                ),
                false => rebuilt.unwrap(),
            }
        }
    }
}

#[test]
fn stock_age_opens_what_was_sealed_for_paper_with_the_words_alone() {
    let (_, set, papers) = made();
    let scratch = Scratch::new();
    let (paper, text) = &papers[0];
    scratch.file("1.age", &paper.sealed);
    let mut age = command("age", scratch.path());
    let mut age = Pty::start(age.args(["-d", "-o", "share", "1.age"]));
    age.expect("passphrase:");
    age.send_line(text);
    let ended = age.finish();
    assert!(ended.status.success(), "{}", ended.transcript);
    // And what it opens is the share that was committed to.
    let share = SecretBytes::copy_of(&std::fs::read(scratch.path().join("share")).unwrap());
    set.admit(paper.index, &share).unwrap();
}

#[test]
fn words_are_given_away_once_and_open_one_paper() {
    let (mut vault, set, papers) = made();
    let again = vault.passphrase(&set, index(1)).map(|_| ());
    let gone = "the passphrase of share 1 was shown already, or never drawn";
    assert_eq!(told(again), gone);
    let all: std::collections::BTreeSet<&String> = papers.iter().map(|(_, text)| text).collect();
    assert_eq!(all.len(), 3);
    let crossed = vault.open_by(&set, index(1), &papers[0].0.sealed, by(&papers[1].1));
    let what = "share 1: the passphrase does not open the sealed file [SHARE-PASSPHRASE]";
    assert_eq!(told(crossed), what);
    // The right words open the wrong paper, and it says whose place it is.
    let moved = vault.open_by(&set, index(1), &papers[1].0.sealed, by(&papers[1].1));
    assert_eq!(told(moved), "share 1 is in truth share 2 [SHARE-INDEX]");
    let mut damaged = papers[0].0.sealed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let damaged = vault.open_by(&set, index(1), &damaged, by(&papers[0].1));
    let what = "share 1: the sealed file is damaged, or its token agreed on another secret [SHARE-COMMITMENT]";
    assert_eq!(told(damaged), what);
    vault.open_by(&set, index(1), &papers[0].0.sealed, by(&papers[0].1)).unwrap();
    let twice = vault.open_by(&set, index(1), &papers[0].0.sealed, by(&papers[0].1));
    assert_eq!(told(twice), "share 1 was given twice [SHARE-INDEX]");
}
