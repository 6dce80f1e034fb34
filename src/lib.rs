//! Officiant runs the ceremonies of an offline root key.

pub mod check;
pub mod cjson;
pub mod digest;
pub mod key;
pub mod list;
pub mod name;
pub mod refusal;
pub mod request;
pub mod room;
pub mod root;
pub mod secret;
pub mod sums;
pub mod wording;
