//! Conducting: the loop from act to room to fact to ceremony to record, and the session that it runs in.
//!
//! Roof: joins ceremony and room; starts and speaks to the children. Every file that it writes is written once.

mod abandon;
mod advised;
mod alone;
mod apart;
mod archive;
mod attested;
mod bags;
mod batch;
mod card;
mod closing;
mod drill;
mod enrol;
mod hands;
mod identity;
mod import;
mod inputs;
mod intent;
mod jobs;
mod journal;
mod last_try;
mod module;
mod opening;
mod outrank;
mod paper;
mod pause;
mod people;
mod place;
mod plan;
mod reading;
mod ready;
mod recipient;
pub mod rehearsal;
mod restart;
mod retire;
mod scan;
mod screen;
mod share;
pub mod sheet;
mod signing;
mod together;
mod token;
mod vault;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ceremony::fact::{Fact, Purpose};
use crate::ceremony::plan::midnight;
use crate::ceremony::step::{Act, Step};
use crate::ceremony::{self, Ceremony, Inputs};
use crate::check::Check;
use crate::child;
use crate::child::vault::Vault;
use crate::digest::Digest;
use crate::record::{Body, Mode, Record, Tool};
use crate::refusal::{Exit, Refusal};
use crate::room::binding::{self, Binding};
use crate::room::clock::{Clock, Reading};
use crate::room::console::Console;
use crate::room::media::{self, Apart};
pub use alone::alone;
pub use apart::{MEANT, sign};
pub use hands::Threads;
use hands::both;
pub use inputs::{inputs_of, unfinished};
pub use plan::{PlanFile, read_plan};
pub use scan::paper_share;

/// The room as a ceremony needs it.
pub struct Room<'a> {
    /// Which modules, media and folders this machine has.
    pub binding: Binding,
    /// Who speaks and listens.
    pub console: &'a mut dyn Console,
    /// What tells the time.
    pub clock: &'a dyn Clock,
    /// How much the ceremony counts.
    pub mode: Mode,
}

impl Room<'_> {
    /// Sees to it that no two of these media, which are in, are one: those of a ceremony are file systems of their own.
    fn expect_apart<'a>(
        &self,
        media: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Result<(), media::Error> {
        let apart = match self.mode {
            Mode::Ceremony => Apart::Volumes,
            Mode::Practice | Mode::Rehearsal => Apart::Folders,
        };
        media::expect_apart(media, apart)
    }
}

/// The file of the record in the work folder.
pub const RECORD: &str = "record.jsonl";
/// The inputs in the work folder, in one file.
pub const ARCHIVE: &str = "inputs.tar";
/// The folder of an unfinished ceremony's inputs among those of the one that abandons it.
const INPUTS: &str = "inputs";
/// The custody folder, in the work folder and on `room` media.
pub const CUSTODY: &str = "custody";

/// A ceremony under way.
struct Session<'a> {
    room: Room<'a>,
    inputs: inputs::Inward,
    ceremony: Ceremony,
    record: Record,
    /// Lines of a longer copy of the record that are not in the work folder yet.
    unwritten: Vec<String>,
    reading: Reading,
    /// The modules that may be loaded, by name, as this run read them.
    modules: BTreeMap<String, Digest>,
    vault: Option<Vault>,
    /// What this run exported.
    exported: Option<Finished>,
    #[expect(dead_code, reason = "held for its lifetime")]
    lock: media::Lock,
}

/// What a finished ceremony leaves to say.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The closing digest.
    pub closing: Digest,
    /// The ceremony's folder in the trust folder.
    pub folder: String,
}

/// Conducts a plan from its first act.
///
/// # Errors
/// The refusal that stopped it; what is recorded stays, and [`resume`] goes on.
pub fn conduct(room: Room<'_>, plan: PlanFile) -> Result<Finished, Refusal> {
    let (work, binding) = (room.binding.work.clone(), &room.binding);
    journal::refuse_unfinished(&work)?;
    let files = inputs::Inward::gather(binding, &plan, inputs::shelf(&work)?)?;
    room.expect_apart(inputs::media(binding, &plan))
        .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
    // From here on it is read from what was kept of it.
    drop(plan);
    let at = room.clock.now();
    let look = || (files.keep_ahead(&work), files.digest(), binding::own_digest());
    let open = || Ceremony::open(files.inputs()?, at);
    let ((ahead, inputs, own), ceremony) = both(look, open);
    let (ceremony, own) = (ceremony?, own.map_err(|error| error.refusal())?);
    // Only now is anything written that is seen: what was refused until here leaves no trace.
    media::make_folder(&work).map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
    let lock = lock(&work)?;
    journal::begin_anew(&work)?;
    files.keep(&work, ahead)?;
    let record = Record::default().on(files.shelf());
    let mut session = Session::new(room, (files, ceremony, record), lock);
    session.opened(own, inputs?)?;
    session.run()
}

/// Goes on with the ceremony whose record lies in the work folder. `copies` are other copies of the record, which
/// must not contradict it.
///
/// # Errors
/// As [`conduct`]; `[RESUME-HEAD]` for a record that is not the one on paper, or copies that differ.
pub fn resume(room: Room<'_>, copies: &[PathBuf]) -> Result<Finished, Refusal> {
    take_up(room, copies).map_err(after_others)
}

/// Earlier runs may have signed and written: only those that know what may say that nothing was.
fn after_others(refusal: Refusal) -> Refusal {
    match refusal.standing.as_str() {
        Refusal::NOTHING_DONE => refusal.standing(EARLIER),
        _ => refusal,
    }
}

fn take_up(room: Room<'_>, copies: &[PathBuf]) -> Result<Finished, Refusal> {
    let work = room.binding.work.clone();
    let lock = lock(&work)?;
    let shelf = inputs::shelf(&work)?;
    let (record, unwritten) = journal::read(&work, copies, &shelf)?;
    let room = Room { mode: journal::mode_of(&work, &record)?, ..room };
    let files = inputs::Inward::kept(&work, &record, shelf)?;
    // The clock of this day is attested anew, by two watches, before anything else is done.
    let ceremony = ceremony::replay(files.inputs()?, &record)?;
    let record = record.on(files.shelf());
    let mut session = Session::new(room, (files, ceremony, record), lock);
    session.unwritten = unwritten;
    match session.resumed() {
        Ok(()) => session.run(),
        Err(refusal) => {
            let step = session.ceremony.next().map_or(0, |step| step.number);
            Err(session.refused(step, refusal))
        }
    }
}

/// How much the unfinished ceremony of the work folder counts, as its record says: only in a practice answers may come
/// from a file.
///
/// # Errors
/// As [`resume`].
pub fn unfinished_mode(binding: &Binding) -> Result<Mode, Refusal> {
    journal::mode(&binding.work).map_err(after_others)
}

fn lock(work: &Path) -> Result<media::Lock, Refusal> {
    media::Lock::take(work).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

impl<'a> Session<'a> {
    fn new(
        room: Room<'a>,
        (inputs, ceremony, record): (inputs::Inward, Ceremony, Record),
        lock: media::Lock,
    ) -> Self {
        let reading = Reading::of(room.clock);
        let (unwritten, modules, vault, exported) = Default::default();
        Self { room, inputs, ceremony, record, unwritten, reading, modules, vault, exported, lock }
    }

    fn run(mut self) -> Result<Finished, Refusal> {
        if let Some(step) = self.ceremony.next().map(|step| step.number) {
            self.show_consent(step)?;
        }
        while let Some(step) = self.ceremony.next().cloned() {
            self.pass_over(&step)?;
            let result = self.perform(&step);
            if let Err(refusal) = result {
                return Err(self.refused(step.number, refusal));
            }
        }
        self.finished()
    }

    fn perform(&mut self, step: &Step) -> Result<(), Refusal> {
        self.check_clock()?;
        self.announce(step)?;
        let fact = self.act(step)?;
        let seen = self.seen(&fact)?;
        // A key is recorded before what it certifies.
        if self.ceremony.fact(step.number).is_none() {
            self.take(step.number, fact)?;
        }
        self.done(&seen)?;
        self.checkpoint(step)
    }

    fn act(&mut self, step: &Step) -> Result<Fact, Refusal> {
        let number = step.number;
        match &step.act {
            Act::ConfirmPlan => self.confirm_plan(number),
            Act::ConfirmTrust => self.confirm_trust(number),
            Act::AttestClock => self.attest_clock(number),
            Act::ReadRoom => self.read_room(number),
            Act::ReadRequest => self.read_request(number),
            Act::BagTokens => self.bag_tokens(number),
            Act::OpenBags => self.open_bags(number),
            Act::SeatPeople => self.seat_people(number),
            Act::ReadUnfinished => self.read_unfinished(number),
            Act::DestroyKeys { token } => self.destroy_keys(number, token),
            Act::DrillPaper { paper } => self.drill_paper(number, paper),
            Act::DrillRecipient { recipient } => self.drill_recipient(number, recipient),
            Act::DrillToken { token } => self.drill_token(number, token),
            Act::DestroyCopies => self.destroy_copies(number),
            Act::RetirePaper { paper } => self.retire_paper(number, paper),
            Act::RetireToken { token } => self.retire_token(number, token),
            Act::SeePublished { repository } => self.see_published(number, repository),
            Act::EnrolToken { token } => self.enrol(number, token),
            Act::AdoptToken { token, key } => self.adopt(number, token, key),
            Act::PresentToken { token } => self.present(number, token),
            Act::DrawEntropy => self.draw_entropy(),
            Act::MakeKey { key, token } => self.make_key(number, key, token),
            Act::PlaceKey { key, token } => self.place_key(number, key, token),
            Act::SplitKey { key } => self.split_key(number, key),
            Act::StoreShare { key, index, holder } if self.is_paper(holder) => {
                self.print_share(number, key, *index, holder)
            }
            Act::StoreShare { key, index, holder } if self.is_recipient(holder) => {
                self.give_share(number, key, *index, holder)
            }
            Act::StoreShare { key, index, holder } => self.store_share(number, key, *index, holder),
            Act::CombineShares { key } => self.combine_shares(key),
            // An interruption may have left nothing to do but to say so.
            Act::Certify { key, .. } | Act::CertifyWithShares { key }
                if self.ceremony.has_all(key, Purpose::Certify) =>
            {
                Ok(Fact::KeyCertified { key: key.clone() })
            }
            Act::SignRoots { key, .. } | Act::SignWithShares { key }
                if self.ceremony.has_all(key, Purpose::Sign) =>
            {
                Ok(Fact::RootsSigned { key: key.clone() })
            }
            Act::Certify { key, token } => self.certify(number, key, token),
            Act::OpenShare { key, index, holder, purpose } => {
                let opening = share::Opening { key, index: *index, holder, purpose: *purpose };
                match (self.is_paper(holder), self.is_recipient(holder)) {
                    (true, _) => self.open_paper(number, &opening),
                    (false, true) => self.open_given(number, &opening),
                    (false, false) => self.open_share(number, opening),
                }
            }
            Act::CertifyWithShares { key } => self.certify_with_shares(number, key),
            Act::DraftRoots => self.draft_roots(number),
            Act::ReadRoots => self.read_roots(number),
            Act::SignRoots { key, token } => self.sign_roots(number, key, token),
            Act::SignWithShares { key } => self.sign_with_shares(number, key),
            Act::AssembleRoots => self.assemble_roots(number),
            Act::Close => self.close(),
            Act::ExportFolders => {
                self.ask_media(number)?;
                self.export_folders()
            }
        }
    }

    /// Lets the ceremony judge a fact, records it, and only then goes on from it.
    fn take(&mut self, number: u32, fact: Fact) -> Result<(), Refusal> {
        let next = self.ceremony.clone().accept(number, fact.clone())?;
        self.append(number, Body::Done { fact })?;
        self.ceremony = next;
        Ok(())
    }

    fn append(&mut self, number: u32, body: Body) -> Result<(), Refusal> {
        self.keep_copied()?;
        let line = self.record.append(self.room.clock.now(), number, body)?;
        let path = self.room.binding.work.join(RECORD);
        media::append_line(&path, &line).map_err(|error| {
            self.record.drop_last();
            self.device(&error)
        })
    }

    fn show(&mut self, text: &str) -> Result<(), Refusal> {
        self.room.console.show(text).map_err(|error| self.unheard(&error))
    }

    fn check_clock(&mut self) -> Result<(), Refusal> {
        let now = Reading::of(self.room.clock);
        // A machine's own readings are never a floor: the day on which this tool was released is.
        if self.room.mode != Mode::Rehearsal && now.wall < midnight(crate::RELEASED) {
            let what =
                format!("the clock is before {}, when this tool was released", crate::RELEASED);
            return Err(
                Refusal::of(Check::ClockWindow, what).hint("set the clock right, and `resume`")
            );
        }
        let reading = now.since(self.reading);
        self.reading = reading.map_err(|jump| {
            Refusal::of(Check::ClockWindow, jump.to_string())
                .hint("set the clock right, and `resume`")
        })?;
        Ok(())
    }

    /// Records a refusal and says what is now true.
    fn refused(&mut self, step: u32, mut refusal: Refusal) -> Refusal {
        if refusal.standing == Refusal::NOTHING_DONE {
            refusal.standing = self.ceremony.standing();
        }
        let body = Body::Refused { check: refusal.check, exit: refusal.exit };
        // A copy that nobody vouched for is not kept. A record that cannot be written is what the refusal is about.
        if self.unwritten.is_empty() {
            let _ = self.append(step, body);
        }
        refusal
    }

    fn device(&self, error: &media::Error) -> Refusal {
        error.refusal(self.ceremony.standing())
    }

    fn child(&self, error: &child::Error) -> Refusal {
        error.refusal(self.ceremony.standing())
    }

    /// Begins the record, with the digests of this program and of the inputs.
    fn opened(&mut self, own: Digest, inputs: Digest) -> Result<(), Refusal> {
        let tool = Tool { version: env!("CARGO_PKG_VERSION").to_owned(), sha256: own };
        let body = Body::Opened {
            tool,
            plan: self.ceremony.plan().digest(),
            after: self.ceremony.plan().after(),
            inputs,
            mode: self.room.mode,
        };
        self.append(0, body)?;
        self.banner()
    }

    fn banner(&mut self) -> Result<(), Refusal> {
        let plan = self.ceremony.plan();
        let mode = match self.room.mode {
            Mode::Ceremony => "CEREMONY",
            Mode::Practice => "PRACTICE",
            Mode::Rehearsal => "REHEARSAL",
        };
        let text = format!(
            "{mode}: {} ({}, {})\nofficiant {}; plan {}",
            // The plan of a rehearsal says so, too.
            plan.title().trim_start_matches(&format!("{mode}: ")),
            plan.kind().name(),
            plan.dialect(),
            env!("CARGO_PKG_VERSION"),
            plan.digest().grouped()
        );
        self.show(&text)
    }

    fn finished(mut self) -> Result<Finished, Refusal> {
        let closing = self.ceremony.facts().find_map(|fact| match fact {
            Fact::FoldersExported { closing, .. } => Some(*closing),
            _ => None,
        });
        let closing = closing.ok_or_else(|| Refusal::new(Exit::Ours, "no folder was exported"))?;
        let made = match self.exported.take() {
            Some(made) => made,
            None => {
                let folder = self.own_folder()?;
                Finished { closing: folder.closing, folder: folder.folder }
            }
        };
        if made.closing != closing {
            let what = "the recorded closing digest is not that of this ceremony";
            return Err(Refusal::of(Check::ResumeHead, what).hint(FORGED).standing(EARLIER));
        }
        self.show_end(&closing)?;
        Ok(made)
    }

    fn inputs_of(&self) -> &Inputs {
        self.ceremony.inputs()
    }
}

/// What to do about a record that somebody changed.
const FORGED: &str = "find the machine or media that holds the whole record";
/// What is true when a record was not gone on with.
const EARLIER: &str = "this run did nothing; what earlier runs signed and wrote stands";
