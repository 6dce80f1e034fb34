//! Rehearsing: the plan's acts on throw-away soft tokens, after a stand-in of the past; inert, and gone afterwards.
//!
//! Roof. docs/threats.md rule 26.

mod online;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Finished, PlanFile, Room, conduct, inputs_of, read_plan, token};
use crate::ceremony::plan::rehearsal::{Chains, Stage, about, stages};
use crate::ceremony::plan::{Kind as PlanKind, PlannedRequest, midnight};
use crate::ceremony::roster::Roster;
use crate::ceremony::{Ceremony, Inputs, admission, roster_of};
use crate::ceremony::{drill, retire};
use crate::digest::Digest;
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::request::{Repository, Request};
use crate::room::binding::{self, Binding, Driver, Media, Module, Token};
use crate::room::clock::{Clock, SystemClock};
use crate::room::console::Console;
use crate::room::media::{self, Kind, Limits};
use crate::root::Dialect;
use crate::trust::Past;
use online::Online;

/// Lends a console for one ceremony: for the plan itself (`true`), or for the stand-in of its past.
pub type Lend<'a> = dyn FnMut(bool, &mut Hold<'_>) -> Result<Finished, Refusal> + 'a;

/// Holds one ceremony with the console that it is lent.
pub type Hold<'a> = dyn FnMut(&mut dyn Console) -> Result<Finished, Refusal> + 'a;

/// What a rehearsal was.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// How many roots stood in for the past.
    pub stand_ins: usize,
    /// How many steps the plan has.
    pub steps: usize,
    /// How long the plan's own steps took.
    pub took: Duration,
}

/// Rehearses a plan, with the consoles that it is lent.
///
/// # Errors
/// Whatever would refuse the ceremony itself. The folder of the rehearsal then stays, to be looked at.
pub fn rehearse(binding: &Binding, plan: &Path, lend: &mut Lend<'_>) -> Result<Rehearsed, Refusal> {
    if read_plan(plan)?.0.kind() == PlanKind::Abandon {
        let what = "an abandon is not rehearsed: what it destroys was made by real tokens";
        return Err(Refusal::new(Exit::Usage, what)
            .hint("`officiant script` with `--room` prints its steps before it is held"));
    }
    let module = soft_module(binding)?;
    let real = inputs_of(binding, plan)?;
    // Whatever refuses the ceremony itself refuses its rehearsal, too: the stand-in brings its own request.
    let day = SystemClock.now().max(midnight(real.plan.when().from));
    Ceremony::open(real.clone(), day)?;
    let roster = match real.plan.kind() {
        PlanKind::Drill => drill::whole_roster(&real.plan, &real.past)?,
        PlanKind::Retire => retire::whole_roster(&real.plan, &real.past),
        _ => roster_of(&real)?,
    };
    let chains = chains(&real, &roster)?;
    let soft = binding::module_digest(&module.path).map_err(|error| error.refusal())?;
    let all = stages(&real.plan, &roster, &chains, soft);
    let folder = new_folder(&binding.work)?;
    let stage_room = StageRoom { folder: folder.clone(), module, roster };
    let steps = crate::ceremony::step::steps(&real.plan, &roster_of(&real)?).len();
    let mut online = Online::start()?;
    let mut took = Duration::ZERO;
    for (number, stage) in (1_usize..).zip(&all) {
        online.renew(&stage.roles())?;
        let begun = SystemClock.monotonic();
        stage_room.hold(number, stage, &mut online, number == all.len(), lend)?;
        took = SystemClock.monotonic().saturating_sub(begun);
    }
    std::fs::remove_dir_all(&folder).map_err(|error| {
        let what = format!("`{}` cannot be removed", folder.display());
        Refusal::new(Exit::Device, what)
            .because(error.kind())
            .standing("the rehearsal itself was finished")
    })?;
    Ok(Rehearsed { stand_ins: all.len() - 1, steps, took })
}

/// The throw-away room of a rehearsal.
struct StageRoom {
    folder: PathBuf,
    module: Module,
    roster: Roster,
}

impl StageRoom {
    fn hold(
        &self,
        number: usize,
        stage: &Stage,
        online: &mut Online,
        is_last: bool,
        lend: &mut Lend<'_>,
    ) -> Result<(), Refusal> {
        let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
        let trust = (number > 1).then(|| self.folder.join(format!("out-{}a/trust", number - 1)));
        let past = match &trust {
            Some(trust) => {
                let shelf = media::shelf_near(&self.folder).map_err(device)?;
                Past::read(media::lay_tree(trust, Limits::TRUST, &shelf).map_err(device)?)?
            }
            None => Past::default(),
        };
        let binding = self.binding(number, trust)?;
        let request = match stage.repositories().is_empty() {
            true => None,
            false => Some(self.bring(&binding.media.inward[0], stage, &past, online)?),
        };
        let after = past.last().map(|last| last.closing);
        let text = stage.text(after, request, &online.ids(), &past);
        let plan = self.folder.join(format!("plan-{number}.toml"));
        media::write_new(&plan, text.as_bytes()).map_err(device)?;
        let clock = RehearsalClock::new(stage.from());
        let mut run = |console: &mut dyn Console| {
            let room =
                Room { binding: binding.clone(), console, clock: &clock, mode: Mode::Rehearsal };
            conduct(room, PlanFile::read(&plan)?)
        };
        lend(is_last, &mut run).map(|_| ()).map_err(|refusal| self.kept(refusal))
    }

    fn kept(&self, refusal: Refusal) -> Refusal {
        let folder = self.folder.display();
        refusal.standing(format!("nothing real was touched; the rehearsal lies in `{folder}`"))
    }

    /// Writes what two machines fetched, as many days apart as the stage asks for, the second one today.
    fn bring(
        &self,
        media: &Path,
        stage: &Stage,
        past: &Past,
        online: &mut Online,
    ) -> Result<PlannedRequest, Refusal> {
        let apart = SignedDuration::from_hours(24 * stage.hold());
        let second = midnight(stage.from()) + SignedDuration::from_secs(1);
        let first = self.request(stage, past, online, (1, midnight(stage.from()) - apart))?;
        let second = self.request(stage, past, online, (2, second))?;
        let sha256 = write_request(media, "request", &first)?;
        Ok(PlannedRequest { sha256, second: Some(write_request(media, "request-2", &second)?) })
    }

    fn request(
        &self,
        stage: &Stage,
        past: &Past,
        online: &mut Online,
        (number, fetched): (i64, Timestamp),
    ) -> Result<Request, Refusal> {
        let mut repositories = BTreeMap::new();
        for name in stage.repositories() {
            let chain = past.chain(&name)?;
            let roots = chain.iter().map(|root| root.bytes().to_vec()).collect();
            let newest = chain.last().filter(|_| stage.dialect() == Dialect::Notary);
            let served =
                newest.map(|newest| online.serve(newest, (number, fetched))).transpose()?;
            let keys = online.keys();
            if let Ok(name) = name.parse() {
                repositories.insert(name, Repository { roots, keys, served });
            }
        }
        let server = "rehearsal.invalid".to_owned();
        Ok(Request { dialect: stage.dialect(), fetched, server, repositories })
    }

    fn binding(&self, number: usize, trust: Option<PathBuf>) -> Result<Binding, Refusal> {
        let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
        let place = |name: &str, kind: Kind| {
            let root = self.folder.join(name);
            media::make_folder(&root).map_err(device)?;
            media::mark(&root, kind).map_err(device)?;
            Ok::<PathBuf, Refusal>(root)
        };
        let outward = [
            place(&format!("out-{number}a"), Kind::Out)?,
            place(&format!("out-{number}b"), Kind::Out)?,
        ];
        let room = [place("room-1", Kind::Room)?, place("room-2", Kind::Room)?];
        let inward = vec![place(&format!("in-{number}"), Kind::In)?];
        let tokens = self.roster.tokens().iter().map(|token| Token {
            name: token.name.clone(),
            driver: Driver::Module {
                name: self.module.name.clone(),
                softhsm: Some(self.folder.join("tokens").join(&token.name)),
                uri: None,
            },
        });
        let bytes = format!("# rehearsal {number}\n").into_bytes();
        Ok(Binding {
            digest: Digest::of(&bytes),
            bytes,
            work: self.folder.join(format!("work-{number}")),
            trust,
            unfinished: None,
            media: Media { inward, outward, room },
            modules: vec![self.module.clone()],
            tokens: tokens.collect(),
            rehearsal: None,
        })
    }
}

/// A clock that begins at nine o'clock of the first day on which the rehearsed plan may be held, thirty years back.
struct RehearsalClock {
    behind: SignedDuration,
}

impl RehearsalClock {
    fn new(from: jiff::civil::Date) -> Self {
        let begin = midnight(from) + SignedDuration::from_hours(9);
        Self { behind: SystemClock.now().duration_since(begin) }
    }
}

impl Clock for RehearsalClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().checked_sub(self.behind).unwrap_or(Timestamp::MIN)
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }
}

fn soft_module(binding: &Binding) -> Result<Module, Refusal> {
    let named = binding.rehearsal.as_deref().and_then(|name| binding.module(name));
    named.cloned().ok_or_else(|| {
        Refusal::new(Exit::Usage, "room.toml names no module for rehearsals")
            .hint("add `[rehearsal]` with `module`, a SoftHSM among the `[[module]]`s")
    })
}

/// Writes a request as `courier` would, and gives its digest.
fn write_request(media: &Path, name: &str, request: &Request) -> Result<Digest, Refusal> {
    let ours = |error: crate::request::Error| Refusal::new(Exit::Ours, error.to_string());
    let files = request.files().map_err(ours)?;
    let written = media::write_tree(media, name, &files);
    written.map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
    request.digest().map_err(ours)
}

/// The roots of today that the plan is about.
fn chains(inputs: &Inputs, roster: &Roster) -> Result<Chains, Refusal> {
    let names = match inputs.plan.repositories() {
        [] => about(roster, &inputs.past),
        _ => inputs.plan.repositories().iter().map(|planned| planned.name.clone()).collect(),
    };
    let named = names.into_iter();
    named.map(|name| Ok((name.clone(), admission::chain(inputs, &name)?))).collect()
}

/// A new folder beside the work folder, on the same disk.
fn new_folder(work: &Path) -> Result<PathBuf, Refusal> {
    let random = data_encoding::HEXLOWER.encode(&token::draw::<4>()?);
    let name = work.file_name().map_or("work".into(), |name| name.to_string_lossy());
    let folder = work.with_file_name(format!("{name}-rehearsal-{random}"));
    let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
    media::make_folder(&folder).map_err(device)?;
    media::make_folder(&folder.join("tokens")).map_err(device)?;
    Ok(folder)
}
