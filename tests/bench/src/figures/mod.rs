//! The figures, each beside its reference.

mod batch;
mod calls;
mod chain;
mod consumer;
mod one;
mod rotation;
mod slow;
mod verify;

use crate::figure::Figure;
use crate::suite::Suite;

/// Measures one figure, or some that come of the same work.
type Measure = fn(&Suite) -> Vec<Figure>;

/// All of them by name, in the order of the table.
pub(crate) const ALL: [(&str, Measure); 9] = [
    ("one", one::measure),
    ("batch", batch::measure),
    ("slow", slow::measure),
    ("calls", calls::measure),
    ("rotation", rotation::measure),
    ("verify", verify::measure),
    ("chain", chain::measure),
    ("check", verify::check),
    ("courier", consumer::measure),
];
