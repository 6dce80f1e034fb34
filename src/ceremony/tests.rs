//! A room with software keys, which plays whole ceremonies in memory: what the tests of every rule begin with.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use data_encoding::BASE64;
use jiff::Timestamp;

use super::closing::{self, TrustFolder};
use super::fact::{Certified, Fact, ModuleRead, Purpose, ShareMade, Statement, Watch};
use super::means::Means;
use super::plan::Plan;
use super::statement::{self, Said};
use super::step::{Act, Step};
use super::{Ceremony, Inputs, draft};
use crate::digest::Digest;
use crate::files::Files;
use crate::key::{Algorithm, PublicKey, Scheme};
use crate::paper::report;
use crate::record::{Body, Mode, Record, Tool};
use crate::refusal::Refusal;
use crate::request::proof::{self, Claim, Proof};
use crate::request::{Repository, Request};
use crate::root::certificate::Tbs;
use crate::root::{Dialect, Role};
use crate::trust::Past;

/// The repositories of the examples.
pub(crate) const NAMES: [&str; 2] = ["localhost:5000/a", "localhost:5000/b"];

/// A genesis of two repositories: two keys on tokens, one in shares, two of three sign.
pub(crate) const GENESIS: &str = r#"
ceremony = "genesis"
title = "Practice root"
dialect = "notary"
quorum_people = 2
practice = true
when = { from = 2026-12-01, until = 2026-12-15 }
ROOT
[[token]]
name = "officer-a"
custodian = "seat A"
[[token]]
name = "officer-b"
custodian = "seat B"
[[token]]
name = "officer-1"
custodian = "seat 1"
[[token]]
name = "officer-2"
custodian = "seat 2"
[[token]]
name = "officer-3"
custodian = "seat 3"
[[key]]
name = "root-a"
algorithm = "ecdsa-p256"
token = "officer-a"
[[key]]
name = "root-b"
algorithm = "ecdsa-p256"
token = "officer-b"
[[key]]
name = "root-spare"
algorithm = "ecdsa-p256"
shares = { threshold = 2, tokens = ["officer-1", "officer-2", "officer-3"] }
[[role]]
name = "targets"
keys = "request"
threshold = 1
[[role]]
name = "snapshot"
keys = "request"
threshold = 1
[[role]]
name = "timestamp"
keys = "request"
threshold = 1
[root]
keys = ["root-a", "root-b", "root-spare"]
threshold = 2
expires = 2031-11-30
certificates_until = 2033-11-30
"#;

/// A rotation that replaces one token's key.
pub(crate) const ROTATE: &str = r#"
ceremony = "rotate"
title = "Practice rotation"
dialect = "notary"
quorum_people = 2
practice = true
when = { from = 2026-12-20, until = 2026-12-31 }
ROOT
[[token]]
name = "officer-c"
custodian = "seat C"
[[key]]
name = "root-c"
algorithm = "ecdsa-p256"
token = "officer-c"
[root]
keys = ["root-b", "root-c", "root-spare"]
threshold = 2
expires = 2031-11-30
certificates_until = 2033-11-30
"#;

/// A private key in software.
pub(crate) enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            _ => Self::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        match self {
            Self::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                PublicKey::from_ec_point(Algorithm::EcdsaP256, point).unwrap()
            }
            Self::Ed25519(pair) => PublicKey::from_ed25519(pair.public_key().as_ref()).unwrap(),
        }
    }

    /// What a token answers: r‖s, or an Ed25519 signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ecdsa(pair) => {
                pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// A room: its keys, and the files that came into it.
pub(crate) struct Room {
    /// Root keys, by the plan's name.
    pub(crate) keys: BTreeMap<String, Pair>,
    /// Keys of publishers and servers, by repository and role.
    pub(crate) online: BTreeMap<(String, Role), Pair>,
    /// The request, changed by tests before a plan is written for it.
    pub(crate) request: Request,
    /// The time of the next entry.
    pub(crate) now: Timestamp,
    /// Tokens that nobody brought.
    pub(crate) absent: BTreeSet<String>,
    /// The bytes of the last plan.
    pub(crate) text: Vec<u8>,
    serial: u8,
    /// The attest keys of tokens.
    attests: BTreeMap<String, Pair>,
    /// The head of the record.
    head: Digest,
}

/// A ceremony that was played to its end.
pub(crate) struct Played {
    pub(crate) ceremony: Ceremony,
    pub(crate) record: Record,
    pub(crate) folder: TrustFolder,
}

impl Room {
    pub(crate) fn new() -> Self {
        let mut online = BTreeMap::new();
        let mut repositories = BTreeMap::new();
        for name in NAMES {
            let mut repository = Repository::default();
            for role in Role::ONLINE {
                let pair = Pair::new(Algorithm::EcdsaP256);
                repository.keys.insert(role, vec![pair.public()]);
                online.insert((name.to_owned(), role), pair);
            }
            repositories.insert(name.parse().unwrap(), repository);
        }
        let request = Request {
            dialect: Dialect::Notary,
            fetched: "2026-11-22T14:00:00Z".parse().unwrap(),
            server: "https://localhost:4443".into(),
            repositories,
        };
        let now = "2026-12-02T09:00:00Z".parse().unwrap();
        let (keys, absent, text, attests) = Default::default();
        let head = Digest::of(b"");
        Self { keys, online, request, now, absent, text, serial: 1, attests, head }
    }

    /// The inputs of [`GENESIS`].
    pub(crate) fn genesis(&mut self) -> Inputs {
        self.inputs(GENESIS, Past::default(), true)
    }

    /// The inputs of [`ROTATE`] after a ceremony, with the request that brings its roots.
    pub(crate) fn rotate(&mut self, before: &Played) -> Inputs {
        self.now = "2026-12-21T09:00:00Z".parse().unwrap();
        let past = Past::read(before.folder.files.clone()).unwrap();
        for (name, repository) in &mut self.request.repositories {
            let chain = past.chain(name.as_str()).unwrap();
            repository.roots = chain.iter().map(|root| root.bytes().to_vec()).collect();
            // The server shows its own keys again; nobody offers a new one.
            repository.keys.remove(&Role::Targets);
        }
        self.inputs(ROTATE, past, false)
    }

    /// Completes a plan's text with the digests of request and past, and gathers what lies beside it.
    pub(crate) fn inputs(&mut self, plan: &str, past: Past, pins: bool) -> Inputs {
        let plan = self.plan(plan, &past, pins);
        let proofs = self.proofs(plan.digest());
        Inputs {
            plan,
            past,
            request: Some((&self.request).try_into().unwrap()),
            second: None,
            proofs,
            unfinished: None,
            means: Means::default(),
        }
    }

    /// The text of a plan with what only request and past can tell.
    pub(crate) fn plan_text(&self, plan: &str, past: &Past, pins: bool) -> String {
        let mut top = format!("request = {{ sha256 = \"{}\" }}\n", self.request.digest().unwrap());
        if let Some(last) = past.last() {
            top = format!("after = \"{}\"\n{top}", last.closing);
        }
        for (name, repository) in &self.request.repositories {
            top += &format!("[[repository]]\nname = \"{name}\"\n");
            let pin = |(role, keys): (&Role, &Vec<PublicKey>)| {
                let ids: Vec<String> = keys.iter().map(|key| format!("\"{}\"", key.id())).collect();
                format!("{role} = [{}]", ids.join(", "))
            };
            if pins {
                let pins: Vec<String> = repository.keys.iter().map(pin).collect();
                top += &format!("pins = {{ {} }}\n", pins.join(", "));
            }
        }
        plan.replace("ROOT\n", &top)
    }

    fn plan(&mut self, plan: &str, past: &Past, pins: bool) -> Plan {
        self.text = self.plan_text(plan, past, pins).into_bytes();
        Plan::parse(&self.text, |_| None).unwrap()
    }

    /// The proofs of every publisher's key.
    pub(crate) fn proofs(&self, plan: Digest) -> Vec<Proof> {
        let targets = self.online.iter().filter(|((_, role), _)| *role == Role::Targets);
        targets
            .map(|((name, role), pair)| {
                let claim = Claim { plan, repository: name.parse().unwrap(), role: *role };
                let public = pair.public();
                let raw = pair.sign(claim.text().as_bytes());
                let signature = proof::scheme(&public).encode(public.algorithm(), &raw).unwrap();
                Proof { claim, key: public.id(), signature }
            })
            .collect()
    }

    /// Plays a ceremony up to the export, which is the folder's own.
    pub(crate) fn play(&mut self, inputs: Inputs) -> Result<Played, Refusal> {
        let mut own = own_files(&inputs);
        own.insert("plan.toml", self.text.clone());
        let mut record = Record::default();
        let opened = Body::Opened {
            tool: Tool { version: "0.1.0".into(), sha256: Digest::of(b"tool") },
            plan: inputs.plan.digest(),
            after: inputs.plan.after(),
            inputs: Digest::of(b"inputs"),
            mode: if inputs.plan.practice() { Mode::Practice } else { Mode::Ceremony },
        };
        record.append(self.now, 0, opened).unwrap();
        self.head = record.head();
        let mut ceremony = Ceremony::open(inputs, self.now)?;
        while let Some(step) = ceremony.next().cloned() {
            if step.act == Act::ExportFolders {
                break;
            }
            for fact in self.facts(&ceremony, &step)? {
                ceremony = ceremony.accept(step.number, fact.clone())?;
                self.now += jiff::SignedDuration::from_secs(40);
                record.append(self.now, step.number, Body::Done { fact }).unwrap();
                self.head = record.head();
            }
        }
        let folder = finish(&ceremony, &record, own)?;
        Ok(Played { ceremony, record, folder })
    }

    /// Plays a ceremony up to the first step of a kind, and gives the facts that the room would bring to it.
    pub(crate) fn until(
        &mut self,
        inputs: Inputs,
        at: fn(&Act) -> bool,
    ) -> (Ceremony, u32, Vec<Fact>) {
        let mut ceremony = Ceremony::open(inputs, self.now).unwrap();
        loop {
            let step = ceremony.next().cloned().unwrap();
            let facts = self.facts(&ceremony, &step).unwrap();
            if at(&step.act) {
                return (ceremony, step.number, facts);
            }
            for fact in facts {
                ceremony = ceremony.accept(step.number, fact).unwrap();
            }
        }
    }

    /// What the room brings for a step.
    pub(crate) fn facts(&mut self, ceremony: &Ceremony, step: &Step) -> Result<Vec<Fact>, Refusal> {
        if let (Act::PresentToken { token }, Some(reason)) = (&step.act, step.act.token())
            && self.absent.contains(reason)
        {
            let (token, reason) = (token.clone(), "in the safe".to_owned());
            return Ok(vec![Fact::TokenAbsent { token, reason }]);
        }
        Ok(match &step.act {
            Act::SignRoots { key, token } => {
                let consent = ceremony.drafted().unwrap();
                let (key, token) = (key.clone(), token.clone());
                let signed = self.signed(ceremony, &key)?;
                let intended = Fact::Intended { key, token, consent, stored: true, apart: false };
                [vec![intended], signed].concat()
            }
            Act::SignWithShares { key } => self.signed(ceremony, key)?,
            Act::OpenShare { key, holder: token, purpose: Purpose::Sign, .. } => {
                let consent = ceremony.drafted().unwrap();
                let (key, token) = (key.clone(), token.clone());
                let intended = Fact::Intended { key, token, consent, stored: true, apart: false };
                vec![intended, self.fact(ceremony, &step.act)]
            }
            Act::ReadRequest if super::admission::seen_once(ceremony.inputs()).is_some() => {
                let expected = "two fetches".to_owned();
                let (happened, decided) = ("one fetch".to_owned(), "go on".to_owned());
                let exception = Fact::Exception { expected, happened, decided, by: "all".into() };
                vec![exception, self.fact(ceremony, &step.act)]
            }
            Act::DraftRoots => {
                let sheets = ceremony.sheets()?;
                let roots = sheets.made(ceremony, 0..sheets.count())?;
                let consent = sheets.consent.unwrap();
                vec![Fact::Drafted { roots }, Fact::RootsDrafted { consent }]
            }
            Act::AssembleRoots => {
                let wholes = ceremony.wholes()?;
                let roots = wholes.made(ceremony, 0..wholes.count())?;
                vec![Fact::Assembled { roots }, Fact::RootsAssembled]
            }
            Act::MakeKey { key, .. } | Act::SplitKey { key } => {
                let made = self.fact(ceremony, &step.act);
                let number = step.number;
                let made_here = ceremony.clone().accept(number, made.clone())?;
                let certified = self.certified(&made_here, key);
                std::iter::once(made).chain(certified).collect()
            }
            Act::Certify { key, .. } | Act::CertifyWithShares { key } => {
                let ended = Fact::KeyCertified { key: key.clone() };
                self.certified(ceremony, key).into_iter().chain([ended]).collect()
            }
            act => vec![self.fact(ceremony, act)],
        })
    }

    fn fact(&mut self, ceremony: &Ceremony, act: &Act) -> Fact {
        match act.clone() {
            Act::AttestClock => Fact::ClockAttested {
                watches: ["seat A", "witness"]
                    .map(|who| Watch { who: who.into(), read: self.now, machine: self.now })
                    .to_vec(),
            },
            Act::Close => Fact::Closed { remarks: closing::remarks(ceremony).unwrap() },
            Act::CombineShares { key } => Fact::SharesCombined { key, tried: 3, of: 3 },
            Act::ConfirmPlan => Fact::PlanConfirmed { wrong: 0 },
            Act::ConfirmTrust => Fact::TrustConfirmed { wrong: 1 },
            Act::DrawEntropy => {
                let tokens = ceremony.roster().tokens().iter().map(|token| token.name.clone());
                Fact::EntropyDrawn { tokens: tokens.collect(), reseeded: true }
            }
            Act::EnrolToken { token } => {
                let seals = ceremony.roster().token(&token).unwrap().seals;
                let identity = Digest::of(token.as_bytes());
                let attest = self.attest(&token);
                let seal = seals.then(|| Pair::new(Algorithm::EcdsaP256).public());
                let model = "SoftHSM v2".into();
                Fact::TokenEnrolled {
                    token,
                    model,
                    identity,
                    attest,
                    seal,
                    kem: None,
                    attested: None,
                    seal_attested: None,
                }
            }
            Act::MakeKey { key, token } => {
                let public = self.make(ceremony, &key);
                let said = Said::KeyMade { key: &key, public: &public };
                let statement = Some(self.state(ceremony, &token, &said));
                Fact::KeyMade { key, public, statement, attested: None, advised: Vec::new() }
            }
            Act::SplitKey { key } => {
                let public = self.make(ceremony, &key);
                let (set, shares) = (format!("{:032x}", 7), shares(ceremony, &key));
                Fact::KeySplit { key, public, set, shares }
            }
            Act::StoreShare { key, index, holder: token } => {
                let (public, split) = (ceremony.public(&key).unwrap(), ceremony.split(&key));
                let (set, shares) = split.unwrap();
                let sealed = shares[usize::from(index) - 1].sealed;
                let said = Said::ShareStored { key: &key, public: &public, set, index, sealed };
                let statement = Some(self.state(ceremony, &token, &said));
                Fact::ShareStored { key, index, on_token: true, statement }
            }
            Act::OpenShare { key, index, purpose, .. } => Fact::ShareOpened { key, index, purpose },
            Act::PresentToken { token } => Fact::TokenPresent { token },
            Act::ReadRequest => {
                let planned = ceremony.plan().request().unwrap();
                Fact::RequestRead { request: planned.sha256, second: planned.second }
            }
            Act::ReadRoom => {
                let sha256 = Digest::of(b"libsofthsm2.so");
                let modules = vec![ModuleRead { name: "softhsm".into(), sha256 }];
                Fact::RoomRead { room: Digest::of(b"room.toml"), modules }
            }
            Act::ReadRoots => {
                let (alone, counted) = (vec![], vec![]);
                Fact::RootsRead { second_reader: true, alone, counted, wrong: 0 }
            }
            act => panic!("the software room has no {act:?}"),
        }
    }

    /// Makes the attest key of a token.
    fn attest(&mut self, token: &str) -> PublicKey {
        let pair = Pair::new(Algorithm::EcdsaP256);
        let public = pair.public();
        self.attests.insert(token.to_owned(), pair);
        public
    }

    /// What a token says of a fact.
    pub(crate) fn state(&self, ceremony: &Ceremony, token: &str, said: &Said<'_>) -> Statement {
        let (head, random) = (self.head, "5a".repeat(32));
        let text = statement::text(ceremony, token, said, &head, &random);
        let scheme = Scheme::of_certificate(Algorithm::EcdsaP256);
        let raw = self.attests[token].sign(text.as_bytes());
        let signature = BASE64.encode(&scheme.encode(Algorithm::EcdsaP256, &raw).unwrap());
        Statement { head, random, signature }
    }

    fn make(&mut self, ceremony: &Ceremony, key: &str) -> PublicKey {
        let pair = Pair::new(ceremony.roster().key(key).unwrap().algorithm);
        let public = pair.public();
        self.keys.insert(key.to_owned(), pair);
        public
    }

    /// The certificates of a key that is known, in one piece; none of a key that needs none.
    fn certified(&mut self, ceremony: &Ceremony, key: &str) -> Option<Fact> {
        let mut serial = self.serial;
        let pair = &self.keys[key];
        let mut serials = || {
            serial += 1;
            [serial; 16]
        };
        let (of, all) = ((key, &pair.public()), 0..draft::certificate_count(ceremony, key));
        let look = (self.now, |tbs: Tbs| Ok(tbs));
        let wanted = draft::certificate_requests(ceremony, of, all, &mut serials, look);
        let certificates = wanted.unwrap().into_iter().map(|(repository, tbs): (String, Tbs)| {
            let certificate = tbs.pem(&pair.sign(tbs.bytes())).unwrap();
            Certified { repository, certificate }
        });
        let certificates: Vec<Certified> = certificates.collect();
        self.serial = serial;
        let key = key.to_owned();
        (!certificates.is_empty()).then_some(Fact::Certified { key, certificates })
    }

    /// The signatures of a key, in one piece, and the end of its step.
    fn signed(&self, ceremony: &Ceremony, key: &str) -> Result<Vec<Fact>, Refusal> {
        let public = ceremony.public(key).unwrap();
        let drafts = all(ceremony);
        let mine = drafts.iter().filter(|draft| !draft.ids(&public).is_empty());
        let raw = mine.map(|draft| {
            (draft.repository.clone(), self.keys[key].sign(&draft.root().signed_bytes()))
        });
        let signatures = draft::signatures(ceremony.plan().dialect(), &public, raw)?;
        let key = key.to_owned();
        Ok(vec![Fact::Signed { key: key.clone(), signatures }, Fact::RootsSigned { key }])
    }
}

/// Every candidate of a ceremony.
pub(crate) fn all(ceremony: &Ceremony) -> Vec<draft::Draft> {
    let sheets = ceremony.sheets().unwrap();
    (0..sheets.count()).map(|at| sheets.draft(ceremony, at).unwrap()).collect()
}

fn shares(ceremony: &Ceremony, key: &str) -> Vec<ShareMade> {
    let tokens = ceremony.roster().key(key).unwrap().holding.holders();
    let made = |(index, token): (u8, &String)| {
        let commitment = Digest::of(format!("{key} {index}").as_bytes());
        let sealed = Digest::of(format!("sealed {key} {index}").as_bytes());
        ShareMade { index, holder: token.clone(), commitment, sealed }
    };
    (1..=u8::MAX).zip(tokens).map(made).collect()
}

/// The files that a room keeps of its inputs.
fn own_files(inputs: &Inputs) -> Files {
    let mut files = Files::default();
    if let Some(request) = &inputs.request {
        for (path, bytes) in Request::try_from(request).unwrap().files().unwrap() {
            files.insert(format!("request/{path}"), bytes);
        }
    }
    for proof in &inputs.proofs {
        files.insert(proof.path(), proof.to_line().into_bytes());
    }
    files
}

fn finish(ceremony: &Ceremony, record: &Record, mut own: Files) -> Result<TrustFolder, Refusal> {
    own.insert("record.jsonl", record.file());
    own.insert("report.html", report::html(ceremony, record).into_bytes());
    closing::trust_folder(ceremony, own)
}

#[test]
fn a_genesis_and_a_rotation_are_played_to_their_end() {
    let mut room = Room::new();
    let inputs = room.genesis();
    let genesis = room.play(inputs).unwrap();
    let inputs = room.rotate(&genesis);
    let rotation = room.play(inputs).unwrap();
    let past = Past::read(rotation.folder.files.clone()).unwrap();
    assert_eq!(past.chain(NAMES[0]).unwrap().len(), 2);
    assert_eq!(past.ceremonies().len(), 2);
    assert_eq!(past.last().unwrap().closing, rotation.folder.closing);
}
