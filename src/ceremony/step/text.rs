//! The words of each step: who acts, what they do, and what they must see. Script, prompts and report all take them
//! from here.
//!
//! Second floor: pure.

use super::{Act, Part, Step};
use crate::ceremony::fact::Purpose;
use crate::ceremony::plan::{Kind, Plan};
use crate::ceremony::roster::{KeyOrigin, Roster};
use crate::wording::Count;

impl Part {
    /// Every part, in the script's order.
    pub const ALL: [Self; 6] =
        [Self::Opening, Self::Tokens, Self::Keys, Self::Reading, Self::Signing, Self::Closing];

    /// The heading of the part.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Opening => "Opening",
            Self::Tokens => "Tokens",
            Self::Keys => "Keys",
            Self::Reading => "Reading",
            Self::Signing => "Signing",
            Self::Closing => "Closing",
        }
    }
}

impl Step {
    /// Who acts.
    pub fn who(&self, roster: &Roster) -> String {
        match self.act.token() {
            Some(token) => roster.custodian(token).to_owned(),
            None => "operator".to_owned(),
        }
    }

    /// What they do, one imperative sentence.
    pub fn instruction(&self, plan: &Plan, roster: &Roster) -> String {
        match &self.act {
            Act::AdoptToken { token, key } => {
                format!(
                    "Put in token {token}, type its serial, and let the machine find key {key} on it."
                )
            }
            Act::AssembleRoots => "Let the machine complete and verify every root.".into(),
            Act::AttestClock => "Two people read their watches (UTC) and type them.".into(),
            Act::BagTokens => {
                "Seal each token and paper, and what carries each identity, that is here in a bag, and type the number of bag and seal."
                    .into()
            }
            Act::Certify { key, token } => {
                format!("Put in token {token}, type the PIN: new certificates for key {key}.")
            }
            Act::CertifyWithShares { key } => {
                format!("Let the machine rebuild key {key}, make its certificates, and drop it.")
            }
            Act::Close => "Let the machine close the record, and read its remarks aloud.".into(),
            Act::CombineShares { key } => {
                format!(
                    "Let the machine combine the shares of key {key} in every way, and drop the key."
                )
            }
            Act::ConfirmPlan => {
                "Type the words of the plan's digest that are asked for, from the reviewers' paper; \
                 four letters of each are enough."
                    .into()
            }
            Act::ConfirmTrust => {
                "Type the words of the last closing digest that are asked for, from its signed page."
                    .into()
            }
            Act::DraftRoots => {
                let many = Count(plan.repositories().len(), "candidate root");
                format!("Let the machine write {many}, unsigned, here and on both room media.")
            }
            Act::DestroyKeys { token } => {
                format!(
                    "Put in token {token}, type the PIN: what the unfinished ceremony left on it goes."
                )
            }
            Act::DrawEntropy => {
                "Let the machine draw entropy from every token and feed the kernel.".into()
            }
            Act::DrillPaper { paper } => format!(
                "Scan paper {paper} or type its lines, and type its passphrase: it is whole, and stays sealed."
            ),
            Act::DrillRecipient { recipient } => format!(
                "Bring the shares of recipient {recipient}, or take the custody folder's, and give its identity: it fits, and they stay sealed."
            ),
            Act::DrillToken { token } => format!(
                "Put in token {token}, type the PIN: it proves the keys and shares that it holds, and opens none."
            ),
            Act::DestroyCopies => {
                "Destroy every other copy of the sealed shares that are named; two people say so."
                    .into()
            }
            Act::EnrolToken { token } => {
                let seat = roster.token(token).and_then(|token| token.so_holder.as_deref());
                let outranked = seat.map_or_else(String::new, |seat| {
                    format!(" Then {seat}, and nobody else, sets its SO PIN, twice, unseen.")
                });
                format!(
                    "Put in token {token}; its holder sets the PIN, twice, unseen; the operator types its serial.{outranked}"
                )
            }
            Act::ExportFolders if plan.kind() == Kind::Abandon => {
                "Put in both room media and, unless a complete root stays in the room, two empty out media; then everybody signs the closing page."
                    .into()
            }
            Act::ExportFolders => {
                "Put in two empty out media and both room media; then everybody signs the closing page."
                    .into()
            }
            Act::MakeKey { key, token } => {
                format!("Put in token {token}, type the PIN: the token generates key {key}.")
            }
            Act::OpenBags => {
                "Read out what is printed on bag and seal of each token before it is opened.".into()
            }
            Act::OpenShare { key, index, holder, purpose } => {
                let many = roster.key(key).map_or(0, |key| key.opened_from().holders().len());
                let consent = match purpose {
                    Purpose::Certify | Purpose::Reshare | Purpose::Restore => "",
                    Purpose::Sign => "consent by four words and ",
                };
                match (roster.paper(holder), roster.recipient(holder)) {
                    (None, None) => format!(
                        "Put in token {holder}, {consent}type the PIN: it opens share {index} of {many} of key {key}."
                    ),
                    (None, Some(_)) => format!(
                        "Bring the share of recipient {holder}, {consent}give its identity: share {index} of {many} of key {key} opens."
                    ),
                    (Some(_), _) => format!(
                        "Bring paper {holder} or its scan, {consent}type its passphrase: share {index} of {many} of key {key} opens."
                    ),
                }
            }
            Act::PlaceKey { key, token } => {
                let how = match roster.key(key).map(|key| &key.origin) {
                    Some(KeyOrigin::Imported(_)) => "reads the file of",
                    _ => "rebuilds",
                };
                format!(
                    "Put in token {token}, type the PIN: the machine {how} key {key} and wraps it so that this token alone takes it."
                )
            }
            Act::PresentToken { token } => {
                format!("Put in token {token}; if it is not here, say so and why.")
            }
            Act::ReadRoom => "Read out the digest of room.toml and of each module.".into(),
            Act::ReadRequest => "Read out the digest of the request.".into(),
            Act::ReadUnfinished => "Read out what the unfinished ceremony did.".into(),
            Act::ReadRoots => {
                "Read the change aloud; a second reader gives four words from another machine."
                    .into()
            }
            Act::SeatPeople => "Say who sits at each seat, and why a seat is empty.".into(),
            Act::RetirePaper { paper } => format!(
                "Destroy paper {paper} and its passphrase before two people, who say so."
            ),
            Act::RetireToken { token } => format!(
                "Put in token {token}, type its serial and the PIN: the keys and shares on it that go are destroyed."
            ),
            Act::SeePublished { repository } => format!(
                "Two people type version and words of the root of {repository} that their own clients show."
            ),
            Act::SignRoots { key, token } => {
                format!(
                    "Put in token {token}, consent by four words, type the PIN: key {key} signs."
                )
            }
            Act::SignWithShares { key } => {
                format!("Let the machine rebuild key {key}, sign, and drop it.")
            }
            Act::SplitKey { key } => {
                let known = roster.key(key);
                let how = match known.map(|key| (&key.from, &key.origin)) {
                    Some((Some(_), _)) => "rebuild",
                    Some((None, KeyOrigin::Imported(_))) => "read the file of",
                    _ => "generate",
                };
                let (k, n) = known.map_or((0, 0), |key| {
                    (key.holding.needed(), key.holding.holders().len())
                });
                format!("Let the machine {how} key {key} and split it, {k} of {n}. Nobody leaves.")
            }
            Act::StoreShare { key, index, holder } => match (
                roster.paper(holder),
                roster.recipient(holder),
            ) {
                (None, Some(_)) => format!(
                    "Give recipient {holder} share {index} of key {key}, read it back, and open it by the identity."
                ),
                (None, None) => format!(
                    "Put in token {holder}, type the PIN: it takes share {index} of key {key}, and opens it."
                ),
                (Some(_), _) => format!(
                    "Print paper {holder}, write down its passphrase apart and type it back, and read the paper back: share {index} of key {key}."
                ),
            },
        }
    }

    /// What they must see before the box is ticked.
    pub fn must_see(&self, plan: &Plan) -> String {
        match &self.act {
            Act::AdoptToken { key, .. } => format!("the public key of {key} as the plan names it"),
            Act::AssembleRoots => {
                "both thresholds met for every root, and every client's walk".into()
            }
            Act::AttestClock => {
                format!("a time between {} and {}", plan.when().from, plan.when().until)
            }
            Act::BagTokens => "each holder that is here".into(),
            Act::Certify { .. } | Act::CertifyWithShares { .. } => {
                "certificates made and verified".into()
            }
            Act::Close => "the remarks, or that there is none".into(),
            Act::CombineShares { .. } => "every combination equal to the public key".into(),
            Act::ConfirmPlan => format!("plan {}", plan.digest().grouped()),
            Act::ConfirmTrust => plan
                .after()
                .map_or_else(String::new, |after| format!("closing {}", after.grouped())),
            Act::DraftRoots => "the folder of the candidates, on both room media".into(),
            Act::DestroyKeys { .. } => "each key named, and gone".into(),
            Act::DestroyCopies => "the names of all files; nobody keeps one".into(),
            Act::DrawEntropy => "each token named".into(),
            Act::DrillPaper { .. } => "the very share that was made; the passphrase fits".into(),
            Act::DrillRecipient { .. } => {
                "each share named, the very one; the identity fits".into()
            }
            Act::DrillToken { .. } => "each key and share named, and proven".into(),
            Act::EnrolToken { .. } => "label, model and serial as on the token's body".into(),
            Act::ExportFolders => "the closing digest as words; media compared, equal".into(),
            Act::MakeKey { .. } => {
                "generated on the token, never extractable, challenge verified".into()
            }
            Act::OpenBags => "the numbers of the last closing; seals unbroken".into(),
            Act::OpenShare { .. } => "the share named, equal to its commitment".into(),
            Act::PlaceKey { .. } => {
                "the key that the roots list, on the token; challenge verified".into()
            }
            Act::PresentToken { .. } => "serial and public key as enrolled".into(),
            Act::ReadRoom => {
                "the digests that the plan pins, or that were read aloud before".into()
            }
            Act::ReadRequest => plan.request().map_or_else(String::new, |request| {
                format!("request {}", request.sha256.grouped())
            }),
            Act::ReadUnfinished => {
                "that no token meant to sign in it, or that its roots are complete".into()
            }
            Act::ReadRoots => {
                "the same words here and there; then the consent digest as words".into()
            }
            Act::SeatPeople => "each seat once, and nobody twice".into(),
            Act::RetirePaper { .. } => "paper and words burnt or shredded".into(),
            Act::RetireToken { .. } => "each key and share named, and gone".into(),
            Act::SeePublished { .. } => "the same words on both clients and here".into(),
            Act::SignRoots { .. } | Act::SignWithShares { .. } => {
                "signed and verified; old and new threshold counted".into()
            }
            Act::SplitKey { .. } => "the set's id, and how many shares".into(),
            Act::StoreShare { .. } => "stored, printed or given; read back, opened, equal".into(),
        }
    }
}

impl Act {
    /// The token, paper or recipient that the act needs.
    pub fn token(&self) -> Option<&str> {
        match self {
            Self::AdoptToken { token, .. }
            | Self::Certify { token, .. }
            | Self::DestroyKeys { token }
            | Self::DrillPaper { paper: token }
            | Self::DrillRecipient { recipient: token }
            | Self::DrillToken { token }
            | Self::EnrolToken { token }
            | Self::MakeKey { token, .. }
            | Self::OpenShare { holder: token, .. }
            | Self::PlaceKey { token, .. }
            | Self::PresentToken { token }
            | Self::RetirePaper { paper: token }
            | Self::RetireToken { token }
            | Self::SignRoots { token, .. }
            | Self::StoreShare { holder: token, .. } => Some(token),
            _ => None,
        }
    }

    /// Whether it cannot be undone, so that its beginning is recorded too.
    pub const fn is_irreversible(&self) -> bool {
        matches!(
            self,
            Self::EnrolToken { .. }
                | Self::MakeKey { .. }
                | Self::PlaceKey { .. }
                | Self::RetireToken { .. }
                | Self::SplitKey { .. }
                | Self::StoreShare { .. }
        )
    }
}
