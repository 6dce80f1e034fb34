//! The memory of a fetch does not grow with what the repositories hold: their lines wait in the journal.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::courier;
use super::fake::{Fake, reply};
use crate::harness::scratch::Scratch;

/// Bytes of each root; nobody looks into them here.
const ROOT: usize = 100_000;

/// The most memory that a fetch of so many repositories ever had, in KiB.
fn peak(count: usize) -> u64 {
    let scratch = Scratch::new();
    let root = "x".repeat(ROOT);
    let fake = Fake::new(move |asked, stream| match asked.file() {
        "1.root.json" | "root.json" => reply(stream, "200 OK", "", &root),
        _ => reply(stream, "404 None", "", ""),
    });
    let names: String = (1..=count).map(|n| format!("fleet-of-ours-{n}\n")).collect();
    scratch.file("names", names);
    scratch.folder("in");
    let mut courier = courier(scratch.path());
    courier.args(["fetch", "--dialect", "tuf", "--list", "names", "--out", "in", "--server"]);
    courier.arg(format!("{}/{{name}}", fake.url));
    courier.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = courier.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        let found = fs::read_to_string(&status).unwrap_or_default();
        let found = found.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        peak = peak.max(found.and_then(|text| text.trim().parse().ok()).unwrap_or(0));
        thread::sleep(Duration::from_millis(3));
    };
    assert!(ended.success());
    let written = fs::metadata(scratch.path().join("in/request/repositories.jsonl")).unwrap().len();
    assert!(written > (count * ROOT) as u64);
    assert!(peak > 1000, "{peak}");
    peak
}

#[test]
fn the_memory_of_a_fetch_does_not_grow_with_what_the_repositories_hold() {
    let (few, many) = (peak(10), peak(110));
    // A hundred more take 10 MB as they come, and 13 MB as they are written.
    assert!(many < few + 4 * 1024, "{few} KiB for 10 repositories, {many} KiB for 110");
}
