//! Calls of the module for each signature more, as the shim before it counts them.

use std::collections::BTreeMap;
use std::path::Path;

use super::batch::ours;
use super::slow::shim;
use crate::figure::{Figure, Target};
use crate::fleet::Room;
use crate::process;
use crate::soft::Soft;
use crate::suite::Suite;

/// How often each function was called.
type Counts = BTreeMap<String, usize>;

/// In the loop of a child, and in a whole ceremony.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let folder = suite.folder("calls");
    let mut figure = Figure::new("calls", "calls of the module for each signature more", "");
    let token = Soft::make(&folder.join("token"), "token");
    let counts = [100, 300].map(|count| {
        let shim = shim(suite, &folder.join(format!("shim-{count}")), "");
        let tokens = [(shim.clone(), token.folder.clone())];
        process::run(&mut ours(suite, None, &tokens, count));
        read(&shim)
    });
    add(&mut figure, "the child's loop", &counts, 200);
    let counts = [1, 11].map(|count| {
        let shim = shim(suite, &folder.join(format!("shim-fleet-{count}")), "");
        let room = Room::new(&folder.join(format!("fleet-{count}")), count).through(&shim);
        room.prepare(suite);
        std::fs::remove_file(shim.with_file_name("trace")).expect("a trace");
        room.conduct(suite, 2);
        read(&shim)
    });
    add(&mut figure, "a whole rotation", &counts, 30);
    vec![figure]
}

fn add(figure: &mut Figure, place: &str, [few, many]: &[Counts; 2], more: usize) {
    let count = |of: &Counts, name: &str| of.get(name).copied().unwrap_or_default();
    let grown = |name: &str| count(many, name) as f64 - count(few, name) as f64;
    let each = |name: &str| grown(name) / more as f64;
    figure.ours(&format!("{place}: C_SignInit"), Target::Exactly(1.0), each("C_SignInit"));
    let who = format!("{place}: C_Sign, of which one asks for the length");
    figure.ours(&who, Target::Exactly(2.0), each("C_Sign"));
    let others = many.keys().filter(|name| !matches!(&***name, "C_Sign" | "C_SignInit"));
    let who = format!("{place}: any other");
    figure.ours(&who, Target::Exactly(0.0), others.map(|name| each(name)).sum());
}

fn read(shim: &Path) -> Counts {
    let trace = std::fs::read_to_string(shim.with_file_name("trace")).expect("a trace");
    let mut counts = Counts::new();
    for line in trace.lines() {
        let name = line.rsplit(' ').next().expect("a name");
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}
