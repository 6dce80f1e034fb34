use super::*;
use crate::key::{Algorithm, PublicKey};

fn set() -> Set {
    let key = PublicKey::from_ed25519(&[9; 32]).unwrap();
    let (id, threshold) = (SetId::from_bytes([7; 16]), Threshold::new(2, 3).unwrap());
    Set { id, key, threshold, commitments: Vec::new() }
}

fn index(index: u8) -> ShareIndex {
    ShareIndex::new(index).unwrap()
}

/// As long as ours are.
fn share() -> PaperShare {
    let sealed: Vec<u8> = (0..358_u16).map(|i| (i * 7 % 251) as u8).collect();
    PaperShare::of(&set(), index(2), &sealed)
}

/// Changes what stands on paper, and mends its checksum as a forger would.
fn forged(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = share().encode().unwrap();
    change(&mut bytes);
    let body = bytes.len() - SUM;
    let sum = checksum(&bytes[..body]);
    bytes[body..].copy_from_slice(&sum);
    bytes
}

#[test]
fn what_stands_on_paper_reads_back_as_it_was() {
    let share = share();
    let bytes = share.encode().unwrap();
    assert_eq!(bytes.len(), 424);
    assert_eq!(PaperShare::decode(&bytes), Ok(share.clone()));
    let mut codes = share.codes().unwrap();
    assert_eq!(codes.len(), 3);
    for code in &codes {
        assert!(code.len() <= MAX_CODE, "{}", code.len());
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '/';
        assert!(code.chars().all(fits), "{code}");
    }
    codes.reverse();
    codes.insert(1, "https://elsewhere.example".to_owned());
    codes.push(codes[0].clone());
    assert_eq!(PaperShare::from_codes(&codes), Ok(share.clone()));
    assert_eq!(share.expect(&set(), index(2)), Ok(()));
}

#[test]
fn one_flipped_bit_anywhere_is_seen() {
    let bytes = share().encode().unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(PaperShare::decode(&bad).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(PaperShare::decode(&bytes[..len]).is_err(), "length {len}");
    }
    assert!(PaperShare::decode(&[&bytes[..], b"x"].concat()).is_err());
}

#[test]
fn what_is_wrong_with_a_paper_is_said_in_words() {
    let words = |bytes: &[u8]| PaperShare::decode(bytes).unwrap_err().to_string();
    let damaged = "the share on paper is damaged: ";
    for (bytes, expected) in [
        (forged(|b| b[0] = b'X'), format!("{damaged}it does not begin as a share does")),
        (forged(|b| b[4] = 2), format!("{damaged}expected version 1, found 2")),
        (forged(|b| b[57] ^= 1), format!("{damaged}its 424 bytes are not as many as it says")),
        (forged(|b| b[21] = 0), "the share on paper is forged: it says that its index is 0".into()),
        (
            forged(|b| b[21] = 9),
            "the share on paper says that it is share 9 of 2 of 3, which cannot be".into(),
        ),
        (
            forged(|b| b[22] = 1),
            "the share on paper says that it is share 2 of 1 of 3, which cannot be".into(),
        ),
        (Vec::new(), format!("{damaged}its 0 bytes are not as many as it says")),
    ] {
        assert_eq!(words(&bytes), expected);
    }
    let mut flipped = share().encode().unwrap();
    flipped[100] ^= 1;
    assert_eq!(words(&flipped), format!("{damaged}its checksum is wrong"));
    let long = PaperShare { sealed: vec![0; MAX_SEALED + 1], ..share() };
    assert_eq!(long.encode().unwrap_err().to_string(), "the sealed share is too long for paper");
}

#[test]
fn a_share_of_another_set_place_or_key_is_named() {
    let refused = |share: &PaperShare, index: ShareIndex| {
        share.expect(&set(), index).unwrap_err().to_string()
    };
    let other = PaperShare { set: SetId::from_bytes([8; 16]), ..share() };
    assert!(refused(&other, index(2)).starts_with("share 2 belongs to set 0808"));
    assert_eq!(refused(&share(), index(3)), "share 3 is in truth share 2");
    let key = PublicKey::from_ed25519(&[8; 32]).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Ed25519);
    let of_other_key = PaperShare { key: key.id(), ..share() };
    let made_for_another = "share 2 was made for another key or threshold";
    assert_eq!(refused(&of_other_key, index(2)), made_for_another);
}

#[test]
fn each_code_that_is_missing_mixed_or_spoilt_is_named() {
    let codes = share().codes().unwrap();
    let refused = |codes: &[String]| PaperShare::from_codes(codes).unwrap_err().to_string();
    assert_eq!(refused(&[]), "there is no share on it");
    assert_eq!(refused(&["hello".to_owned()]), "there is no share on it");
    for missing in 0..3 {
        let mut left = codes.clone();
        left.remove(missing);
        assert_eq!(refused(&left), format!("code {} of 3 is missing", missing + 1));
    }
    let other = PaperShare { index: index(3), ..share() }.codes().unwrap();
    let mixed = refused(&[codes[0].clone(), other[1].clone(), codes[2].clone()]);
    assert!(mixed.starts_with("codes of two papers are mixed: `"), "{mixed}");
    let spoilt = |at: usize, letter: &str| {
        let mut code = codes[1].clone();
        code.replace_range(at..=at, letter);
        code
    };
    let rest = [codes[0].clone(), codes[2].clone()];
    let with = |code: String| refused(&[rest.as_slice(), &[code]].concat());
    assert_eq!(with(spoilt(4, "2")), "a code is of version 2, expected version 1");
    let form = "a code begins as one of a share does, and goes on otherwise";
    assert_eq!(with(spoilt(6, "0")), form);
    assert_eq!(with(spoilt(6, "4")), form);
    assert_eq!(with(spoilt(10, "/")), form);
    assert_eq!(with(spoilt(30, "1")), "letter 239 of the text cannot be");
    let letter = if codes[1].as_bytes()[40] == b'A' { "B" } else { "A" };
    let damaged = "the share on paper is damaged: its checksum is wrong";
    assert_eq!(with(spoilt(40, letter)), damaged);
    assert_eq!(
        refused(&[codes.as_slice(), &[spoilt(40, letter)]].concat()),
        "code 2 was read twice, and not the same"
    );
}

#[test]
fn lines_are_typed_back_by_people_and_each_slip_is_named() {
    let share = share();
    let lines = share.lines().unwrap();
    assert_eq!(lines.len(), 23);
    let typed: Vec<String> =
        lines.iter().map(|l| format!("{} {} {}", l.number, l.groups, l.word)).collect();
    let read = |lines: &[String]| PaperShare::from_typed(&lines.join("\n"));
    assert_eq!(read(&typed), Ok(share.clone()));
    // As a hurried person types: small letters, no groups, four letters of the word, O and I as digits.
    let hurried: Vec<String> = lines
        .iter()
        .map(|line| {
            let letters = line.groups.replace(' ', "").to_lowercase();
            let letters = letters.replace('o', "0").replace('i', "1").replace('b', "8");
            format!("{}. {letters} {}\n", line.number, &line.word[..line.word.len().min(4)])
        })
        .collect();
    assert_eq!(read(&hurried), Ok(share));
    let refused = |lines: &[String]| read(lines).unwrap_err().to_string();
    assert_eq!(refused(&[]), "there is no share on it");
    assert_eq!(refused(&typed[..22]), "line 23 is missing");
    assert_eq!(refused(&typed[1..]), "line 1 is missing");
    let mut slip = typed.clone();
    let letter = if slip[6].as_bytes()[5] == b'A' { "B" } else { "A" };
    slip[6].replace_range(5..6, letter);
    assert_eq!(refused(&slip), "line 7 does not agree with its check word");
    let form = "is not as it stands on paper: its number, its letters, its check word";
    assert_eq!(refused(&["7".to_owned()]), format!("line 7 {form}"));
    assert_eq!(refused(&["x ABCDE abandon".to_owned()]), format!("line 0 {form}"));
    assert_eq!(refused(&["3 AB9DE abandon".to_owned()]), format!("line 3 {form}"));
}

#[test]
fn any_text_is_refused_or_read_and_never_ends_the_program() {
    let share = share();
    let lines = share.lines().unwrap();
    let lines: String =
        lines.iter().map(|l| format!("{} {} {}\n", l.number, l.groups, l.word)).collect();
    let codes = share.codes().unwrap().join("\n");
    let mut seed = 7_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let letters: Vec<char> = "A7/0 \n-é\u{202e}9zZ".chars().collect();
    for text in [&lines, &codes] {
        for _ in 0..300 {
            let mut changed: Vec<char> = text.chars().collect();
            for _ in 0..=next(4) {
                let at = next(changed.len());
                match next(3) {
                    0 => changed[at] = letters[next(letters.len())],
                    1 => drop(changed.remove(at)),
                    _ => changed.truncate(at.max(1)),
                }
            }
            let changed: String = changed.into_iter().collect();
            let codes: Vec<&str> = changed.lines().collect();
            for read in [PaperShare::from_typed(&changed), PaperShare::from_codes(&codes)] {
                assert!(read.is_err() || read == Ok(share.clone()), "{changed}");
            }
        }
    }
}

#[test]
fn the_first_lines_say_how_many_there_are() {
    let lines = share().lines().unwrap();
    let typed = lines.iter().map(|l| format!("{} {} {}", l.number, l.groups, l.word));
    let typed: Vec<TypedLine> = typed.map(|line| TypedLine::read(&line).unwrap()).collect();
    assert_eq!(PaperShare::lines_of(&typed[..3]), None);
    assert_eq!(PaperShare::lines_of(&typed[..4]), Some(23));
}
