//! A server between a client and a real one: it shows what the real one served at some moment, or something else.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, str};

use officiant::root::Dialect;
use officiant::root::online::{Named, Signed};

use crate::courier::fake::{Asked, Fake, reply};
use crate::harness::command::{Ran, command, run, run_with};
use crate::harness::notary::NotaryServer;

/// What a server has of one repository at one moment, by the names of the API.
#[derive(Clone, Debug, Default)]
pub(super) struct State(pub(super) BTreeMap<String, String>);

impl State {
    /// Records what a real server has: every root, and what the timestamp leads to.
    #[track_caller]
    pub(super) fn recorded(server: &NotaryServer, home: &Path, gun: &str) -> Self {
        let mut state = Self::default();
        let fetch = |file: &str| {
            let mut curl = command("curl", home);
            curl.arg("-sf").arg("--cacert").arg(server.ca());
            let ran = run(curl.arg(format!("{}/v2/{gun}/_trust/tuf/{file}", server.url())));
            ran.status.success().then_some(ran.stdout)
        };
        for number in 1.. {
            let Some(root) = fetch(&format!("{number}.root.json")) else { break };
            state.0.insert(format!("{number}.root.json"), root);
        }
        for file in ["root.json", "timestamp.json"] {
            state.0.insert(file.to_owned(), fetch(file).expect(file));
        }
        let snapshot = state.name("snapshot");
        state.0.insert(snapshot.clone(), fetch(&snapshot).expect("the snapshot"));
        for role in state.roles() {
            let file = state.name(&role);
            state.0.insert(file.clone(), fetch(&file).expect("a list"));
        }
        state
    }

    /// The lists that the snapshot names.
    pub(super) fn roles(&self) -> Vec<String> {
        let snapshot = self.signed("snapshot");
        let meta = snapshot.value.as_map().unwrap()["meta"].as_map().unwrap();
        meta.keys().filter(|role| role.starts_with("targets")).map(str::to_owned).collect()
    }

    /// Under which name the file of a role is asked for.
    pub(super) fn name(&self, role: &str) -> String {
        match role {
            "timestamp" => "timestamp.json".to_owned(),
            "snapshot" => named(&self.signed("timestamp"), role),
            _ => named(&self.signed("snapshot"), role),
        }
    }

    /// The file of a role.
    pub(super) fn file(&self, role: &str) -> &str {
        &self.0[&self.name(role)]
    }

    /// What is signed in the file of a role, and by whom.
    pub(super) fn signed(&self, role: &str) -> Signed {
        Signed::parse(Dialect::Notary, self.file(role).as_bytes()).unwrap()
    }

    /// The version of the file of a role.
    pub(super) fn version(&self, role: &str) -> i64 {
        self.signed(role).version().unwrap()
    }

    /// The same with another file for a role.
    pub(super) fn with(&self, role: &str, file: &str) -> Self {
        let mut state = self.clone();
        state.0.insert(self.name(role), file.to_owned());
        state
    }

    /// The same without a file.
    pub(super) fn without(&self, file: &str) -> Self {
        let mut state = self.clone();
        state.0.remove(file).expect("the file was there");
        state
    }
}

fn named(over: &Signed, role: &str) -> String {
    format!("{role}.{}.json", Named::by_name(over, role).unwrap().sha256)
}

/// A server on loopback that shows a state, and answers some questions otherwise.
pub(super) struct Proxy {
    pub(super) fake: Fake,
    shown: Arc<Mutex<State>>,
}

impl Proxy {
    /// Shows a state as it is.
    pub(super) fn showing(state: &State) -> Self {
        Self::disturbing(state, |_, _, _| false)
    }

    /// Shows a state, but for the files that `disturb` answers itself: it gets the name, the right answer where there is
    /// one, and the stream.
    pub(super) fn disturbing(
        state: &State,
        disturb: impl Fn(&str, &str, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Self {
        let shown = Arc::new(Mutex::new(state.clone()));
        let state = Arc::clone(&shown);
        let fake = Fake::new(move |asked, stream| {
            // By this notary sees that a server is there at all.
            if asked.line.starts_with("GET /v2/ ") {
                return reply(stream, "200 OK", "", "{}");
            }
            let file = file(asked);
            let right = state.lock().unwrap().0.get(file).cloned();
            if disturb(file, right.as_deref().unwrap_or_default(), stream) {
                return;
            }
            match right {
                Some(bytes) => reply(stream, "200 OK", "", &bytes),
                None => reply(stream, "404 None", "", ""),
            }
        });
        Self { fake, shown }
    }

    /// Shows another state from now on.
    pub(super) fn show(&self, state: &State) {
        *self.shown.lock().unwrap() = state.clone();
    }

    /// `courier verify` of a person at this server, with no more memory than anything here may take.
    pub(super) fn verifying(&self, home: &Path, line: &str) -> Command {
        let mut courier = command("prlimit", home);
        courier.arg(format!("--data={MEMORY}")).arg(env!("CARGO_BIN_EXE_courier"));
        courier.env("DOCKER_CONFIG", home.join("docker"));
        courier.args(["verify", "--server", &self.fake.url]).args(line.split_whitespace());
        courier
    }

    /// Runs it.
    #[track_caller]
    pub(super) fn verify(&self, home: &Path, line: &str) -> Ran {
        run_with(&mut self.verifying(home, line), "", TIME)
    }

    /// Sees that a person gets this digest.
    #[track_caller]
    pub(super) fn gives(&self, home: &Path, line: &str, right: &str) {
        assert_eq!(self.verify(home, line).ok().stdout, right, "{line}");
    }

    /// Sees that a person gets no digest, by this code and first line, in bounded time and memory, and that nothing
    /// changes in what the person trusted before.
    #[track_caller]
    pub(super) fn is_refused(&self, home: &Path, line: &str, code: i32, first: &str) {
        let before = cache(home);
        refused(&self.verify(home, line), code, first);
        assert!(cache(home) == before, "the cache is another after {line}");
    }
}

/// The name of the file that is asked for: `targets/releases.HEX.json`.
fn file(asked: &Asked) -> &str {
    let path = asked.line.split(' ').nth(1).unwrap();
    path.split_once("/_trust/tuf/").map_or("", |(_, file)| file)
}

/// Sees that no digest was printed, and why.
#[track_caller]
pub(super) fn refused(ran: &Ran, code: i32, first: &str) {
    let told = ran.stderr.lines().next().unwrap_or_default();
    assert_eq!((told, ran.stdout.as_str(), ran.code()), (first, "", code), "{}", ran.stderr);
}

/// Every file of what a person trusted before.
pub(super) fn cache(home: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![home.join("docker/trust/tuf")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(files.insert(path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    files
}

/// No answer whatever makes `courier verify` take more memory than this, in bytes.
const MEMORY: u64 = 512 << 20;
/// Nor more time, where it is given a second for each answer.
const TIME: Duration = Duration::from_secs(30);
