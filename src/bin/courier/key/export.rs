//! `courier key export`: keys as they lie in the store, encrypted, with the header by which others import them.

use std::path::Path;

use super::{Error, Failure};
use crate::args::Export;
use crate::mouth;
use crate::report::Output;
use crate::store::{self, Place, Store, Stored};

/// Nothing is opened, so no passphrase is asked for; a key that is not encrypted stays where it is.
pub(super) fn run(store: &Store, args: &Export) -> Result<Output, Failure> {
    let mut text = String::new();
    let keys = wanted(store, args)?;
    let (on_tokens, keys): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|stored| matches!(stored.place, Place::Token(_)));
    if let (Some(stored), false) = (on_tokens.first(), args.key.is_empty()) {
        return Err(Error::OnToken { stored: Box::new(stored.clone()) }.into());
    }
    for stored in &keys {
        text += &exported(stored)?;
    }
    // Whoever asks for all is told what is not among them.
    for stored in &on_tokens {
        mouth::note(&format!("{stored} is on a token, and stays there\n"));
    }
    let ids: Vec<&str> = keys.iter().map(|stored| stored.id.as_str()).collect();
    let Some(path) = &args.output else {
        let json = serde_json::json!({ "keys": ids, "pem": text });
        return Ok(Output { text, json });
    };
    put(path, &text)?;
    let mut said: String = ids.iter().map(|id| format!("key       {id}\n")).collect();
    said += &format!("written   {}\n", path.display());
    Ok(Output { text: said, json: serde_json::json!({ "keys": ids, "file": path }) })
}

fn wanted(store: &Store, args: &Export) -> Result<Vec<Stored>, Error> {
    if !args.key.is_empty() {
        let named = args.key.iter().map(|typed| store.named(typed));
        return Ok(named.collect::<Result<_, _>>()?);
    }
    let listed = store.list()?;
    let Some(gun) = &args.gun else {
        return match listed.unread.into_iter().next() {
            // Whoever asks for all is not given less.
            Some(unread) => Err(unread.why.into()),
            None => Ok(listed.keys),
        };
    };
    let of_it = |stored: &Stored| stored.owner.gun.as_ref() == Some(gun);
    let keys: Vec<Stored> = listed.keys.into_iter().filter(of_it).collect();
    if keys.is_empty() {
        return Err(Error::NoneOf { gun: gun.clone() });
    }
    Ok(keys)
}

fn exported(stored: &Stored) -> Result<String, Error> {
    let block = stored.block()?;
    if !block.is_encrypted() {
        return Err(Error::Plain { stored: Box::new(stored.clone()) });
    }
    let mut headers = stored.owner.headers();
    headers.push(("path", stored.id.as_str()));
    Ok(block.to_pem(&headers))
}

/// Writes a new file for this account alone.
fn put(path: &Path, text: &str) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    Ok(store::put(&beside, path, text)?)
}
