//! What came back from the room: public, typed data, and nothing else. A fact cannot hold a secret, because no
//! field of it can be made from one.
//!
//! Second floor: pure.

mod held;
mod parts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::step::Part;
use crate::digest::Digest;
use crate::key::{KemKey, PublicKey};

pub use held::{Attested, Bagged};
pub use parts::{
    Certified, KeyDrilled, ModuleRead, RootMade, ShareGone, ShareMade, Signed, Statement, Watch,
};

/// What the room reports of one act. It is recorded as it stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fact {
    /// The next of the complete roots; as all pieces, before the fact that ends their step.
    Assembled {
        /// The roots, in the plan's order.
        roots: Vec<RootMade>,
    },
    /// The bags that tokens came in, against those that they were put into last.
    BagsOpened {
        /// What was read on each.
        bags: Vec<Bagged>,
    },
    /// Everybody left: what was here went into bags, and the head up to this entry is on paper.
    BreakTaken {
        /// The bags.
        bags: Vec<Bagged>,
    },
    /// The next certificates of a key (Notary): of one that is new, after it was made.
    Certified {
        /// The key.
        key: String,
        /// One per repository, in the plan's order.
        certificates: Vec<Certified>,
    },
    /// The clock was compared with two watches.
    ClockAttested {
        /// The two readings.
        watches: Vec<Watch>,
    },
    /// The ceremony is over; the folders are written next.
    Closed {
        /// What the closing page says beside the digests, as sentences: who was not here, what was left out, the horizon,
        /// and until when old keys can mislead somebody.
        remarks: Vec<String>,
    },
    /// Two people said of every copy of the sealed shares that go whether it is destroyed.
    CopiesDestroyed {
        /// Their seats; none where copies are kept.
        by: Vec<String>,
        /// Why copies are kept; then whoever has one and its token opens it.
        kept: Option<String>,
    },
    /// The next of the candidates.
    Drafted {
        /// The candidates, in the plan's order: the digest is that of the signed part.
        roots: Vec<RootMade>,
    },
    /// Fresh entropy went to the kernel's generator.
    EntropyDrawn {
        /// The tokens that gave some.
        tokens: Vec<String>,
        /// Whether the kernel was made to reseed at once; without the privilege it does so by itself.
        reseeded: bool,
    },
    /// Something happened that the script does not foresee, and people decided to go on.
    Exception {
        /// What the script expects.
        expected: String,
        /// What happened.
        happened: String,
        /// What was decided.
        decided: String,
        /// By which seats.
        by: String,
    },
    /// The folders are on media, read back and equal.
    FoldersExported {
        /// SHA-256 of the ceremony's `SHA256SUMS`: the closing digest.
        closing: Digest,
        /// How many `out` and `room` media carry them.
        media: u32,
    },
    /// The token has stored what it is about to sign, or its holder has it signed at another site.
    Intended {
        /// The key that will sign.
        key: String,
        /// The token.
        token: String,
        /// The consent digest.
        consent: Digest,
        /// Whether the token stored it; otherwise its custodian's receipt carries the words.
        stored: bool,
        /// Whether it signed at another site, where no record says who read and consented. Nothing is said where it did
        /// not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        apart: bool,
    },
    /// A key that is not new has all its certificates.
    KeyCertified {
        /// The key.
        key: String,
    },
    /// What the unfinished ceremony left on a token is gone.
    KeysDestroyed {
        /// The token.
        token: String,
        /// The keys.
        keys: Vec<String>,
    },
    /// A token generated a key and proved it.
    KeyMade {
        /// The key.
        key: String,
        /// Its public half.
        public: PublicKey,
        /// The token's own word for it; none from a token without an attest key.
        statement: Option<Statement>,
        /// Its maker's word for the key; nothing is said where the token has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attested: Option<Attested>,
        /// The known weaknesses of its token that touch the key, by their ids.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        advised: Vec<String>,
    },
    /// A key that was rebuilt from its shares, or read from its file, is on a token, which proved it.
    KeyPlaced {
        /// The key.
        key: String,
        /// Its public half.
        public: PublicKey,
        /// The token's own word for it; none from a token without an attest key.
        statement: Option<Statement>,
    },
    /// The vault generated a key and split it.
    KeySplit {
        /// The key.
        key: String,
        /// Its public half.
        public: PublicKey,
        /// The set id, 32 hex digits.
        set: String,
        /// The shares, by index.
        shares: Vec<ShareMade>,
    },
    /// Before a PIN that could be the last try of a token, two people said that it is to be asked for.
    LastTryConfirmed {
        /// The token.
        token: String,
        /// The seats: its custodian, and another.
        by: [String; 2],
    },
    /// The shares of a recipient are those that were made, and its identity unlocks them; they stay sealed.
    RecipientDrilled {
        /// The recipient.
        recipient: String,
    },
    /// A paper was read back, and its passphrase unlocks the sealed share on it; the share stays sealed.
    PaperDrilled {
        /// The paper.
        paper: String,
    },
    /// A paper and its passphrase were destroyed, before two people.
    PaperRetired {
        /// The paper.
        paper: String,
        /// The seats of the two.
        by: Vec<String>,
    },
    /// Who sits where was said; the names are in the custody folder.
    PeopleSeated {
        /// The seats that are taken.
        taken: Vec<String>,
        /// The others, with the reason.
        empty: BTreeMap<String, String>,
        /// Salted commitment to the names.
        people: Digest,
    },
    /// The words of the plan were right.
    PlanConfirmed {
        /// How many wrong answers came before.
        wrong: u32,
    },
    /// Two people's own clients show the newest root of a repository.
    PublishedSeen {
        /// The repository.
        repository: String,
        /// The root's version; the words of its digest were right.
        version: u64,
        /// The seats of the two.
        by: Vec<String>,
    },
    /// The request was read again and is the one that the plan names.
    RequestRead {
        /// SHA-256 of its `SHA256SUMS`.
        request: Digest,
        /// The same of the second one.
        second: Option<Digest>,
    },
    /// The process was started again over this record.
    Resumed {
        /// The part whose checkpoint page is the last one on paper; none before the first.
        page: Option<Part>,
        /// How many wrong answers came before the right words.
        wrong: u32,
        /// What the restart undid, as sentences.
        undone: Vec<String>,
    },
    /// The room's binding and modules, as they were before anything was loaded.
    RoomRead {
        /// SHA-256 of room.toml.
        room: Digest,
        /// The modules.
        modules: Vec<ModuleRead>,
    },
    /// Every root is complete, verified and written in the work folder.
    RootsAssembled,
    /// Every candidate is written in the work folder and on `room` media.
    RootsDrafted {
        /// What consent is given to: plan, room, old roots and candidates in one digest.
        consent: Digest,
    },
    /// The change was read, and a second reader saw the same.
    RootsRead {
        /// Whether another machine gave the words; otherwise the exception stands before this entry.
        second_reader: bool,
        /// The repositories that stood alone and were typed by name.
        alone: Vec<String>,
        /// How many repositories each group had that was typed by its number.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        counted: Vec<u64>,
        /// How many wrong answers came before.
        wrong: u32,
    },
    /// A key signed every candidate that it belongs to.
    RootsSigned {
        /// The key.
        key: String,
    },
    /// The next signatures of a key.
    Signed {
        /// The key.
        key: String,
        /// One per repository, in the plan's order of those that it signs.
        signatures: Vec<Signed>,
    },
    /// A token, the passphrase of a paper, or the identity of a recipient opened its share for the vault.
    ShareOpened {
        /// The key.
        key: String,
        /// The share's index.
        index: u8,
        /// What for.
        purpose: Purpose,
    },
    /// A token, paper or recipient has its share: stored, printed or given; read back, opened and compared.
    ShareStored {
        /// The key.
        key: String,
        /// The share's index.
        index: u8,
        /// Whether the token itself stores it; otherwise it lies in the custody folder, and on its paper.
        on_token: bool,
        /// The token's own word for it; none from a token without an attest key, and of a paper or recipient.
        statement: Option<Statement>,
    },
    /// Shares were combined and each result compared with the public key; the key is dropped.
    SharesCombined {
        /// The key.
        key: String,
        /// How many subsets were tried.
        tried: u64,
        /// Of how many there are.
        of: u64,
    },
    /// A token that nobody enrolled here holds a key that the plan adopts.
    TokenAdopted {
        /// The token.
        token: String,
        /// Its model, as it says.
        model: String,
        /// Salted commitment to its serial and label, which stay in the custody folder.
        identity: Digest,
        /// The adopted key's public half.
        public: PublicKey,
    },
    /// A token, paper or recipient that this ceremony could use is not here.
    TokenAbsent {
        /// The token.
        token: String,
        /// Why, as its custodian or the operator said.
        reason: String,
    },
    /// A token proved that it holds its keys and shares; no share was opened.
    TokenDrilled {
        /// The token.
        token: String,
        /// Its root keys, each by its own signature.
        keys: Vec<KeyDrilled>,
        /// The token's word for all of it; none from a token without an attest key.
        statement: Option<Statement>,
    },
    /// A token that holds a root key is not here, and is to sign at another site.
    TokenElsewhere {
        /// The token.
        token: String,
    },
    /// A token was initialised, its PIN set by its holder, its sealing and attest keys made and proven.
    TokenEnrolled {
        /// The token.
        token: String,
        /// Its model, as it says.
        model: String,
        /// Salted commitment to its serial and label, which stay in the custody folder.
        identity: Digest,
        /// The sign-only key that signs statements.
        attest: PublicKey,
        /// The derive-only key that shares are sealed to, where the plan gives this token a share.
        seal: Option<PublicKey>,
        /// Its ML-KEM-768 half, where the token has ML-KEM.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kem: Option<KemKey>,
        /// Its maker's word for the first key; nothing is said where the token has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attested: Option<Attested>,
        /// The same for the second.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seal_attested: Option<Attested>,
    },
    /// A token that was enrolled earlier is here, with its serial and public key.
    TokenPresent {
        /// The token.
        token: String,
    },
    /// The keys and shares that were to go from a token are no longer on it.
    TokenRetired {
        /// The token.
        token: String,
        /// The keys.
        keys: Vec<String>,
        /// The shares.
        shares: Vec<ShareGone>,
        /// Whether its sealing key went, too: then no copy of these shares can be opened any more.
        seal: bool,
        /// The token's word for all of it; none from a token without an attest key.
        statement: Option<Statement>,
    },
    /// What was here went into bags.
    TokensBagged {
        /// The bags.
        bags: Vec<Bagged>,
    },
    /// The words of the last ceremony's closing digest were right.
    TrustConfirmed {
        /// How many wrong answers came before.
        wrong: u32,
    },
    /// What the unfinished ceremony did was read.
    UnfinishedRead {
        /// The head of its record.
        head: Digest,
    },
}

impl Fact {
    /// Whether it is a piece of what a step brings for each repository: the step goes on after it.
    pub const fn is_piece(&self) -> bool {
        matches!(
            self,
            Self::Assembled { .. }
                | Self::Certified { .. }
                | Self::Drafted { .. }
                | Self::Signed { .. }
        )
    }

    /// The same without what a piece brings for each repository; all of what is no piece.
    #[must_use]
    pub fn emptied(self) -> Self {
        match self {
            Self::Assembled { .. } => Self::Assembled { roots: Vec::new() },
            Self::Certified { key, .. } => Self::Certified { key, certificates: Vec::new() },
            Self::Drafted { .. } => Self::Drafted { roots: Vec::new() },
            Self::Signed { key, .. } => Self::Signed { key, signatures: Vec::new() },
            fact => fact,
        }
    }

    /// What a token said of it.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        let (keys, statement) = match self {
            Self::KeyMade { statement, .. }
            | Self::KeyPlaced { statement, .. }
            | Self::ShareStored { statement, .. }
            | Self::TokenRetired { statement, .. } => (&[][..], statement.as_ref()),
            Self::TokenDrilled { keys, statement, .. } => (keys.as_slice(), statement.as_ref()),
            _ => (&[][..], None),
        };
        keys.iter().map(|key| &key.statement).chain(statement)
    }
}

/// What a share is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// New certificates.
    Certify,
    /// A new set of shares.
    Reshare,
    /// One token.
    Restore,
    /// Root signatures.
    Sign,
}
