//! Proof that the owner of an offered key holds its private half, made for one plan, repository and role.
//!
//! First floor, documents: pure.
//!
//! `proofs/<folder>/<role>-<pin>.json` on media, made by `courier prove` after the plan is fixed (docs/threats.md
//! rule 1), or `proofs/<role>-<pin>.jsonl` for all repositories of a list that the key serves. A proof for one plan,
//! repository or role is worth nothing for another; each key has a file of its own, so that several owners prove one after
//! the other, on one media or on two.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::{self, PublicKey, Scheme};
use crate::name::Name;

use super::Role;

/// The schema that the file names.
pub const SCHEMA: &str = "officiant-proof-1";
/// Most bytes of one proof.
pub const MAX_BYTES: usize = 8 << 10;
/// Most bytes of a file: of some ten thousand proofs by one key.
pub const MAX_FILE: usize = 16 << 20;

/// What a proof speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// SHA-256 of the plan's bytes.
    pub plan: Digest,
    /// The repository.
    pub repository: Name,
    /// The role in which the key is new.
    pub role: Role,
}

impl Claim {
    /// The bytes that the key signs.
    pub fn text(&self) -> String {
        let Self { plan, repository, role } = self;
        format!("officiant proof v1\nrequest key\n{plan}\n{repository}\n{role}\n")
    }
}

/// A proof of possession of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What it speaks for.
    pub claim: Claim,
    /// The key, by SHA-256 of its SubjectPublicKeyInfo.
    pub key: Digest,
    /// The signature over [`Claim::text`], in [`scheme`] of the key.
    pub signature: Vec<u8>,
}

impl Proof {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Form`] for other bytes than [`Proof::to_line`] gives.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let short = bytes.len() <= MAX_BYTES;
        short.then(|| Self::read(bytes)).flatten().ok_or(Error::Form)
    }

    /// Reads a file by its path on media: one proof, or those of one key for a list, sorted by repository.
    ///
    /// # Errors
    /// [`Error::Form`], also for a file that lies elsewhere than what it says.
    pub fn read_file(path: &str, bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let proofs = Self::read_lines(bytes)?;
        let of_list = |proof: &Self| Self::list_path(proof.claim.role, proof.key) == path;
        let is_right = match proofs.as_slice() {
            [one] => one.path() == path || of_list(one),
            many => many.iter().all(of_list),
        };
        let name = |proof: &Self| proof.claim.repository.clone();
        let is_sorted = proofs.is_sorted_by(|one, other| name(one) < name(other));
        if is_right && is_sorted && !proofs.is_empty() { Ok(proofs) } else { Err(Error::Form) }
    }

    /// Reads proofs, one on each line.
    ///
    /// # Errors
    /// As [`Proof::parse`].
    pub fn read_lines(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        bytes.split_inclusive(|byte| *byte == b'\n').map(Self::parse).collect()
    }

    /// The path on media of what a key proves for the repositories of a list: a line for each, sorted by name.
    pub fn list_path(role: Role, key: Digest) -> String {
        format!("proofs/{role}-{key}.jsonl")
    }

    /// Its path on media, where it stands alone.
    pub fn path(&self) -> String {
        let Self { claim: Claim { repository, role, .. }, key, .. } = self;
        format!("proofs/{}/{role}-{key}.json", repository.folder())
    }

    /// The proof as one line, with its line feed.
    pub fn to_line(&self) -> String {
        let page = Page {
            schema: SCHEMA.to_owned(),
            plan: self.claim.plan,
            repository: self.claim.repository.clone(),
            role: self.claim.role,
            key: self.key,
            signature: BASE64.encode(&self.signature),
        };
        // Strings only: there is nothing that JSON could not hold.
        serde_json::to_string(&page).unwrap_or_default() + "\n"
    }

    /// Says whether `key` made this proof for `claim`.
    ///
    /// # Errors
    /// [`Error::Claim`], [`Error::Key`], [`Error::Signature`].
    pub fn verify(&self, claim: &Claim, key: &PublicKey) -> Result<(), Error> {
        if self.claim != *claim {
            return Err(Error::Claim { path: self.path() });
        }
        if self.key != key.id() {
            return Err(Error::Key { path: self.path(), expected: key.id(), found: self.key });
        }
        let verdict = key.verify(scheme(key), claim.text().as_bytes(), &self.signature);
        verdict.map_err(|source| Error::Signature { path: self.path(), source })
    }

    fn read(line: &[u8]) -> Option<Self> {
        let page: Page = serde_json::from_slice(line).ok()?;
        let claim = Claim { plan: page.plan, repository: page.repository, role: page.role };
        let signature = BASE64.decode(page.signature.as_bytes()).ok()?;
        let proof = Self { claim, key: page.key, signature };
        (page.schema == SCHEMA && proof.to_line().as_bytes() == line).then_some(proof)
    }
}

/// How a key of this kind signs a proof: ECDSA in DER with SHA-256, RSA-PSS with SHA-256, or Ed25519.
pub fn scheme(key: &PublicKey) -> Scheme {
    Scheme::of_certificate(key.algorithm())
}

/// Why a proof is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Made for another plan, repository or role.
    #[error("`{path}` is a proof for another plan, repository or role")]
    Claim {
        /// Where the proof lies.
        path: String,
    },
    /// Not a proof.
    #[error("the file is no proof of schema `{SCHEMA}`")]
    Form,
    /// Made with another key.
    #[error("`{path}` is a proof of key {found}, expected {expected}")]
    Key {
        /// Where the proof lies.
        path: String,
        /// The key that was wanted.
        expected: Digest,
        /// The key that the proof names.
        found: Digest,
    },
    /// The signature is not by this key over this claim.
    #[error("`{path}`: {source}")]
    Signature {
        /// Where the proof lies.
        path: String,
        /// What is wrong with it.
        source: key::Error,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    schema: String,
    plan: Digest,
    repository: Name,
    role: Role,
    key: Digest,
    signature: String,
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn claim() -> Claim {
        Claim {
            plan: Digest::of(b"plan"),
            repository: "localhost:5000/x".parse().unwrap(),
            role: Role::Targets,
        }
    }

    fn proof() -> (Proof, PublicKey) {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = PublicKey::from_ed25519(pair.public_key().as_ref()).unwrap();
        let signature = pair.sign(claim().text().as_bytes()).as_ref().to_vec();
        (Proof { claim: claim(), key: key.id(), signature }, key)
    }

    #[test]
    fn the_signed_text_names_purpose_plan_repository_and_role() {
        let text = claim().text();
        let plan = Digest::of(b"plan");
        assert_eq!(
            text,
            format!("officiant proof v1\nrequest key\n{plan}\nlocalhost:5000/x\ntargets\n")
        );
        let (proof, key) = proof();
        assert_eq!(proof.path(), format!("proofs/localhost%3a5000%2fx/targets-{}.json", key.id()));
    }

    #[test]
    fn the_proofs_of_a_list_are_read_from_where_they_lie_in_their_order() {
        let (one, _) = proof();
        let mut two = one.clone();
        two.claim.repository = "localhost:5000/y".parse().unwrap();
        let path = Proof::list_path(Role::Targets, one.key);
        let file =
            |proofs: &[&Proof]| proofs.iter().map(|proof| proof.to_line()).collect::<String>();
        let read = |path: &str, proofs: &[&Proof]| Proof::read_file(path, file(proofs).as_bytes());
        assert_eq!(read(&path, &[&one, &two]), Ok(vec![one.clone(), two.clone()]));
        assert_eq!(read(&path, &[&one]), Ok(vec![one.clone()]));
        assert_eq!(read(&one.path(), &[&one]), Ok(vec![one.clone()]));
        for (path, proofs) in [
            (&path, &[&two, &one][..]),
            (&path, &[&one, &one]),
            (&path, &[]),
            (&one.path(), &[&one, &two]),
            (&Proof::list_path(Role::Snapshot, one.key), &[&one, &two]),
            (&Proof::list_path(Role::Targets, Digest::of(b"")), &[&one]),
        ] {
            assert_eq!(read(path, proofs), Err(Error::Form), "{path}");
        }
        let torn = &file(&[&one, &two])[1..];
        assert_eq!(Proof::read_file(&path, torn.as_bytes()), Err(Error::Form));
    }

    #[test]
    fn a_proof_is_read_back_and_holds_for_its_claim_alone() {
        let (proof, key) = proof();
        let text = proof.to_line();
        assert_eq!(Proof::parse(text.as_bytes()), Ok(proof.clone()));
        assert_eq!(proof.verify(&claim(), &key), Ok(()));

        let path = proof.path();
        let other = Claim { role: Role::Snapshot, ..claim() };
        assert_eq!(
            proof.verify(&other, &key).unwrap_err().to_string(),
            format!("`{path}` is a proof for another plan, repository or role")
        );
        let (_, stranger) = self::proof();
        assert_eq!(
            proof.verify(&claim(), &stranger).unwrap_err().to_string(),
            format!("`{path}` is a proof of key {}, expected {}", key.id(), stranger.id())
        );
        let mut moved = proof;
        moved.claim = other.clone();
        assert_eq!(
            moved.verify(&other, &key).unwrap_err().to_string(),
            format!(
                "`{}`: the signature is not by this key over these bytes",
                path.replace("targets", "snapshot")
            )
        );
    }

    #[test]
    fn other_bytes_are_no_proof() {
        let text = proof().0.to_line();
        for bad in [
            String::new(),
            text.trim_end().to_owned(),
            format!("{text}\n"),
            format!(" {text}"),
            text.repeat(2),
            text.replace("proof-1", "proof-2"),
            text.replace("{\"schema\"", "{\"more\":1,\"schema\""),
        ] {
            let error = Proof::parse(bad.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), "the file is no proof of schema `officiant-proof-1`");
        }
    }
}
