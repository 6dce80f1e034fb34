//! All integration tests: one binary, so that it is linked once.
//!
//! `sh tests/run.sh` prepares what they run against; what is missing fails. Mounting media needs root: without it such a
//! test fails too, unless `OFFICIANT_WITHOUT_MOUNTS` is set; then it says that it did not run. The same goes for docker's
//! engine, and `OFFICIANT_WITHOUT_ENGINE`.
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
mod doctor;
#[cfg(feature = "online")]
mod e2e;
mod harness;
mod hostile;
mod house;
mod media;
mod paper;
mod sitting;
mod softhsm;
mod token;
#[cfg(feature = "online")]
mod trust;
mod walk;
mod yubikey;
