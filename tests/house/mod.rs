//! The rules of the house that no compiler knows, read off the source itself.

mod checks;
mod dependencies;
mod files;
mod floors;
mod length;
mod source;

use std::path::Path;

/// The top of the repository.
fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Panics with one line for each finding, if there are any.
#[track_caller]
fn none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
