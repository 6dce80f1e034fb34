//! What couriers do at a real notary-server, beside the same requests by curl or `notary lookup`: the turns are taken by
//! tests/bench/consumer.sh and tests/bench/publish.sh.

use std::process::Command;

use crate::figure::{Figure, Target};
use crate::process;
use crate::suite::Suite;

/// A figure for each command.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let size = suite.size;
    let turns = turns(suite, "consumer", &[size.carried, size.long_rounds, size.lookups])
        + &turns(suite, "publish", &[size.carried, size.long_rounds]);
    let bare = "the same requests by curl, eight at once";
    let many = |what: &str| format!("{what}, {} repositories", size.carried);
    let figure = |name, turn, title, reference, (who, target): (&str, Option<Target>)| {
        let mut figure = Figure::new(name, title, "ms");
        let mine = turns.lines().filter_map(|line| line.split_once(' '));
        for (_, times) in mine.filter(|(word, _)| *word == turn) {
            let times = times.split(' ').map(|time| time.parse::<f64>().expect("a time") / 1e6);
            let [bare, ours] = times.collect::<Vec<_>>()[..] else { panic!("{turn}") };
            figure.reference(reference, bare);
            match target {
                Some(target) => figure.ours(who, target, ours),
                None => figure.peer(who, ours),
            }
        }
        figure
    };
    let within = Some(Target::AtMost(1.5));
    let first = "status on first use";
    vec![
        figure("fetch", "fetch", many("fetch"), bare, ("courier fetch: 7 requests each", within)),
        figure(
            "publish",
            "publish",
            many("publish of a rotation"),
            bare,
            ("courier publish", within),
        ),
        figure("status-cold", "cold", many(first), bare, ("courier status: 5 requests each", None)),
        figure("status", "warm", many("status"), bare, ("courier status: 2 requests each", None)),
        figure(
            "lookup",
            "verify",
            "one tag, warm cache".to_owned(),
            "notary lookup",
            ("courier verify", Some(Target::Below(1.0))),
        ),
    ]
}

/// What a script says of its turns.
fn turns(suite: &Suite, name: &str, arguments: &[usize]) -> String {
    let mut script = Command::new("sh");
    script.arg(format!("tests/bench/{name}.sh"));
    script.env("COURIER", &suite.courier).env("OFFICIANT", &suite.officiant);
    script.env("BENCH", std::env::current_exe().expect("this program"));
    script.env("TMPDIR", suite.folder(name)).args(arguments.iter().map(usize::to_string));
    process::run(&mut script).stdout
}
