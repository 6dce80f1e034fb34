//! What the vault holds, and what it does with it.
//!
//! Roof: pure but for the randomness that it draws from the kernel.

mod soft;
mod wrap;

use std::collections::BTreeMap;

use super::Refused;
use super::question::{Answer, Question};
use super::typed::By;
use crate::child::wire::Bytes;
use crate::digest::Digest;
use crate::key::file::{self, KeyFile};
use crate::key::{Algorithm, PublicKey, ToSign};
use crate::room::entropy;
use crate::seal::{self, Agreed, Asked, Opener, SealKey, SealTo};
use crate::secret::{Identity, Passphrase, Secret, SecretBytes};
use crate::share::{self, Admitted, Quorum, Set, SetId, ShareIndex, Threshold};
use soft::SoftKey;

/// Keys by name, opened shares by set, and the last challenge.
#[derive(Default)]
pub(super) struct Held {
    keys: BTreeMap<String, SoftKey>,
    shares: BTreeMap<SetId, Vec<Admitted>>,
    challenge: Option<Secret<32>>,
    passphrases: BTreeMap<(SetId, ShareIndex), Passphrase>,
}

impl Held {
    pub(super) fn answer(
        &mut self,
        question: Question,
        secrets: Vec<SecretBytes>,
    ) -> Result<Answer, Refused> {
        let agreed = || {
            let mut secrets = secrets.iter().map(|secret| Secret::copy_of(secret.expose()));
            let x = secrets.next().flatten().ok_or(Refused::SecretMissing)?;
            Ok::<_, Refused>(Agreed { x, kem: secrets.next().flatten() })
        };
        let typed = |by| {
            let text = secrets.first().ok_or(Refused::SecretMissing)?;
            let opener = match by {
                By::Identity => Identity::read(text).ok().map(Opener::Identity),
                By::Passphrase => Passphrase::typed(text).ok().map(Opener::Passphrase),
                By::YubiKey(to) => {
                    Secret::copy_of(text.expose()).map(|x| Opener::YubiKey { to, x })
                }
            };
            opener.ok_or(Refused::SecretMissing)
        };
        match question {
            Question::Asked { sealed, to } => {
                let Asked { point, ciphertext } = seal::asked(&sealed.0, &to)?;
                let (point, ciphertext) = (Bytes(point.to_vec()), ciphertext.map(Bytes));
                Ok(Answer::Asked { point, ciphertext })
            }
            Question::Challenge(to) => self.challenge(&to),
            Question::Combinations(set) => {
                Ok(Answer::Combinations(set.check_combinations(self.opened(&set))?))
            }
            Question::Forget(name) => match self.keys.remove(&name) {
                Some(_) => Ok(Answer::Done),
                None => Err(Refused::KeyMissing { name }),
            },
            Question::ForgetShares(set) => {
                self.shares.remove(&set);
                Ok(Answer::Done)
            }
            Question::Generate { name, algorithm, threshold, to } => {
                self.generate(name, (algorithm, threshold), &to)
            }
            Question::Import { name, pin, algorithm, threshold, to } => {
                self.refuse_taken(&name)?;
                refuse_unfit(threshold, &to)?;
                let (secret, public) = from_file((pin, algorithm), &secrets)?;
                self.split(name, (&secret, &public), threshold, &to)
            }
            Question::ImportFor { pin, algorithm, to } => {
                let (secret, public) = from_file((pin, algorithm), &secrets)?;
                let ways = wrap::wrap(&secret, &public, &to)?;
                Ok(Answer::Wrapped { public, ways })
            }
            Question::Meet { sealed, to } => self.meet(&sealed.0, &to, &agreed()?),
            Question::Open { set, index, sealed, to } => {
                self.open((&set, index), (&sealed.0, &to), &agreed()?)
            }
            Question::OpenBy { set, index, sealed, by } => {
                let opener = typed(by)?;
                self.admit(&set, index, || opener.open(&sealed.0))
            }
            // Its answer is a secret, and given elsewhere.
            Question::Passphrase { .. } => Err(Refused::SecretMissing),
            Question::Rebuild { name, set, expected } => self.rebuild(name, &set, &expected),
            Question::Reshare { name, set, expected, threshold, to } => {
                self.refuse_taken(&name)?;
                refuse_unfit(threshold, &to)?;
                let secret = self.recover(&set, &expected)?;
                let answer = self.split(name, (&secret, &expected), threshold, &to)?;
                self.shares.remove(&set.id);
                Ok(answer)
            }
            Question::Sign { name, inputs } => match self.keys.get(&name) {
                Some(key) => Ok(Answer::Signatures(sign(key, &inputs)?)),
                None => Err(Refused::KeyMissing { name }),
            },
            Question::SignDry { algorithm, inputs } => {
                let (key, public) = SoftKey::generate(algorithm)?;
                Ok(Answer::Dry { public, signatures: sign(&key, &inputs)? })
            }
            Question::UnlockBy { index, sealed, by } => {
                let unlocked = typed(by)?.unlock(&sealed.0);
                let refuse = |refused| Refused::SealedShare { share: index.get(), refused };
                unlocked.map(|()| Answer::Done).map_err(refuse)
            }
            Question::Wrap { set, expected: public, to } => {
                let ways = wrap::wrap(&self.recover(&set, &public)?, &public, &to)?;
                self.shares.remove(&set.id);
                Ok(Answer::Wrapped { public, ways })
            }
        }
    }

    fn generate(
        &mut self,
        name: String,
        (algorithm, threshold): (Algorithm, Threshold),
        to: &[SealTo],
    ) -> Result<Answer, Refused> {
        self.refuse_taken(&name)?;
        refuse_unfit(threshold, to)?;
        let (secret, public) = share::draw(algorithm, entropy::draw)?;
        self.split(name, (&secret, &public), threshold, to)
    }

    /// Splits a key, seals its shares, and holds it.
    fn split(
        &mut self,
        name: String,
        (secret, public): (&Secret<32>, &PublicKey),
        threshold: Threshold,
        to: &[SealTo],
    ) -> Result<Answer, Refused> {
        let algorithm = public.algorithm();
        let mut id = [0; 16];
        entropy::draw(&mut id).map_err(|_| share::Error::NoEntropy)?;
        let split = share::split(secret, algorithm, threshold, SetId::from_bytes(id))?;
        let mut shares = Vec::new();
        for (index, (share, to)) in
            ShareIndex::all(threshold.total()).zip(split.shares.iter().zip(to))
        {
            shares.push(Bytes(match to {
                SealTo::Age(key) => seal::seal_to_age(share, key)?,
                SealTo::Token(key) => seal::seal(share, key)?,
                SealTo::Passphrase => self.seal_for_paper((split.set.id, index), share)?,
            }));
        }
        self.keys.insert(name, SoftKey::from_secret(secret, public)?);
        Ok(Answer::Split { set: split.set, shares })
    }

    fn open(
        &mut self,
        (set, index): (&Set, ShareIndex),
        (sealed, to): (&[u8], &SealKey),
        agreed: &Agreed,
    ) -> Result<Answer, Refused> {
        self.admit(set, index, || seal::open(sealed, to, agreed))
    }

    /// Draws the passphrase of a share, seals the share to it, and keeps it until it is shown.
    fn seal_for_paper(
        &mut self,
        of: (SetId, ShareIndex),
        share: &SecretBytes,
    ) -> Result<Vec<u8>, Refused> {
        let passphrase = Passphrase::draw(entropy::draw);
        let passphrase = passphrase.map_err(|_| share::Error::NoEntropy)?;
        let sealed = seal::seal_to_passphrase(share, &passphrase)?;
        self.passphrases.insert(of, passphrase);
        Ok(sealed)
    }

    /// Gives a passphrase away, once.
    pub(super) fn passphrase(
        &mut self,
        set: SetId,
        index: ShareIndex,
    ) -> Result<Passphrase, Refused> {
        let gone = Refused::PassphraseGone { share: index.get() };
        self.passphrases.remove(&(set, index)).ok_or(gone)
    }

    fn admit(
        &mut self,
        set: &Set,
        index: ShareIndex,
        open: impl FnOnce() -> Result<SecretBytes, seal::Error>,
    ) -> Result<Answer, Refused> {
        if self.opened(set).iter().any(|share| share.index() == index) {
            return Err(share::Error::Duplicate { share: index.get() }.into());
        }
        let encoded =
            open().map_err(|refused| Refused::SealedShare { share: index.get(), refused })?;
        let admitted = set.admit(index, &encoded)?;
        self.shares.entry(set.id).or_default().push(admitted);
        Ok(Answer::Done)
    }

    fn rebuild(
        &mut self,
        name: String,
        set: &Set,
        expected: &PublicKey,
    ) -> Result<Answer, Refused> {
        self.refuse_taken(&name)?;
        let secret = self.recover(set, expected)?;
        self.keys.insert(name, SoftKey::from_secret(&secret, expected)?);
        Ok(Answer::Done)
    }

    /// Puts a key together from opened shares.
    fn recover(&self, set: &Set, expected: &PublicKey) -> Result<Secret<32>, Refused> {
        if set.key != *expected {
            return Err(Refused::OtherKey { set: set.id });
        }
        Ok(Quorum::gather(set, self.opened(set).iter().collect())?.recover()?)
    }

    fn challenge(&mut self, to: &SealKey) -> Result<Answer, Refused> {
        let secret = Secret::try_fill(|bytes| entropy::draw(bytes));
        let secret: Secret<32> = secret.map_err(|_| share::Error::NoEntropy)?;
        let file = seal::seal(&SecretBytes::copy_of(secret.expose()), to)?;
        self.challenge = Some(secret);
        Ok(Answer::File(Bytes(file)))
    }

    fn meet(&mut self, sealed: &[u8], to: &SealKey, agreed: &Agreed) -> Result<Answer, Refused> {
        // A challenge is met once.
        let challenge = self.challenge.take().ok_or(Refused::Challenge)?;
        let opened = Secret::copy_of(seal::open(sealed, to, agreed)?.expose());
        match opened.is_some_and(|opened| opened.matches(&challenge)) {
            true => Ok(Answer::Done),
            false => Err(Refused::Challenge),
        }
    }

    fn opened(&self, set: &Set) -> &[Admitted] {
        self.shares.get(&set.id).map_or(&[], Vec::as_slice)
    }

    fn refuse_taken(&self, name: &str) -> Result<(), Refused> {
        match self.keys.contains_key(name) {
            true => Err(Refused::KeyTaken { name: name.to_owned() }),
            false => Ok(()),
        }
    }
}

/// The key of a file, if it is the one of that pin. Secrets: the file, and its passphrase.
fn from_file(
    (pin, algorithm): (Digest, Algorithm),
    secrets: &[SecretBytes],
) -> Result<(Secret<32>, PublicKey), Refused> {
    let [file, passphrase] = secrets else { return Err(Refused::SecretMissing) };
    let der = KeyFile::read(file.expose())?.open(passphrase.expose())?;
    let secret = file::scalar(&der)?;
    let public = share::public_key(algorithm, &secret)?;
    if public.id() != pin {
        return Err(Refused::OtherFile { found: public.id(), pin });
    }
    Ok((secret, public))
}

/// Refuses other than one key, or one passphrase, of its own for each share.
fn refuse_unfit(threshold: Threshold, to: &[SealTo]) -> Result<(), Refused> {
    let total = threshold.total();
    if to.len() != usize::from(total) {
        return Err(Refused::SealKeys { total, found: to.len() });
    }
    for (second, key) in (1..=total).zip(to) {
        let is_same = |other: &SealTo| *key != SealTo::Passphrase && other == key;
        if let Some((first, _)) = (1..second).zip(to).find(|(_, other)| is_same(other)) {
            return Err(Refused::SealKeyTwice { first, second });
        }
    }
    Ok(())
}

fn sign(key: &SoftKey, inputs: &[ToSign]) -> Result<Vec<Bytes>, Refused> {
    inputs.iter().map(|input| key.sign(input).map(Bytes)).collect()
}
