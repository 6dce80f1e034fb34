//! `courier prove`: shows, for one plan, repository and role, that the private half of a key is held.
//!
//! Annex. The plan is read for its digest alone; what it says is judged in the room.

use std::path::PathBuf;

use officiant::digest::Digest;
use officiant::name;
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
    let repository = args.repository.parse()?;
    let claim = Claim { plan: Digest::of(&plan), repository, role };
    let prove = |key: Signer| -> Result<Proof, Error> {
        let signature = key.sign(scheme(key.public()), claim.text().as_bytes())?;
        let proof = Proof { claim: claim.clone(), key: key.public().id(), signature };
        files::check_ready(&args.out, Kind::In, &proof.path())?;
        Ok(proof)
    };
    let signers = signers(args, &claim)?;
    let proofs = signers.into_iter().map(prove).collect::<Result<Vec<_>, _>>()?;
    files::mark(&args.out, Kind::In)?;
    let mut paths = Vec::new();
    for proof in &proofs {
        let name = proof.path();
        media::write_new_in(&args.out, &name, proof.to_line().as_bytes())?;
        paths.push(args.out.join(name));
    }
    Ok(Proved { claim, keys: proofs.iter().map(|proof| proof.key).collect(), paths })
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
    claim: Claim,
    keys: Vec<Digest>,
    paths: Vec<PathBuf>,
}

impl Proved {
    /// What is said of it.
    pub(crate) fn output(&self) -> Output {
        Output { text: self.text(), json: self.json() }
    }

    /// For people.
    fn text(&self) -> String {
        let Claim { plan, repository, role } = &self.claim;
        let mut text = format!("plan      {}\n", plan.grouped());
        text += &format!("for       `{role}` of `{repository}`\n");
        for (key, path) in self.keys.iter().zip(&self.paths) {
            text += &format!("key       {}\nwritten   {}\n", key.grouped(), path.display());
        }
        text
    }

    /// For machines.
    fn json(&self) -> serde_json::Value {
        let Claim { plan, repository, role } = &self.claim;
        serde_json::json!({
            "plan": plan, "repository": repository, "role": role, "keys": self.keys, "files": self.paths,
        })
    }
}

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
