//! What `killer` and `keeper` share: a command traced with everything that it starts.

pub mod call;
pub mod trace;
