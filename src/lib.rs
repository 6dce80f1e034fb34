//! Officiant runs the ceremonies of an offline root key.

pub mod ceremony;
pub mod check;
pub mod child;
pub mod cjson;
pub mod cli;
pub mod conduct;
pub mod digest;
pub mod key;
pub mod list;
pub mod name;
pub mod paper;
pub mod record;
pub mod refusal;
pub mod request;
pub mod room;
pub mod root;
pub mod seal;
pub mod secret;
pub mod share;
pub mod show;
pub mod sums;
pub mod trust;
pub mod verify;
pub mod wording;
