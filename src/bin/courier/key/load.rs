//! `courier key load`: keys from a file into the store, encrypted anew whatever they were before.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use officiant::key::file::{self, KeyFile, MAX_BYTES};
use officiant::root::KeyId;
use officiant::secret::Pin;
use zeroize::Zeroizing;

use super::{Error, Failure, owner, refuse_needs};
use crate::args::Load;
use crate::environment::{Environment, Holder};
use crate::files;
use crate::keys::{self, Private};
use crate::report::Output;
use crate::store::{self, KeyUri, Owner, Reach, Store, another, canonical_id, encrypted, of_file};

/// All keys are opened and encrypted before the first is written.
pub(super) fn run(store: &Store, args: &Load) -> Result<Output, Failure> {
    let file = &args.file;
    let given = owner(args.name.as_deref(), args.role.as_deref(), args.gun.as_deref())?;
    if let Some(uri) = file.to_str().filter(|text| KeyUri::is_meant(text)) {
        let owner = given.ok_or_else(|| Error::Unnamed { path: file.clone() })?;
        return refer(store, super::reach(uri, &args.needs)?, &owner);
    }
    refuse_needs(&args.needs)?;
    let mut ready = Vec::new();
    let mut pins = Vec::new();
    for block in blocks(file)? {
        let key = Loaded::open(file, &block, given.as_ref())?;
        let known = store.find(&key.id)?;
        let text = match known {
            Some(_) => None,
            None => Some(encrypted(&key.private, &key.owner, pin(&mut pins, &key.owner)?)?),
        };
        ready.push((known.map_or(key.owner, |stored| stored.owner), key.id, text));
    }
    let writing = store.writing()?;
    for (at, (_, id, text)) in ready.iter().enumerate() {
        if let Some(text) = text {
            let standing = || format!("{at} of {} keys are in the store", ready.len());
            writing.add(id, text).map_err(|error| Failure::then(error, standing()))?;
        }
    }
    Ok(output(&ready))
}

/// Takes up a key on a token: what is kept is a reference to it.
fn refer(store: &Store, reach: Reach, owner: &Owner) -> Result<Output, Failure> {
    let reference = reach.find()?;
    let id = canonical_id(reference.public())?;
    let known = store.find(&id)?;
    let text = reference.to_pem(owner)?;
    if known.is_none() {
        store.writing()?.refer(&id, &text)?;
    }
    let written = known.is_none().then_some(text);
    Ok(output(&[(known.map_or(owner.clone(), |stored| stored.owner), id, written)]))
}

/// One key of the file.
struct Loaded {
    private: Private,
    id: KeyId,
    owner: Owner,
}

impl Loaded {
    fn open(path: &Path, block: &KeyFile, given: Option<&Owner>) -> Result<Self, Error> {
        let owner = owner_of(path, block, given)?;
        if owner.holder() == Holder::Root {
            return Err(Error::Root { what: format!("the key in `{}`", path.display()) });
        }
        let private = match block.is_encrypted() {
            false => Private::from_der(path, block.der())?,
            true => opened(path, block, &owner)?,
        };
        let id = canonical_id(private.public())?;
        Ok(Self { private, id, owner })
    }
}

/// The private keys of a file, which must be closed to others.
fn blocks(path: &Path) -> Result<Vec<KeyFile>, Error> {
    let missing = || keys::Error::Pem { file: path.to_owned() };
    let bytes = Zeroizing::new(files::read(path, MAX_KEYS * MAX_BYTES)?.ok_or_else(missing)?);
    let blocks = KeyFile::read_all(&bytes).map_err(|error| match error {
        file::Error::Cipher => keys::Error::OldEncryption { file: path.to_owned() },
        _ => missing(),
    })?;
    let (keys, others): (Vec<_>, Vec<_>) =
        blocks.into_iter().partition(|block| block.label().ends_with("PRIVATE KEY"));
    if let (true, Some(other)) = (keys.is_empty(), others.first()) {
        let label = other.label().to_owned();
        return Err(Error::NotPrivate { path: path.to_owned(), label });
    }
    let mode = fs::metadata(path).map_err(|_| missing())?.permissions().mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(keys),
        _ => Err(Error::Open { path: path.to_owned(), mode }),
    }
}

/// Whose a key is: as its headers say, which the command line must not contradict; else as the command line says.
fn owner_of(path: &Path, block: &KeyFile, given: Option<&Owner>) -> Result<Owner, Error> {
    let gun = block.header("gun").or_else(|| old_gun(block)).map(str::to_owned);
    match (block.header("role"), given) {
        (None, None) => Err(Error::Unnamed { path: path.to_owned() }),
        (None, Some(given)) => Ok(given.clone()),
        (Some(role), given) => {
            let found = Owner { gun, role: role.to_owned() };
            match given {
                None => Ok(found),
                Some(given) if *given == found => Ok(found),
                // `notary key generate` makes keys of roles without saying of which repository.
                Some(given) if given.role == found.role && found.gun.is_none() => Ok(given.clone()),
                Some(given) => {
                    let (found, given) = (found.to_string(), given.to_string());
                    Err(Error::Named { path: path.to_owned(), found, given })
                }
            }
        }
    }
}

/// The repository in the path of an export of notary before 0.4: `tuf_keys/GUN/ID`.
fn old_gun(block: &KeyFile) -> Option<&str> {
    let path = block.header("path")?.strip_prefix("tuf_keys/")?;
    path.rsplit_once('/').map(|(gun, _)| gun)
}

/// By the passphrase that is set, if that opens it, or by one that is asked for once.
fn opened(path: &Path, block: &KeyFile, owner: &Owner) -> Result<Private, Error> {
    let open = |pin: &Pin| {
        let der = block.open(pin.expose().as_bytes()).ok()?;
        Some(Private::from_der(path, &der))
    };
    let mut set = Environment::passphrases(owner.holder());
    let opened = match set.find_map(|pin| open(&pin)) {
        None => open(&of_file(path)?),
        opened => opened,
    };
    let wrong = || Err(keys::Error::Passphrase { file: path.to_owned() });
    Ok(opened.unwrap_or_else(wrong)?)
}

/// The passphrase for a new key; it is asked for once for all keys of a kind.
fn pin<'a>(pins: &'a mut Vec<(Holder, Pin)>, owner: &Owner) -> Result<&'a Pin, store::Error> {
    let holder = owner.holder();
    let at = match pins.iter().position(|(other, _)| *other == holder) {
        Some(at) => at,
        None => {
            pins.push((holder, another(owner)?));
            pins.len() - 1
        }
    };
    Ok(&pins[at].1)
}

fn output(keys: &[(Owner, KeyId, Option<String>)]) -> Output {
    let mut text = String::new();
    let mut json = Vec::new();
    for (owner, id, written) in keys {
        let state = if written.is_some() { "loaded" } else { "already in the store" };
        text += &format!("key       {id}\nrole      {owner}, {state}\n");
        let Owner { role, gun } = owner;
        let is_new = written.is_some();
        json.push(serde_json::json!({
            "id": id.as_str(), "role": role, "gun": gun, "new": is_new,
        }));
    }
    Output { text, json: serde_json::json!({ "keys": json }) }
}

/// As many keys as a file may hold at their largest.
const MAX_KEYS: usize = 64;
