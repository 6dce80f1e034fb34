//! `officiant`, the air-gapped half.

fn main() {}
