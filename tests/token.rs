//! `officiant token`, with people at a terminal and soft tokens.

use std::{path::PathBuf, process::Command};

use crate::harness::{
    command::{command, run},
    pty::Pty,
    scratch::Scratch,
    softhsm::{MODULE, SoftHsm},
};

struct Room {
    scratch: Scratch,
    file: PathBuf,
}

impl Room {
    fn new() -> Self {
        let scratch = Scratch::new();
        let token = |name| {
            format!(
                "[[token]]\nname = \"{name}\"\nmodule = \"softhsm\"\nsofthsm = \"tokens/{name}\"\n"
            )
        };
        let text = format!(
            "work = \"work\"\n[media]\nin = [\"in\"]\nout = [\"o1\", \"o2\"]\nroom = [\"r1\", \"r2\"]\n\
             [[module]]\nname = \"softhsm\"\npath = \"{MODULE}\"\n{}{}",
            token("officer-a"),
            token("officer-b")
        );
        let file = scratch.file("room.toml", text);
        Self { scratch, file }
    }

    fn officiant(&self, arguments: &[&str]) -> Command {
        let mut officiant = command(env!("CARGO_BIN_EXE_officiant"), self.scratch.path());
        officiant.arg("token").args(arguments).arg("--room").arg(&self.file);
        officiant
    }

    /// Initialises a token as its custodian would; gives what stood on the screen.
    fn init(&self, name: &str, pin: &str) -> String {
        let mut pty = Pty::start(&self.officiant(&["init", name]));
        pty.expect(
            "[1] operator — the empty token has no serial yet; type the name that it gets: ",
        );
        pty.send_line("officer-z");
        pty.expect("that is not it");
        pty.expect("it gets: ");
        pty.send_line(name);
        pty.expect(&format!("[2] custodian — new PIN for token {name}, 6 characters or more: "));
        pty.send_line(pin);
        pty.expect("[3] custodian — the same PIN again: ");
        pty.send_line("no such PIN");
        pty.expect("the two PINs differ");
        for question in ["new PIN", "same PIN again: "] {
            pty.expect(question);
            pty.send_line(pin);
            pty.expect("(taken)");
        }
        let ended = pty.finish();
        assert!(ended.status.success(), "{}", ended.transcript);
        assert!(!ended.transcript.contains(pin), "{}", ended.transcript);
        ended.transcript
    }
}

#[test]
fn a_token_says_nothing_in_lines_of_its_own() {
    let room = Room::new();
    let softhsm = SoftHsm::empty(&room.scratch, "other");
    let mut init = command("softhsm2-util", room.scratch.path());
    init.env("SOFTHSM2_CONF", softhsm.configuration());
    init.args(["--init-token", "--free", "--so-pin", "12345678", "--pin", "246813"]);
    run(init.args(["--label", "a\n\u{1b}[2J\u{202e}forged"])).ok();
    let mut copy = command("cp", room.scratch.path());
    let folder = room.scratch.folder("tokens/officer-a");
    run(copy.arg("-r").arg(softhsm.tokens().join(".")).arg(folder)).ok();
    let listed = run(&mut room.officiant(&["list"])).ok().stdout;
    assert!(listed.contains("token `a\u{fffd}\u{fffd}[2J\u{fffd}forged` (serial "), "{listed}");
    assert!(listed.lines().all(|line| line.starts_with("softhsm  ")), "{listed}");
}

#[test]
fn a_token_is_initialised_once_and_then_shown() {
    let room = Room::new();
    let screen = room.init("officer-a", "246813");
    assert!(screen.contains("label     officer-a"), "{screen}");
    let shown = run(&mut room.officiant(&["show", "officer-a"])).ok().stdout;
    assert!(shown.starts_with("label     officer-a\nserial    "), "{shown}");
    assert!(shown.contains("initialised, PIN set"), "{shown}");
    let listed = run(&mut room.officiant(&["list"])).ok().stdout;
    assert!(listed.contains("softhsm  token `officer-a` (serial "), "{listed}");
    assert!(!listed.contains("officer-b"), "{listed}");

    let again = run(&mut room.officiant(&["init", "officer-a"]));
    assert_eq!(again.code(), 1);
    let lines: Vec<&str> = again.stderr.lines().collect();
    assert!(lines[0].starts_with("error: token `officer-a` (serial "), "{lines:?}");
    assert!(
        lines[0].ends_with(") is initialised already and may hold a key or a share [TOKEN-INIT]")
    );
    assert_eq!(
        lines[1],
        "hint: use a token that has never been initialised, or give it another name"
    );
    assert_eq!(lines[2], "nothing was signed and nothing was written");
}

#[test]
fn a_pin_never_typed_leaves_the_token_empty() {
    let room = Room::new();
    let mut pty = Pty::start(&room.officiant(&["init", "officer-a"]));
    pty.expect("it gets: ");
    pty.send_line("officer-a");
    pty.expect("new PIN for token officer-a, 6 characters or more: ");
    pty.send("12\u{3}");
    let ended = pty.finish();
    assert_eq!(ended.status.code(), Some(1));
    let expected = "error: stopped by Ctrl-C\nhint: run it again when the answer is at hand\n\
        nothing was signed and nothing was written\n";
    assert!(ended.transcript.ends_with(expected), "{}", ended.transcript);
    let listed = run(&mut room.officiant(&["list"])).ok().stdout;
    assert!(listed.starts_with("softhsm  empty token (serial none yet)"), "{listed}");
}

#[test]
fn tokens_that_are_not_there_are_told_in_three_lines() {
    let room = Room::new();
    let rows: [(&[&str], i32, &str); 4] = [
        (
            &["show", "officer-c"],
            2,
            "error: the room file binds no token `officer-c`\nhint: it binds `officer-a` and `officer-b`\n",
        ),
        (&["show", "officer-a"], 3, "tokens/officer-a` is missing\nhint: a ceremony makes it"),
        (&["init"], 2, "error: the following required arguments were not provided: <TOKEN>\n"),
        (&["list", "--slot", "0"], 2, "error: unexpected argument `--slot` found\n"),
    ];
    for (arguments, code, expected) in rows {
        let ran = run(&mut room.officiant(arguments));
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        assert_eq!((ran.code(), ran.stdout.as_str()), (code, ""));
        assert!(ran.stderr.ends_with("\nnothing was signed and nothing was written\n"));
    }
}

#[test]
fn a_trust_folder_that_is_not_whole_protects_every_token() {
    let room = Room::new();
    let text = std::fs::read_to_string(&room.file).unwrap();
    std::fs::write(&room.file, format!("trust = \"trust\"\n{text}")).unwrap();
    std::fs::write(room.scratch.folder("trust").join("custody.json"), "{}").unwrap();
    let ran = run(&mut room.officiant(&["init", "officer-a"]));
    assert_eq!(ran.code(), 1);
    assert_eq!(
        ran.stderr,
        "error: the trust folder has no `ceremonies` [TRUST-FOLDER]\n\
         hint: bring the trust folder as the last ceremony wrote it\n\
         nothing was signed and nothing was written\n"
    );
    assert!(!room.scratch.path().join("tokens").exists());
}

#[test]
fn nobody_at_a_terminal_is_a_refusal() {
    let room = Room::new();
    let mut command = Command::new("setsid");
    let officiant = room.officiant(&["init", "officer-a"]);
    command.arg("--wait").arg(officiant.get_program()).args(officiant.get_args());
    let ran = run(command.current_dir(room.scratch.path()));
    assert_eq!(ran.code(), 2);
    assert!(
        ran.stderr.starts_with("error: there is no terminal to ask people on\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_version_names_the_binary_by_its_digest() {
    let officiant = env!("CARGO_BIN_EXE_officiant");
    let scratch = Scratch::new();
    let version = run(command(officiant, scratch.path()).arg("--version")).ok().stdout;
    let digest = officiant::digest::Digest::of(&std::fs::read(officiant).unwrap());
    let words = digest.words();
    assert!(version.starts_with(concat!("officiant ", env!("CARGO_PKG_VERSION"), "\n")));
    assert!(version.contains(&digest.grouped()), "{version}");
    assert!(version.ends_with(&format!("23 {:<8} 24 {}\n", words[22], words[23])), "{version}");
}
