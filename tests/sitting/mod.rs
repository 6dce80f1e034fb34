//! Whole ceremonies: a room of folders, soft tokens, a request, a plan, and the real binary.

mod abandon;
mod bad_answer;
mod bad_intent;
mod bad_media;
mod bad_plan;
mod bad_request;
mod bad_root;
mod bad_share;
mod bad_signature;
mod bad_text;
mod bad_token;
mod bench;
mod chain;
mod clock;
mod counts;
mod edited;
mod equivocation;
mod examples;
mod exception;
mod excluded;
mod failing_media;
mod fleet;
mod forged;
pub(crate) mod genesis;
mod kill;
mod late;
mod left;
mod meddle;
mod normal;
mod other_room;
mod paper;
mod poor_token;
mod possession;
mod power;
mod refused;
mod rehearse;
mod resume;
mod rotate;
mod shared;

pub(crate) use bench::{Bench, Holding, PlanText, Publisher};
#[cfg(feature = "online")]
pub(crate) use bench::{PIN, today};
