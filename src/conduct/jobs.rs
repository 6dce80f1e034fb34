//! What is signed in batches: the certificates of a key, and the candidates.
//!
//! Roof.

use super::Session;
use super::batch::{self, Job, Sign};
use crate::ceremony::draft;
use crate::ceremony::fact::{Certified, Fact};
use crate::check::Check;
use crate::key::{PublicKey, ToSign};
use crate::refusal::Refusal;
use crate::root::certificate::Tbs;

impl Session<'_> {
    /// Has the certificates made that a key lacks.
    pub(super) fn certify_by(
        &mut self,
        step: u32,
        (key, public): (&str, &PublicKey),
        sign: Box<Sign<'_>>,
    ) -> Result<(), Refusal> {
        let (key, public) = (key.to_owned(), public.clone());
        batch::run(self, &mut Certificates { step, key, public }, vec![sign], "certified")
    }

    /// Has the candidates signed that keys have not signed yet, by all of them at once.
    pub(super) fn sign_by(
        &mut self,
        keys: Vec<(u32, String, Box<Sign<'_>>)>,
    ) -> Result<(), Refusal> {
        let (keys, signs): (Vec<_>, Vec<_>) =
            keys.into_iter().map(|(step, key, sign)| ((step, key), sign)).unzip();
        batch::run(self, &mut Roots { keys }, signs, "signed")
    }
}

/// Certificates of a key.
struct Certificates {
    step: u32,
    key: String,
    public: PublicKey,
}

impl Job for Certificates {
    type Of = (String, Tbs);

    fn count(&self, session: &Session<'_>, _: usize) -> Result<(usize, usize), Refusal> {
        let ceremony = &session.ceremony;
        Ok((draft::certificate_count(ceremony, &self.key), ceremony.certified(&self.key)))
    }

    fn next(
        &mut self,
        session: &Session<'_>,
        _: usize,
        (first, most): (usize, usize),
    ) -> Result<Vec<((String, Tbs), ToSign)>, Refusal> {
        let drawn = (0..most).map(|_| super::token::draw::<16>()).collect::<Result<Vec<_>, _>>()?;
        let mut drawn = drawn.into_iter();
        let mut serials = || drawn.next().unwrap_or_default();
        let (of, range) = ((self.key.as_str(), &self.public), first..first + most);
        let at = session.room.clock.now();
        let look = |tbs: Tbs| Ok((tbs.to_sign(), tbs));
        let ceremony = &session.ceremony;
        let wanted =
            draft::certificate_requests(ceremony, of, range, &mut serials, (at, look))?.into_iter();
        Ok(wanted.map(|(name, (input, tbs))| ((name, tbs), input)).collect())
    }

    fn take(
        &mut self,
        session: &mut Session<'_>,
        _: usize,
        signed: Vec<((String, Tbs), Vec<u8>)>,
    ) -> Result<(), Refusal> {
        let made = signed.iter().map(|((name, tbs), raw)| {
            let made = tbs.pem(raw).map_err(|error| draft::bad_certificate(name, &error))?;
            Ok(Certified { repository: name.clone(), certificate: made })
        });
        let certificates = made.collect::<Result<Vec<_>, Refusal>>().map_err(just_now)?;
        let key = self.key.clone();
        session.take(self.step, Fact::Certified { key, certificates }).map_err(just_now)
    }
}

/// Candidates, by the keys that sign them, each with its step.
struct Roots {
    keys: Vec<(u32, String)>,
}

impl Job for Roots {
    type Of = usize;

    fn count(&self, session: &Session<'_>, key: usize) -> Result<(usize, usize), Refusal> {
        let (_, name) = &self.keys[key];
        Ok((session.ceremony.signs(name)?, session.ceremony.signed(name)))
    }

    fn next(
        &mut self,
        session: &Session<'_>,
        key: usize,
        (first, most): (usize, usize),
    ) -> Result<Vec<(usize, ToSign)>, Refusal> {
        session.ceremony.to_sign(&self.keys[key].1, first, most)
    }

    fn take(
        &mut self,
        session: &mut Session<'_>,
        key: usize,
        signed: Vec<(usize, Vec<u8>)>,
    ) -> Result<(), Refusal> {
        let (step, name) = self.keys[key].clone();
        let (plan, public) = (session.ceremony.plan(), session.public(&name)?);
        let names = plan.repositories();
        let raw = signed.into_iter().map(|(at, raw)| (names[at].name.clone(), raw));
        let signatures = draft::signatures(plan.dialect(), &public, raw)?;
        session.take(step, Fact::Signed { key: name, signatures }).map_err(just_now)
    }
}

/// The record is not to blame for what a token answered just now.
fn just_now(refusal: Refusal) -> Refusal {
    match refusal.check {
        Some(Check::SignatureGood) => {
            Refusal { hints: vec![draft::SIGN_ANEW.to_owned()], ..refusal }
        }
        _ => refusal,
    }
}
