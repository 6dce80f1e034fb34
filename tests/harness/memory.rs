//! What stands in the memory of processes, kept by tests/killer and searched here for secrets in every form.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};

use super::{
    command::{command, run},
    peers::peer,
    scratch::Scratch,
};

/// Bytes that nobody may hold or write down, under a name.
#[derive(Clone)]
pub(crate) struct Searched {
    /// What a failing test says; no test says the bytes.
    pub(crate) name: String,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The memory of one process at one moment.
pub(crate) struct Memory {
    /// `end` or `now`, and the command line: `end officiant child vault`.
    pub(crate) of: String,
    bytes: Vec<u8>,
}

/// Keeps the memory of commands.
pub(crate) struct Keeper {
    scratch: Scratch,
}

impl Keeper {
    /// One that has kept nothing yet.
    pub(crate) fn new() -> Self {
        Self { scratch: Scratch::new() }
    }

    /// The same command line, environment and folder; each of its processes is looked into when it ends.
    pub(crate) fn wrap(&self, of: &Command) -> Command {
        let mut keeper = Command::new(peer("killer/keeper"));
        keeper.arg(self.scratch.path()).arg("run").arg(of.get_program()).args(of.get_args());
        keeper.env_clear();
        keeper.envs(of.get_envs().filter_map(|(name, value)| value.map(|v| (name, v))));
        if let Some(folder) = of.get_current_dir() {
            keeper.current_dir(folder);
        }
        keeper
    }

    /// Looks into everything that a process started, as it is now; the look before is forgotten.
    pub(crate) fn look(&self, process: u32) {
        for file in self.files() {
            if file.file_name().unwrap().to_str().unwrap().starts_with("now-") {
                fs::remove_file(file).unwrap();
            }
        }
        let mut keeper = command(peer("killer/keeper"), self.scratch.path());
        run(keeper.arg(self.scratch.path()).args(["look", &process.to_string()])).ok();
    }

    /// All that is kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Memory> {
        self.files().into_iter().map(|path| {
            let bytes = fs::read(&path).unwrap();
            let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
            let line = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let of = format!("{} {}", name.split('-').next().unwrap(), line.trim());
            Memory { of, bytes }
        })
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(self.scratch.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }
}

impl Memory {
    /// Which of these it holds, and in which form.
    pub(crate) fn holds(&self, search: &Search) -> Vec<String> {
        search.found(&self.bytes).into_iter().map(|what| format!("{}: {what}", self.of)).collect()
    }
}

/// Texts to find in large memories, by their first two bytes.
pub(crate) struct Search {
    needles: Vec<(String, Vec<u8>)>,
    by_start: Vec<Vec<usize>>,
}

impl Search {
    /// For these, raw, and as hex, base32 and base64 have them wherever they begin in what is encoded.
    pub(crate) fn of(secrets: &[Searched]) -> Self {
        let forms = |secret: &Searched| {
            assert!(
                secret.bytes.len() >= 8,
                "{}: too short to be found by nothing but itself",
                secret.name
            );
            forms(&secret.bytes)
                .into_iter()
                .map(|(form, bytes)| (format!("{} {form}", secret.name), bytes))
                .collect::<Vec<_>>()
        };
        let needles: Vec<_> = secrets.iter().flat_map(forms).collect();
        let mut by_start = vec![Vec::new(); 1 << 16];
        for (at, (_, needle)) in needles.iter().enumerate() {
            by_start[start(needle)].push(at);
        }
        Self { needles, by_start }
    }

    /// The names and forms of what stands in these bytes.
    pub(crate) fn found(&self, bytes: &[u8]) -> Vec<String> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(1) {
            for needle in &self.by_start[start(&bytes[at..])] {
                let (name, needle) = &self.needles[*needle];
                if bytes[at..].starts_with(needle) {
                    found.insert(name.clone());
                }
            }
        }
        found.into_iter().collect()
    }
}

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

fn forms(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![
        ("raw".to_owned(), bytes.to_vec()),
        ("in hex".to_owned(), HEXLOWER.encode(bytes).into_bytes()),
        ("in large hex".to_owned(), HEXUPPER.encode(bytes).into_bytes()),
    ];
    for (name, encoding, bits) in [
        ("base32", BASE32_NOPAD, 5),
        ("base64", BASE64_NOPAD, 6),
        ("base64url", BASE64URL_NOPAD, 6),
    ] {
        forms.extend((0..bits_to_repeat(bits)).map(|before| {
            (format!("in {name} after {before}"), inner(bytes, &encoding, (before, bits)))
        }));
    }
    forms
}

/// After how many bytes a letter of so many bits begins with a byte again.
const fn bits_to_repeat(bits: usize) -> usize {
    if bits == 5 { 5 } else { 3 }
}

/// The letters that depend on nothing but `bytes`, when some bytes stand before them and others after.
fn inner(bytes: &[u8], encoding: &Encoding, (before, bits): (usize, usize)) -> Vec<u8> {
    let text = encoding.encode(&[&vec![0; before], bytes].concat());
    let (from, to) = ((8 * before).div_ceil(bits), 8 * (before + bytes.len()) / bits);
    text.as_bytes()[from..to].to_vec()
}

#[test]
fn a_secret_is_found_in_every_form_and_its_neighbours_do_not_hide_it() {
    let secret = Searched { name: "it".into(), bytes: b"\xf0pen sesame\xff".to_vec() };
    let search = Search::of(std::slice::from_ref(&secret));
    for before in 0..15 {
        let plain = [&vec![0xa7; before], &secret.bytes[..], &[0x5b; 4]].concat();
        for (form, text) in [
            ("raw", plain.clone()),
            ("in hex", HEXLOWER.encode(&plain).into()),
            ("in large hex", HEXUPPER.encode(&plain).into()),
            ("in base32", BASE32_NOPAD.encode(&plain).into()),
            ("in base64", BASE64_NOPAD.encode(&plain).into()),
            ("in base64url", BASE64URL_NOPAD.encode(&plain).into()),
        ] {
            let found = search.found(&text);
            let is_it = |found: &String| found.starts_with(&format!("it {form}"));
            assert!(found.iter().any(is_it), "{before} {form}: {found:?}");
        }
    }
    assert_eq!(search.found(b"\xf0pen sesam \xff"), [""; 0]);
}

#[test]
fn what_a_process_holds_is_kept_at_its_end_and_while_it_waits() {
    let keeper = Keeper::new();
    let scratch = Scratch::new();
    let mut shell = command("sh", scratch.path());
    // Put together there: no command line shows it.
    let script = "a=open; b=sesame; c=$a-said-the-$b; (d=$c; :); printf 'well? '; read e; unset c";
    shell.args(["-c", script]);
    let secret = Searched { name: "it".into(), bytes: b"open-said-the-sesame".to_vec() };
    let search = Search::of(&[secret]);
    let mut pty = super::pty::Pty::start(&keeper.wrap(&shell));
    // The shell within has ended, and the one around it waits.
    pty.expect("well? ");
    keeper.look(pty.pid());
    pty.send_line("");
    assert!(pty.finish().status.success());
    let found = keeper.kept().filter(|memory| !memory.holds(&search).is_empty());
    let mut moments: Vec<String> = found.map(|memory| memory.of[..3].to_owned()).collect();
    moments.dedup();
    assert_eq!(moments, ["end", "now"]);
}
