//! What a plan must say of itself, before anything else is known: names, references, thresholds and dates.
//!
//! Second floor: pure.

mod keys;
mod retire;

use std::collections::{BTreeMap, BTreeSet};

use super::label::{RULE, alike, is_label};
use super::{Error, Kind, Plan, PlanText, line_of};
use crate::name::{Name, is_device};
use crate::root::certificate::MAX_NAME;
use crate::root::{Dialect, Role};
use crate::wording::is_unseen;

/// A mistake: the offset in the plan's text, and what is wrong there.
type Mistake = (usize, String);

/// Refuses a list that cannot stand beside all that a ceremony writes, wherever its name comes to stand: its name ends
/// as no name of ours does, and every file system carries it.
pub(super) fn check_list(text: &PlanText, source: &str) -> Result<(), Error> {
    let Some(named) = &text.repositories else { return Ok(()) };
    let (at, name) = (named.list.span().start, named.list.get_ref());
    let refuse = |what: String| Err(Error::Sense { line: line_of(source, at), what });
    if !text.repository.is_empty() {
        return refuse("`[repositories]` and `[[repository]]` exclude each other".into());
    }
    let fits = name.len() <= 64
        && name.ends_with(".txt")
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !fits {
        let rule =
            "1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`, a letter or digit first, `.txt` last";
        return refuse(format!("list `{name}`: the name of a list has {rule}"));
    }
    if is_device(&name.to_ascii_lowercase()) {
        return refuse(format!("list `{name}`: it is a device on other systems"));
    }
    Ok(())
}

/// Refuses a plan that contradicts itself.
pub(super) fn check(plan: &Plan, source: &str) -> Result<(), Error> {
    let rules = [
        title,
        dates,
        shape,
        retire::check,
        holders,
        recipients,
        sites,
        people,
        keys::check,
        root,
        roles,
        repositories,
    ];
    rules
        .iter()
        .try_for_each(|rule| rule(plan))
        .map_err(|(offset, what)| Error::Sense { line: line_of(source, offset), what })
}

fn title(plan: &Plan) -> Result<(), Mistake> {
    line("title", plan.title())
}

/// Text of the plan that stands in lines of screen and paper.
fn line(what: &str, text: &str) -> Result<(), Mistake> {
    if !text.trim().is_empty() && !text.chars().any(is_unseen) {
        return Ok(());
    }
    Err((0, format!("`{what}` is not one line that everybody sees")))
}

fn dates(plan: &Plan) -> Result<(), Mistake> {
    let when = plan.when();
    if when.from >= when.until {
        return Err((
            0,
            format!("`when.from` {} is not before `when.until` {}", when.from, when.until),
        ));
    }
    let Some(root) = &plan.text.root else { return Ok(()) };
    let (at, root) = (root.span().start, root.get_ref());
    if root.expires <= when.until {
        return Err((
            at,
            format!("`expires` {} is not after `when.until` {}", root.expires, when.until),
        ));
    }
    match (plan.dialect(), root.certificates_until) {
        (Dialect::Notary, None) => Err((
            at,
            "`certificates_until` is missing in `[root]`: a Notary root has certificates".into(),
        )),
        (Dialect::Tuf, Some(_)) => {
            Err((at, "`certificates_until` in `[root]`: a TUF root has no certificates".into()))
        }
        _ => Ok(()),
    }
}

fn shape(plan: &Plan) -> Result<(), Mistake> {
    let kind = plan.kind().with_article();
    let need = |there: bool, what: &str| {
        if there { Ok(()) } else { Err((0, format!("{kind} needs {what}"))) }
    };
    let forbid = |there: bool, what: &str| {
        if there { Err((0, format!("{kind} has no {what}"))) } else { Ok(()) }
    };
    need(plan.quorum_people() >= 1, "`quorum_people` of 1 or more")?;
    if plan.kind() == Kind::Retire {
        need(plan.retire().is_some(), "`[retire]`")?;
        forbid(plan.abandon().is_some(), "`[abandon]`")?;
        forbid(plan.root().is_some(), "`[root]`")?;
        forbid(!plan.text.role.is_empty(), "`[[role]]`")?;
        forbid(!plan.text.key.is_empty(), "`[[key]]`: it names keys in `[retire]`")?;
        let named = plan.text.token.len() + plan.text.paper.len() + plan.text.recipient.len();
        let holder =
            "`[[token]]`, `[[paper]]` or `[[recipient]]`: custody.json says who holds what";
        return forbid(named > 0, holder);
    }
    forbid(plan.retire().is_some(), "`[retire]`")?;
    if plan.kind() == Kind::Abandon {
        need(plan.abandon().is_some(), "`[abandon]`")?;
        forbid(plan.root().is_some(), "`[root]`")?;
        forbid(!plan.text.key.is_empty(), "`[[key]]`")?;
        return forbid(plan.request().is_some(), "`[request]`");
    }
    forbid(plan.abandon().is_some(), "`[abandon]`")?;
    if matches!(plan.kind(), Kind::Drill | Kind::Reshare | Kind::Restore) {
        // The others name the holders beside their keys, and here those alone who are new.
        let named = plan.text.token.len() + plan.text.paper.len() + plan.text.recipient.len();
        let holder = "at least one `[[token]]`, `[[paper]]` or `[[recipient]]`";
        need(named > 0 || plan.kind() != Kind::Drill, holder)?;
        forbid(plan.root().is_some(), "`[root]`")?;
        forbid(!plan.text.role.is_empty(), "`[[role]]`")?;
        forbid(!plan.repositories().is_empty(), "repositories")?;
        forbid(plan.request().is_some(), "`[request]`")?;
        return match plan.kind() {
            Kind::Drill => forbid(!plan.text.key.is_empty(), "`[[key]]`"),
            Kind::Restore => need(
                plan.keys().next().is_some() && plan.keys().all(|key| key.token.is_some()),
                "a `[[key]]`, and `token` in each",
            ),
            _ => need(
                plan.keys().next().is_some() && plan.keys().all(|key| key.shares.is_some()),
                "a `[[key]]`, and `shares` in each",
            ),
        };
    }
    need(plan.root().is_some(), "`[root]`")?;
    need(plan.request().is_some(), "`[request]`")?;
    need(!plan.repositories().is_empty(), "at least one repository")?;
    match plan.kind() {
        Kind::Genesis => need(!plan.text.key.is_empty(), "at least one `[[key]]`"),
        Kind::Renew => forbid(!plan.text.key.is_empty(), "`[[key]]`: the keys stay"),
        Kind::Abandon
        | Kind::Drill
        | Kind::Reshare
        | Kind::Restore
        | Kind::Retire
        | Kind::Rotate => Ok(()),
    }
}

fn holders(plan: &Plan) -> Result<(), Mistake> {
    let tokens = plan.text.token.iter().map(|token| {
        let (at, token) = (token.span().start, token.get_ref());
        (at, "token", &token.name, &token.custodian)
    });
    let papers = plan.text.paper.iter().map(|paper| {
        let (at, paper) = (paper.span().start, paper.get_ref());
        (at, "paper", &paper.name, &paper.custodian)
    });
    for token in &plan.text.token {
        let (at, token) = (token.span().start, token.get_ref());
        if let Some(seat) = token.so_holder.as_ref().filter(|seat| !is_label(seat)) {
            let called = &token.name;
            return Err((at, format!("token `{called}`: so_holder `{seat}`: a seat {RULE}")));
        }
    }
    let recipients = plan.text.recipient.iter().map(|recipient| {
        let (at, recipient) = (recipient.span().start, recipient.get_ref());
        (at, "recipient", &recipient.name, &recipient.custodian)
    });
    let mut seen: BTreeMap<&String, &str> = BTreeMap::new();
    for (at, what, called, custodian) in tokens.chain(papers).chain(recipients) {
        name(at, what, called)?;
        match seen.insert(called, what) {
            None => {}
            Some(other) if other == what => {
                return Err((at, format!("two {what}s are called `{called}`")));
            }
            Some(other) => {
                return Err((at, format!("a {other} and a {what} are called `{called}`")));
            }
        }
        if !is_label(custodian) {
            return Err((at, format!("{what} `{called}`: custodian `{custodian}`: a seat {RULE}")));
        }
    }
    Ok(())
}

/// Two names for one key would count one person twice.
fn recipients(plan: &Plan) -> Result<(), Mistake> {
    let mut seen = BTreeMap::new();
    for recipient in &plan.text.recipient {
        let (at, recipient) = (recipient.span().start, recipient.get_ref());
        if let Some(other) = seen.insert(&recipient.age, &recipient.name) {
            let what = format!("recipients `{other}` and `{}` have one key", recipient.name);
            return Err((at, what));
        }
    }
    Ok(())
}

/// Sites are counted as seats are: one must not look like two.
fn sites(plan: &Plan) -> Result<(), Mistake> {
    let tokens =
        plan.text.token.iter().map(|token| {
            (token.span().start, "token", &token.get_ref().name, &token.get_ref().site)
        });
    let papers =
        plan.text.paper.iter().map(|paper| {
            (paper.span().start, "paper", &paper.get_ref().name, &paper.get_ref().site)
        });
    let recipients = plan.text.recipient.iter().map(|recipient| {
        let (at, recipient) = (recipient.span().start, recipient.get_ref());
        (at, "recipient", &recipient.name, &recipient.site)
    });
    let mut sites = Vec::new();
    for (at, what, called, site) in tokens.chain(papers).chain(recipients) {
        let Some(site) = site else { continue };
        if !is_label(site) {
            return Err((at, format!("{what} `{called}`: site `{site}`: a site {RULE}")));
        }
        sites.push(site.as_str());
        if let Some((first, site)) = alike(sites.iter().copied()) {
            return Err((
                at,
                format!("sites `{first}` and `{site}` read alike: write one in one way"),
            ));
        }
    }
    Ok(())
}

/// Their seats are counted as those of custodians are.
fn people(plan: &Plan) -> Result<(), Mistake> {
    let custodians = plan.tokens().map(|token| token.custodian.as_str());
    let custodians = custodians.chain(plan.papers().map(|paper| paper.custodian.as_str()));
    let recipients = plan.recipients().map(|recipient| recipient.custodian.as_str());
    let mut seats: Vec<&str> = custodians.chain(recipients).collect();
    for person in &plan.text.person {
        let (at, seat) = (person.span().start, person.get_ref().seat.as_str());
        if !is_label(seat) {
            return Err((at, format!("person `{seat}`: a seat {RULE}")));
        }
        seats.push(seat);
        if let Some((first, seat)) = alike(seats.iter().copied()) {
            return Err((
                at,
                format!("seats `{first}` and `{seat}` read alike: write one in one way"),
            ));
        }
    }
    let is_empty = plan.text.person.is_empty();
    if is_empty && (!plan.text.never_both.is_empty() || plan.text.next_drill.is_some()) {
        return Err((0, "`never_both` and `next_drill` need `[[person]]`".into()));
    }
    Ok(())
}

fn root(plan: &Plan) -> Result<(), Mistake> {
    let Some(root) = &plan.text.root else { return Ok(()) };
    let (at, root) = (root.span().start, root.get_ref());
    let unique: BTreeSet<_> = root.keys.iter().collect();
    if unique.len() != root.keys.len() {
        return Err((at, "`keys` in `[root]` names a key twice".into()));
    }
    let mut made = plan.keys().filter(|key| key.is_made());
    if let Some(spare) = made.find(|key| !root.keys.contains(&key.name)) {
        let spare = &spare.name;
        return Err((
            at,
            format!("key `{spare}` is made, and `keys` in `[root]` does not list it"),
        ));
    }
    if plan.dialect() == Dialect::Tuf && root.certificate_name.is_some() {
        return Err((at, "`certificate_name` in `[root]`: a TUF root has no certificates".into()));
    }
    match root.certificate_name.as_deref() {
        None | Some("gun") => Ok(()),
        Some(wildcard) if is_wildcard(wildcard) && wildcard.len() <= MAX_NAME => Ok(()),
        Some(other) => Err((
            at,
            format!(
                "`certificate_name` is `{other}`, expected `gun`, or a host, whole segments and `/*`, at most {MAX_NAME} bytes"
            ),
        )),
    }
}

/// Whether it covers what lies below a host, or below whole segments of it: `host/*` and `host/team/*`, never `ho*`,
/// which covers other people's hosts, and never `*`, which covers every repository in the world.
fn is_wildcard(name: &str) -> bool {
    name.strip_suffix("/*").is_some_and(|above| above.parse::<Name>().is_ok())
}

fn roles(plan: &Plan) -> Result<(), Mistake> {
    let mut seen = BTreeSet::new();
    for role in &plan.text.role {
        let (at, role) = (role.span().start, role.get_ref());
        if !Role::ONLINE.contains(&role.name) {
            return Err((
                at,
                format!("role `{}` is none of snapshot, targets, timestamp", role.name),
            ));
        }
        if !seen.insert(&role.name) {
            return Err((at, format!("role `{}` stands twice", role.name)));
        }
        if role.threshold == 0 {
            return Err((at, format!("role `{}` has threshold 0", role.name)));
        }
    }
    if plan.kind() == Kind::Genesis
        && let Some(missing) = Role::ONLINE.iter().find(|role| !seen.contains(role))
    {
        return Err((0, format!("a genesis needs `[[role]]` for `{missing}`")));
    }
    Ok(())
}

fn repositories(plan: &Plan) -> Result<(), Mistake> {
    let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
    plan.exclusions().iter().try_for_each(|exclusion| line("reason", &exclusion.reason))?;
    for name in plan
        .repositories()
        .iter()
        .map(|repository| repository.name.as_str())
        .chain(plan.exclusions().iter().map(|exclusion| exclusion.name.as_str()))
    {
        if let Err(error) = name.parse::<Name>() {
            return Err((0, format!("repository `{name}`: {error}")));
        }
        if seen.insert(name, ()).is_some() {
            return Err((0, format!("repository `{name}` stands twice")));
        }
    }
    Ok(())
}

fn name(at: usize, what: &str, name: &str) -> Result<(), Mistake> {
    let fits = name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits {
        return Ok(());
    }
    let rule = "1 to 32 of a-z, 0-9 and hyphen, a letter first";
    Err((at, format!("{what} `{name}`: a name has {rule}")))
}
