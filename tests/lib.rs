//! All integration tests: one binary, so that it is linked once.
//!
//! `sh tests/run.sh` prepares what they run against. Nothing is skipped: what is missing fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking, and the harness is tests all through"
)]

mod harness;
mod house;
