//! Who may use whom: direction is downward only, and the world is touched in one folder.

use super::{
    none,
    source::{Source, sources},
};

/// A floor: the modules on it, what they may name of the crate, and whether they may touch the world.
struct Floor {
    modules: &'static [&'static str],
    may: &'static [&'static [&'static str]],
    /// Named by `may` as a whole, and yet not to be used.
    never: &'static [&'static str],
    pure: bool,
}

const VALUES: &[&str] = &[
    "check", "cjson", "digest", "files", "key", "name", "packed", "refusal", "secret", "shelf",
    "sums", "wording",
];
const DOCUMENTS: &[&str] = &["advisory", "attestation", "list", "request", "root", "seal", "share"];
/// The record's entries are acts and facts, and the trust folder holds plans: they stand beside the ceremony.
const CEREMONY: &[&str] = &["ceremony", "record", "trust"];
const ROOM: &[&str] = &["room"];
const DEVICES: &[&str] = &[
    "room::clock",
    "room::console",
    "room::entropy",
    "room::machine",
    "room::media",
    "room::piv",
    "room::pkcs11",
];
/// What drives one token.
const CHILD: &[&str] = &["child::Error", "child::Launch", "child::token"];
const ALL: &[&[&str]] =
    &[VALUES, DOCUMENTS, CEREMONY, ROOM, &["paper", "show", "verify", "conduct", "child", "cli"]];

const FLOORS: &[Floor] = &[
    Floor { modules: VALUES, may: &[VALUES], never: &[], pure: true },
    Floor { modules: DOCUMENTS, may: &[VALUES, DOCUMENTS], never: &[], pure: true },
    // The ceremony decides and never does; it never sees a secret.
    Floor {
        modules: CEREMONY,
        may: &[VALUES, DOCUMENTS, CEREMONY],
        never: &["secret", "share", "seal"],
        pure: true,
    },
    Floor {
        modules: &["paper", "show", "verify"],
        may: &[VALUES, DOCUMENTS, CEREMONY, &["paper", "verify"]],
        never: &["secret", "share", "seal"],
        pure: true,
    },
    // Each device knows values, and the traits beside it, and no other device.
    Floor { modules: ROOM, may: &[VALUES, ROOM], never: DEVICES, pure: false },
    Floor {
        modules: &["conduct"],
        may: &[VALUES, DOCUMENTS, CEREMONY, &["paper", "room", "child"]],
        // It writes media and asks people by itself; tokens it leaves to the children.
        never: &["room::piv", "room::pkcs11::Module"],
        pure: false,
    },
    // One token each, with its module; or the vault, which loads none.
    Floor {
        modules: &["child"],
        may: &[VALUES, DOCUMENTS, ROOM],
        never: &["record", "request", "trust", "list", "room::console", "room::media"],
        pure: false,
    },
    Floor { modules: &["cli", "main", "lib"], may: ALL, never: &[], pure: false },
    Floor {
        modules: &["bin"],
        // It publishes what a trust folder holds, and reads it with the one reader that there is; no ceremony beyond. A
        // publisher's token is driven by a child, as everywhere: the process that holds keys and speaks to networks loads
        // no module.
        may: &[VALUES, DOCUMENTS, ROOM, &["bin", "trust", "child::seclude"], CHILD],
        never: &["share", "seal", "room::entropy", "room::pkcs11::Module"],
        pure: false,
    },
];

/// What touches the world, the clock or the kernel's randomness: not for the pure floors.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];
const IMPURE_WORDS: &[&str] =
    &["rustix::", "getrandom::", "cryptoki::", "SystemRandom", "OsRng", "thread_rng", "::now("];

/// The network, and the runtime that its libraries bring: for courier alone.
const ONLINE: &[&str] = &["std::net", "std::os::unix::net"];
const ONLINE_WORDS: &[&str] = &["reqwest::", "object_store::", "tokio::", "rustls::", "hyper::"];

#[test]
fn every_module_names_only_what_its_floor_may() {
    let mut findings = Vec::new();
    for source in &sources("src") {
        match floor(source) {
            Some(floor) => edges(source, floor, &mut findings),
            None => findings.push(format!("{} stands on no floor of tests/house", source.path)),
        }
    }
    none(&findings);
}

#[test]
fn values_documents_and_the_ceremony_touch_nothing() {
    let mut findings = Vec::new();
    for source in sources("src").iter().filter(|source| floor(source).is_some_and(|f| f.pure)) {
        world(source, IMPURE, IMPURE_WORDS, &mut findings);
    }
    none(&findings);
}

#[test]
fn the_network_is_named_in_courier_alone() {
    let mut findings = Vec::new();
    for source in sources("src").iter().filter(|s| !s.path.starts_with("src/bin/courier/")) {
        world(source, ONLINE, ONLINE_WORDS, &mut findings);
    }
    none(&findings);
}

#[test]
fn an_edge_upward_or_to_a_sibling_device_is_found() {
    for (path, code, edge) in [
        ("src/digest.rs", "use crate::root::Root;", "digest → root::Root"),
        ("src/room/media.rs", "use super::console;", "room::media → room::console"),
        (
            "src/conduct.rs",
            "use crate::room; fn f() { room::pkcs11::Module::load() }",
            "conduct → room::pkcs11::Module::load",
        ),
        ("src/ceremony/act.rs", "use crate::{check::Check, secret};", "ceremony::act → secret"),
        ("src/bin/courier/fetch.rs", "use officiant::share;", "bin::courier::fetch → share"),
    ] {
        let source = Source { path: path.to_owned(), code: code.to_owned() };
        let mut findings = Vec::new();
        edges(&source, floor(&source).unwrap(), &mut findings);
        assert_eq!(findings, [edge]);
    }
}

fn floor(source: &Source) -> Option<&'static Floor> {
    let module = source.module();
    let room = module.split("::").next().unwrap_or_default();
    FLOORS.iter().find(|floor| floor.modules.contains(&room))
}

/// Whether `path` is `module` or something in it.
fn within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn edges(source: &Source, floor: &Floor, findings: &mut Vec<String>) {
    let module = source.module();
    let mut paths: Vec<_> = source
        .paths()
        .iter()
        .filter_map(|path| path.strip_prefix("crate::").map(str::to_owned))
        .collect();
    // `use crate::room;` and then `room::pkcs11::…`.
    let whole: Vec<_> = paths.iter().filter(|path| !path.contains("::")).cloned().collect();
    for name in whole {
        for (at, _) in source.code.match_indices(&format!("{name}::")) {
            let rest = &source.code[at..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            if !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                paths.push(rest[..end.unwrap_or(rest.len())].trim_end_matches(':').to_owned());
            }
        }
    }
    paths.sort();
    paths.dedup();
    for path in paths {
        let own = floor.modules.iter().any(|m| within(&module, m) && within(&path, m))
            && (floor.never.is_empty() || within(&path, &module) || !device(&path));
        let may = floor.may.iter().flat_map(|list| list.iter()).any(|m| within(&path, m));
        let never = floor.never.iter().any(|m| within(&path, m) && !within(&module, m));
        // A macro or a re-export at the top of the crate begins with no module.
        let known = ALL.iter().flat_map(|list| list.iter()).any(|m| within(&path, m));
        if known && !own && (!may || never) {
            findings.push(format!("{module} → {path}"));
        }
    }
}

fn device(path: &str) -> bool {
    DEVICES.iter().any(|device| within(path, device))
}

fn world(source: &Source, paths: &[&str], words: &[&str], findings: &mut Vec<String>) {
    for path in source.paths() {
        if paths.iter().any(|forbidden| within(&path, forbidden)) {
            findings.push(format!("{} → {path}", source.module()));
        }
    }
    for word in words.iter().filter(|word| source.code.contains(**word)) {
        findings.push(format!("{} → {word}", source.module()));
    }
}
