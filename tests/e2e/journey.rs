//! A room, a real server, and everything that is carried between them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use jiff::ToSpan;
use officiant::{
    digest::Digest,
    name::Name,
    root::{Dialect, Role, SignedRoot},
};

use super::Officer;
use crate::harness::{
    command::{Ran, command, run, run_with},
    notary::NotaryServer,
    pty::Ended,
    scratch::Scratch,
};
use crate::sitting::{Bench, PlanText, today};

/// The repository of these tests.
pub(super) const GUN: &str = "localhost:5000/demo";

/// What a publisher signs there.
pub(super) const CONTENT: &str = "the content of a release\n";

/// One repository's way through ceremonies and servers.
pub(crate) struct Journey {
    pub(crate) server: NotaryServer,
    pub(crate) bench: Bench,
    gun: String,
    serials: BTreeMap<String, String>,
}

impl Journey {
    /// Starts a server, and gives the publisher a targets key of openssl's.
    pub(super) fn new(server: impl Fn(&Scratch) -> NotaryServer) -> Self {
        let journey = Self::of(GUN, server);
        make_key(&journey.bench, "targets");
        journey
    }

    /// Starts a server for a repository of that name.
    pub(crate) fn of(gun: &str, server: impl Fn(&Scratch) -> NotaryServer) -> Self {
        let bench = Bench::new(Dialect::Notary, &[gun]);
        let server = server(&bench.scratch);
        Self { server, bench, gun: gun.to_owned(), serials: BTreeMap::new() }
    }

    pub(super) fn home(&self) -> &Path {
        self.bench.scratch.path()
    }

    fn courier(&self, verb: &str) -> Command {
        let mut courier = command(env!("CARGO_BIN_EXE_courier"), self.home());
        courier.arg(verb);
        courier
    }

    fn at_server(&self, verb: &str) -> Command {
        let mut courier = self.courier(verb);
        courier.args(["--server", &self.server.url()]).arg("--ca").arg(self.server.ca());
        courier
    }

    /// Fetches onto the `in` media of the next ceremony; the draft of the list goes beside the plan.
    pub(crate) fn fetch(&self, more: &[&str]) {
        let media = format!("media/in-{}", self.bench.number);
        let mut courier = self.at_server("fetch");
        run(courier.args([&self.gun, "--out", &media]).args(more)).ok();
    }

    /// Fetches once more as another machine does, which has another name for the server.
    pub(crate) fn fetch_second(&self) {
        let media = format!("media/in-{}", self.bench.number);
        let server = format!("{}/", self.server.url());
        let mut courier = self.courier("fetch");
        courier.args(["--server", &server]).arg("--ca").arg(self.server.ca());
        run(courier.args([&self.gun, "--out", &media, "--second"])).ok();
    }

    /// Writes the plan for what was fetched, and has the publisher prove the targets key where it is new.
    pub(super) fn plan(&self, text: &PlanText, more: &str) {
        write_plan(&self.bench, text, more);
        if text.roles.contains(&Role::Targets) {
            self.prove();
        }
    }

    fn prove(&self) {
        let number = self.bench.number;
        let (plan, media) = (format!("plan-{number}.toml"), format!("media/in-{number}"));
        let mut prove = self.courier("prove");
        prove.args([&plan, "--repository", &self.gun, "--role", "targets"]);
        run(prove.args(["--key", "targets-key.pem", "--out", &media])).ok();
    }

    /// Conducts the plan at a terminal, with people who answer every question.
    #[track_caller]
    pub(crate) fn conduct_at_terminal(&mut self, tokens: &[&str]) -> Ended {
        let number = self.bench.number;
        let room = self.bench.write_room(tokens);
        let plan = self.bench.path(&format!("plan-{number}.toml"));
        let serials = self.serials.clone();
        let mut officer = Officer { serials, ..Officer::before(&self.bench) };
        let mut conduct = command(env!("CARGO_BIN_EXE_officiant"), self.home());
        let ended = officer.sit(conduct.arg("conduct").arg(plan).arg("--room").arg(room));
        self.serials = officer.serials;
        assert!(ended.status.success(), "{}", ended.transcript);
        assert!(!ended.left_running);
        ended
    }

    /// Conducts the plan unattended.
    #[track_caller]
    pub(crate) fn conduct(&self, tokens: &[&str]) {
        self.bench.write_room(tokens);
        self.bench.write_answers(tokens, "");
        self.bench.conduct().ok();
    }

    /// Verifies what the ceremony of this number left on the second of its `out` media, and publishes it.
    #[track_caller]
    pub(super) fn publish(&self) -> Ran {
        let media = format!("media/out-{}b", self.bench.number);
        let closing: Digest = self.bench.closing(self.bench.number).parse().unwrap();
        let words = closing.words().join(" ");
        self.bench.officiant(&["verify", &media, "--words", &words]).ok();
        let mut publish = self.at_server("publish");
        run(publish.args([&media, "--words", &words, "--targets-key", "targets-key.pem"]))
    }

    /// The newest root of the trust folder of this number.
    pub(crate) fn newest(&self) -> SignedRoot {
        let folder = self.gun.parse::<Name>().unwrap().folder();
        let folder = self.bench.trust(self.bench.number).join("metadata").join(folder);
        let roots = (1..).map_while(|n| fs::read(folder.join(format!("{n}.root.json"))).ok());
        SignedRoot::parse(Dialect::Notary, &roots.last().unwrap()).unwrap()
    }

    /// The folder of a person with clients.
    pub(super) fn person(&self, name: &str) -> PathBuf {
        self.bench.scratch.folder(name)
    }

    /// What `notary` says to a person who gives it these arguments.
    pub(super) fn notary(&self, person: &str, arguments: &[&str]) -> Ran {
        run(self.server.notary(&self.person(person)).args(arguments))
    }

    /// What `docker trust` says to a person.
    pub(super) fn docker(&self, person: &str, arguments: &[&str]) -> Ran {
        run(self.server.docker(&self.person(person)).arg("trust").args(arguments))
    }

    /// The publisher gives the targets key to `notary`, and signs a release with it: no root key is online.
    pub(super) fn release(&self, tag: &str) {
        let ada = self.person("ada");
        if !ada.join("trust/private").exists() {
            let key = self.home().join("targets-key.pem");
            let mut import = self.server.notary(&ada);
            run(import.args(["key", "import", "--role", "targets", "--gun", &self.gun]).arg(key))
                .ok();
        }
        let file = self.bench.scratch.file("ada/release", CONTENT);
        let mut add = self.server.notary(&ada);
        run(add.args(["add", "-p", &self.gun, tag]).arg(file)).ok();
    }

    /// A person lists and verifies the release, and docker names the root keys of the newest root.
    #[track_caller]
    pub(super) fn clients_agree(&self, person: &str, tag: &str) {
        let listed = self.notary(person, &["list", &self.gun]).ok().stdout;
        assert!(listed.contains(tag), "{listed}");
        let mut verify = self.server.notary(&self.person(person));
        let limit = crate::harness::command::LIMIT;
        let verified = run_with(verify.args(["verify", &self.gun, tag]), CONTENT, limit).ok();
        assert_eq!(verified.stdout, CONTENT);
        let inspected = self.docker(person, &["inspect", &self.gun]).ok().stdout;
        assert!(inspected.contains(&format!("\"SignedTag\": \"{tag}\"")), "{inspected}");
        for (id, _) in self.newest().root().role_keys(Role::Root) {
            assert!(inspected.contains(&id.to_string()), "{id} in {inspected}");
        }
    }
}

/// Makes a P-256 key with openssl: `NAME-key.pem` (PKCS#8) and `NAME.pem`.
pub(super) fn make_key(bench: &Bench, name: &str) {
    let openssl = |arguments: String| {
        run(command("openssl", bench.scratch.path()).args(arguments.split(' '))).ok();
    };
    let curve = "-pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve";
    openssl(format!("genpkey -algorithm EC {curve} -out {name}-key.pem"));
    openssl(format!("pkey -in {name}-key.pem -pubout -out {name}.pem"));
}

/// Writes the plan for the request on `in` media, with what its draft list says of each repository. `more` are tables
/// that go to the end of the plan.
pub(crate) fn write_plan(bench: &Bench, text: &PlanText, more: &str) {
    let number = bench.number;
    let media = bench.path(&format!("media/in-{number}"));
    let list = fs::read(media.join("repositories.txt")).unwrap();
    bench.scratch.file(&format!("list-{number}.txt"), &list);
    let request = Digest::of(&fs::read(media.join("request/SHA256SUMS")).unwrap());
    let (from, until) = (today().yesterday().unwrap(), today().checked_add(3.days()).unwrap());
    let mut plan = format!(
        "ceremony = \"{}\"\ntitle = \"Practice {number}\"\ndialect = \"{}\"\n\
         quorum_people = 1\npractice = true\n{}",
        text.ceremony, bench.dialect, text.extra
    );
    if let Some(after) = &text.after {
        let _ = writeln!(plan, "after = \"{after}\"");
    }
    let _ = write!(
        plan,
        "[when]\nfrom = {from}\nuntil = {until}\n[request]\nsha256 = \"{request}\"\n\
         [repositories]\nlist = \"list-{number}.txt\"\nsha256 = \"{}\"\n",
        Digest::of(&list)
    );
    bench.plan_keys(text, &mut plan);
    bench.plan_root(text, today(), &mut plan);
    for role in &text.roles {
        let _ = write!(plan, "[[role]]\nname = \"{role}\"\nkeys = \"request\"\nthreshold = 1\n");
    }
    plan.push_str(more);
    bench.scratch.file(&format!("plan-{number}.toml"), plan);
}
