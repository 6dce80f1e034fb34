//! The script of a plan: what will be done, by whom, what must be seen, and room to tick, sign and write the time.
//!
//! Roof, pure. The numbers are those of [`step::steps`] and come from nowhere else.

use super::{Paper, Row, cells};
use crate::ceremony::holding_words;
use crate::ceremony::people::tasks;
use crate::ceremony::plan::{Kind, Plan, PlannedPerson, Task};
use crate::ceremony::quorum::Quorum;
use crate::ceremony::roster::{KeyOrigin, Roster, TokenOrigin};
use crate::ceremony::step::{self, Part, Step};
use crate::digest::Digest;
use crate::record::{Mode, Tool};
use crate::root::Dialect;
use crate::wording::Count;

/// How many exceptions have a sheet of their own in advance.
const EXCEPTIONS: usize = 3;

/// Writes the script, as the tool that will run the ceremony.
pub fn script(plan: &Plan, roster: &Roster, tool: &Tool) -> Paper {
    let mut paper = Paper::new(plan.title(), foot(plan.digest()));
    paper.mark = mark(if plan.practice() { Mode::Practice } else { Mode::Ceremony });
    let steps = step::steps(plan, roster);
    cover(plan, tool, &steps, &mut paper);
    people(plan, roster, &mut paper);
    materials(plan, roster, &mut paper);
    rules(&mut paper);
    for part in parts(&steps) {
        paper.page(format!("Part {}: {}", part as u8 + 1, part.title()));
        paper.prose(aim(part));
        let rows = steps.iter().filter(|step| step.part == part);
        paper.table(&COLUMNS, rows.map(|step| row(step, plan, roster)).collect());
        if part == Part::Reading {
            consent(&mut paper);
        }
        // The last part ends with the closing page.
        if part != Part::Closing {
            checkpoint(part, &mut paper);
        }
    }
    exceptions(&mut paper);
    break_sheet(roster, &mut paper);
    closing(plan, roster, &mut paper);
    paper
}

/// What every page says at its foot.
pub(super) fn foot(plan: Digest) -> String {
    format!("plan: {}", plan.words().join(" "))
}

/// What every page says at its head.
pub(crate) fn mark(mode: Mode) -> Option<String> {
    match mode {
        Mode::Ceremony => None,
        Mode::Practice => Some("PRACTICE".to_owned()),
        Mode::Rehearsal => Some("REHEARSAL".to_owned()),
    }
}

/// The parts that have steps, in order.
pub(super) fn parts(steps: &[Step]) -> Vec<Part> {
    let mut parts: Vec<Part> = steps.iter().map(|step| step.part).collect();
    parts.dedup();
    parts
}

/// What the plan is about, in pairs for a cover.
pub(super) fn subject(plan: &Plan) -> Vec<(&'static str, String)> {
    let dialect = match plan.dialect() {
        Dialect::Notary => "notary (Notary v1, Docker Content Trust)",
        Dialect::Tuf => "tuf (TUF 1.0)",
    };
    let when = plan.when();
    let mut pairs = vec![
        ("ceremony", plan.kind().name().to_owned()),
        ("dialect", dialect.to_owned()),
        ("to be held", format!("from {} until {}, 00:00 UTC", when.from, when.until)),
    ];
    if let Some(root) = plan.root() {
        let many = Count(plan.repositories().len(), "repository");
        pairs.push(("repositories", many.to_string()));
        let (m, n) = (root.threshold, root.keys.len());
        pairs.push(("new root", format!("{m} of {n} keys sign: {}", root.keys.join(", "))));
        pairs.push(("it expires", root.expires.to_string()));
        if let Some(until) = root.certificates_until {
            pairs.push(("its certificates", format!("until {until}")));
        }
    }
    pairs
}

/// The tool that prints or ran, in pairs.
pub(super) fn tool_pairs(tool: &Tool) -> [(&'static str, String); 2] {
    [("tool", format!("officiant {}", tool.version)), ("its SHA-256", tool.sha256.grouped())]
}

fn cover(plan: &Plan, tool: &Tool, steps: &[Step], paper: &mut Paper) {
    paper.prose(purpose(plan));
    let mut pairs = subject(plan);
    let parts = Count(parts(steps).len(), "part");
    pairs.push(("steps", format!("1 to {}, in {parts}", steps.len())));
    pairs.extend(tool_pairs(tool));
    pairs.extend([("place", FIELD.to_owned()), ("date, UTC", FIELD.to_owned())]);
    paper.pairs(pairs);
    paper.digest("The plan's digest", plan.digest());
    if let Some(request) = plan.request() {
        paper.digest("The request's digest", request.sha256);
    }
}

fn purpose(plan: &Plan) -> String {
    let what = match plan.kind() {
        Kind::Abandon => {
            "This ceremony closes an unfinished one, and destroys what nobody needs of it."
        }
        Kind::Drill => {
            "This ceremony has tokens, papers and recipients prove that they still hold what they are to hold. It signs no \
             root and opens no share; what is missing is known before anybody needs it."
        }
        Kind::Genesis => {
            "This ceremony makes the first root keys and signs the first root. Afterwards clients \
             can be given this root, and everything they trust hangs from it."
        }
        Kind::Renew => {
            "This ceremony signs a new root with the same keys: a later day of expiry, and new \
             certificates where there are any. Users notice nothing."
        }
        Kind::Reshare => {
            "This ceremony gives a key in shares a new set of them. The key stays and no root changes; the old set \
             opens it, too, until enough of its shares are destroyed."
        }
        Kind::Restore => {
            "This ceremony puts a key in shares onto one token, because it cannot wait for its holders any more. \
             Whoever has that token and its PIN has the key: the next root goes without it."
        }
        Kind::Retire => {
            "This ceremony destroys root keys that no newest root lists any more, and shares of sets that others \
             replaced. No root changes; what is not here, or lies elsewhere in a copy, is not destroyed by it."
        }
        Kind::Rotate => {
            "This ceremony signs a new root by which other keys, or another number of them, \
             govern from now on. Clients follow by themselves; users notice nothing."
        }
    };
    what.to_owned()
}

fn people(plan: &Plan, roster: &Roster, paper: &mut Paper) {
    paper.page("People");
    paper.prose(
        "Everybody writes name and time of arrival here, and signs on the closing page. The operator \
         types and decides nothing; the witness sees that the script is followed; a custodian alone \
         touches the token of that seat and alone knows its PIN.",
    );
    let mut rows = if plan.people().next().is_some() { named(plan, roster) } else { seats(roster) };
    rows.extend([Row::Space(2), Row::Space(2)]);
    paper.table(&[("Seat", 15), ("Task", 24), ("Name", 22), ("Came, UTC", 10)], rows);
    if plan.root().is_none() {
        return;
    }
    paper.section("Who can sign afterwards, and who can stop it");
    paper.points(Quorum::of_plan(plan, roster).sentences());
    let keys = roster.keys().iter().map(|key| {
        let origin = match key.origin {
            KeyOrigin::Adopted(_) => "adopted",
            KeyOrigin::Imported(_) => "imported",
            KeyOrigin::Known(_) => "known",
            KeyOrigin::New => "new",
        };
        let after = if key.stays { "stays" } else { "goes" };
        cells([&key.name, &key.algorithm.to_string(), &holding_words(key), origin, after])
    });
    paper.section("Keys");
    let keys: Vec<Row> = keys.collect();
    paper.table(&[("Key", 14), ("Kind", 10), ("Where", 30), ("Is", 7), ("Then", 7)], keys);
    if plan.repositories().len() <= 40 {
        paper.section("Repositories");
        paper.points(plan.repositories().iter().map(|repository| format!("`{}`", repository.name)));
    }
    if !plan.exclusions().is_empty() {
        paper.section("Left out, because their clients are cut off already");
        let left = plan.exclusions().iter();
        paper.points(left.map(|left| format!("`{}`: {}", left.name, left.reason)));
    }
}

/// Who takes part, where the plan does not say it.
fn seats(roster: &Roster) -> Vec<Row> {
    let mut rows = vec![
        cells(["operator", "types, reads aloud", "", ""]),
        cells(["witness", "watches, writes exceptions", "", ""]),
        cells(["second reader", "another machine, `officiant show`", "", ""]),
    ];
    let held = roster.held().map(|(_, seat)| seat);
    let held = held.chain(roster.outranking().map(|(seat, _)| seat));
    let seats: std::collections::BTreeSet<&str> = held.collect();
    rows.extend(seats.iter().map(|seat| cells([seat, &custodian_of(roster, seat), "", ""])));
    rows
}

/// Whom the plan names.
fn named(plan: &Plan, roster: &Roster) -> Vec<Row> {
    let row = |person: &PlannedPerson| {
        let stands_in = person.spare_for.as_ref().map(|other| format!("stands in for {other}"));
        let tasks = tasks(plan, &person.seat).into_iter();
        let tasks = tasks.filter(|task| *task != Task::Custodian || stands_in.is_some());
        let mut said: Vec<String> = stands_in.iter().cloned().collect();
        said.extend(tasks.map(|task| task.name().to_owned()));
        said.extend(Some(custodian_of(roster, &person.seat)).filter(|held| !held.is_empty()));
        cells([&person.seat, &said.join("; "), "", ""])
    };
    plan.people().map(row).collect()
}

/// What a seat holds of the ceremony.
fn custodian_of(roster: &Roster, seat: &str) -> String {
    let held = roster.held().filter(|(_, custodian)| *custodian == seat);
    let outranked = roster.outranking().filter(|(holder, _)| *holder == seat);
    let tasks: [(&str, Vec<&str>); 2] = [
        ("custodian of", held.map(|(name, _)| name).collect()),
        ("SO PIN of", outranked.map(|(_, name)| name).collect()),
    ];
    let tasks = tasks.iter().filter(|(_, names)| !names.is_empty());
    let tasks = tasks.map(|(task, names)| format!("{task} {}", names.join(", ")));
    tasks.collect::<Vec<_>>().join("; ")
}

fn materials(plan: &Plan, roster: &Roster, paper: &mut Paper) {
    paper.section("Materials");
    let mut rows =
        vec![cells(["□", "1", "machine without any network, started from known media", "", ""])];
    for token in roster.tokens() {
        let state = match token.origin {
            TokenOrigin::Adopted => "holds a key that is adopted",
            TokenOrigin::Known => "enrolled earlier",
            TokenOrigin::New => "new, to be initialised",
        };
        let what = format!("token `{}` of {}: {state}", token.name, token.custodian);
        rows.push(cells(["□", "1", &what, "", ""]));
    }
    for sheet in roster.papers() {
        let state = if sheet.is_new {
            "to be printed here; a card for its passphrase; two envelopes"
        } else {
            "printed earlier, and its passphrase"
        };
        let what = format!("paper `{}` of {}: {state}", sheet.name, sheet.custodian);
        rows.push(cells(["□", "1", &what, "", ""]));
    }
    for recipient in roster.recipients() {
        let (name, custodian) = (&recipient.name, &recipient.custodian);
        let what =
            format!("recipient `{name}` of {custodian}: the identity of `{}`", recipient.age);
        rows.push(cells(["□", "1", &what, "", ""]));
    }
    let mut media = vec![];
    if plan.request().is_some() {
        let many = 1 + usize::from(plan.request().is_some_and(|request| request.second.is_some()));
        media.push((many, "media marked `in`: what `courier fetch` wrote"));
    }
    media.push((2, "media marked `out`, empty, and one to spare"));
    media.push((2, "media marked `room`, and one to spare"));
    media.push((2, "watches, set to UTC by different sources"));
    media.push((1, "second machine with `officiant`, for the second reader"));
    media.push((1, "this script on paper, with the reviewers' words of the plan"));
    if plan.after().is_some() {
        media.push((1, "the signed closing page of the last ceremony"));
    }
    rows.extend(media.iter().map(|(many, what)| cells(["□", &many.to_string(), what, "", ""])));
    let columns = [("□", 1), ("Many", 4), ("What", 41), ("Bag in", 10), ("Bag out", 10)];
    paper.table(&columns, rows);
}

fn rules(paper: &mut Paper) {
    paper.page("Rules");
    paper.points([
        "Anybody may stop the ceremony by saying `stop`. It goes on when the witness has written down why.",
        "Steps are done in the order of their numbers, each read aloud first. Nobody improvises.",
        "⊘ beside a number: what this step does cannot be undone, and it is not done twice.",
        "A box is ticked when what must be seen was seen, letter by letter; the witness initials it and \
         writes the time in UTC.",
        "Whatever the script does not foresee is an exception: type `!` at any question but a PIN, say what was \
         expected, what happened, what was decided and by whom, and fill in an exception sheet.",
        "A break: type `break` at any question but a PIN. Tokens go into bags, the words of the break sheet onto \
         paper, everybody leaves, and nobody stays alone in the room; `officiant resume` asks for both and goes on.",
        "A refusal of the machine is never overridden: there is no way to. What is now true stands in its \
         last line; after the cause is mended, `officiant resume` goes on.",
        "Words are read aloud by one and compared by another. Four letters of a word are enough.",
        "PINs are typed by their custodian, unseen, and never written down in this room.",
    ]);
}

/// What a part is for.
pub(super) const fn aim(part: Part) -> &'static str {
    match part {
        Part::Opening => {
            "So that plan, past, clock, machine and request are what everybody thinks they are."
        }
        Part::Tokens => "So that every token here is known by its serial and its public key.",
        Part::Keys => "So that every key exists, is proven, and is held as the plan says.",
        Part::Reading => {
            "So that everybody knows what will be signed, before anything can be signed."
        }
        Part::Signing => "So that each custodian signs what was read, and nothing else.",
        Part::Closing => "So that what was done leaves the room whole, and can be proven.",
    }
}

fn row(step: &Step, plan: &Plan, roster: &Roster) -> Row {
    let mark = if step.act.is_irreversible() { " ⊘" } else { "" };
    let number = format!("{}{mark}", step.number);
    let instruction = step.instruction(plan, roster);
    cells([&number, &step.who(roster), &instruction, &step.must_see(plan), "□", "", "  :"])
}

fn checkpoint(part: Part, paper: &mut Paper) {
    let title = part.title().to_lowercase();
    paper.section(format!("Checkpoint after {title}"));
    paper.prose(
        "The machine shows the head of the record. Write its words here; `resume` asks for them.",
    );
    slots(paper);
}

fn consent(paper: &mut Paper) {
    paper.section("Consent digest");
    paper.prose(
        "When the second reader's words were right, the machine shows the consent digest. Write its words \
         here, and compare them with the second reader's machine: custodians type from this page.",
    );
    slots(paper);
}

/// Room for 24 words.
fn slots(paper: &mut Paper) {
    let rows = [1, 7, 13, 19]
        .map(|first: u32| Row::Cells((first..first + 6).map(|at| format!("{at}\n")).collect()));
    paper.table(&[("words", 10), ("", 10), ("", 10), ("", 10), ("", 10), ("", 10)], rows.to_vec());
}

fn exceptions(paper: &mut Paper) {
    for number in 1..=EXCEPTIONS {
        paper.page(format!("Exception sheet {number}"));
        paper.prose(
            "A sheet that nobody needed is struck through and counted before everybody signs.",
        );
        let rows = ["at step", "expected", "happened", "decided", "done", "by, and time (UTC)"]
            .map(|label| cells([label, "\n\n\n\n"]));
        paper.table(&[("Exception", 20), ("In words", 57)], rows.to_vec());
    }
}

/// A break is rare: one sheet, and more by hand.
fn break_sheet(roster: &Roster, paper: &mut Paper) {
    paper.page("Break sheet");
    paper.prose(
        "After `break` the machine shows the head of the record, and asks for the bag of each token that is here. \
         Write its words, seal the tokens, and leave together; `officiant resume` asks for the words and the bags.",
    );
    slots(paper);
    let rows = roster.held().map(|(name, seat)| cells([seat, name, "\n", "", ""])).collect();
    let columns =
        [("Seat", 14), ("Holder", 14), ("Bag, seal", 18), ("From", 10), ("Until (UTC)", 12)];
    paper.table(&columns, rows);
}

fn closing(plan: &Plan, roster: &Roster, paper: &mut Paper) {
    paper.page("Closing page");
    paper.prose(
        "The machine shows the closing digest when everything is on media. Write its words; the next plan \
         names it, and whoever verifies the trust folder needs them.",
    );
    slots(paper);
    paper.pairs([("exceptions", "____ written, ____ sheets struck through")]);
    paper.section("Signatures");
    paper.prose(
        "I took part from the first to the last step, or as I wrote beside my name; I saw the digests that \
         the script says I must see; what happened otherwise stands on an exception sheet.",
    );
    let mut seats: Vec<&str> = plan.people().map(|person| person.seat.as_str()).collect();
    if seats.is_empty() {
        seats.extend(["operator", "witness", "second reader"]);
    }
    seats.extend(roster.held().map(|(_, seat)| seat));
    seats.extend(roster.outranking().map(|(seat, _)| seat));
    let mut known = std::collections::BTreeSet::new();
    seats.retain(|seat| known.insert(*seat));
    let mut rows: Vec<Row> = seats.iter().map(|seat| cells([seat, "\n", "", "", ""])).collect();
    rows.push(Row::Space(2));
    let columns = [
        ("Seat", 14),
        ("Name", 20),
        ("Agree □ / not □", 10),
        ("From, to (UTC)", 10),
        ("Signature", 14),
    ];
    paper.table(&columns, rows);
    paper.section("Receipts");
    paper.prose(
        "Each custodian keeps a copy: the token or paper went into this bag, and goes back to this place.",
    );
    let rows = roster.held().map(|(name, seat)| cells([seat, name, "\n", "", ""])).collect();
    let columns =
        [("Seat", 14), ("Holder", 14), ("Bag", 14), ("Next drill", 12), ("Signature", 14)];
    paper.table(&columns, rows);
}

const COLUMNS: [(&str, usize); 7] =
    [("No", 4), ("Who", 8), ("Do", 25), ("Must see", 16), ("□", 1), ("Init", 4), ("UTC", 4)];
const FIELD: &str = "______________________________";

#[cfg(test)]
mod tests;
