//! `courier status`: the horizon of a fleet, what ends in each repository, and for whom it fails first.
//!
//! Annex: the network, and the file of a calendar.

mod calendar;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use officiant::name::Name;
use officiant::refusal::{Exit, Refusal};
use officiant::wording::{Count, List};
use serde_json::{Value, json};

use super::client::Wanted;
use super::horizon::{End, day, ends};
use super::place::{Place, Places};
use super::{Error, args};
use crate::args::consume::Status;
use crate::environment::Environment;
use crate::fetch::names;
use crate::files;
use crate::fleet::{self, Pace};
use crate::image::Image;
use crate::report::Output;

/// Looks at every repository.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(args: &Status, is_json: bool) -> Result<Output, Failure> {
    let fleet = look(&args.names, &args.trust, args.within).await?;
    let is_shown = args.ics.as_deref() == Some(Path::new("-"));
    let file = args.ics.as_deref().filter(|_| !is_shown);
    if let Some(file) = file.filter(|_| fleet.unanswered.is_empty()) {
        write(file, &fleet.calendar())?;
    }
    let text = if is_shown && !is_json { fleet.calendar() } else { fleet.text() };
    let output = Output { text, json: fleet.json() };
    match fleet.is_well() {
        true => Ok(output),
        false => {
            let standing = fleet.standing(file);
            Err(Failure::Found(Box::new(Found { fleet, standing, output })))
        }
    }
}

/// Why there is nothing to show, or what was found that is not well.
pub(crate) enum Failure {
    Begin(Error),
    Found(Box<Found>),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Begin(error.into())
    }
}

/// What was found, with all that is shown of it.
pub(crate) struct Found {
    pub(crate) fleet: Fleet,
    /// What is now true.
    pub(crate) standing: String,
    pub(crate) output: Output,
}

/// Every repository, as it was at one moment.
pub(crate) struct Fleet {
    now: Timestamp,
    within: u16,
    /// What ends in each that holds, the one with the first end first.
    whole: Vec<Row>,
    /// Those that clients refuse.
    broken: BTreeMap<Name, Error>,
    /// Those whose server did not answer.
    unanswered: BTreeMap<Name, Error>,
    /// Those that were not asked for after so many others had no answer.
    unasked: Vec<Name>,
}

/// A repository that holds.
struct Row {
    gun: Name,
    ends: Vec<End>,
}

async fn look(names: &[String], trust: &args::Trust, within: u16) -> Result<Fleet, Error> {
    let environment = Environment::read();
    let mut places = Places::new(trust, &environment)?;
    let mut all = BTreeMap::new();
    for gun in guns(names)? {
        let place = places.of(gun.clone())?;
        all.insert(gun, place);
    }
    let now = Timestamp::now();
    let pace = Pace { what: "looked at", jobs: trust.network.jobs, weight: fleet::one };
    let work = move |gun, place: Place| async move {
        match place.look(Wanted::All).await {
            Ok(seen) => Ok(Ok(Row { gun, ends: ends(&seen.view, now) })),
            Err(error) if error.is_unanswered() => Err(error),
            Err(error) => Ok(Err(error)),
        }
    };
    let (mut whole, mut broken) = (Vec::new(), BTreeMap::new());
    let keep = |gun, done| {
        match done {
            Ok(row) => whole.push(row),
            Err(error) => drop(broken.insert(gun, error)),
        }
        Ok(())
    };
    let failed = fleet::each(pace, all, || Error::Task, work, keep).await;
    whole.sort_by(|a, b| (a.first(), &a.gun).cmp(&(b.first(), &b.gun)));
    let (unanswered, unasked) = (failed.errors, failed.not_begun);
    Ok(Fleet { now, within, whole, broken, unanswered, unasked })
}

/// The repositories that the command line names, itself or by files.
fn guns(names: &[String]) -> Result<Vec<Name>, Error> {
    let mut guns = Vec::new();
    for text in names {
        let file = Path::new(text);
        if file.is_file() {
            for (name, _) in
                names::lines(file).map_err(|error| Error::Fetch(Box::new(error.into())))?
            {
                guns.push(Image::parse(&name)?.gun().clone());
            }
            continue;
        }
        // A file whose name is mistyped must not become a repository of Docker Hub's.
        let host = text.split_once('/').map(|(host, _)| host).filter(|host| !host.starts_with('.'));
        let image = host.filter(|host| host.contains(['.', ':']) || *host == "localhost");
        let image = image.map(|_| Image::parse(text)).transpose()?;
        let image = image.ok_or_else(|| Error::NoList { text: text.clone() })?;
        guns.push(image.gun().clone());
    }
    Ok(guns)
}

/// Puts a calendar into the place of the one before, whole or not at all.
fn write(file: &Path, text: &str) -> Result<(), Error> {
    let nowhere = || Error::NoList { text: file.display().to_string() };
    let name = file.file_name().and_then(|name| name.to_str()).ok_or_else(nowhere)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = std::fs::canonicalize(folder.unwrap_or(Path::new("."))).map_err(|_| nowhere())?;
    Ok(files::replace(&folder, name, text.as_bytes())?)
}

impl Row {
    fn first(&self) -> Option<Timestamp> {
        self.ends.first().map(|end| end.at)
    }
}

impl Fleet {
    fn is_well(&self) -> bool {
        self.broken.is_empty() && self.unanswered.is_empty() && self.soon().next().is_none()
    }

    /// The repositories in which something ends within the days that were asked for.
    fn soon(&self) -> impl Iterator<Item = &Row> {
        self.whole.iter().filter(|row| row.first().is_some_and(|at| self.is_soon(at)))
    }

    fn is_soon(&self, at: Timestamp) -> bool {
        at <= self
            .now
            .saturating_add(SignedDuration::from_hours(24 * i64::from(self.within)))
            .unwrap_or(Timestamp::MAX)
    }

    /// What is not well, a refusal for each kind; the repositories stand in what is shown.
    pub(crate) fn refusals(&self, of: impl Fn(&Error) -> Refusal) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let hints = |mut refusal: Refusal, errors: &BTreeMap<Name, Error>| {
            for hint in errors.values().flat_map(|error| of(error).hints) {
                if !refusal.hints.contains(&hint) {
                    refusal.hints.push(hint);
                }
            }
            refusal
        };
        if !self.unanswered.is_empty() {
            let what = format!(
                "{} gave no answer: {}",
                Count(self.unanswered.len(), "repository"),
                some(self.unanswered.keys())
            );
            refusals.push(hints(Refusal::new(Exit::Device, what), &self.unanswered));
        }
        if !self.broken.is_empty() {
            let what = format!(
                "{} refused: {}",
                Count(self.broken.len(), "repository"),
                some(self.broken.keys())
            );
            refusals.push(hints(Refusal::new(Exit::Refused, what), &self.broken));
        }
        let soon: Vec<&Row> = self.soon().collect();
        if let Some(first) = soon.first().and_then(|row| row.first()) {
            let what = format!(
                "something ends within {} in {}, first on {}: {}",
                Count(usize::from(self.within), "day"),
                Count(soon.len(), "repository"),
                day(first),
                some(soon.iter().map(|row| &row.gun)),
            );
            refusals.push(Refusal::new(Exit::Refused, what).hint(SOON));
        }
        refusals
    }

    fn standing(&self, calendar: Option<&Path>) -> String {
        let mut standing = "no repository was changed".to_owned();
        if let Some(file) = calendar.filter(|_| !self.unanswered.is_empty()) {
            let file = file.display();
            standing += &format!(", and `{file}` is as before: it would lack what gave no answer");
        }
        if !self.unasked.is_empty() {
            let unasked = Count(self.unasked.len(), "repository");
            standing += &format!("; {unasked} more were not asked for");
        }
        standing
    }

    fn json(&self) -> Value {
        let failed = |errors: &BTreeMap<Name, Error>| -> Value {
            let why = |(gun, error): (&Name, &Error)| json!({ "repository": gun, "why": error.to_string() });
            errors.iter().map(why).collect()
        };
        let end = |end: &End| {
            json!({
                "at": end.at.to_string(), "what": end.what.word(), "role": end.what.role(),
                "fails": end.fails.to_string(), "says": end.what.to_string(),
            })
        };
        let row = |row: &Row| {
            let is_soon = row.first().is_some_and(|at| self.is_soon(at));
            json!({ "repository": row.gun, "soon": is_soon, "ends": row.ends.iter().map(end).collect::<Vec<_>>() })
        };
        json!({
            "at": self.now.to_string(),
            "within_days": self.within,
            "repositories": self.whole.iter().map(row).collect::<Vec<_>>(),
            "broken": failed(&self.broken),
            "unanswered": failed(&self.unanswered),
            "not_asked": self.unasked,
        })
    }
}

/// The first names, and how many more there are.
fn some<'a>(names: impl ExactSizeIterator<Item = &'a Name>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named: Vec<&Name> = names.take(NAMED).collect();
    match more {
        0 => List::names(&named).to_string(),
        more => format!(
            "{}, and {more} more",
            named.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// How many repositories a line names.
const NAMED: usize = 3;
const SOON: &str = "the table says what helps: roots and their certificates by a ceremony, lists by `courier witness`";
