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
mod bad_start;
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
mod left;
mod limits;
mod meddle;
mod normal;
mod other_room;
mod paper;
mod plan_alone;
mod poor_token;
mod possession;
mod power;
mod read_once;
mod refused;
mod rehearse;
mod resume;
mod rotate;
mod shared;
mod unfinished;

pub(crate) use bench::{Bench, Holding, PlanText, Publisher};
#[cfg(feature = "online")]
pub(crate) use bench::{PIN, today};
