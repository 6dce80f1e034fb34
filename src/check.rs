//! The named checks: every rule that can refuse, by the name that stands on screen, in the record and in docs/checks.md.
//!
//! Ground floor: pure, touches nothing. The code that decides a rule cites its [`Check`]; nothing is decided here.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A rule that can refuse, known by a name that never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Check {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Check {
            /// Every check, in alphabetical order.
            pub const ALL: &[Check] = &[$(Check::$variant),+];

            /// The name, without brackets.
            pub const fn name(self) -> &'static str {
                match self { $(Check::$variant => $name),+ }
            }

            /// The rule in one sentence.
            pub const fn rule(self) -> &'static str {
                match self { $(Check::$variant => concat!($($doc),+)),+ }
            }
        }
    };
}

// One line of documentation each: docs/checks.md repeats it, and a test compares the two.
checks! {
    /// A ceremony in which a token meant to sign is abandoned only with its roots complete, which stay in the room.
    AbandonIntended = "ABANDON-INTENDED",
    /// The ceremony that is abandoned is the one that the plan names.
    AbandonPlan = "ABANDON-PLAN",
    /// A key that a plan adopts or imports is a root key of the request's chain.
    AdoptInChain = "ADOPT-IN-CHAIN",
    /// Root certificates end at least two years after the root that they sign.
    CertOutlivesRoot = "CERT-OUTLIVES-ROOT",
    /// A root certificate is of the key, the name and the dates that the plan says, and says no more.
    CertProfile = "CERT-PROFILE",
    /// The clock lies in the plan's window and agrees within five minutes with two people's watches.
    ClockWindow = "CLOCK-WINDOW",
    /// Each token signs only after its own custodian typed words of the consent digest.
    ConsentCustodian = "CONSENT-CUSTODIAN",
    /// A candidate signed by throw-away keys reads back as it was written, before any real key signs.
    DrySignature = "DRY-SIGNATURE",
    /// The record holds what the script asks for, in the script's order.
    FactOrder = "FACT-ORDER",
    /// A repository that changes otherwise than the others stands alone and is typed by name.
    FleetOutlier = "FLEET-OUTLIER",
    /// The walks of the horizon work at least until the day that the plan names.
    Horizon = "HORIZON",
    /// A media is used only for what its marker file says: `in`, `out` or `room`.
    MediaKind = "MEDIA-KIND",
    /// Every input is read once, and only those bytes are checked, shown and signed.
    MediaOnce = "MEDIA-ONCE",
    /// What stands on media is never overwritten, and nothing is added to another ceremony's files.
    MediaOwn = "MEDIA-OWN",
    /// Two media that must be equal are equal, byte for byte, and are two.
    MediaTwo = "MEDIA-TWO",
    /// A plan names the closing digest of the trust folder that it continues.
    PlanAfter = "PLAN-AFTER",
    /// Who a plan names sits at one seat each, does nothing that excludes another of their tasks, and holds what it says.
    PlanPeople = "PLAN-PEOPLE",
    /// No fewer people than the plan asks for can sign together.
    PlanQuorum = "PLAN-QUORUM",
    /// Words typed from the reviewers' paper are those of the plan that was read.
    PlanWords = "PLAN-WORDS",
    /// A practice names only hosts that no client in the world trusts, and its TUF roots live 30 days.
    PracticeNames = "PRACTICE-NAMES",
    /// Answers come from a file only in a practice.
    PracticeOnly = "PRACTICE-ONLY",
    /// What is served after an upload is what was uploaded, byte for byte.
    PublishCompared = "PUBLISH-COMPARED",
    /// What is published already is the beginning of the trust folder's chain, byte for byte.
    PublishFork = "PUBLISH-FORK",
    /// The keys that can still be used reach the old and the new threshold.
    QuorumPresent = "QUORUM-PRESENT",
    /// What a rehearsal made is never published.
    Rehearsal = "REHEARSAL",
    /// The request's chain contains the trust folder's and is never shorter.
    RequestBehind = "REQUEST-BEHIND",
    /// Each root of the request is signed by enough keys of the root before and of its own.
    RequestChain = "REQUEST-CHAIN",
    /// The request is the one that the plan names.
    RequestDigest = "REQUEST-DIGEST",
    /// A repository stands at the version and digest that the plan names, and one met for the first time is named.
    RequestFirstMet = "REQUEST-FIRST-MET",
    /// No root stands on the server that a ceremony here did not make, once a ceremony made one.
    RequestForeign = "REQUEST-FOREIGN",
    /// The request has its one form: every file listed, every line in its place, nothing else, nothing too large.
    RequestForm = "REQUEST-FORM",
    /// Every key that is new in its online role is pinned by the plan, and every pin is of a key that is offered.
    RequestKeyPinned = "REQUEST-KEY-PINNED",
    /// The owner of a publisher's new key proved to hold it, for this plan, repository and role.
    RequestKeyPop = "REQUEST-KEY-POP",
    /// No key serves two roles, or another role than it had.
    RequestKeyRole = "REQUEST-KEY-ROLE",
    /// The request names the plan's repositories, none more and none fewer.
    RequestRepositories = "REQUEST-REPOSITORIES",
    /// Two requests, fetched on two machines, show the same keys and roots.
    RequestTwice = "REQUEST-TWICE",
    /// A root goes without a key that a restore put onto one token.
    RestoreRotates = "RESTORE-ROTATES",
    /// A resumed record is the longest of its copies, and the one whose checkpoint stands on paper.
    ResumeHead = "RESUME-HEAD",
    /// No key that a newest root lists is retired, and no set of shares that no other one has replaced.
    RetireLive = "RETIRE-LIVE",
    /// A key is retired once the newest roots are served, by two requests that are days apart or two people's clients.
    RetirePublished = "RETIRE-PUBLISHED",
    /// No client that works today is cut off by a next root that is signed without the keys that go.
    RetireWalk = "RETIRE-WALK",
    /// Every PKCS#11 module is one that the plan pins, where it pins any, and is loaded as it was recorded.
    RoomModules = "ROOM-MODULES",
    /// A root file is byte for byte what the trust server writes itself, its certificates included.
    RootBytes = "ROOT-BYTES",
    /// A version once intended is never signed with other bytes.
    RootEquivocation = "ROOT-EQUIVOCATION",
    /// No two root keys have one public key.
    RootKeyTwin = "ROOT-KEY-TWIN",
    /// Four roles, thresholds that can be met, and every key once, under its own id, in the role that it had.
    RootKeys = "ROOT-KEYS",
    /// A root's version is that of the root before plus one.
    RootSequence = "ROOT-SEQUENCE",
    /// Repositories share a certificate name or a TUF root key only if the same people own their targets keys.
    RootShared = "ROOT-SHARED",
    /// A completed root is signed by the old root's threshold and by its own.
    RootThreshold = "ROOT-THRESHOLD",
    /// A second machine shows the words of the same consent digest, or an exception is recorded.
    SecondReader = "SECOND-READER",
    /// A share is, byte for byte, the one that was recorded when its set was made.
    ShareCommitment = "SHARE-COMMITMENT",
    /// One token and one person hold one share of a set.
    ShareHolder = "SHARE-HOLDER",
    /// A share that is sealed to a key of `age` opens by its holder's identity, shown in the ceremony that makes it.
    ShareIdentity = "SHARE-IDENTITY",
    /// A share stands at its own place in its set, from 1 to the number of shares, and once.
    ShareIndex = "SHARE-INDEX",
    /// A key from shares is the key of its set and of the signed root.
    ShareKey = "SHARE-KEY",
    /// A share is read from paper whole: every code, or every line with its check word, and the checksum of all.
    SharePaper = "SHARE-PAPER",
    /// A share on paper opens by its own passphrase: drawn for it, shown once, written down and typed back.
    SharePassphrase = "SHARE-PASSPHRASE",
    /// Every share was stored, read back, opened and combined before the key is dropped.
    ShareProven = "SHARE-PROVEN",
    /// A key is put together from as many shares as its threshold says, never from fewer.
    ShareQuorum = "SHARE-QUORUM",
    /// Only shares of one set, the one that is asked for, are put together.
    ShareSet = "SHARE-SET",
    /// At least two shares rebuild a key, and at most all of them.
    ShareThreshold = "SHARE-THRESHOLD",
    /// Every signature verifies, in software: over the candidate that was consented to, or over the certificate.
    SignatureGood = "SIGNATURE-GOOD",
    /// A root leaves the snapshot key with the trust server, which signs what goes up.
    SnapshotClient = "SNAPSHOT-CLIENT",
    /// A tag means the digest that its publisher signed, and one that nobody signed means none.
    TagUnsigned = "TAG-UNSIGNED",
    /// A targets key that is new, and in TUF any online key, goes up only when it has signed what clients see then.
    TargetsUnsigned = "TARGETS-UNSIGNED",
    /// No key is made on a token on which it would be weak from the start; of a weakness that asks for more, people decide.
    TokenAdvisory = "TOKEN-ADVISORY",
    /// What a token attests of a key is of that key, made on that very token, under the rules that were asked for.
    TokenAttested = "TOKEN-ATTESTED",
    /// No PIN or key stays on a token with which every token of its kind leaves the factory.
    TokenFactory = "TOKEN-FACTORY",
    /// Only a token that is empty, and that no trust folder names, is initialised.
    TokenInit = "TOKEN-INIT",
    /// A token shows the public keys that were enrolled, planned or generated, and no other token has them.
    TokenKey = "TOKEN-KEY",
    /// A key made on a token is private, sensitive, made there, never extractable; nothing wraps it, and it does one thing.
    TokenKeyHeld = "TOKEN-KEY-HELD",
    /// A label or id of a key stands on a token once.
    TokenKeyTaken = "TOKEN-KEY-TAKEN",
    /// A token's last try of its PIN is used only when its custodian and another seat say so, each by themselves.
    TokenLastTry = "TOKEN-LAST-TRY",
    /// A token makes the keys itself that it is to hold.
    TokenMakes = "TOKEN-MAKES",
    /// What is stored on a token is never overwritten.
    TokenObjectTaken = "TOKEN-OBJECT-TAKEN",
    /// No two tokens that are present have one serial or one label.
    TokenOne = "TOKEN-ONE",
    /// A PIN is typed by its holder and tried once; the program never tries again.
    TokenPin = "TOKEN-PIN",
    /// A token that gets a share can agree on a key that never leaves it.
    TokenSeal = "TOKEN-SEAL",
    /// Whoever holds the SO PIN or PUK of a token holds nothing else of that token.
    TokenSoHolder = "TOKEN-SO-HOLDER",
    /// A soft token serves rehearsals and practices, never a ceremony.
    TokenSoft = "TOKEN-SOFT",
    /// What the record says that a token made or stored, the token said itself, by its attest key.
    TokenStatement = "TOKEN-STATEMENT",
    /// A key that was made elsewhere comes onto a token wrapped for it alone, and is unwrapped inside of it.
    TokenUnwraps = "TOKEN-UNWRAPS",
    /// A root is trusted because of a trust folder, a pin, the cache, or a person who says that the first shown will do.
    TrustAnchor = "TRUST-ANCHOR",
    /// The trust folder and the record know every ceremony in which a present token meant to sign.
    TrustBehindToken = "TRUST-BEHIND-TOKEN",
    /// The trust folder's sums, links, records and roots hold together.
    TrustFolder = "TRUST-FOLDER",
    /// What a client saw of a repository is not followed by something older, by another of that version, or by nothing.
    TrustRollback = "TRUST-ROLLBACK",
    /// What is served is signed by the keys that are named for it, named by what is signed over it, and has not expired.
    TrustServed = "TRUST-SERVED",
    /// Words typed from the last signed page are those of the trust folder that was read.
    TrustWords = "TRUST-WORDS",
    /// Every client that reaches the newest root today reaches the new one.
    Walk = "WALK",
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_stand_in_alphabetical_order_and_once() {
        let names: Vec<_> = Check::ALL.iter().map(|check| check.name()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
