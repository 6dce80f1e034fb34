//! `courier key passwd` and `courier key remove`: what changes a key that is there.

use super::{Error, Failure};
use crate::environment::Holder;
use crate::report::Output;
use crate::store::{Place, Store, confirm, encrypted, twice};

/// Encrypts a key anew, under a passphrase that is typed twice.
pub(super) fn passwd(store: &Store, typed: &str) -> Result<Output, Failure> {
    let changed = || -> Result<_, Error> {
        let stored = store.named(typed)?;
        if matches!(stored.place, Place::Token(_)) {
            return Err(Error::OnToken { stored: Box::new(stored) });
        }
        let private = store.read(&stored)?;
        let pin = twice(&stored.to_string())?;
        let text = encrypted(&private, &stored.owner, &pin)?;
        store.writing()?.replace(&stored.path, &text)?;
        Ok(stored)
    };
    let stored = changed().map_err(|error| Failure::then(error, "the key is as it was"))?;
    let text = format!("key       {}\nrole      {}, new passphrase\n", stored.id, stored.owner);
    Ok(Output { text, json: serde_json::json!({ "id": stored.id.as_str() }) })
}

/// Removes a key, once its id was typed at the terminal.
pub(super) fn remove(store: &Store, typed: &str) -> Result<Output, Failure> {
    let removed = || -> Result<_, Error> {
        let stored = store.named(typed)?;
        if stored.owner.holder() == Holder::Root {
            return Err(Error::Root { what: stored.to_string() });
        }
        confirm(&stored)?;
        store.writing()?.remove(&stored.path)?;
        Ok(stored)
    };
    let stored = removed().map_err(|error| Failure::then(error, "nothing was removed"))?;
    let text = format!("key       {}\nrole      {}, removed\n", stored.id, stored.owner);
    Ok(Output { text, json: serde_json::json!({ "id": stored.id.as_str() }) })
}
