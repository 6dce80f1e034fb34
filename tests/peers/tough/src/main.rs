//! `tough-walk CASES` walks each folder of `N.root.json` below the folder named, from each of its roots, with tough.
//! It prints a line for each walk: `CASE START ok`, or `CASE START stop VERSION REASON`.
//!
//! `tough-walk time CASES` walks each from its first root alone and prints the nanoseconds that it took.
//!
//! `tough-walk make FOLDER TARGETS SNAPSHOT TIMESTAMP ROOTS…` makes a chain of roots with tough.

mod make;

use std::error::Error as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tough::error::Error;
use tough::schema::RoleType;
use tough::{
    FilesystemTransport, RepositoryLoader, Transport, TransportError, TransportStream, async_trait,
};
use url::Url;

/// Reads files and remembers which root was asked for last.
#[derive(Clone, Debug)]
struct Watched(Arc<Mutex<u64>>);

#[async_trait]
impl Transport for Watched {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or("");
        if let Some(version) = version(name) {
            *self.0.lock().unwrap() = version;
        }
        FilesystemTransport.fetch(url).await
    }
}

fn version(name: &str) -> Option<u64> {
    name.strip_suffix(".root.json")?.parse().ok()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn walk(folder: &Path, start: u64, newest: u64) -> Result<(), (u64, String)> {
    let root = std::fs::read(folder.join(format!("{start}.root.json"))).unwrap();
    let asked = Arc::new(Mutex::new(0));
    let base = Url::from_directory_path(folder).unwrap();
    let loader = RepositoryLoader::new(&root, base.clone(), base);
    let Err(error) = loader.transport(Watched(asked.clone())).load().await else {
        panic!("there is no timestamp to load")
    };
    let asked = *asked.lock().unwrap();
    let because = match error.source() {
        Some(source) => format!("{error}: {source}").replace('\n', " "),
        None => error.to_string().replace('\n', " "),
    };
    match error {
        Error::ParseTrustedMetadata { .. } | Error::VerifyTrustedMetadata { .. } => {
            Err((start, because))
        }
        Error::ExpiredMetadata { role: RoleType::Root, .. } => match asked {
            at if at <= newest => Err((at, "is not there".to_owned())),
            _ => Err((newest, because)),
        },
        Error::ParseMetadata { role: RoleType::Root, .. }
        | Error::VerifyMetadata { role: RoleType::Root, .. }
        | Error::OlderMetadata { role: RoleType::Root, .. } => Err((asked, because)),
        // The roots are done, and there is nothing else in the folder.
        Error::Transport { .. } if because.contains("timestamp.json") => match asked {
            at if at <= newest => Err((at, "is not there".to_owned())),
            _ => Ok(()),
        },
        Error::Transport { .. } => Err((asked, because)),
        other => panic!("{}: {other:?}", folder.display()),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    if arguments[0] == "make" {
        let (online, sets) = arguments[2..].split_at(3);
        return runtime.block_on(make::make(Path::new(&arguments[1]), online, sets));
    }
    let is_timed = arguments[0] == "time";
    let cases = &arguments[usize::from(is_timed)];
    for case in names(Path::new(cases)) {
        let folder = Path::new(cases).join(&case);
        if !folder.is_dir() {
            // A key of an online role, for those who sign lists.
            continue;
        }
        let versions: Vec<u64> = names(&folder).iter().filter_map(|name| version(name)).collect();
        let newest = versions.iter().copied().max().unwrap();
        if is_timed {
            let began = Instant::now();
            runtime.block_on(walk(&folder, 1, newest)).unwrap();
            println!("{}", began.elapsed().as_nanos());
            continue;
        }
        for start in &versions {
            match runtime.block_on(walk(&folder, *start, newest)) {
                Ok(()) => println!("{case} {start} ok"),
                Err((at, because)) => println!("{case} {start} stop {at} {because}"),
            }
        }
    }
}
