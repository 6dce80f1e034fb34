//! What couriers do at a real notary-server, beside the same requests by curl or `notary lookup`: the turns are taken by
//! tests/bench/consumer.sh.

use std::process::Command;

use crate::figure::{Figure, Target};
use crate::process;
use crate::suite::Suite;

/// A figure for each command.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let size = suite.size;
    let mut script = Command::new("sh");
    script.arg("tests/bench/consumer.sh").env("COURIER", &suite.courier);
    script.env("TMPDIR", suite.folder("consumer"));
    script.args([size.carried, size.long_rounds, size.lookups].map(|number| number.to_string()));
    let turns = process::run(&mut script).stdout;
    let bare = "the same requests by curl, eight at once";
    let carried = size.carried;
    let many = |what: &str| format!("{what} of {carried} repositories");
    let within = Some(Target::AtMost(1.5));
    [
        ("fetch", "fetch", many("fetch"), bare, "courier fetch: 7 requests each", within),
        (
            "status-cold",
            "cold",
            many("status on first use"),
            bare,
            "courier status: 5 requests each",
            None,
        ),
        (
            "status",
            "warm",
            many("status, warm cache"),
            bare,
            "courier status: 2 requests each",
            None,
        ),
        (
            "lookup",
            "verify",
            "one tag, warm cache".to_owned(),
            "notary lookup",
            "courier verify",
            None,
        ),
    ]
    .map(|(name, turn, title, reference, who, target)| {
        let mut figure = Figure::new(name, title, "ms");
        for line in turns.lines().filter_map(|line| line.strip_prefix(turn)) {
            let times =
                line.split_whitespace().map(|time| time.parse::<f64>().expect("a time") / 1e6);
            let [bare, ours] = times.collect::<Vec<_>>()[..] else { panic!("{line}") };
            figure.reference(reference, bare);
            match target {
                Some(target) => figure.ours(who, target, ours),
                None => figure.peer(who, ours),
            }
        }
        figure
    })
    .into()
}
