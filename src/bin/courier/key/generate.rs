//! `courier key generate`: a new key in the store, and its public half beside, byte for byte as docker writes it.

use std::path::{Path, PathBuf};

use officiant::key::PublicKey;
use officiant::key::file::{self, KeyFile, MAX_BYTES};
use officiant::room::media;

use super::{Error, Failure, owner, refuse_needs};
use crate::args::{Generate, Needed, Owned};
use crate::keys::Private;
use crate::report::Output;
use crate::store::{Owner, Store, Stored, another, canonical_id, encrypted, place, write};

/// First the public half beside its place, then the key, then the place: whoever is killed in between left either
/// nothing that counts, or all that the next run needs to finish.
pub(super) fn run(store: &Store, args: &Generate) -> Result<Output, Failure> {
    let Owned { name, role, gun } = &args.owner;
    let owner = owner(name.as_deref(), role.as_deref(), gun.as_deref())?;
    if args.token.is_none() {
        refuse_needs(&args.needs)?;
    }
    // clap wants one of the two.
    let owner = owner.unwrap_or_else(|| Owner::signer(""));
    let folder = args.dir.clone().unwrap_or_default();
    if !folder.as_os_str().is_empty() && !folder.is_dir() {
        return Err(Error::from(media::Error::Missing { path: folder }).into());
    }
    let public = Public::of(&folder, &owner);
    if let Some(stored) = public.left_by_a_killed_run(store, &owner)? {
        let _writing = store.writing()?;
        public.place().map_err(|error| Failure::then(error, KEPT))?;
        return Ok(public.output(&stored.owner, stored.id.as_str(), &stored.path));
    }
    if media::exists(&public.path).map_err(Error::from)? {
        return Err(Error::Exists { path: public.path }.into());
    }
    let made = match &args.token {
        Some(uri) => Made::on_token(uri, &args.needs, &owner)?,
        None => Made::in_file(&owner)?,
    };
    let id = canonical_id(&made.public).map_err(|error| made.failed(error))?;
    let writing = store.writing().map_err(|error| made.failed(error))?;
    public.write(&owner, &made.public).map_err(|error| made.failed(error))?;
    let path = match made.is_on_token {
        true => writing.refer(&id, &made.text),
        false => writing.add(&id, &made.text),
    };
    let path = path.map_err(|error| made.failed(error))?;
    public.place().map_err(|error| Failure::then(error, KEPT))?;
    Ok(public.output(&owner, id.as_str(), &path))
}

/// A new key, before anything of it is written.
struct Made {
    public: PublicKey,
    /// What the store keeps of it.
    text: String,
    is_on_token: bool,
}

impl Made {
    fn in_file(owner: &Owner) -> Result<Self, Error> {
        let private = Private::generate()?;
        let text = encrypted(&private, owner, &another(owner)?)?;
        Ok(Self { public: private.public().clone(), text, is_on_token: false })
    }

    fn on_token(uri: &str, needed: &Needed, owner: &Owner) -> Result<Self, Error> {
        let reference = super::reach(uri, needed)?.generate(owner)?;
        let text = reference.to_pem(owner)?;
        Ok(Self { public: reference.public().clone(), text, is_on_token: true })
    }

    /// What is true when it could not be kept.
    fn failed(&self, error: impl Into<Error>) -> Failure {
        match self.is_on_token {
            true => Failure::then(error, ON_TOKEN),
            false => error.into().into(),
        }
    }
}

/// The file of a public half.
struct Public {
    path: PathBuf,
    beside: PathBuf,
}

impl Public {
    fn of(folder: &Path, owner: &Owner) -> Self {
        let role = &owner.role;
        let (path, beside) = (format!("{role}.pub"), format!(".{role}.pub.new"));
        Self { path: folder.join(path), beside: folder.join(beside) }
    }

    /// The key of a run that was killed after it wrote it.
    fn left_by_a_killed_run(&self, store: &Store, owner: &Owner) -> Result<Option<Stored>, Error> {
        let bytes = match media::read_file(&self.beside, MAX_BYTES as u64) {
            Err(media::Error::Missing { .. }) => return Ok(None),
            bytes => bytes?,
        };
        // Half of a file is none; it is written over.
        let block = KeyFile::read(&bytes).ok().filter(|block| block.label() == PUBLIC);
        let public = block.and_then(|block| PublicKey::from_der(block.der()).ok());
        let stored = public.map(|public| store.find_public(&public)).transpose()?.flatten();
        Ok(stored.filter(|stored| stored.owner == *owner))
    }

    fn write(&self, owner: &Owner, public: &PublicKey) -> Result<(), Error> {
        Ok(write(&self.beside, &file::write(PUBLIC, &owner.headers(), public.der()))?)
    }

    fn place(&self) -> Result<(), Error> {
        Ok(place(&self.beside, &self.path)?)
    }

    fn output(&self, owner: &Owner, id: &str, private: &Path) -> Output {
        let is_key = private.extension().is_some_and(|extension| extension == "key");
        let what = if is_key { "private" } else { "reference" };
        let text = format!(
            "key       {id}\nrole      {owner}\n{what:9} {}\npublic    {}\n",
            private.display(),
            self.path.display()
        );
        let Owner { role, gun } = owner;
        let json = serde_json::json!({
            "id": id, "role": role, "gun": gun, "file": private, "public": self.path,
        });
        Output { text, json }
    }
}

const PUBLIC: &str = "PUBLIC KEY";
const ON_TOKEN: &str = "the key is on the token; `courier key load` with its URI takes it up";
const KEPT: &str = "the private key is in the store; the same command writes its public half";
