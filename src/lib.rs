//! Officiant runs the ceremonies of an offline root key.

pub mod check;
pub mod cjson;
pub mod digest;
pub mod key;
pub mod list;
pub mod name;
pub mod request;
pub mod root;
pub mod sums;
