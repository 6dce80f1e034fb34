//! Which token of a plan is which on this machine, other than a soft token of the bench.

use std::{fs, path::Path};

use super::Bench;

impl Bench {
    /// Writes room.toml with these tokens, each bound by what `bound` says of it: the lines of its `[[token]]` below the
    /// name, and more that stands for itself.
    pub(crate) fn write_room_bound(
        &self,
        tokens: &[&str],
        mut bound: impl FnMut(&str) -> (String, String),
    ) {
        let room = self.write_room(tokens);
        let mut text = fs::read_to_string(&room).unwrap();
        for token in tokens {
            let soft = format!("module = \"soft\"\nsofthsm = \"tokens/{token}\"\n");
            let (lines, more) = bound(token);
            text = text.replace(&soft, &lines) + &more;
        }
        fs::write(room, text).unwrap();
    }
}

/// The lines of room.toml that bind a token to a module of its own, called as the token is.
pub(crate) fn module(token: &str, path: &Path, needs: &str) -> (String, String) {
    let module = format!("[[module]]\nname = \"{token}\"\npath = \"{}\"\n{needs}", path.display());
    (format!("module = \"{token}\"\n"), module)
}
