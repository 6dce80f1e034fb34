//! The command line of `officiant`: what is typed, what is run, and how a refusal is told.
//!
//! Roof: may use all floors; reads no environment.

mod apart;
pub mod args;
mod ceremony;
mod check;
pub mod command;
mod custody;
mod doctor;
mod drill;
mod folder;
mod paper;
mod reading;
pub mod report;
mod share;
mod token;
