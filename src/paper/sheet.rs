//! The page of a share that is kept on paper: what it is, for whoever finds it; the share, for a camera and for people;
//! and the receipt that its custodian signs.
//!
//! Roof, pure: everything on it is public, for the share is sealed to a passphrase that stands nowhere here.

use super::{Paper, Row};
use crate::digest::Digest;

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The plan's name for the paper; none on a page that is printed from elsewhere.
    pub paper: String,
    /// The seat that keeps it.
    pub custodian: String,
    /// The name of the key.
    pub key: String,
    /// SHA-256 of the key's SubjectPublicKeyInfo.
    pub key_id: Digest,
    /// The set id.
    pub set: String,
    /// Index, how many are needed, how many there are.
    pub place: (u8, u8, u8),
    /// SHA-256 of the sealed share.
    pub sealed: Digest,
    /// The codes.
    pub codes: Vec<String>,
    /// The lines: number, letters in groups, check word.
    pub lines: Vec<[String; 3]>,
    /// `PRACTICE` or `REHEARSAL` where it is no real one.
    pub mark: Option<String>,
}

/// Lays out the page.
pub fn sheet(said: &Sheet) -> Paper {
    let (index, needed, total) = said.place;
    let title = format!("Share {index} of {total} of root key {}", said.key);
    let foot = format!("paper {}, set {}, share {index}", said.paper, said.set);
    let mut paper = Paper::new(title, foot);
    paper.mark.clone_from(&said.mark);
    paper.prose(
        "If you found this page: it is one part of a key, locked by a passphrase that is not on it. Alone it opens \
         nothing and is worth nothing to you; to its owner it is hard to replace. Please do not copy or \
         photograph it, and give it back.",
    );
    paper.pairs([
        ("Return to", LINE.to_owned()),
        ("Paper", format!("`{}`, kept by {}", said.paper, said.custodian)),
        ("Set", format!("`{}`; {needed} of its {total} shares rebuild the key", said.set)),
        ("Key", format!("`{}`", said.key_id.grouped())),
        ("Sealed share", format!("`{}`", said.sealed.grouped())),
    ]);
    paper.blocks.push(super::Block::Codes(said.codes.clone()));
    paper.prose(
        "The same for typing: number, letters (no 0, 1, 8 or 9 among them), and the word that checks the line. \
         `officiant share scan` reads a picture or a text file of it.",
    );
    paper.blocks.push(super::Block::Lines(said.lines.clone()));
    paper.section("Receipt, to be signed and cut off");
    paper.prose(format!(
        "I keep share {index} of set `{}` on paper, and its passphrase apart from it; both were tried before me.",
        said.set
    ));
    let seat = format!("{}\n", said.custodian);
    let signs = Row::Cells(vec![seat, String::new(), String::new(), String::new()]);
    paper.table(&[("Seat", 16), ("Name", 20), ("Signature", 22), ("Date", 12)], vec![signs]);
    paper
}

/// To be written on.
const LINE: &str = "____________________________________________";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::{html, text};

    fn said() -> Sheet {
        Sheet {
            paper: "sheet-d".into(),
            custodian: "seat D".into(),
            key: "root-s".into(),
            key_id: Digest::of(b"key"),
            set: "07".repeat(16),
            place: (3, 2, 3),
            sealed: Digest::of(b"sealed"),
            codes: vec!["OFSP1/1/2/K7QX3MZA/ABC".into(), "OFSP1/2/2/K7QX3MZA/DEF".into()],
            lines: vec![["1".into(), "ABCDE FGHIJ".into(), "abandon".into()]],
            mark: Some("PRACTICE".into()),
        }
    }

    #[test]
    fn the_page_says_what_it_is_and_whose_and_asks_for_nothing_from_elsewhere() {
        let page = sheet(&said());
        let (drawn, typed) = (html(&page), text(&page));
        for said in ["If you found this page", "seat D", "abandon", "Receipt", "PRACTICE"] {
            assert!(drawn.contains(said) && typed.contains(said), "{said}");
        }
        assert_eq!(drawn.matches("<svg").count(), 2);
        assert!(typed.lines().all(|line| line.chars().count() <= 80), "{typed}");
        for word in ["<script", "url(", "src=", "href"] {
            assert!(!drawn.contains(word), "{word}");
        }
    }
}
