//! What the offline binary is built from, by the committed list beside this folder.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use super::{none, top};

/// Crates that make an HTTP, TLS, resolver or async runtime of a build: none in the offline one.
const NETWORK: &[&str] = &[
    "actix",
    "async-executor",
    "async-global-executor",
    "async-io",
    "async-std",
    "attohttpc",
    "curl",
    "curl-sys",
    "dns-lookup",
    "domain",
    "futures",
    "futures-executor",
    "glommio",
    "h2",
    "h3",
    "hickory-client",
    "hickory-proto",
    "hickory-resolver",
    "hyper",
    "hyper-rustls",
    "hyper-util",
    "isahc",
    "libssh2-sys",
    "mio",
    "minreq",
    "monoio",
    "native-tls",
    "object_store",
    "openssl",
    "openssl-sys",
    "quinn",
    "reqwest",
    "rustls",
    "s2n-tls",
    "schannel",
    "security-framework",
    "smol",
    "socket2",
    "surf",
    "tokio",
    "tokio-rustls",
    "tonic",
    "tower",
    "trust-dns-resolver",
    "tungstenite",
    "ureq",
    "webpki",
    "webpki-roots",
];

/// Those that are in the offline tree all the same, and why nothing of them is in the binary.
const INERT: &[(&str, &str)] = &[
    (
        "futures",
        "a default feature of cookie-factory, with which `age` writes its header, and does so blocking",
    ),
    (
        "futures-executor",
        "a default feature of `futures`; that nothing of it is linked is seen in the symbols",
    ),
];

/// Direct dependencies of ours that a crate of the user's brings a second time.
const TWICE: &[(&str, &str)] = &[
    ("thiserror", "i18n-embed of `age` is still on 1"),
    ("toml", "find-crate, a macro's helper in `age`, is still on 0.5: at build time only"),
];

/// Functions of the C library that resolve names or speak to other machines.
const SYMBOLS: &[&str] = &[
    "accept",
    "accept4",
    "bind",
    "connect",
    "freeaddrinfo",
    "getaddrinfo",
    "gethostbyname",
    "getnameinfo",
    "listen",
    "recvfrom",
    "res_init",
    "sendto",
];

#[test]
fn the_offline_binary_is_built_from_the_committed_list() {
    let tree = tree(&[]);
    let path = top().join("tests/dependencies.txt");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dependencies.txt");
    fs::write(&new, tree.join("\n") + "\n").unwrap();
    let old: Vec<_> = committed.lines().map(str::to_owned).collect();
    let mut findings: Vec<_> =
        tree.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}")).collect();
    findings.extend(old.iter().filter(|line| !tree.contains(line)).map(|line| format!("- {line}")));
    if !findings.is_empty() {
        findings.push(format!("if that is meant: cp {} {}", new.display(), path.display()));
    }
    none(&findings);
}

#[test]
fn no_crate_of_the_offline_binary_speaks_to_a_network() {
    let tree = tree(&[]);
    let names: Vec<&str> = tree.iter().filter_map(|line| line.split(' ').next()).collect();
    let inert = |name: &str| INERT.iter().any(|(inert, _)| *inert == name);
    let spoken = names.iter().filter(|name| NETWORK.contains(name) && !inert(name));
    let mut findings: Vec<String> = spoken.map(|name| (*name).to_owned()).collect();
    for (name, reason) in INERT.iter().filter(|(name, _)| !names.contains(name)) {
        findings.push(format!("`{name}` is not there any more, and is excused: {reason}"));
    }
    none(&findings);
}

#[test]
fn a_direct_dependency_has_its_reason_and_stands_in_one_version() {
    let mut findings = Vec::new();
    let manifest = fs::read_to_string(top().join("Cargo.toml")).unwrap();
    let mut versions = BTreeMap::<String, Vec<String>>::new();
    for line in tree(&["--features", "online"]) {
        let (name, version) = line.split_once(' ').unwrap();
        versions.entry(name.to_owned()).or_default().push(version.to_owned());
    }
    let (mut above, mut section, mut used) = ("", "", Vec::new());
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.contains("dependencies")
            && let Some((name, _)) = line.split_once(" = ")
        {
            if !above.starts_with("# ") {
                findings.push(format!("Cargo.toml: `{name}` without a reason above it"));
            }
            let found = versions.get(name).map_or(0, Vec::len);
            let excused = TWICE.iter().any(|(twice, _)| *twice == name);
            if section == "[dependencies]" && found != 1 && !(excused && found == 2) {
                findings
                    .push(format!("`{name}` stands in {found} versions: {:?}", versions.get(name)));
            }
            if excused && found == 2 {
                used.push(name);
            }
        }
        above = line;
    }
    for (name, reason) in TWICE.iter().filter(|(name, _)| !used.contains(name)) {
        findings.push(format!("`{name}` is not there twice, and is excused: {reason}"));
    }
    none(&findings);
}

/// `tests/run.sh` builds it without feature `online`, as it is released, and puts it there.
#[test]
fn the_offline_binary_cannot_resolve_a_name() {
    let binary = top().join("target/peers/offline/officiant");
    assert!(binary.exists(), "`sh tests/run.sh` builds {}", binary.display());
    let symbols = output(Command::new("nm").arg("-D").arg("--undefined-only").arg(&binary));
    assert!(symbols.contains("__libc_start_main"), "not a list of symbols: {symbols}");
    let findings: Vec<_> = symbols
        .lines()
        .map(|line| {
            line.rsplit(' ').next().unwrap_or_default().split('@').next().unwrap_or_default()
        })
        .filter(|symbol| SYMBOLS.contains(symbol))
        .map(str::to_owned)
        .collect();
    none(&findings);
    // What INERT says: nothing of an executor is linked.
    let all = output(Command::new("nm").arg(&binary));
    assert!(all.contains("main"), "a binary without symbols");
    none(
        &all.lines()
            .filter(|l| l.contains("futures_executor"))
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    );
}

/// The crates of a build on x86-64 Linux, as `name vVERSION`, sorted.
fn tree(features: &[&str]) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(top()).args(["tree", "--locked", "-e", "normal", "--prefix", "none"]);
    cargo.args(["--target", "x86_64-unknown-linux-gnu", "--format", "{p}"]).args(features);
    let mut lines: Vec<_> = output(&mut cargo)
        .lines()
        .map(|line| line.split(" (").next().unwrap_or_default().to_owned())
        .filter(|line| !line.is_empty() && !line.starts_with("officiant "))
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
