//! A thousand repositories of a real server in one ceremony: fetched, rotated by two of three keys, published while the
//! server is stopped and started, and read by Notary's own client; those that are odd found, and handled by name.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::walk::{Chain, Walker};
use officiant::root::{Dialect, SignedRoot, profile};

use super::adopt::adopting;
use super::genesis::TOKENS;
use super::journey::{make_key, write_plan};
use super::odd::{ALIKE, BROKEN, CLIENT, HOSTILE};
use crate::harness::command::{Ran, command, end, flat, run, run_with};
use crate::harness::notary::StoredServer;
use crate::sitting::{Bench, Holding, PlanText, genesis};

const COUNT: usize = 1000;
/// What a command for all of them may take, in a build for tests on a busy machine.
const LONG: Duration = Duration::from_secs(1200);

/// A server, a room, and a list of many names.
pub(super) struct Fleet {
    pub(super) server: StoredServer,
    pub(super) bench: Bench,
    names: Vec<String>,
}

impl Fleet {
    fn new() -> Self {
        let bench = Bench::new(Dialect::Notary, &[]);
        let server = StoredServer::new(&bench.scratch);
        make_key(&bench, "targets");
        // Far enough apart that no two look alike, but for those that shall.
        let name = |n: usize| {
            let digest = Digest::of(&n.to_be_bytes()).to_string();
            format!("localhost:5000/team-{}/{}", &digest[..6], &digest[6..14])
        };
        // And one more comes from another tool.
        let mut names: Vec<String> = (ALIKE.len() + 1..COUNT).map(name).collect();
        names.extend(ALIKE.map(str::to_owned));
        names.sort();
        let fleet = Self { server, bench, names };
        fleet.write_names();
        fleet
    }

    fn write_names(&self) {
        self.bench.scratch.file("names", self.names.join("\n"));
    }

    pub(super) fn courier(&self, verb: &str) -> Command {
        let mut courier = command(env!("CARGO_BIN_EXE_courier"), self.bench.scratch.path());
        courier.args([verb, "--server", &self.server.server().url()]);
        courier.arg("--ca").arg(self.server.server().ca());
        courier
    }

    /// Fetches onto the `in` media of the next ceremony. The signer's memory of keys takes no two at once.
    fn fetch(&self, more: &[&str]) {
        let media = format!("media/in-{}", self.bench.number);
        let mut courier = self.courier("fetch");
        courier.args(["--jobs", "1", "--list", "names", "--out", &media]).args(more);
        long(&mut courier).ok();
    }

    fn conduct(&self, tokens: &[&str]) -> Ran {
        self.bench.write_room(tokens);
        self.bench.write_answers(tokens, "");
        long(&mut self.bench.conducting())
    }

    /// The plan of the rotation, without those that are left out.
    fn plan_rotation(&mut self, adopted: Digest, left_out: &[(&str, &str)]) {
        let drafted = self.bench.path(&format!("media/in-{}/repositories.txt", self.bench.number));
        let is_left_out = |name: &str| left_out.iter().any(|(out, _)| *out == name);
        let lines = fs::read_to_string(&drafted).unwrap();
        let kept = lines.lines().filter(|line| !is_left_out(line.split(' ').next().unwrap()));
        fs::write(&drafted, kept.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        self.names.retain(|name| !is_left_out(name));
        let exclude = left_out.iter().map(|(name, reason)| {
            format!("[[exclude]]\nname = \"{name}\"\nreason = \"{reason}\"\n")
        });
        let more = adopting(adopted) + &exclude.collect::<String>();
        write_plan(&self.bench, &rotation(&self.bench), &more);
    }

    /// One repository after the other: a server with a database keeps some of it in a map that takes no two at once, and
    /// ends when they meet there.
    fn publishing(&self) -> Command {
        let mut publish = self.courier("publish");
        publish.args(["--jobs", "1"]);
        let media = format!("media/out-{}b", self.bench.number);
        let closing: Digest = self.bench.closing(self.bench.number).parse().unwrap();
        let words = closing.words().join(" ");
        publish.args([&media, "--words", &words, "--targets-key", "targets-key.pem"]);
        publish
    }

    /// Publishes, and ends and starts the server in the middle.
    fn publish_over_a_stop(&mut self) -> String {
        let mut publish = self.publishing();
        let log = self.bench.scratch.file("publish.log", "");
        publish
            .stderr(fs::File::create(&log).unwrap())
            .stdout(fs::File::create(self.bench.path("publish.out")).unwrap());
        let mut courier = publish.spawn().unwrap();
        self.wait_for(&mut courier, |published| published > COUNT / 4);
        self.server.stop();
        self.server.start();
        let status = end(&mut courier, LONG).expect("it goes on for ever");
        assert!(status.success(), "{}", fs::read_to_string(&log).unwrap());
        fs::read_to_string(self.bench.path("publish.out")).unwrap()
    }

    /// Waits until the store holds so many roots of the newest version, as long as somebody brings some.
    fn wait_for(&self, courier: &mut Child, enough: impl Fn(usize) -> bool) {
        let database = self.bench.path("notary/notary.db");
        let asked = format!(
            "SELECT count(*) FROM tuf_files WHERE role = 'root' AND version = {}",
            self.bench.number
        );
        let begun = Instant::now();
        loop {
            let mut sqlite = command("sqlite3", self.bench.scratch.path());
            let ran = run(sqlite.arg(&database).arg(&asked));
            if ran.stdout.trim().parse().is_ok_and(&enough) {
                return;
            }
            let goes_on = begun.elapsed() < LONG && courier.try_wait().unwrap().is_none();
            assert!(goes_on, "{}", fs::read_to_string(self.bench.path("publish.log")).unwrap());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The chain of each repository in the trust folder, walked by the strictest reader from each root to the newest.
    fn walk_all(&self, versions: u64) {
        let metadata = self.bench.trust(self.bench.number).join("metadata");
        for name in &self.names {
            let roots = chain(&metadata.join(name.parse::<Name>().unwrap().folder()));
            assert_eq!(roots.len() as u64, versions, "{name}");
            let starts: Vec<_> = roots.iter().map(SignedRoot::version).collect();
            let chain = Chain::new(roots);
            let at = jiff::Timestamp::now();
            for start in starts {
                let walker = Walker { profile: &profile::STRICTEST_NOTARY, repository: name, at };
                walker.walk(&chain, Some(start)).unwrap();
            }
        }
    }
}

fn long(program: &mut Command) -> Ran {
    run_with(program, "", LONG)
}

fn chain(folder: &Path) -> Vec<SignedRoot> {
    let files = (1..).map_while(|n| fs::read(folder.join(format!("{n}.root.json"))).ok());
    files.map(|bytes| SignedRoot::parse(Dialect::Notary, &bytes).unwrap()).collect()
}

fn rotation(bench: &Bench) -> PlanText {
    let keys = vec![
        ("next-a", "ecdsa-p256", Holding::Token("later-a")),
        ("next-b", "ecdsa-p256", Holding::Token("later-b")),
        ("next-c", "ecdsa-p256", Holding::Token("later-c")),
    ];
    PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(bench.number - 1)),
        keys,
        root: vec!["next-a", "next-b", "next-c"],
        threshold: 2,
        roles: Vec::new(),
        extra: String::new(),
    }
}

/// What is odd is found before anything is signed: what is broken is left out by name, and the rest is shown first.
fn rotate(fleet: &mut Fleet) -> String {
    let adopted = fleet.becomes_odd();
    fleet.bench.next_room();
    fleet.names.extend([BROKEN, CLIENT, HOSTILE].map(str::to_owned));
    fleet.names.sort();
    fleet.write_names();
    fleet.fetch(&[]);
    let tokens = ["officer-a", "officer-b", "officer-c", "later-a", "later-b", "later-c", "old"];
    let broken = format!(
        "error: `{BROKEN}`: root 2 does not follow root 1: 0 of the 1 old signatures it needs [REQUEST-CHAIN]"
    );
    let client = format!(
        "error: `{CLIENT}`: the snapshot key of root 1 is not the server's, and the plan keeps it [SNAPSHOT-CLIENT]"
    );
    let mut left_out = Vec::new();
    for (told, next) in [
        (broken, (BROKEN, "a stranger signed its root 2")),
        (client, (CLIENT, "its owner moves the snapshot key first")),
    ] {
        fleet.plan_rotation(adopted, &left_out);
        let refused = fleet.conduct(&tokens);
        assert!(refused.code() == 1 && refused.stderr.contains(&told), "{}", refused.stderr);
        left_out.push(next);
    }
    fleet.plan_rotation(adopted, &left_out);
    let screen = flat(&fleet.conduct(&tokens).ok().stderr);
    let at = |said: &str| screen.find(said).unwrap_or_else(|| panic!("{said}: {screen}"));
    let alike =
        at(&format!("look twice: `{}` and `{}` differ by one character", ALIKE[0], ALIKE[1]));
    let hostile = at(&format!(" {HOSTILE}: The version goes"));
    let others = at(&format!(" {} repositories: {}, {}, ", COUNT - 1, ALIKE[0], ALIKE[1]));
    assert!(alike < hostile && hostile < others, "{screen}");
    at(&format!("{HOSTILE} stands alone: type its name in full"));
    screen
}

#[test]
fn a_thousand_repositories_are_rotated_in_one_ceremony_and_published_while_the_server_goes_and_comes()
 {
    let mut fleet = Fleet::new();
    fleet.fetch(&["--targets-key", "targets.pem"]);
    write_plan(&fleet.bench, &genesis::on_tokens(), "");
    let mut prove = command(env!("CARGO_BIN_EXE_courier"), fleet.bench.scratch.path());
    prove.args(["prove", "plan-1.toml", "--list", "list-1.txt", "--role", "targets"]);
    long(prove.args(["--key", "targets-key.pem", "--out", "media/in-1"])).ok();
    fleet.conduct(&TOKENS).ok();
    long(&mut fleet.publishing()).ok();

    let screen = rotate(&mut fleet);
    for said in [
        &format!("{COUNT} roots complete, walked by every client"),
        "be in beside this one, and stay in until all have signed, yes or no: yes",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    let told = fleet.publish_over_a_stop();
    let all = format!("published {COUNT} repositories: fetched back and equal\n");
    assert!(told.contains(&all), "{told}");
    let again = long(&mut fleet.publishing()).ok().stdout;
    let all = format!("there     {COUNT} repositories: already, byte for byte\n");
    assert!(again.contains(&all), "{again}");
    fleet.walk_all(2);
    for name in fleet.names.iter().step_by(COUNT / 5).chain([&HOSTILE.to_owned()]) {
        let bob = fleet.bench.scratch.folder("bob");
        run(fleet.server.server().notary(&bob).args(["list", name])).ok();
    }
    for name in [BROKEN, CLIENT] {
        let left_out = format!("`{name}` was left out: ");
        assert!(fleet.bench.remarks().iter().any(|said| said.starts_with(&left_out)));
    }
}
