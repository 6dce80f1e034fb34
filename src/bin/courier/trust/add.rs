//! `courier add` and `courier remove`: targets of any kind, in the lists that are named.
//!
//! Annex.

use std::path::Path;

use data_encoding::HEXLOWER_PERMISSIVE;
use officiant::cjson::{Limits, Value};
use officiant::digest::Digest;
use officiant::root::targets::{ListRole, Target};
use officiant::wording::List;

use super::change::Unchanged;
use super::change::changed::changed;
use super::change::content;
use super::change::draft::{self, Draft};
use super::delegation::place;
use super::{Error, args};
use crate::files;
use crate::report::Output;

/// Signs one target in every role that is named.
///
/// # Errors
/// [`Error`].
pub(crate) async fn run(args: &args::Add) -> Result<Output, Error> {
    let roles = roles(&args.role)?;
    let mut target = target(args)?;
    target.custom = args.custom.as_deref().map(custom).transpose()?;
    let place = place(&args.repository, &args.trust)?;
    let change = |draft: &mut Draft| {
        for role in &roles {
            let list = draft.list_naming(role, &args.target)?;
            list.targets.insert(args.target.clone(), target.clone());
        }
        let digest = target.sha256().map(|digest| digest.to_string()).unwrap_or_default();
        Ok([format!("`{}` is sha256:{digest} in {}", args.target, List::names(&roles))])
    };
    let (told, published) = draft::change(&place, args.apart.apart.as_deref(), change).await?;
    Ok(changed(&place, &published, &told))
}

/// Takes targets out of every role that is named.
///
/// # Errors
/// [`Unchanged::NotListed`]; [`Error`].
pub(crate) async fn remove(args: &args::Remove) -> Result<Output, Error> {
    let roles = roles(&args.role)?;
    let place = place(&args.repository, &args.trust)?;
    let change = |draft: &mut Draft| {
        for role in &roles {
            let gun = draft.view.gun.clone();
            let list = draft.list(role)?;
            for target in &args.targets {
                if list.targets.remove(target).is_none() {
                    let (role, target) = (role.clone(), target.clone());
                    return Err(Error::from(Unchanged::NotListed { gun, role, target }));
                }
            }
        }
        Ok([format!("{} out of {}", List::names(&args.targets), List::names(&roles))])
    };
    let (told, published) = draft::change(&place, args.apart.apart.as_deref(), change).await?;
    Ok(changed(&place, &published, &told))
}

fn roles(names: &[String]) -> Result<Vec<ListRole>, Error> {
    Ok(names.iter().map(|role| role.parse()).collect::<Result<_, _>>()?)
}

fn target(args: &args::Add) -> Result<Target, Error> {
    let (Some(sha256), Some(length)) = (&args.sha256, args.length) else {
        let file = args.file.as_deref().ok_or(Unchanged::Nothing { what: "name a file" })?;
        return content::of(file);
    };
    let digest: Digest = sha256
        .to_lowercase()
        .parse()
        .map_err(|_| Unchanged::Hex { text: sha256.clone(), algorithm: "SHA-256" })?;
    let target = Target::new(digest, length);
    match &args.sha512 {
        None => Ok(target),
        Some(text) => {
            let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
            let bytes = bytes.filter(|bytes| bytes.len() == 64);
            let no = || Unchanged::Hex { text: text.clone(), algorithm: "SHA-512" };
            Ok(target.with_hash("sha512", bytes.ok_or_else(no)?))
        }
    }
}

/// JSON of a publisher. Written as it is signed, or the server would take the list for one that nobody signed.
fn custom(file: &Path) -> Result<Value, Error> {
    let bytes = files::read(file, Limits::ROOT.bytes)?;
    let bytes =
        bytes.ok_or_else(|| officiant::room::media::Error::Missing { path: file.to_owned() })?;
    let read = Value::parse(&bytes, Limits::ROOT);
    Ok(read.map_err(|source| Unchanged::Custom { file: file.to_owned(), source })?)
}
