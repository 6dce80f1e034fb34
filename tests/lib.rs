//! All integration tests: one binary, so that it is linked once.
//!
//! `sh tests/run.sh` prepares what they run against; what is missing fails. Mounting media needs root: whoever is not
//! root is told which tests did not run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking, and the harness is tests all through"
)]

#[cfg(feature = "online")]
mod courier;
mod docs;
#[cfg(feature = "online")]
mod e2e;
mod harness;
mod hostile;
mod house;
mod media;
mod sitting;
mod softhsm;
mod token;
mod walk;
