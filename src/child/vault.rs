//! The child that holds keys and shares, in memory only: it loads no module, and ends at once when it is done.
//!
//! Roof: the parent's handle is [`Vault`]; the child's side is [`run`]. Start it after the kernel's generator was fed
//! ([`crate::room::entropy`]), because the crates that split and seal draw from it.

mod held;
mod question;
mod refused;
mod typed;

use super::fence::Reach;
use super::wire::{Bytes, Fault};
use super::{Error, Fence, Launch, Pieces, Process, serve};
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey, ToSign};
use crate::room::token::Wrapped;
use crate::seal::{Agreed, Asked, Opener, SealKey, SealTo};
use crate::secret::{Passphrase, SecretBytes};
use crate::share::{self, Combinations, Set, ShareIndex, Threshold};

use held::Held;
use question::{Answer, Question};
pub use refused::Refused;
use typed::{handed, typed};

/// A key that was made and split just now. Everything in it is public: the shares are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The public key, the set id, the threshold and the commitments.
    pub set: Set,
    /// The sealed shares (`age` files), in the order of their indices from 1, which is that of the seal keys.
    pub shares: Vec<Vec<u8>>,
}

/// A running vault. Dropping it ends the process, and with it all that it held.
pub struct Vault(Process);

impl Vault {
    /// Starts a vault that holds nothing.
    ///
    /// # Errors
    /// [`Error::Start`].
    pub fn start(launch: &Launch) -> Result<Self, Error> {
        Ok(Self(Process::start("vault", launch, Vec::new(), &())?))
    }

    /// What stands around the process.
    pub fn fence(&self) -> Fence {
        self.0.fence
    }

    /// Makes a key, splits it, and seals share *i* to the *i*-th of `to`; it draws a passphrase for each that asks for one,
    /// and keeps it for [`Vault::passphrase`]. The vault holds the key under `name` from now on;
    /// the shares it forgets, for they are to come back from their tokens.
    ///
    /// # Errors
    /// As every call [`Error::Lost`] and [`Error::Vault`]; [`Refused::KeyTaken`], [`Refused::SealKeys`],
    /// [`Refused::SealKeyTwice`], [`share::Error::NoShares`].
    pub fn generate(
        &mut self,
        name: &str,
        algorithm: Algorithm,
        threshold: Threshold,
        to: &[impl Clone + Into<SealTo>],
    ) -> Result<Sealed, Error> {
        let to: Vec<SealTo> = to.iter().cloned().map(Into::into).collect();
        let question =
            Question::Generate { name: name.to_owned(), algorithm, threshold, to: to.clone() };
        self.sealed(&question, to.len())
    }

    /// Puts a key together from the opened shares of `set`, as [`Vault::rebuild`] does, and splits and seals it anew, as
    /// [`Vault::generate`] does. The old shares are forgotten.
    ///
    /// # Errors
    /// Those of both.
    pub fn reshare(
        &mut self,
        name: &str,
        (set, expected): (&Set, &PublicKey),
        threshold: Threshold,
        to: &[SealTo],
    ) -> Result<Sealed, Error> {
        let question = Question::Reshare {
            name: name.to_owned(),
            set: set.clone(),
            expected: expected.clone(),
            threshold,
            to: to.to_vec(),
        };
        self.sealed(&question, to.len())
    }

    /// Takes a key from a file, and splits and seals it, as [`Vault::generate`] does.
    ///
    /// # Errors
    /// [`Refused::KeyFile`], [`Refused::OtherFile`]; those of [`Vault::generate`].
    pub fn import(
        &mut self,
        (name, pin): (&str, Digest),
        algorithm: Algorithm,
        (file, passphrase): (SecretBytes, SecretBytes),
        (threshold, to): (Threshold, &[SealTo]),
    ) -> Result<Sealed, Error> {
        let (name, to) = (name.to_owned(), to.to_vec());
        let many = to.len();
        let question = Question::Import { name, pin, algorithm, threshold, to };
        let secrets = vec![file, passphrase];
        let (answer, _) = self.0.call::<_, Result<Answer, Refused>>(&question, secrets)?;
        self.sealed_in(answer?, many)
    }

    /// Puts a key together from the opened shares of `set`, as [`Vault::rebuild`] does, and wraps it for the token of `to`;
    /// neither the key nor its shares are held afterwards.
    ///
    /// # Errors
    /// Those of [`Vault::rebuild`]; [`Refused::Seal`].
    pub fn wrap(
        &mut self,
        (set, expected): (&Set, &PublicKey),
        to: &SealKey,
    ) -> Result<Vec<Wrapped>, Error> {
        let (set, expected, to) = (set.clone(), expected.clone(), to.clone());
        let answer = self.ask(&Question::Wrap { set, expected, to })?;
        self.wrapped(answer).map(|(_, ways)| ways)
    }

    /// Takes a key from a file, and wraps it, as [`Vault::wrap`] does. Gives its public half, too.
    ///
    /// # Errors
    /// [`Refused::KeyFile`], [`Refused::OtherFile`], [`Refused::Seal`].
    pub fn import_for(
        &mut self,
        (pin, algorithm): (Digest, Algorithm),
        (file, passphrase): (SecretBytes, SecretBytes),
        to: &SealKey,
    ) -> Result<(PublicKey, Vec<Wrapped>), Error> {
        let question = Question::ImportFor { pin, algorithm, to: to.clone() };
        let secrets = vec![file, passphrase];
        let (answer, _) = self.0.call::<_, Result<Answer, Refused>>(&question, secrets)?;
        self.wrapped(answer?)
    }

    fn wrapped(&mut self, answer: Answer) -> Result<(PublicKey, Vec<Wrapped>), Error> {
        match answer {
            Answer::Wrapped { public, ways } => Ok((public, ways)),
            _ => Err(self.garbage()),
        }
    }

    fn sealed(&mut self, question: &Question, many: usize) -> Result<Sealed, Error> {
        let answer = self.ask(question)?;
        self.sealed_in(answer, many)
    }

    fn sealed_in(&mut self, answer: Answer, many: usize) -> Result<Sealed, Error> {
        match answer {
            Answer::Split { set, shares } if shares.len() == many => {
                Ok(Sealed { set, shares: shares.into_iter().map(|share| share.0).collect() })
            }
            _ => Err(self.garbage()),
        }
    }

    /// What the token with key `to` must be asked before [`Vault::open`].
    ///
    /// # Errors
    /// [`NotSealed`](crate::seal::Error::NotSealed), [`OtherToken`](crate::seal::Error::OtherToken).
    pub fn asked(&mut self, sealed: &[u8], to: &SealKey) -> Result<Asked, Error> {
        let question = Question::Asked { sealed: Bytes(sealed.to_vec()), to: to.clone() };
        match self.ask(&question)? {
            Answer::Asked { point, ciphertext } => {
                let point = point.0.try_into().map_err(|_| self.garbage())?;
                Ok(Asked { point, ciphertext: ciphertext.map(|bytes| bytes.0) })
            }
            _ => Err(self.garbage()),
        }
    }

    /// Opens a sealed share with what its token answered, holds it against its commitment, and keeps it.
    ///
    /// # Errors
    /// [`Refused::SealedShare`], the errors of [`Set::admit`], and [`share::Error::Duplicate`].
    pub fn open(
        &mut self,
        set: &Set,
        index: ShareIndex,
        sealed: (&[u8], &SealKey),
        agreed: &Agreed,
    ) -> Result<(), Error> {
        let (sealed, to) = (Bytes(sealed.0.to_vec()), sealed.1.clone());
        let question = Question::Open { set: set.clone(), index, sealed, to };
        self.done(&question, handed(agreed))
    }

    /// The passphrase to which a share was sealed just now, once: the vault forgets it.
    ///
    /// # Errors
    /// [`Refused::PassphraseGone`].
    pub fn passphrase(&mut self, set: &Set, index: ShareIndex) -> Result<Passphrase, Error> {
        let question = Question::Passphrase { set: set.id, index };
        let (answer, secrets) = self.0.call::<_, Result<Answer, Refused>>(&question, Vec::new())?;
        answer?;
        let passphrase = secrets.first().and_then(|words| Passphrase::typed(words).ok());
        passphrase.ok_or_else(|| self.garbage())
    }

    /// Opens a share that no token opens by what its custodian typed, holds it against its commitment, and keeps it.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_by(
        &mut self,
        set: &Set,
        index: ShareIndex,
        sealed: &[u8],
        opener: Opener,
    ) -> Result<(), Error> {
        let (by, secret) = typed(opener);
        let sealed = Bytes(sealed.to_vec());
        self.done(&Question::OpenBy { set: set.clone(), index, sealed, by }, vec![secret])
    }

    /// Proves that what was typed is that of a sealed share, which stays sealed: its key is unlocked, and no more.
    ///
    /// # Errors
    /// [`Refused::SealedShare`].
    pub fn unlock_by(
        &mut self,
        index: ShareIndex,
        sealed: &[u8],
        opener: Opener,
    ) -> Result<(), Error> {
        let (by, secret) = typed(opener);
        let sealed = Bytes(sealed.to_vec());
        self.done(&Question::UnlockBy { index, sealed, by }, vec![secret])
    }

    /// Combines every subset of the opened shares of `set`, or a stated sample, and compares each with the public key.
    ///
    /// # Errors
    /// Those of [`Set::check_combinations`].
    pub fn check_combinations(&mut self, set: &Set) -> Result<Combinations, Error> {
        match self.ask(&Question::Combinations(set.clone()))? {
            Answer::Combinations(combinations) => Ok(combinations),
            _ => Err(self.garbage()),
        }
    }

    /// Puts a key together from the opened shares of `set`, compares it with `expected`, the key in the *signed root*
    /// (docs/threats.md rule 17), and holds it under `name`.
    ///
    /// # Errors
    /// [`Refused::OtherKey`], [`Refused::KeyTaken`], [`share::Error::TooFew`], [`share::Error::Combined`].
    pub fn rebuild(&mut self, name: &str, set: &Set, expected: &PublicKey) -> Result<(), Error> {
        let question = Question::Rebuild {
            name: name.to_owned(),
            set: set.clone(),
            expected: expected.clone(),
        };
        self.done(&question, Vec::new())
    }

    /// Signs a batch with a held key; the answers are raw, as a token's are.
    ///
    /// # Errors
    /// [`Refused::KeyMissing`], [`Refused::Signature`].
    pub fn sign(&mut self, name: &str, inputs: &[ToSign]) -> Result<Vec<Vec<u8>>, Error> {
        let mut signatures = Vec::with_capacity(inputs.len());
        for piece in super::pieces(inputs, Pieces::ALONE) {
            let question = Question::Sign { name: name.to_owned(), inputs: piece.to_vec() };
            match self.ask(&question)? {
                Answer::Signatures(found) if found.len() == piece.len() => {
                    signatures.extend(found.into_iter().map(|bytes| bytes.0));
                }
                _ => return Err(self.garbage()),
            }
        }
        Ok(signatures)
    }

    /// Signs a batch with keys that are thrown away: one for each piece of it that goes over the wire, so one for all of
    /// a small batch. Each raw signature stands beside the key that made it.
    ///
    /// # Errors
    /// [`Refused::Signature`].
    pub fn sign_dry(
        &mut self,
        algorithm: Algorithm,
        inputs: &[ToSign],
    ) -> Result<Vec<(PublicKey, Vec<u8>)>, Error> {
        let mut signatures = Vec::with_capacity(inputs.len());
        for piece in super::pieces(inputs, Pieces::ALONE) {
            let (public, raw) = self.dry(algorithm, piece)?;
            signatures.extend(raw.into_iter().map(|bytes| (public.clone(), bytes.0)));
        }
        Ok(signatures)
    }

    /// A public key of a kind, whose private half is thrown away at once.
    ///
    /// # Errors
    /// [`Refused::Signature`].
    pub fn stand_in(&mut self, algorithm: Algorithm) -> Result<PublicKey, Error> {
        Ok(self.dry(algorithm, &[])?.0)
    }

    fn dry(
        &mut self,
        algorithm: Algorithm,
        inputs: &[ToSign],
    ) -> Result<(PublicKey, Vec<Bytes>), Error> {
        let question = Question::SignDry { algorithm, inputs: inputs.to_vec() };
        match self.ask(&question)? {
            Answer::Dry { public, signatures } if signatures.len() == inputs.len() => {
                Ok((public, signatures))
            }
            _ => Err(self.garbage()),
        }
    }

    /// Seals fresh random bytes to a token's key, to be opened by [`Vault::meet`]: the proof that a sealing key works,
    /// without opening any share (docs/threats.md rule 15).
    ///
    /// # Errors
    /// As every call.
    pub fn challenge(&mut self, to: &SealKey) -> Result<Vec<u8>, Error> {
        match self.ask(&Question::Challenge(to.clone()))? {
            Answer::File(file) => Ok(file.0),
            _ => Err(self.garbage()),
        }
    }

    /// Opens the last challenge with what the token answered, and compares.
    ///
    /// # Errors
    /// [`Refused::Challenge`], [`Refused::Seal`].
    pub fn meet(&mut self, sealed: &[u8], to: &SealKey, agreed: &Agreed) -> Result<(), Error> {
        let question = Question::Meet { sealed: Bytes(sealed.to_vec()), to: to.clone() };
        self.done(&question, handed(agreed))
    }

    /// Forgets a held key.
    ///
    /// # Errors
    /// [`Refused::KeyMissing`].
    pub fn forget(&mut self, name: &str) -> Result<(), Error> {
        self.done(&Question::Forget(name.to_owned()), Vec::new())
    }

    /// Forgets the opened shares of a set.
    ///
    /// # Errors
    /// As every call.
    pub fn forget_shares(&mut self, set: share::SetId) -> Result<(), Error> {
        self.done(&Question::ForgetShares(set), Vec::new())
    }

    fn done(&mut self, question: &Question, secrets: Vec<SecretBytes>) -> Result<(), Error> {
        match self.call(question, secrets)? {
            Answer::Done => Ok(()),
            _ => Err(self.garbage()),
        }
    }

    fn ask(&mut self, question: &Question) -> Result<Answer, Error> {
        self.call(question, Vec::new())
    }

    fn call(&mut self, question: &Question, secrets: Vec<SecretBytes>) -> Result<Answer, Error> {
        let (answer, _) = self.0.call::<_, Result<Answer, Refused>>(question, secrets)?;
        Ok(answer?)
    }

    fn garbage(&mut self) -> Error {
        self.0.lost(Fault::Garbage)
    }
}

/// The child's side: answers until its parent closes the wire.
///
/// # Errors
/// The [`Fault`] that ended the conversation, other than its regular end.
pub fn run() -> Result<(), Fault> {
    let mut held = Held::default();
    serve(|()| {
        (Reach::Nothing, move |question, secrets| match question {
            Question::Passphrase { set, index } => match held.passphrase(set, index) {
                Ok(passphrase) => (Ok(Answer::Done), vec![passphrase.into_bytes()]),
                Err(refused) => (Err(refused), Vec::new()),
            },
            question => (held.answer(question, secrets), Vec::new()),
        })
    })
}
