//! Whole ceremonies: a room of folders, soft tokens, a request, a plan, and the real binary.

mod abandon;
mod bad_answer;
mod bad_media;
mod bad_plan;
mod bad_request;
mod bad_root;
mod bad_share;
mod bad_token;
mod bench;
mod chain;
mod counts;
mod edited;
mod equivocation;
mod examples;
mod exception;
mod failing_media;
mod failing_work;
pub(crate) mod genesis;
mod kill;
mod normal;
mod paper;
mod power;
mod refused;
mod rehearse;
mod resume;
mod rotate;

pub(crate) use bench::{Bench, Holding, PlanText, Publisher};
#[cfg(feature = "online")]
pub(crate) use bench::{PIN, today};
