//! Files that a person can read in one go.

use super::{none, source::sources};

/// A file longer than this, its unit tests apart, is two files.
const LINES: usize = 450;

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let mut findings = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        let lines = source.code.trim_end().lines().count();
        if lines > LINES {
            findings.push(format!("{}: {lines} lines", source.path));
        }
    }
    none(&findings);
}
