//! The script: the acts of a plan in their order, each with the number that it carries on paper, on screen, in the
//! record and in the report.
//!
//! Second floor: pure. Compiled once, from the plan and the trust folder, before anything is done.

use serde::{Deserialize, Serialize};

use super::fact::Purpose;
use super::plan::{Kind, Plan};
use super::roster::{Holding, Key, KeyOrigin, Roster, TokenOrigin};

mod text;

/// One numbered act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Counts from 1.
    pub number: u32,
    /// The part of the script that it stands in.
    pub part: Part,
    /// What the room must do.
    pub act: Act,
}

/// A part of the script; each ends with a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Plan, past, clock, room and request are what everybody thinks they are.
    Opening,
    /// Tokens are enrolled or recognised.
    Tokens,
    /// Keys are made, and certified.
    Keys,
    /// The new roots are written and read.
    Reading,
    /// Custodian by custodian, the keys sign.
    Signing,
    /// Roots are completed and carried out.
    Closing,
}

/// What the room must do. Names are the plan's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Act {
    /// Take up a token that holds a key to adopt.
    AdoptToken {
        /// The token.
        token: String,
        /// The key.
        key: String,
    },
    /// Complete the roots: assemble, verify, walk, write.
    AssembleRoots,
    /// Compare the clock with two watches.
    AttestClock,
    /// Put what is here into bags, and write down their numbers.
    BagTokens,
    /// Make new certificates for a key on a token.
    Certify {
        /// The key.
        key: String,
        /// The token.
        token: String,
    },
    /// Make new certificates with a key rebuilt from the shares opened before, then drop it.
    CertifyWithShares {
        /// The key.
        key: String,
    },
    /// Close the record.
    Close,
    /// Combine the shares in every way, compare, and drop the key.
    CombineShares {
        /// The key.
        key: String,
    },
    /// Type the words of the plan.
    ConfirmPlan,
    /// Type the words of the last ceremony's closing digest.
    ConfirmTrust,
    /// Destroy what the unfinished ceremony left on a token.
    DestroyKeys {
        /// The token.
        token: String,
    },
    /// Write the candidates, in the work folder and on `room` media.
    DraftRoots,
    /// Draw entropy from every token and feed the kernel's generator.
    DrawEntropy,
    /// Read a paper back, and prove its passphrase.
    DrillPaper {
        /// The paper.
        paper: String,
    },
    /// Prove that a recipient's identity fits its shares.
    DrillRecipient {
        /// The recipient.
        recipient: String,
    },
    /// Have a token prove what it holds.
    DrillToken {
        /// The token.
        token: String,
    },
    /// Initialise a token and make its own keys.
    EnrolToken {
        /// The token.
        token: String,
    },
    /// Write trust and custody folders onto media.
    ExportFolders,
    /// Generate a key on a token, and its certificates.
    MakeKey {
        /// The key.
        key: String,
        /// The token.
        token: String,
    },
    /// Compare the bags that tokens came in with those that they went into last.
    OpenBags,
    /// Open a share with its token, from its paper, or by its recipient's identity, for the vault.
    OpenShare {
        /// The key.
        key: String,
        /// The share's index.
        index: u8,
        /// The token, paper or recipient.
        holder: String,
        /// What for.
        purpose: Purpose,
    },
    /// Put a key that is rebuilt from the shares opened before, or read from its file, onto a token.
    PlaceKey {
        /// The key.
        key: String,
        /// The token.
        token: String,
    },
    /// Recognise a token.
    PresentToken {
        /// The token.
        token: String,
    },
    /// Record the binding of this room and its modules.
    ReadRoom,
    /// Record the request.
    ReadRequest,
    /// Read what the unfinished ceremony did.
    ReadUnfinished,
    /// Read the change, and hear it from a second reader.
    ReadRoots,
    /// Say who sits at each seat of the plan.
    SeatPeople,
    /// Sign every candidate with a key on a token.
    SignRoots {
        /// The key.
        key: String,
        /// The token.
        token: String,
    },
    /// Sign every candidate with a key rebuilt from the shares opened before, then drop it.
    SignWithShares {
        /// The key.
        key: String,
    },
    /// Generate a key in the vault, its certificates, and split it.
    SplitKey {
        /// The key.
        key: String,
    },
    /// Store a share on its token, print it on its paper, or give it to its recipient; read it back, open and compare it.
    StoreShare {
        /// The key.
        key: String,
        /// The share's index.
        index: u8,
        /// The token, paper or recipient.
        holder: String,
    },
}

/// Compiles the script.
pub fn steps(plan: &Plan, roster: &Roster) -> Vec<Step> {
    let mut script = Script::default();
    script.opening(plan);
    match plan.kind() {
        Kind::Abandon => script.abandoning(roster),
        Kind::Drill => script.drilling(plan),
        Kind::Genesis | Kind::Renew | Kind::Rotate => script.root(roster),
        Kind::Reshare | Kind::Restore => script.moving(roster),
    }
    script.steps
}

#[derive(Default)]
struct Script {
    steps: Vec<Step>,
    /// Whether the plan names people: then bags are written down, too.
    names_people: bool,
}

impl Script {
    fn root(&mut self, roster: &Roster) {
        self.tokens(roster);
        self.keys(roster);
        self.reading();
        self.signing(roster);
        self.closing();
    }

    fn add(&mut self, part: Part, act: Act) {
        let number = u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.steps.push(Step { number, part, act });
    }

    fn opening(&mut self, plan: &Plan) {
        self.add(Part::Opening, Act::ConfirmPlan);
        if plan.after().is_some() {
            self.add(Part::Opening, Act::ConfirmTrust);
        }
        if plan.people().next().is_some() {
            self.names_people = true;
            self.add(Part::Opening, Act::SeatPeople);
        }
        self.add(Part::Opening, Act::AttestClock);
        self.add(Part::Opening, Act::ReadRoom);
        if plan.request().is_some() {
            self.add(Part::Opening, Act::ReadRequest);
        }
        if self.names_people && plan.after().is_some() {
            self.add(Part::Opening, Act::OpenBags);
        }
    }

    fn tokens(&mut self, roster: &Roster) {
        for token in roster.tokens() {
            let name = token.name.clone();
            let adopted = roster.keys().iter().find(|key| {
                matches!(key.origin, KeyOrigin::Adopted(_))
                    && key.holding == Holding::Token(name.clone())
            });
            let act = match (token.origin, adopted) {
                (TokenOrigin::New, _) => Act::EnrolToken { token: name },
                (TokenOrigin::Adopted, Some(key)) => {
                    Act::AdoptToken { token: name, key: key.name.clone() }
                }
                _ => Act::PresentToken { token: name },
            };
            self.add(Part::Tokens, act);
        }
    }

    fn keys(&mut self, roster: &Roster) {
        let new = |key: &&Key| key.origin == KeyOrigin::New;
        let to_split = |key: &&Key| key.is_split_here();
        for key in roster.keys().iter().filter(new) {
            if let Holding::Token(token) = &key.holding {
                let (key, token) = (key.name.clone(), token.clone());
                self.add(Part::Keys, Act::MakeKey { key, token });
            }
        }
        let split: Vec<&Key> = roster.keys().iter().filter(to_split).collect();
        let placed: Vec<&Key> = roster.keys().iter().filter(|key| key.is_placed_here()).collect();
        if !split.is_empty() || !placed.is_empty() {
            self.add(Part::Keys, Act::DrawEntropy);
        }
        for key in split {
            self.split(key);
        }
        for key in placed {
            self.place(key);
        }
        for key in roster.keys().iter().filter(|key| key.certified) {
            match &key.holding {
                Holding::Token(token) => {
                    let (key, token) = (key.name.clone(), token.clone());
                    self.add(Part::Keys, Act::Certify { key, token });
                }
                Holding::Shares { .. } => {
                    self.open(Part::Keys, key, Purpose::Certify);
                    self.add(Part::Keys, Act::CertifyWithShares { key: key.name.clone() });
                }
            }
        }
    }

    fn split(&mut self, key: &Key) {
        let name = &key.name;
        self.add(Part::Keys, Act::SplitKey { key: name.clone() });
        for (index, holder) in (1..=u8::MAX).zip(key.holding.holders()) {
            let (key, holder) = (name.clone(), holder.clone());
            self.add(Part::Keys, Act::StoreShare { key, index, holder });
        }
        self.add(Part::Keys, Act::CombineShares { key: name.clone() });
    }

    fn place(&mut self, key: &Key) {
        if let Holding::Token(token) = &key.holding {
            let (key, token) = (key.name.clone(), token.clone());
            self.add(Part::Keys, Act::PlaceKey { key, token });
        }
    }

    fn open(&mut self, part: Part, key: &Key, purpose: Purpose) {
        for (index, holder) in (1..=u8::MAX).zip(key.opened_from().holders()) {
            let (key, holder) = (key.name.clone(), holder.clone());
            self.add(part, Act::OpenShare { key, index, holder, purpose });
        }
    }

    fn reading(&mut self) {
        self.add(Part::Reading, Act::DraftRoots);
        self.add(Part::Reading, Act::ReadRoots);
    }

    fn signing(&mut self, roster: &Roster) {
        for key in roster.keys() {
            match &key.holding {
                Holding::Token(token) => {
                    let (key, token) = (key.name.clone(), token.clone());
                    self.add(Part::Signing, Act::SignRoots { key, token });
                }
                Holding::Shares { .. } => {
                    self.open(Part::Signing, key, Purpose::Sign);
                    self.add(Part::Signing, Act::SignWithShares { key: key.name.clone() });
                }
            }
        }
    }

    fn abandoning(&mut self, roster: &Roster) {
        self.add(Part::Opening, Act::ReadUnfinished);
        for token in roster.tokens() {
            self.add(Part::Tokens, Act::DestroyKeys { token: token.name.clone() });
        }
        self.ending();
    }

    /// Keys in shares get a new set, or come onto a token.
    fn moving(&mut self, roster: &Roster) {
        self.tokens(roster);
        self.add(Part::Keys, Act::DrawEntropy);
        for key in roster.keys() {
            if key.is_placed_here() {
                self.open(Part::Keys, key, Purpose::Restore);
                self.place(key);
            } else {
                self.open(Part::Keys, key, Purpose::Reshare);
                self.split(key);
            }
        }
        self.ending();
    }

    fn drilling(&mut self, plan: &Plan) {
        for token in plan.tokens() {
            self.add(Part::Tokens, Act::DrillToken { token: token.name.clone() });
        }
        for paper in plan.papers() {
            self.add(Part::Tokens, Act::DrillPaper { paper: paper.name.clone() });
        }
        for recipient in plan.recipients() {
            let recipient = recipient.name.clone();
            self.add(Part::Tokens, Act::DrillRecipient { recipient });
        }
        self.ending();
    }

    fn closing(&mut self) {
        self.add(Part::Closing, Act::AssembleRoots);
        self.ending();
    }

    fn ending(&mut self) {
        if self.names_people {
            self.add(Part::Closing, Act::BagTokens);
        }
        self.add(Part::Closing, Act::Close);
        self.add(Part::Closing, Act::ExportFolders);
    }
}
