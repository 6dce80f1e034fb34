//! `courier key list`.

use officiant::wording::one_line;

use super::Failure;
use crate::report::Output;
use crate::store::{Listed, Place, Store, Stored};

/// Every key by repository, role and id, and every file that should be one and is none.
pub(super) fn run(store: &Store) -> Result<Output, Failure> {
    let listed = store.list()?;
    Ok(Output { text: text(store, &listed), json: json(&listed) })
}

/// The columns of `notary key list`, but nothing is cut.
fn text(store: &Store, listed: &Listed) -> String {
    let mut rows = vec![["ROLE", "GUN", "KEY ID", "LOCATION"].map(str::to_owned)];
    rows.extend(listed.keys.iter().map(row));
    let mut text = String::new();
    if listed.keys.is_empty() {
        text += &format!("no key is in {}\n", store.folder().display());
    } else {
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..3).map(|column| width(column).unwrap_or(0)).collect();
        for [role, gun, id, place] in &rows {
            text += &format!(
                "{role:0$}  {gun:1$}  {id:2$}  {place}\n",
                widths[0], widths[1], widths[2]
            );
        }
    }
    for unread in &listed.unread {
        text += &format!("not a key: {}\n", unread.why);
    }
    text
}

fn row(stored: &Stored) -> [String; 4] {
    let folder = stored.path.parent().unwrap_or(&stored.path).display();
    let place = match &stored.place {
        Place::File { is_encrypted: true } => folder.to_string(),
        Place::File { is_encrypted: false } => format!("{folder}, not encrypted"),
        Place::Token(reference) => reference.uri().to_owned(),
    };
    [
        one_line(&stored.owner.role),
        one_line(stored.owner.gun.as_deref().unwrap_or_default()),
        stored.id.to_string(),
        place,
    ]
}

fn json(listed: &Listed) -> serde_json::Value {
    let keys = listed.keys.iter().map(|stored| {
        let (is_encrypted, token) = match &stored.place {
            Place::File { is_encrypted } => (Some(is_encrypted), None),
            Place::Token(reference) => (None, Some(reference.uri())),
        };
        serde_json::json!({
            "role": stored.owner.role, "gun": stored.owner.gun, "id": stored.id.as_str(),
            "file": stored.path, "encrypted": is_encrypted, "token": token,
        })
    });
    let unread = listed
        .unread
        .iter()
        .map(|unread| serde_json::json!({ "file": unread.path, "why": unread.why.to_string() }));
    serde_json::json!({
        "keys": keys.collect::<Vec<_>>(), "unread": unread.collect::<Vec<_>>(),
    })
}
