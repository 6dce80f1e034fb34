//! `courier`, the networked half.

fn main() {}
