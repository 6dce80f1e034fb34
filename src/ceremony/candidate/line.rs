//! The candidate of one repository, with the root before it, as one line of JSON.
//!
//! Second floor: pure. One line has one spelling, and nothing in it ever needs an escape.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::ceremony::draft::Draft;
use crate::root::SignedRoot;

/// A line as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

/// What a line says.
pub(super) struct Line {
    /// The repository.
    pub(super) name: String,
    /// The file of its new root.
    pub(super) root: Vec<u8>,
    /// The file of the root before.
    pub(super) previous: Option<Vec<u8>>,
}

/// The line of a candidate under the signatures of a file, with its line feed.
pub fn line(draft: &Draft, file: &SignedRoot) -> Vec<u8> {
    let form = Form {
        name: draft.repository.clone(),
        root: BASE64.encode(file.bytes()),
        previous: draft.last().map(|last| BASE64.encode(last.bytes())),
    };
    form.to_bytes()
}

impl Form {
    fn to_bytes(&self) -> Vec<u8> {
        // Strings only: there is nothing that JSON could not hold.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

impl Line {
    /// Reads a line with its line feed; none for one that is not in its one spelling.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let form: Form = serde_json::from_slice(bytes).ok()?;
        let decoded = |text: &String| BASE64.decode(text.as_bytes()).ok();
        let (root, previous) = (decoded(&form.root)?, form.previous.as_ref().map(decoded));
        if previous == Some(None) || form.to_bytes() != bytes {
            return None;
        }
        Some(Self { name: form.name, root, previous: previous.flatten() })
    }
}
