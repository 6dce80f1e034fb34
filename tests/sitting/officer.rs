//! A scripted officer at a terminal: reads each question off the screen, and answers it as a person would.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use data_encoding::BASE64;
use jiff::Timestamp;
use officiant::{
    digest::Digest,
    root::{Dialect, SignedRoot},
};

use super::{Bench, bench::PIN};
use crate::harness::{
    command::{command, flat, run},
    pty::{Ended, Pty},
};

/// What the people in the room know without the machine that they sit at.
pub(crate) struct Officer {
    pub(crate) dialect: Dialect,
    /// The digest of the reviewed plan, from paper.
    pub(crate) plan: Digest,
    /// The last closing digest, from its signed page.
    pub(crate) last: Option<Digest>,
    /// The room file.
    pub(crate) room: PathBuf,
    /// The candidates, on room media.
    pub(crate) candidate: PathBuf,
    /// The last trust folder, a copy of their own.
    pub(crate) trust: Option<PathBuf>,
    /// The repositories, in the plan's order.
    pub(crate) repositories: Vec<String>,
    /// The serials that stand on the bodies of tokens met before.
    pub(crate) serials: BTreeMap<String, String>,
    /// The passphrases on the custodians' cards, by paper.
    pub(crate) cards: BTreeMap<String, Vec<String>>,
    /// What everybody types as PIN.
    pub(crate) pin: String,
    /// What is typed instead where a question has these words.
    pub(crate) instead: Vec<(&'static str, String)>,
    /// What was typed last.
    pub(crate) typed: String,
}

/// A question as it stands on the screen.
#[derive(Debug)]
struct Question {
    /// What stood above it since the last one.
    above: String,
    /// All of it on one line, `[12] seat A — PIN for token officer-a:`.
    text: String,
}

impl Officer {
    /// Who comes to the next ceremony of a bench, with the plan as it was reviewed.
    pub(crate) fn before(bench: &Bench) -> Self {
        let number = bench.number;
        let plan = Digest::of(&fs::read(bench.path(&format!("plan-{number}.toml"))).unwrap());
        let folder = format!("media/room-1/candidate-{}", &plan.to_string()[..8]);
        Self {
            dialect: bench.dialect,
            plan,
            last: (number > 1).then(|| bench.closing(number - 1).parse().unwrap()),
            room: bench.path(&format!("room-{number}.toml")),
            candidate: bench.path(&folder),
            trust: (number > 1).then(|| bench.trust(number - 1)),
            repositories: bench.repositories.clone(),
            serials: BTreeMap::new(),
            cards: BTreeMap::new(),
            pin: PIN.to_owned(),
            instead: Vec::new(),
            typed: String::new(),
        }
    }

    /// Sits down before a command, and answers until it ends.
    #[track_caller]
    pub(crate) fn sit(&mut self, command: &Command) -> Ended {
        self.sit_beside(command, |_| {})
    }

    /// The same, while somebody else does something at some of the questions, before they are answered.
    #[track_caller]
    pub(crate) fn sit_beside(&mut self, command: &Command, mut other: impl FnMut(&str)) -> Ended {
        self.sit_watched(command, |_, text| other(text))
    }

    /// The same, for somebody who must know the process that sits before the terminal.
    #[track_caller]
    pub(super) fn sit_watched(
        &mut self,
        command: &Command,
        mut other: impl FnMut(u32, &str),
    ) -> Ended {
        let mut pty = Pty::start(command);
        while let Some(question) = pty.until(question) {
            other(pty.pid(), &question.text);
            self.typed = self.answer(&question);
            pty.send_line(&self.typed);
        }
        pty.finish()
    }

    fn answer(&mut self, question: &Question) -> String {
        let text = &question.text;
        let asks = |words: &str| text.contains(words);
        if let Some((_, instead)) = self.instead.iter().find(|(words, _)| asks(words)) {
            instead.clone()
        } else if asks("the same PIN once more") {
            self.typed.clone()
        } else if asks("then press Enter") {
            String::new()
        } else if asks("type `destroyed`") {
            "destroyed".to_owned()
        } else if asks(" of paper ") || asks("as paper ") {
            self.paper(question)
        } else if asks("PIN") {
            self.pin.clone()
        } else if asks("words ") {
            self.words(text)
        } else if asks("your watch") {
            Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string()
        } else if asks("serial of token ") {
            self.serial(question)
        } else if asks("put in token ") {
            self.check_serial(text);
            String::new()
        } else if asks("press Enter") {
            String::new()
        } else if asks("second reader") {
            "yes".to_owned()
        } else if asks("what is decided") {
            "go on: this repository is new, and its server gives each machine other keys".to_owned()
        } else if asks("decided by which seats") {
            "all seats".to_owned()
        } else {
            panic!("nobody told the officer how to answer: {question:?}")
        }
    }

    /// What a custodian does with a paper: prints it, writes its words on a card, types them and the lines of the page.
    fn paper(&mut self, question: &Question) -> String {
        let text = &question.text;
        let (_, name) = text.split_once("paper ").unwrap();
        let name = name.split([' ', ',', ':']).next().unwrap().to_owned();
        if text.contains("write down these ten words") {
            let lines = question.above.lines().rev().take(10).collect::<Vec<_>>().into_iter().rev();
            let card = lines.map(|line| line.split_whitespace().last().unwrap().to_owned());
            self.cards.insert(name, card.collect());
            String::new()
        } else if text.contains("the ten words of paper") {
            // The first four letters are enough.
            let card =
                self.cards[&name].iter().map(|word| word.chars().take(4).collect::<String>());
            card.collect::<Vec<_>>().join(" ")
        } else if text.contains("path of a scan") {
            "type".to_owned()
        } else if let Some((_, line)) = text.split_once("line ") {
            self.line(&name, line.split(' ').next().unwrap())
        } else {
            String::new()
        }
    }

    /// A line of the page as it was printed last.
    fn line(&self, paper: &str, number: &str) -> String {
        let room = self.room.parent().unwrap();
        let folders = fs::read_dir(room).unwrap().map(|entry| entry.unwrap().path().join("papers"));
        let pages = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten();
        let pages = pages.map(|entry| entry.unwrap().path()).filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(paper) && name.ends_with(".html")
        });
        let newest = pages.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        let page = fs::read_to_string(newest.unwrap()).unwrap();
        let lead = format!("<code><i>{number}</i> ");
        let line = page.lines().find_map(|line| line.strip_prefix(lead.as_str())).unwrap();
        line.replace("<b>", "").replace("</b></code>", "").to_lowercase()
    }

    /// The words at the positions that are asked for, of the digest that they are asked of.
    fn words(&self, text: &str) -> String {
        let digest = if text.contains("second reader") {
            self.second_reader()
        } else if text.contains("plan") {
            self.plan
        } else if text.contains("last closing digest") {
            self.last.expect("a ceremony before this one")
        } else {
            self.consent()
        };
        let words = digest.words();
        let (_, asked) = text.split_once("words ").expect("positions");
        let asked = asked.split_whitespace().map_while(|word| word.trim_matches(',').parse().ok());
        // The first four letters are enough.
        let typed = asked.map(|at: usize| words[at - 1].chars().take(4).collect::<String>());
        typed.collect::<Vec<_>>().join(" ")
    }

    /// What `officiant show` says of a copy of the candidates, beside the reader's own trust folder.
    fn second_reader(&self) -> Digest {
        let mut show = command(env!("CARGO_BIN_EXE_officiant"), self.candidate.parent().unwrap());
        show.arg("show").arg(&self.candidate).arg("--json");
        if let Some(trust) = &self.trust {
            show.arg("--previous").arg(trust);
        }
        let shown: serde_json::Value = serde_json::from_str(&run(&mut show).ok().stdout).unwrap();
        let consent: Digest = shown["consent"].as_str().unwrap().parse().unwrap();
        assert_eq!(consent, self.consent(), "two ways to the same words");
        consent
    }

    /// What a reader makes of the exported candidates without our program.
    fn consent(&self) -> Digest {
        let read = |path: &Path| fs::read(self.candidate.join(path)).ok();
        let room = Digest::of(&fs::read(&self.room).unwrap());
        assert_eq!(Digest::of(&read(Path::new("plan.toml")).unwrap()), self.plan);
        assert_eq!(Digest::of(&read(Path::new("room.toml")).unwrap()), room);
        let mut parts = vec![self.plan.as_bytes().to_vec(), room.as_bytes().to_vec()];
        let lines = String::from_utf8(read(Path::new("candidates.jsonl")).unwrap()).unwrap();
        assert_eq!(lines.lines().count(), self.repositories.len());
        for (name, line) in self.repositories.iter().zip(lines.lines()) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let file = |field: &str| BASE64.decode(line[field].as_str()?.as_bytes()).ok();
            assert_eq!(line["name"].as_str(), Some(name.as_str()));
            let root = SignedRoot::parse(self.dialect, &file("root").unwrap()).unwrap();
            assert!(root.signatures().is_empty(), "a candidate is not signed");
            parts.push(name.as_bytes().to_vec());
            parts.push(root.version().get().to_be_bytes().to_vec());
            parts.push(root.root().signed_digest().as_bytes().to_vec());
            let last = file("previous").map(|bytes| Digest::of(&bytes));
            parts.push(last.map_or(Vec::new(), |last| last.as_bytes().to_vec()));
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Digest::of_parts("officiant consent v1", &parts)
    }

    /// The serial as the screen shows it for a token that is enrolled: here nothing stands on its body. Of one that was met
    /// before it is known.
    fn serial(&mut self, question: &Question) -> String {
        let (_, name) = question.text.rsplit_once("token ").unwrap();
        let name = name.split([' ', ':', ',']).next().unwrap().to_owned();
        if let Some(known) = self.serials.get(&name) {
            return known.clone();
        }
        let (_, after) = question.above.rsplit_once("serial ").expect("a serial on the screen");
        let serial = after.split_whitespace().next().unwrap().to_owned();
        self.serials.insert(name, serial.clone());
        serial
    }

    /// A token that was met before is asked for by the serial that it had then.
    fn check_serial(&self, text: &str) {
        let (_, rest) = text.split_once("put in token ").unwrap();
        let name = rest.split([' ', ':', ',']).next().unwrap();
        if let Some(serial) = self.serials.get(name) {
            assert!(rest.contains(serial.as_str()), "token {name} is {serial}: {text}");
        }
    }
}

/// The question that the screen ends with, if it does.
fn question(unread: &str) -> Option<Question> {
    if !unread.ends_with(": ") {
        return None;
    }
    if unread.ends_with("press Enter for more: ") {
        // The screen is full.
        let text = "then press Enter for more".to_owned();
        return Some(Question { above: unread.to_owned(), text });
    }
    let begins = |at: &usize| {
        let number = unread[*at..].strip_prefix("\n[").and_then(|rest| rest.split_once("] "));
        number.is_some_and(|(number, _)| number.parse::<u32>().is_ok())
    };
    let at = unread.rmatch_indices("\n[").map(|(at, _)| at).find(begins)?;
    let text = flat(&unread[at..]);
    Some(Question { above: unread[..at].to_owned(), text })
}

#[test]
fn a_question_is_read_over_its_line_breaks() {
    let read = question("one\n[3/9] heading: x\n\n[3] seat A — PIN for\ntoken a: ").unwrap();
    assert_eq!(read.text, "[3] seat A — PIN for token a:");
    assert!(question("x\n[3/9] heading: ").is_none());
    assert!(question("x\n[3] who — what: \n").is_none());
}
