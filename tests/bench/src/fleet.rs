//! A room for ceremonies over a fleet: media folders, a soft token for each key, requests and plans.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::request::proof::{Claim, Proof};
use officiant::request::{Repository, Request};
use officiant::root::{Dialect, Role, SignedRoot};
use officiant::sums;

use crate::keys::SoftKey;
use crate::process::{self, Spent};
use crate::soft::{MODULE, PIN};
use crate::suite::Suite;

/// A room, and how many repositories its plans name.
#[derive(Debug)]
pub(crate) struct Room {
    folder: PathBuf,
    names: Vec<Name>,
    /// What stands before SoftHSM, if something does.
    shim: Option<PathBuf>,
}

impl Room {
    /// A room in a folder.
    pub(crate) fn new(folder: &Path, count: usize) -> Self {
        // Far enough apart that no two look alike.
        let name = |n: usize| {
            let digest = Digest::of(&n.to_be_bytes()).to_string();
            format!("localhost:5000/team-{}/{}", &digest[..6], &digest[6..14])
        };
        let mut names: Vec<Name> = (0..count).map(|n| name(n).parse().expect("a name")).collect();
        names.sort();
        Self { folder: folder.to_owned(), names, shim: None }
    }

    /// The same room with a module that stands before SoftHSM.
    pub(crate) fn through(self, shim: &Path) -> Self {
        Self { shim: Some(shim.to_owned()), ..self }
    }

    /// Holds the first ceremony and lays out the second.
    pub(crate) fn prepare(&self, suite: &Suite) {
        self.genesis();
        self.conduct(suite, 1);
        self.rotate();
    }

    /// The same room elsewhere, for a ceremony that is to be held more than once.
    pub(crate) fn copy(&self, folder: &Path) -> Self {
        process::run(Command::new("cp").arg("-a").arg(&self.folder).arg(folder));
        // Nobody is to wait for what was written here when he syncs his own.
        process::run(&mut Command::new("sync"));
        Self { folder: folder.to_owned(), names: self.names.clone(), shim: self.shim.clone() }
    }

    /// Holds the ceremony of that number.
    pub(crate) fn conduct(&self, suite: &Suite, number: u32) -> Spent {
        process::run(&mut self.conducting(suite, number))
    }

    /// The same, and its memory is looked at.
    pub(crate) fn conduct_watched(&self, suite: &Suite, number: u32) -> Spent {
        process::watched(&mut self.conducting(suite, number))
    }

    fn conducting(&self, suite: &Suite, number: u32) -> Command {
        let mut conduct = Command::new(&suite.officiant);
        conduct.current_dir(&self.folder).arg("conduct").arg(format!("plan-{number}.toml"));
        conduct.arg("--room").arg(format!("room-{number}.toml"));
        conduct.arg("--answers").arg(format!("answers-{number}.toml"));
        conduct
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lays out a first ceremony, for repositories that nobody knows: one key on one token.
    pub(crate) fn genesis(&self) {
        let key = SoftKey::new();
        let public = key.public();
        let own = |_: &Name| {
            let made = |role| (role, vec![SoftKey::new().public()]);
            let mut keys: BTreeMap<_, _> = [Role::Snapshot, Role::Timestamp].map(made).into();
            keys.insert(Role::Targets, vec![public.clone()]);
            Repository { roots: Vec::new(), keys, served: None }
        };
        let request = self.request(own);
        let digest = self.lay_request(1, &request);
        self.plan_genesis((&request, digest), &key);
    }

    /// The same for what a courier fetched, with the targets key that it offered.
    pub(crate) fn genesis_at(&self, key: &Path) {
        let fetched = self.fetched(1);
        self.plan_genesis((&fetched.0, fetched.1), &SoftKey::read(key));
    }

    fn plan_genesis(&self, (request, digest): (&Request, Digest), key: &SoftKey) {
        for name in ["room-1", "room-2"] {
            self.file(&format!("media/{name}/officiant-media"), b"room\n");
        }
        let list = request.repositories.iter().map(|(name, asked)| {
            let pins = asked.keys.iter().map(|(role, keys)| format!("{role}={}", keys[0].id()));
            format!("{name} 0 - {}\n", pins.collect::<Vec<_>>().join(" "))
        });
        let list: String = list.collect();
        let roles = Role::ONLINE.map(|role| {
            format!("[[role]]\nname = \"{role}\"\nkeys = \"request\"\nthreshold = 1\n")
        });
        let text = self.plan("genesis", 1, (&list, digest), "") + &roles.concat();
        self.file("plan-1.toml", text.as_bytes());
        let mut proofs = String::new();
        for name in &self.names {
            let claim = Claim {
                plan: Digest::of(text.as_bytes()),
                repository: name.clone(),
                role: Role::Targets,
            };
            let signature = key.sign(claim.text().as_bytes());
            proofs += &Proof { claim, key: key.public().id(), signature }.to_line();
        }
        let path = Proof::list_path(Role::Targets, key.public().id());
        self.file(&format!("media/in-1/{path}"), proofs.as_bytes());
        self.lay_room(1);
    }

    /// Lays out the second one, which replaces that key by another on another token.
    pub(crate) fn rotate(&self) {
        let own = |name: &Name| {
            let root = fs::read(self.root(1, name)).expect("a root");
            let signed = SignedRoot::parse(Dialect::Notary, &root).expect("a root");
            let keys = Role::ONLINE.map(|role| {
                let keys = signed.root().role_keys(role);
                (role, keys.filter_map(|(_, key)| key.public().cloned()).collect())
            });
            Repository { roots: vec![root], keys: keys.into(), served: None }
        };
        let digest = self.lay_request(2, &self.request(own));
        self.plan_rotation(2, digest);
    }

    /// Lays out a later one of that kind, for what a courier fetched.
    pub(crate) fn rotate_at(&self, number: u32) {
        self.plan_rotation(number, self.fetched(number).1);
    }

    fn plan_rotation(&self, number: u32, request: Digest) {
        let trust = self.folder.join(format!("media/out-{}a/trust", number - 1));
        let folders = fs::read_dir(trust.join("ceremonies")).expect("a trust folder");
        let mut folders: Vec<PathBuf> = folders.map(|entry| entry.expect("one").path()).collect();
        folders.sort();
        let last = folders.last().expect("a ceremony").join(sums::FILE);
        let closing = Digest::of(&fs::read(last).expect("its sums"));
        let list: String = self.names.iter().map(|name| format!("{name} - -\n")).collect();
        let after = format!("after = \"{closing}\"\n");
        let text = self.plan("rotate", number, (&list, request), &after);
        self.file(&format!("plan-{number}.toml"), text.as_bytes());
        self.lay_room(number);
    }

    /// The root of a repository that the ceremony of that number made.
    pub(crate) fn root(&self, number: u32, name: &Name) -> PathBuf {
        let folder = name.folder();
        self.folder.join(format!("media/out-{number}a/trust/metadata/{folder}/{number}.root.json"))
    }

    /// The names of the repositories.
    pub(crate) fn names(&self) -> &[Name] {
        &self.names
    }

    /// What a courier put on the `in` media of a ceremony.
    fn fetched(&self, number: u32) -> (Request, Digest) {
        let folder = self.folder.join(format!("media/in-{number}/request"));
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.clone()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(&folder).expect("below it").to_str().expect("a name");
                files.insert(name.to_owned(), fs::read(&path).expect("a file"));
            }
        }
        let digest = Digest::of(&files[sums::FILE]);
        (Request::parse(&files).expect("a request"), digest)
    }

    fn request(&self, own: impl Fn(&Name) -> Repository) -> Request {
        let fetched = Timestamp::from_second(Timestamp::now().as_second()).expect("now");
        let repositories = self.names.iter().map(|name| (name.clone(), own(name))).collect();
        let server = "https://localhost:4443".to_owned();
        Request { dialect: Dialect::Notary, fetched, server, repositories }
    }

    fn lay_request(&self, number: u32, request: &Request) -> Digest {
        let files = request.files().expect("a request");
        for (path, bytes) in &files {
            self.file(&format!("media/in-{number}/request/{path}"), bytes);
        }
        self.file(&format!("media/in-{number}/officiant-media"), b"in\n");
        Digest::of(&files[sums::FILE])
    }

    fn plan(
        &self,
        kind: &str,
        number: u32,
        (list, request): (&str, Digest),
        extra: &str,
    ) -> String {
        let name = format!("repositories-{number}.txt");
        self.file(&name, list.as_bytes());
        let (token, key) = (token(number), format!("root-{number}"));
        let today = today();
        let day = |days: i64| today.checked_add(days.days()).expect("a day");
        format!(
            "ceremony = \"{kind}\"\ntitle = \"Fleet {number}\"\ndialect = \"notary\"\n\
             quorum_people = 1\npractice = true\n{extra}[when]\nfrom = {}\nuntil = {}\n\
             [request]\nsha256 = \"{request}\"\n[repositories]\nlist = \"{name}\"\n\
             sha256 = \"{}\"\n[[token]]\nname = \"{token}\"\ncustodian = \"seat of {token}\"\n\
             [[key]]\nname = \"{key}\"\nalgorithm = \"ecdsa-p256\"\ntoken = \"{token}\"\n\
             [root]\nkeys = [\"{key}\"]\nthreshold = 1\nexpires = {}\n\
             certificates_until = {}\ncertificate_name = \"gun\"\n",
            day(-1),
            day(3),
            Digest::of(list.as_bytes()),
            day(2000),
            day(3000)
        )
    }

    fn lay_room(&self, number: u32) {
        for copy in ["a", "b"] {
            self.file(&format!("media/out-{number}{copy}/officiant-media"), b"out\n");
        }
        let before = number - 1;
        let trust = match before {
            0 => String::new(),
            _ => format!("trust = \"media/out-{before}a/trust\"\n"),
        };
        let mut room = format!(
            "work = \"work-{number}\"\n{trust}[media]\nin = [\"media/in-{number}\"]\n\
             out = [\"media/out-{number}a\", \"media/out-{number}b\"]\n\
             room = [\"media/room-1\", \"media/room-2\"]\n\
             [[module]]\nname = \"soft\"\n"
        );
        room.push_str(&match &self.shim {
            None => format!("path = \"{MODULE}\"\n"),
            Some(shim) => {
                let folder = shim.parent().expect("a folder");
                format!("path = \"{}\"\nwrites = [\"{}\"]\n", shim.display(), folder.display())
            }
        });
        let mut pins = "[pin]\n".to_owned();
        // The last key, which signs once more, and the next one.
        for token in (before.max(1)..=number).map(token) {
            let _ = write!(
                room,
                "[[token]]\nname = \"{token}\"\nmodule = \"soft\"\nsofthsm = \"tokens/{token}\"\n"
            );
            let _ = writeln!(pins, "{token} = \"{PIN}\"");
        }
        fs::create_dir_all(self.folder.join("tokens")).expect("a folder");
        self.file(&format!("room-{number}.toml"), room.as_bytes());
        self.file(&format!("answers-{number}.toml"), (pins + "[answer]\n").as_bytes());
    }

    fn file(&self, path: &str, bytes: &[u8]) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}

/// The token of the ceremony of that number.
fn token(number: u32) -> String {
    format!("officer-{number}")
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
