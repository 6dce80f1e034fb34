//! What stands in the trust cache, and who writes there at once.

use std::fs;
use std::os::unix::fs::symlink;

use super::proxy::{Proxy, cache, refused};
use super::publisher::Publisher;
use super::roots::{Seen, right};
use super::{GUN, cached};
use crate::harness::command::{command, run};
use crate::harness::scratch::Scratch;

#[test]
fn a_cache_that_is_damaged_or_leads_elsewhere_is_told_or_made_anew() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    let state = own.state();
    let proxy = Proxy::showing(&state);
    let home = scratch.folder("warm");
    proxy.gives(&home, &format!("--trust-on-first-use {GUN}:1.0"), &right());
    let root = cached(&home, GUN, "root");
    let whole = fs::read(&root).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"{}"] {
        fs::write(&root, damaged).unwrap();
        let first = format!("error: repository `{GUN}`: the root in the trust cache is damaged");
        proxy.is_refused(&home, &format!("--trust-on-first-use {GUN}:1.0"), 1, &first);
    }
    fs::write(&root, &whole).unwrap();
    // What the other files say is asked for again.
    for role in ["timestamp", "snapshot", "targets"] {
        let file = cached(&home, GUN, role);
        fs::write(&file, "{").unwrap();
        proxy.gives(&home, &format!("{GUN}:1.0"), &right());
        assert_eq!(fs::read_to_string(&file).unwrap(), state.file(role));
    }
    // Nothing is written through a link.
    let elsewhere = scratch.file("elsewhere", "precious");
    let timestamp = cached(&home, GUN, "timestamp");
    fs::remove_file(&timestamp).unwrap();
    symlink(&elsewhere, &timestamp).unwrap();
    proxy.gives(&home, &format!("{GUN}:1.0"), &right());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
    assert!(!timestamp.is_symlink());
    // Nor is a pipe waited for, or a folder read.
    fs::remove_file(&root).unwrap();
    run(command("mkfifo", &home).arg(&root)).ok();
    let ran = proxy.verify(&home, &format!("{GUN}:1.0"));
    let first = format!("error: `{}` is a device, expected a regular file", root.display());
    refused(&ran, 3, &first);
}

#[test]
fn a_run_that_a_server_keeps_waiting_takes_nothing_back_that_another_remembered_meanwhile() {
    for rotated in [false, true] {
        let mut seen = Seen::new();
        seen.own.list(2, &["1.0"]);
        let older = seen.own.state();
        if rotated {
            seen.own.rotate();
        }
        let newer = Proxy::showing(&seen.own.state());
        let list = older.name("targets");
        let home = seen.home.clone();
        let waited = home.clone();
        let found = older.version("timestamp");
        // While the first run waits for its list, another sees what is newer.
        let proxy = Proxy::disturbing(&older, move |file, _, _| {
            if file == list {
                newer.gives(&waited, &format!("{GUN}:1.0"), &right());
            }
            false
        });
        let ran = proxy.verify(&home, &format!("{GUN}:1.0"));
        refused(
            &ran,
            1,
            &format!(
                "error: repository `{GUN}`: the server has `timestamp` version {found}, version {} was seen before [TRUST-ROLLBACK]",
                found + 1
            ),
        );
        let remembered = cache(&home);
        let file = |role| &remembered[&cached(&home, GUN, role)];
        assert_eq!(file("root"), seen.own.chain.last().unwrap().bytes());
        seen.show();
        seen.proxy.gives(&home, &format!("{GUN}:1.0"), &right());
    }
}

#[test]
fn a_root_that_another_run_remembered_meanwhile_is_missed() {
    let mut seen = Seen::new();
    let older = seen.own.state();
    seen.own.rotate();
    let newer = Proxy::showing(&seen.own.state());
    let home = seen.home.clone();
    let waited = home.clone();
    let proxy = Proxy::disturbing(&older, move |file, _, _| {
        if file == "2.root.json" {
            newer.gives(&waited, &format!("{GUN}:1.0"), &right());
        }
        false
    });
    refused(
        &proxy.verify(&home, &format!("{GUN}:1.0")),
        1,
        &format!(
            "error: repository `{GUN}`: the server has `root` version 1, version 2 was seen before [TRUST-ROLLBACK]"
        ),
    );
    assert_eq!(cache(&home)[&cached(&home, GUN, "root")], seen.own.chain[1].bytes());
}

#[test]
fn without_a_home_nothing_is_believed_of_the_folder_that_one_stands_in() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    let proxy = Proxy::showing(&own.state());
    let planted = scratch.folder("checkout");
    let line = format!("--trust-on-first-use {GUN}:1.0");
    let mut courier = proxy.verifying(&planted, &line);
    run(courier.env("DOCKER_CONFIG", planted.join(".docker"))).ok();
    assert!(planted.join(".docker/trust/tuf").join(GUN).join("metadata/root.json").exists());
    for home in [None, Some(""), Some(".")] {
        let mut courier = proxy.verifying(&planted, &format!("{GUN}:1.0"));
        courier.env_remove("DOCKER_CONFIG").env_remove("HOME");
        courier.envs(home.map(|home| ("HOME", home)));
        refused(
            &run(&mut courier),
            1,
            &format!(
                "error: repository `{GUN}`: nothing says which root is its own: no pin, no trust cache, no trust folder [TRUST-ANCHOR]"
            ),
        );
    }
}
