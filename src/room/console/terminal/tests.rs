use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::*;

/// A terminal, and the end at which a person would sit.
fn pair() -> (Terminal, Person) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(rustix::fs::OFlags::NOCTTY.bits().cast_signed());
    let tty = options.open(name).unwrap();
    (Terminal::on(tty), Person { end: File::from(person), seen: String::new() })
}

struct Person {
    end: File,
    seen: String,
}

impl Person {
    /// Reads the screen until it ends with `text`.
    fn sees(&mut self, text: &str) {
        let mut bytes = [0; 256];
        while !self.seen.ends_with(text) {
            let read = self.end.read(&mut bytes).unwrap();
            self.seen.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
    }

    fn types(&mut self, text: &str) {
        self.end.write_all(text.as_bytes()).unwrap();
    }
}

fn prompt() -> Prompt {
    Prompt {
        step: 12,
        id: "pin officer-a".to_owned(),
        who: "custodian seat A".to_owned(),
        text: "PIN for token officer-a".to_owned(),
        expected: None,
    }
}

const QUESTION: &str = "[12] custodian seat A — PIN for token officer-a: ";

/// Asks for a PIN while a person types `typed`; gives the answer and all that the person saw.
fn pin(typed: &'static str) -> (Result<Pin, Error>, String) {
    let (mut terminal, mut person) = pair();
    let before = local_modes(&terminal);
    let at_the_desk = thread::spawn(move || {
        person.sees(QUESTION);
        person.types(typed);
        person.sees("\r\n");
        person
    });
    let answer = terminal.ask_pin(&prompt());
    let person = at_the_desk.join().unwrap();
    // Nobody is asked now, and nothing is echoed; before the first question and at the end the modes are the old ones.
    assert!(!local_modes(&terminal).contains(LocalModes::ECHO));
    let tty = terminal.tty.try_clone().unwrap();
    drop(terminal);
    assert_eq!(rustix::termios::tcgetattr(&tty).unwrap().local_modes, before);
    (answer, person.seen)
}

fn local_modes(terminal: &Terminal) -> LocalModes {
    rustix::termios::tcgetattr(&terminal.tty).unwrap().local_modes
}

#[test]
fn a_pin_is_taken_unseen() {
    let (answer, seen) = pin("123456\r");
    assert_eq!(answer.unwrap().expose(), "123456");
    assert_eq!(seen, format!("{QUESTION}(taken)\r\n"));
}

#[test]
fn a_passphrase_stands_on_the_screen_until_enter_and_then_nowhere() {
    let (mut terminal, mut person) = pair();
    let drawn = Passphrase::draw(|bytes| {
        bytes.fill(1);
        Ok::<(), ()>(())
    });
    let passphrase = drawn.unwrap();
    let word = passphrase.expose().split('-').next().unwrap().to_owned();
    let at_the_desk = thread::spawn(move || {
        person.sees(QUESTION);
        let shown = person.seen.matches(&format!("  {word}\r\n")).count();
        person.types("letters that nobody sees\n");
        person.sees("\u{1b}[2J\u{1b}[3J\u{1b}[H        the words are gone from the screen\r\n");
        (shown, person)
    });
    terminal.show_passphrase(&prompt(), &passphrase).unwrap();
    let (shown, person) = at_the_desk.join().unwrap();
    assert_eq!(shown, Passphrase::WORDS, "each of the ten is the same word here");
    assert!(!person.seen.contains("nobody sees"), "{}", person.seen);
}

#[test]
fn a_mistyped_pin_can_be_mended() {
    assert_eq!(pin("12é\u{7f}34\r").0.unwrap().expose(), "1234");
    assert_eq!(pin("99\u{15}\u{7f}1234\r").0.unwrap().expose(), "1234");
}

#[test]
fn a_pin_that_never_comes_is_a_refusal() {
    let told = |typed| pin(typed).0.err().unwrap().to_string();
    assert_eq!(told("12\u{3}"), "stopped by Ctrl-C");
    assert_eq!(told("12\u{4}"), "step 12: the input ended before an answer");
    let expected = "step 12: the answer is no PIN: 1 to 255 letters are expected";
    assert_eq!(told("\r"), expected);
    assert_eq!(told("1\u{1a}\r"), expected);
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let (mut terminal, mut person) = pair();
    person.types("early\r");
    // The echo shows that the line has arrived.
    person.sees("early\r\n");
    let at_the_desk = thread::spawn(move || {
        person.sees(QUESTION);
        person.types(" late \r");
        person
    });
    assert_eq!(terminal.ask(&prompt()).unwrap(), "late");
    drop(at_the_desk.join().unwrap());
}

#[test]
fn the_end_of_input_is_a_refusal() {
    let (mut terminal, mut person) = pair();
    let at_the_desk = thread::spawn(move || {
        person.sees(QUESTION);
        person.types("\u{4}");
        person
    });
    assert!(matches!(terminal.ask(&prompt()), Err(Error::EndOfInput { step: 12, .. })));
    drop(at_the_desk.join().unwrap());
}

#[test]
fn a_terminal_that_hangs_up_is_gone() {
    let (mut terminal, mut person) = pair();
    let at_the_desk = thread::spawn(move || person.sees(QUESTION));
    let answer = terminal.ask_pin(&prompt());
    at_the_desk.join().unwrap();
    assert!(matches!(answer, Err(Error::EndOfInput { .. } | Error::Gone { .. })));
}

#[test]
fn progress_is_one_line_that_ends_before_the_next_words() {
    let (mut terminal, mut person) = pair();
    terminal.progress(1, 3, "signed").unwrap();
    terminal.progress(2, 3, "signed").unwrap();
    terminal.show("done\u{1b}[2J").unwrap();
    person.sees("2J\r\n");
    assert_eq!(person.seen, "\r\u{1b}[Ksigned: 1 of 3\r\ndone\\u{1b}[2J\r\n");
}

#[test]
fn control_c_at_a_question_is_told_in_words() {
    let (mut terminal, mut person) = pair();
    let at_the_desk = thread::spawn(move || {
        person.sees(QUESTION);
        person.types("half an ans\u{3}");
        person
    });
    assert!(matches!(terminal.ask(&prompt()), Err(Error::Interrupted)));
    drop(at_the_desk.join().unwrap());
}

#[test]
fn control_c_while_nobody_is_asked_stops_at_the_next_words_and_all_else_is_neither_seen_nor_heard()
{
    let (mut terminal, mut person) = pair();
    let at_the_desk = thread::spawn(move || {
        person.sees(QUESTION);
        person.types("yes\r");
        person.sees("yes\r\n");
        person
    });
    assert_eq!(terminal.ask(&prompt()).unwrap(), "yes");
    let mut person = at_the_desk.join().unwrap();
    person.types("1234\r");
    terminal.show("working").unwrap();
    person.sees("working\r\n");
    assert!(!person.seen.contains("1234"), "{}", person.seen);
    person.types("\u{3}");
    let stopped = std::iter::from_fn(|| Some(terminal.check_stopped())).find(Result::is_err);
    assert!(matches!(stopped, Some(Err(Error::Interrupted))));
}

#[test]
fn no_line_leaves_the_screen_before_somebody_pressed_enter() {
    let (mut terminal, mut person) = pair();
    let size = rustix::termios::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&terminal.tty, size).unwrap();
    let lines: Vec<String> = (1..=30).map(|line| format!("line {line}")).collect();
    let at_the_desk = thread::spawn(move || {
        person.sees(MORE);
        assert!(person.seen.contains("line 20\r\n") && !person.seen.contains("line 21"));
        person.types("\r");
        person.sees("line 30\r\n");
        person
    });
    terminal.show(&lines.join("\n")).unwrap();
    drop(at_the_desk.join().unwrap());
}
