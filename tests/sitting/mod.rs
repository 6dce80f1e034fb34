//! Whole ceremonies: a room of folders, soft tokens, a request, a plan, and the real binary.

mod abandon;
mod bench;
mod genesis;
mod paper;
mod rehearse;
mod resume;
mod rotate;

pub(crate) use bench::{Bench, Holding, PlanText, Publisher};
