//! Verification of many roots, and the check of a whole plan.

use std::process::Command;

use crate::figure::{Figure, Target};
use crate::process;
use crate::suite::Suite;

/// Many roots, beside bare verification of their signatures.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let count = suite.size.roots;
    let title =
        format!("{count} roots, each parsed and judged by the strictest reader, on one core");
    let mut one = Figure::new("verify", title, "per s");
    let mut two = Figure::new("verify-two", "the same on two cores", "per s");
    for _ in 0..suite.size.rounds {
        let [raw, ours] = verify(suite, "0", count, 1);
        one.reference("bare verification of as many signatures", count as f64 / raw);
        one.ours("the library of officiant", Target::AtLeast(0.70), count as f64 / ours);
        two.reference("the library of officiant on one core", count as f64 / ours);
        let [_, ours] = verify(suite, "0,1", count, 2);
        two.ours(
            "the library of officiant on two cores",
            Target::AtLeast(1.8),
            count as f64 / ours,
        );
    }
    vec![one, two]
}

/// `officiant check` of a fleet, beside the verification of as many roots.
pub(crate) fn check(suite: &Suite) -> Vec<Figure> {
    let [_, count] = suite.size.fleets;
    let room = suite.room(count);
    let mut figure =
        Figure::new("check", format!("check of a plan of {count} repositories, all walks"), "s");
    for _ in 0..suite.size.long_rounds {
        let [_, verified] = verify(suite, "0,1", count, 2);
        figure.reference(
            "verification of as many roots by the strictest reader, two cores",
            verified,
        );
        let mut check = Command::new(&suite.officiant);
        check.current_dir(room.folder()).args(["check", "plan-2.toml", "--room", "room-2.toml"]);
        let took = process::run(&mut check).wall.as_secs_f64();
        figure.ours("officiant check, with room and request", Target::AtMost(3.0), took);
    }
    vec![figure]
}

/// The seconds of bare verification on one thread, and of verification as we do it on so many.
fn verify(suite: &Suite, processors: &str, count: usize, threads: usize) -> [f64; 2] {
    let mut verify = suite.own(Some(processors));
    let spent = process::run(verify.args(["verify", &count.to_string(), &threads.to_string()]));
    let mut times =
        spent.stdout.lines().map(|line| line.parse::<f64>().expect("nanoseconds") / 1e9);
    [times.next().expect("a time"), times.next().expect("a time")]
}
