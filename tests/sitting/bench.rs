//! A room for ceremonies: media folders, soft tokens, a publisher's and a server's keys, and plans for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use officiant::{
    digest::Digest,
    key::{Algorithm, PublicKey},
    name::Name,
    request::{
        Repository, Request,
        proof::{Claim, Proof},
    },
    root::{Dialect, Role},
    sums::{self, Sums},
};

use crate::harness::{
    command::{Ran, command, run},
    scratch::Scratch,
    softhsm::MODULE,
};

/// The PIN of every soft token of these tests.
pub(crate) const PIN: &str = "135792";

/// The roots of each repository, version 1 first, as a server has them.
pub(crate) type Chains = BTreeMap<String, Vec<Vec<u8>>>;

/// A software key of somebody online.
pub(crate) struct Publisher(EcdsaKeyPair);

impl Publisher {
    /// Makes one.
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// Its public half.
    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::from_ec_point(Algorithm::EcdsaP256, self.0.public_key().as_ref()).unwrap()
    }

    /// Both halves, as PKCS#8 in DER.
    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        self.0.to_pkcs8v1().unwrap().as_ref().to_vec()
    }

    /// Signs as a token does: r and s.
    pub(crate) fn raw(&self, text: &[u8]) -> Vec<u8> {
        // DER: a sequence of two integers of at most 33 bytes.
        let der = self.sign(text);
        let (length, rest) = (usize::from(der[3]), &der[4..]);
        let padded = |integer: &[u8]| {
            let digits = &integer[integer.len().saturating_sub(32)..];
            [vec![0; 32 - digits.len()], digits.to_vec()].concat()
        };
        [padded(&rest[..length]), padded(&rest[length + 2..])].concat()
    }

    /// Signs as a proof of possession does.
    pub(crate) fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec()
    }
}

/// How a plan holds a key.
pub(crate) enum Holding {
    /// On a token.
    Token(&'static str),
    /// In shares: threshold and tokens.
    Shares(u8, &'static [&'static str]),
    /// In shares: threshold, tokens and papers.
    Papers(u8, &'static [&'static str], &'static [&'static str]),
    /// In shares: threshold, tokens and recipients, the key of each in a file of its name.
    Recipients(u8, &'static [&'static str], &'static [&'static str]),
}

impl Holding {
    /// Tokens, papers and recipients.
    fn holders(&self) -> [&[&'static str]; 3] {
        match self {
            Self::Token(token) => [std::slice::from_ref(token), &[], &[]],
            Self::Shares(_, tokens) => [tokens, &[], &[]],
            Self::Papers(_, tokens, papers) => [tokens, papers, &[]],
            Self::Recipients(_, tokens, recipients) => [tokens, &[], recipients],
        }
    }
}

/// What a plan says, before it is written.
pub(crate) struct PlanText {
    pub(crate) ceremony: &'static str,
    pub(crate) after: Option<String>,
    pub(crate) keys: Vec<(&'static str, &'static str, Holding)>,
    pub(crate) root: Vec<&'static str>,
    pub(crate) threshold: u32,
    /// The online roles that change.
    pub(crate) roles: Vec<Role>,
    /// Lines that go to the top of the plan as they are.
    pub(crate) extra: String,
}

/// A room, with everything that lies in it.
pub(crate) struct Bench {
    pub(crate) scratch: Scratch,
    pub(crate) dialect: Dialect,
    pub(crate) repositories: Vec<String>,
    /// The online keys by role, the same for every repository.
    pub(crate) online: BTreeMap<Role, Publisher>,
    /// Counts the ceremonies: each has its own work folder and `out` media.
    pub(crate) number: u32,
}

impl Bench {
    /// Makes a room for repositories of one dialect.
    pub(crate) fn new(dialect: Dialect, repositories: &[&str]) -> Self {
        let scratch = Scratch::new();
        for name in ["room-1", "room-2"] {
            scratch.file(&format!("media/{name}/officiant-media"), "room\n");
        }
        let online = Role::ONLINE.into_iter().map(|role| (role, Publisher::new())).collect();
        let repositories = repositories.iter().map(|&name| name.to_owned()).collect();
        let mut bench = Self { scratch, dialect, repositories, online, number: 0 };
        bench.next_room();
        bench
    }

    /// The path of a file or folder in the room.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Lays out empty `in` and `out` media and a new work folder for the next ceremony.
    pub(crate) fn next_room(&mut self) {
        self.number += 1;
        let number = self.number;
        self.scratch.file(&format!("media/in-{number}/officiant-media"), "in\n");
        for copy in ["a", "b"] {
            self.scratch.file(&format!("media/out-{number}{copy}/officiant-media"), "out\n");
        }
    }

    /// The trust folder that the ceremony of that number left.
    pub(crate) fn trust(&self, number: u32) -> PathBuf {
        self.path(&format!("media/out-{number}a/trust"))
    }

    /// The closing digest that the ceremony of that number printed.
    pub(crate) fn closing(&self, number: u32) -> String {
        let ceremonies = self.trust(number).join("ceremonies");
        let mut folders: Vec<_> =
            fs::read_dir(ceremonies).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        Digest::of(&fs::read(folders.last().unwrap().join("SHA256SUMS")).unwrap()).to_string()
    }

    /// Writes room.toml with these tokens, each a soft token in a folder of its own.
    pub(crate) fn write_room(&self, tokens: &[&str]) -> PathBuf {
        self.write_room_with(tokens, MODULE)
    }

    /// The same, driven by another module.
    pub(crate) fn write_room_with(&self, tokens: &[&str], module: &str) -> PathBuf {
        let n = self.number;
        let mut text = format!("work = \"work-{n}\"\n");
        if n > 1 {
            let _ = writeln!(text, "trust = \"media/out-{}a/trust\"", n - 1);
        }
        let _ = write!(
            text,
            "[media]\nin = [\"media/in-{n}\"]\nout = [\"media/out-{n}a\", \"media/out-{n}b\"]\n\
             room = [\"media/room-1\", \"media/room-2\"]\n[[module]]\nname = \"soft\"\n\
             path = \"{module}\"\n"
        );
        if module != MODULE {
            // A shim writes its counts beside it.
            let folder = Path::new(module).parent().unwrap().display();
            let _ = writeln!(text, "writes = [\"{folder}\"]");
        }
        for token in tokens {
            let _ = write!(
                text,
                "[[token]]\nname = \"{token}\"\nmodule = \"soft\"\nsofthsm = \"tokens/{token}\"\n"
            );
        }
        text += "[rehearsal]\nmodule = \"soft\"\n";
        self.scratch.folder("tokens");
        self.scratch.file(&format!("room-{n}.toml"), text)
    }

    /// Writes answers: one PIN for every token.
    pub(crate) fn write_answers(&self, tokens: &[&str], more: &str) -> PathBuf {
        let pins: String = tokens.iter().map(|token| format!("{token} = \"{PIN}\"\n")).collect();
        let n = self.number;
        self.scratch.file(&format!("answers-{n}.toml"), format!("[pin]\n{pins}[answer]\n{more}"))
    }

    /// Writes the request of `courier` with these chains (none: unknown to the server) and returns its digest.
    pub(crate) fn write_request(&self, chains: &Chains) -> Digest {
        self.lay_request(&self.request(chains))
    }

    /// What `courier` would bring of these chains today.
    pub(crate) fn request(&self, chains: &Chains) -> Request {
        let fetched = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let mut repositories = BTreeMap::new();
        for name in &self.repositories {
            let keys = self.online.iter().map(|(role, key)| (*role, vec![key.public()])).collect();
            let roots = chains.get(name).cloned().unwrap_or_default();
            repositories
                .insert(name.parse::<Name>().unwrap(), Repository { roots, keys, served: None });
        }
        let server = "https://localhost:4443".to_owned();
        Request { dialect: self.dialect, fetched, server, repositories }
    }

    /// Puts a request on the `in` media, in place of the one that is there, and returns its digest.
    pub(crate) fn lay_request(&self, request: &Request) -> Digest {
        let mut files = request.files().unwrap();
        files.remove(sums::FILE);
        self.lay_files(files)
    }

    /// The same of files that need not be a request; their sums are made here.
    pub(crate) fn lay_files(&self, mut files: BTreeMap<String, Vec<u8>>) -> Digest {
        let folder = format!("media/in-{}/request", self.number);
        let _ = fs::remove_dir_all(self.path(&folder));
        let sums = Sums::of(&files).unwrap();
        files.insert(sums::FILE.to_owned(), sums.to_text().into_bytes());
        for (path, bytes) in files {
            self.scratch.file(&format!("{folder}/{path}"), bytes);
        }
        sums.digest()
    }

    /// The chains as the last trust folder has them: what a server holds after everything was published.
    pub(crate) fn published(&self) -> Chains {
        let metadata = self.trust(self.number - 1).join("metadata");
        let mut chains = BTreeMap::new();
        for name in &self.repositories {
            let folder = metadata.join(name.parse::<Name>().unwrap().folder());
            let roots = (1..)
                .map_while(|version| fs::read(folder.join(format!("{version}.root.json"))).ok());
            chains.insert(name.clone(), roots.collect());
        }
        chains
    }

    /// Writes the plan, its request, and the proofs that it asks for; returns the plan's path.
    pub(crate) fn write_plan(&self, text: &PlanText) -> PathBuf {
        let chains = if self.number > 1 { self.published() } else { BTreeMap::new() };
        let request = self.write_request(&chains);
        self.lay_plan(&self.plan_toml(text, request), &text.roles)
    }

    /// Writes a plan as it stands, and the proofs for the keys of these roles.
    pub(crate) fn lay_plan(&self, plan: &str, roles: &[Role]) -> PathBuf {
        let path = self.scratch.file(&format!("plan-{}.toml", self.number), plan);
        self.write_proofs(plan.as_bytes(), roles);
        path
    }

    /// The plan as TOML.
    pub(crate) fn plan_toml(&self, text: &PlanText, request: Digest) -> String {
        let today = today();
        let (from, until) = (today.yesterday().unwrap(), today.checked_add(3.days()).unwrap());
        let mut plan = format!(
            "ceremony = \"{}\"\ntitle = \"Practice {}\"\ndialect = \"{}\"\nquorum_people = 1\n\
             practice = true\n{}",
            text.ceremony, self.number, self.dialect, text.extra
        );
        if let Some(after) = &text.after {
            let _ = writeln!(plan, "after = \"{after}\"");
        }
        let _ = write!(
            plan,
            "[when]\nfrom = {from}\nuntil = {until}\n[request]\nsha256 = \"{request}\"\n"
        );
        for name in &self.repositories {
            let _ = write!(plan, "[[repository]]\nname = \"{name}\"\n[repository.pins]\n");
            for role in &text.roles {
                let _ = writeln!(plan, "{role} = [\"{}\"]", self.online[role].public().id());
            }
        }
        self.plan_keys(text, &mut plan);
        self.plan_root(text, today, &mut plan);
        for role in &text.roles {
            let _ =
                write!(plan, "[[role]]\nname = \"{role}\"\nkeys = \"request\"\nthreshold = 1\n");
        }
        plan
    }

    pub(crate) fn plan_keys(&self, text: &PlanText, plan: &mut String) {
        let held = || text.keys.iter().map(|(.., holding)| holding.holders());
        let tokens: BTreeSet<&str> = held().flat_map(|[tokens, ..]| tokens).copied().collect();
        let papers = held().flat_map(|[_, papers, _]| papers).map(|name| ("paper", *name));
        for (what, name) in tokens.into_iter().map(|name| ("token", name)).chain(papers) {
            *plan += &format!("[[{what}]]\nname = \"{name}\"\ncustodian = \"seat of {name}\"\n");
        }
        for recipient in held().flat_map(|[.., recipients]| recipients) {
            *plan += &super::identity::planned(self, recipient);
        }
        for (name, algorithm, holding) in &text.keys {
            let _ = write!(plan, "[[key]]\nname = \"{name}\"\nalgorithm = \"{algorithm}\"\n");
            let lists = ["tokens", "papers", "recipients"].into_iter().zip(holding.holders());
            let lists = lists.filter(|(_, list)| !list.is_empty());
            let lists: String = lists.map(|(what, list)| format!(", {what} = {list:?}")).collect();
            let _ = match holding {
                Holding::Token(token) => writeln!(plan, "token = \"{token}\""),
                Holding::Shares(k, ..) | Holding::Papers(k, ..) | Holding::Recipients(k, ..) => {
                    writeln!(plan, "shares = {{ threshold = {k}{lists} }}")
                }
            };
        }
    }

    pub(crate) fn plan_root(&self, text: &PlanText, today: Date, plan: &mut String) {
        let days = if self.dialect == Dialect::Tuf { 25 } else { 2000 };
        let expires = today.checked_add(days.days()).unwrap();
        let _ = write!(
            plan,
            "[root]\nkeys = {:?}\nthreshold = {}\nexpires = {expires}\n",
            text.root, text.threshold
        );
        if self.dialect == Dialect::Notary {
            let until = today.checked_add(3000.days()).unwrap();
            let _ = writeln!(plan, "certificates_until = {until}\ncertificate_name = \"gun\"");
        }
    }

    /// Writes the proof of one key for a plan.
    pub(crate) fn lay_proof(&self, name: &str, role: Role, owner: &Publisher, plan: &[u8]) {
        let claim = Claim { plan: Digest::of(plan), repository: name.parse().unwrap(), role };
        let signature = owner.sign(claim.text().as_bytes());
        let proof = Proof { claim, key: owner.public().id(), signature };
        let path = format!("media/in-{}/{}", self.number, proof.path());
        self.scratch.file(&path, proof.to_line());
    }

    fn write_proofs(&self, plan: &[u8], roles: &[Role]) {
        let _ = fs::remove_dir_all(self.path(&format!("media/in-{}/proofs", self.number)));
        for name in &self.repositories {
            for role in roles.iter().copied().filter(|role| *role == Role::Targets) {
                self.lay_proof(name, role, &self.online[&role], plan);
            }
        }
    }

    /// Runs `officiant` with arguments in the room.
    pub(crate) fn officiant(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }

    /// What runs `officiant` with arguments in the room.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_officiant"));
        let mut command = command(binary, self.scratch.path());
        command.args(arguments);
        command
    }

    /// What conducts the plan of this number with people at a terminal.
    pub(crate) fn sitting(&self) -> Command {
        let n = self.number;
        self.command(&["conduct", &format!("plan-{n}.toml"), "--room", &format!("room-{n}.toml")])
    }

    /// What conducts the plan of this number with the answers of this number.
    pub(crate) fn conducting(&self) -> Command {
        let n = self.number;
        let (plan, room) = (format!("plan-{n}.toml"), format!("room-{n}.toml"));
        let answers = format!("answers-{n}.toml");
        self.command(&["conduct", &plan, "--room", &room, "--answers", &answers])
    }

    /// What resumes the ceremony of this number.
    pub(crate) fn resuming(&self) -> Command {
        let n = self.number;
        let (room, answers) = (format!("room-{n}.toml"), format!("answers-{n}.toml"));
        self.command(&["resume", "--room", &room, "--answers", &answers])
    }

    /// What goes on with the ceremony of this number: it resumes what there is a record of.
    pub(crate) fn going_on(&self) -> Command {
        let record = fs::read(self.path(&format!("work-{}/record.jsonl", self.number)));
        let has_record = record.is_ok_and(|record| record.contains(&b'\n'));
        if has_record { self.resuming() } else { self.conducting() }
    }

    /// Conducts the plan of this number with the answers of this number.
    pub(crate) fn conduct(&self) -> Ran {
        run(&mut self.conducting())
    }

    /// Rehearses the plan of this number.
    pub(crate) fn rehearse(&self) -> Ran {
        let n = self.number;
        let (plan, room) = (format!("plan-{n}.toml"), format!("room-{n}.toml"));
        self.officiant(&["rehearse", &plan, "--room", &room])
    }

    /// Resumes the ceremony of this number.
    pub(crate) fn resume(&self) -> Ran {
        run(&mut self.resuming())
    }

    /// Keeps a copy of everything in the room.
    pub(crate) fn save(&self) -> Saved {
        let saved = Saved(Scratch::new());
        copy(self.scratch.path(), saved.0.path());
        saved
    }

    /// Puts everything back as it was saved.
    pub(crate) fn restore(&self, saved: &Saved) {
        for entry in fs::read_dir(self.scratch.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap()
            } else {
                fs::remove_file(path).unwrap()
            }
        }
        copy(saved.0.path(), self.scratch.path());
    }
}

/// A room as it was at some moment.
pub(crate) struct Saved(Scratch);

fn copy(from: &Path, to: &Path) {
    run(command("cp", from).args(["-a", "."]).arg(to)).ok();
}

/// Today, in UTC.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
