//! The benchmark of what consumers do, in small: that it runs, and measures what it says.

use std::path::Path;

use crate::harness::command::{command, run};
use crate::harness::scratch::Scratch;

#[test]
fn the_benchmark_compares_each_command_with_its_measure() {
    let scratch = Scratch::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/consumer.sh");
    let mut bench = command("sh", scratch.path());
    bench.arg(script).args(["2", "2", "1"]).env("COURIER", env!("CARGO_BIN_EXE_courier"));
    bench.env("TMPDIR", scratch.path());
    let ran = run(&mut bench).ok();
    let mut lines = ran.stdout.lines();
    assert_eq!(lines.next(), Some("repositories 2, at once 8, rounds 2, lookups 1"));
    assert!(lines.next().unwrap().ends_with("bare ms   ours ms   ratio   least to most"));
    let rows: Vec<(&str, Vec<f64>)> = lines
        .map(|line| {
            let (what, numbers) = line.split_at(42);
            let words = numbers.split_whitespace().filter(|word| *word != "to");
            (what.trim(), words.map(|word| word.parse().expect(word)).collect())
        })
        .collect();
    let what: Vec<&str> = rows.iter().map(|(what, _)| *what).collect();
    assert_eq!(
        what,
        [
            "status, first use (5 requests each)",
            "status, warm cache (2 requests each)",
            "fetch (7 requests each)",
            "verify, warm cache, to notary lookup",
        ]
    );
    for (what, numbers) in rows {
        let [bare, ours, ratio, least, most] = numbers[..] else { panic!("{what}: {numbers:?}") };
        assert!(bare > 0.0 && ours > 0.0, "{what}: {numbers:?}");
        assert!(least <= ratio && ratio <= most, "{what}: {numbers:?}");
    }
}
