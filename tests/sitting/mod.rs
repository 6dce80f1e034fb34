//! Whole ceremonies: a room of folders, soft tokens, a request, a plan, and the real binary.

mod bench;
mod genesis;
mod resume;
mod rotate;

pub(crate) use bench::{Bench, Holding, PlanText, Publisher};
