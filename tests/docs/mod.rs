//! The documentation says what is so: its links lead somewhere, its commands are commands, its vectors are right.

mod commands;
mod format;
mod moving;
mod pages;
mod session;

use std::path::{Path, PathBuf};

/// The top of the repository.
fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page, with its path from the top: README.md and what lies in docs/.
fn pages() -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = vec![top().join("README.md")];
    let entries = std::fs::read_dir(top().join("docs")).expect("docs");
    paths.extend(entries.map(|entry| entry.expect("an entry").path()));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a page");
        let name = path.strip_prefix(top()).expect("below the top");
        (name.to_str().expect("a plain name").to_owned(), text)
    };
    paths.into_iter().map(read).collect()
}

/// The fenced blocks of a page that are of one kind, such as `sh`; a fence may stand indented, in a list.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), None::<(bool, String)>);
    for line in page.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(word)) => open = Some((word == kind, String::new())),
            (Some((wanted, text)), Some(_)) => {
                if *wanted {
                    found.push(std::mem::take(text));
                }
                open = None;
            }
            (Some((_, text)), None) => *text += &format!("{}\n", line.trim_start()),
            (None, None) => {}
        }
    }
    found
}
