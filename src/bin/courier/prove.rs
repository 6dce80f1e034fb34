//! `courier prove`: shows, for one plan, repository and role, that the private half of a key is held.
//!
//! Annex. The plan is read for its digest alone; what it says is judged in the room.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use officiant::digest::Digest;
use officiant::list::{self, List};
use officiant::name::{self, Name};
use officiant::request::proof::{Claim, Proof, scheme};
use officiant::request::{self, Role};
use officiant::room::media::{self, Kind};

use super::keys::{self, Private};
use super::report::Output;
use super::store::{self, Owner, Signer, Store};
use super::{args, environment, files};

/// Does it, and says what stands on media now.
///
/// # Errors
/// [`Error`].
pub(crate) fn run(args: &args::Prove) -> Result<Proved, Error> {
    let missing = || Error::Plan { file: args.plan.clone() };
    let plan = files::read(&args.plan, MAX_PLAN)?.ok_or_else(missing)?;
    let role = request::online_role(&args.role)?;
    if role == Role::Timestamp {
        return Err(Error::Timestamp);
    }
    let plan = Digest::of(&plan);
    let (mut proofs, mut files) = (Vec::new(), BTreeMap::<String, String>::new());
    for name in &args.repository {
        let claim = Claim { plan, repository: name.parse()?, role };
        let signers = signers(args, &claim)?;
        for key in &signers {
            let proof = prove(&claim, key)?;
            let path = proof.path();
            files.insert(path.clone(), proof.to_line());
            proofs.push((proof, path));
        }
    }
    if let Some(file) = &args.list {
        for proof in listed(args, (plan, role), &list(file)?)? {
            let path = Proof::list_path(role, proof.key);
            *files.entry(path.clone()).or_default() += &proof.to_line();
            proofs.push((proof, path));
        }
    }
    files.keys().try_for_each(|path| crate::files::check_ready(&args.out, Kind::In, path))?;
    crate::files::mark(&args.out, Kind::In)?;
    for (path, lines) in &files {
        media::write_new_in(&args.out, path, lines.as_bytes())?;
    }
    let proofs = proofs.into_iter().map(|(proof, path)| (proof, args.out.join(path)));
    Ok(Proved { plan, role, proofs: proofs.collect() })
}

fn prove(claim: &Claim, key: &Signer) -> Result<Proof, Error> {
    let signature = key.sign(scheme(key.public()), claim.text().as_bytes())?;
    Ok(Proof { claim: claim.clone(), key: key.public().id(), signature })
}

/// The plan's list.
fn list(file: &Path) -> Result<List, Error> {
    let missing = || Error::Plan { file: file.to_owned() };
    let bytes = files::read(file, list::MAX_BYTES)?.ok_or_else(missing)?;
    List::parse(&bytes).map_err(|source| Error::List { file: file.to_owned(), source })
}

/// Proofs for the repositories of a list that pin a key at hand for the role. One key may serve all of them: it is read,
/// and its passphrase asked for, once.
fn listed(
    args: &args::Prove,
    (plan, role): (Digest, Role),
    list: &List,
) -> Result<Vec<Proof>, Error> {
    let named = args.key.iter().map(|file| Private::read(file).map(Signer::from));
    let named = named.collect::<Result<Vec<Signer>, _>>()?;
    let mut proofs = Vec::new();
    for (repository, entry) in
        list.0.iter().filter(|(_, entry)| entry.pins.of(role).next().is_some())
    {
        let claim = Claim { plan, repository: repository.clone(), role };
        let is_pinned = |key: &&Signer| entry.pins.contains(role, key.public().id());
        let of = match named.is_empty() {
            true => signers(args, &claim)?,
            false => Vec::new(),
        };
        let mine = named.iter().chain(&of).filter(is_pinned);
        let made = mine.map(|key| prove(&claim, key)).collect::<Result<Vec<_>, _>>()?;
        if made.is_empty() {
            return Err(Error::Unpinned { repository: repository.clone(), role });
        }
        proofs.extend(made);
    }
    match proofs.is_empty() {
        true => Err(Error::Nothing { role }),
        false => Ok(proofs),
    }
}

/// The keys that the command line names, or those that the store holds for the role.
fn signers(args: &args::Prove, claim: &Claim) -> Result<Vec<Signer>, Error> {
    if !args.key.is_empty() {
        let read = args.key.iter().map(|file| Private::read(file).map(Signer::from));
        return Ok(read.collect::<Result<_, _>>()?);
    }
    let store = Store::open(&environment::trust_dir(args.trust_dir.as_deref()));
    let (gun, role) = (Some(claim.repository.as_str().to_owned()), claim.role.to_string());
    let owner = Owner { gun, role };
    let stored = store.of_owner(&owner)?;
    if stored.is_empty() {
        let (owner, folder) = (owner.to_string(), store.folder().to_owned());
        return Err(Error::NoKey { owner, folder });
    }
    Ok(stored.iter().map(|stored| store.unlock(stored)).collect::<Result<_, _>>()?)
}

/// What was proved.
pub(crate) struct Proved {
    plan: Digest,
    role: Role,
    /// Each with its file.
    proofs: Vec<(Proof, PathBuf)>,
}

impl Proved {
    /// What is said of it.
    pub(crate) fn output(&self) -> Output {
        Output { text: self.text(), json: self.json() }
    }

    /// For people: each proof, or of many how many there are.
    fn text(&self) -> String {
        let (role, all) = (&self.role, self.proofs.len());
        let mut text = format!("plan      {}\n", self.plan.grouped());
        if all > FEW {
            let files: BTreeSet<&PathBuf> = self.proofs.iter().map(|(_, path)| path).collect();
            text += &format!("for       `{role}` of {all} repositories\n");
            for path in files {
                text += &format!("written   {}\n", path.display());
            }
            return text;
        }
        let mut last = None;
        for (proof, path) in &self.proofs {
            let repository = &proof.claim.repository;
            if last.replace(repository) != Some(repository) {
                text += &format!("for       `{role}` of `{repository}`\n");
            }
            let key = proof.key.grouped();
            text += &format!("key       {key}\nwritten   {}\n", path.display());
        }
        text
    }

    /// For machines.
    fn json(&self) -> serde_json::Value {
        let proofs = self.proofs.iter().map(|(proof, path)| {
            serde_json::json!({
                "repository": proof.claim.repository, "key": proof.key, "file": path,
            })
        });
        let proofs: Vec<_> = proofs.collect();
        serde_json::json!({ "plan": self.plan, "role": self.role, "proofs": proofs })
    }
}

/// Of more proofs than this, their number is told.
const FEW: usize = 20;

/// Why nothing was proved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A key file.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// Media.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// A name.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// The plan's list.
    #[error("`{}`: {source}", file.display())]
    List {
        /// The file.
        file: PathBuf,
        /// Why it cannot be read.
        source: list::Error,
    },
    /// A list that pins no key for the role.
    #[error("the list pins no key for `{role}`")]
    Nothing {
        /// The role.
        role: Role,
    },
    /// A repository whose key is not at hand.
    #[error("`{repository}`: the key that the list pins for `{role}` is not at hand")]
    Unpinned {
        /// The repository.
        repository: Name,
        /// The role.
        role: Role,
    },
    /// The store has no key of the role.
    #[error("no key of {owner} is in `{}`", folder.display())]
    NoKey {
        /// The role and its repository.
        owner: String,
        /// The store.
        folder: PathBuf,
    },
    /// The plan is not there.
    #[error("the plan `{}` is missing", file.display())]
    Plan {
        /// The file.
        file: PathBuf,
    },
    /// A role.
    #[error(transparent)]
    Role(#[from] request::Error),
    /// A key of the store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The server's key.
    #[error("a `timestamp` key is the server's, and is not proved")]
    Timestamp,
}

const MAX_PLAN: usize = 4 << 20;
