//! The horizon of a repository: what in it ends, when, and for whom something fails then.
//!
//! Annex; pure.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use officiant::root::horizon::certificates_end;
use officiant::root::targets::ListRole;

use super::client::view::View;

/// Something that ends, or has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// Its last instant; of what does not hold at all, the instant of looking.
    pub(crate) at: Timestamp,
    pub(crate) what: What,
    pub(crate) fails: Fails,
}

/// What ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// So many root certificates that the signatures under valid ones are fewer than must sign.
    Certificates,
    /// The root.
    Root,
    /// The list of a role.
    List(ListRole),
    /// Nothing: the list of a role does not hold, and why, in words that follow its name.
    Unsound(ListRole, &'static str),
    /// The snapshot.
    Snapshot,
    /// The time before the last six months of the root: after it docker and notary sign the root again with whatever
    /// they publish.
    Quiet,
}

/// Whose work fails then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    Clients,
    Everyone,
    Publishers,
}

/// Everything that ends, the first first. What has ended already stands in it with its past instant.
pub(crate) fn ends(view: &View, now: Timestamp) -> Vec<End> {
    let expires = view.root().expires().instant();
    let mut ends = vec![
        End { at: expires, what: What::Root, fails: Fails::Everyone },
        End { at: quiet_until(expires), what: What::Quiet, fails: Fails::Publishers },
    ];
    let end = |at, what, fails| End { at, what, fails };
    let certificates = certificates_end(&view.root, view.gun.as_str(), now);
    ends.extend(certificates.map(|at| end(at, What::Certificates, Fails::Everyone)));
    let snapshot = view.snapshot.expires();
    ends.extend(snapshot.map(|at| end(at, What::Snapshot, Fails::Clients)));
    ends.extend(view.lists.iter().map(|(role, list)| {
        // Who publishes verifies first; what is below `targets` is passed over.
        let fails = if role.is_top() { Fails::Everyone } else { Fails::Clients };
        end(list.targets.expires.instant(), What::List(role.clone()), fails)
    }));
    ends.extend(view.broken.iter().map(|(role, broken)| {
        let expires = broken.list.as_ref().map(|list| list.targets.expires.instant());
        match expires.filter(|expires| *expires <= now) {
            Some(at) => end(at, What::List(role.clone()), Fails::Clients),
            None => end(now, What::Unsound(role.clone(), broken.why), Fails::Clients),
        }
    }));
    ends.sort_by(|a, b| (a.at, &a.what).cmp(&(b.at, &b.what)));
    ends
}

/// The day of an instant, as the whole world counts it.
pub(crate) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The first instant at which six months more are later than `expires`, as Go adds months: the 31st of August and six
/// months are the 31st of February, and that is the 3rd of March.
fn quiet_until(expires: Timestamp) -> Timestamp {
    let later = |at: Timestamp| {
        let at = at.to_zoned(TimeZone::UTC);
        let first = at.first_of_month().ok()?.checked_add(6.months()).ok()?;
        Some(first.checked_add((i64::from(at.day()) - 1).days()).ok()?.timestamp())
    };
    let about = expires.to_zoned(TimeZone::UTC).saturating_sub(6.months()).timestamp();
    let near = (0..=3).rev().filter_map(|days| about.checked_sub((24 * days).hours()).ok());
    near.into_iter().find(|at| later(*at).is_some_and(|later| later >= expires)).unwrap_or(about)
}

impl End {
    /// Whether clients fail then.
    pub(crate) fn is_for_clients(&self) -> bool {
        self.fails != Fails::Publishers
    }
}

impl What {
    /// One word for machines; the role of a list stands beside it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Certificates => "certificates",
            Self::List(_) => "list",
            Self::Quiet => "publishing",
            Self::Root => "root",
            Self::Snapshot => "snapshot",
            Self::Unsound(..) => "unsound-list",
        }
    }

    /// The role of a list.
    pub(crate) fn role(&self) -> Option<&ListRole> {
        match self {
            Self::List(role) | Self::Unsound(role, _) => Some(role),
            _ => None,
        }
    }

    /// What happens then, and what helps.
    pub(crate) fn means(&self) -> String {
        match self {
            Self::Certificates => "nobody believes the root any more, and no server takes the one after it: publish a \
                 root with new certificates before"
                .to_owned(),
            Self::List(role) if role.is_top() => {
                "nothing is pulled and nothing signed: who holds a targets key signs, or witnesses it, before"
                    .to_owned()
            }
            Self::List(role) | Self::Unsound(role, _) => {
                format!("clients pass over what it lists: `courier witness` with a key of `{role}` helps")
            }
            Self::Quiet => "six months before the root expires docker and notary publish nothing without the root \
                 key; courier goes on"
                .to_owned(),
            Self::Root => "nothing is pulled and nothing signed until the next root is published".to_owned(),
            Self::Snapshot => "nothing is pulled, unless the server holds its key and renews it".to_owned(),
        }
    }
}

/// What ends or is wrong.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificates => f.write_str("root certificates end"),
            Self::List(role) => write!(f, "`{role}` expires"),
            Self::Quiet => f.write_str("publishing without the root key ends"),
            Self::Root => f.write_str("root expires"),
            Self::Snapshot => f.write_str("snapshot expires"),
            Self::Unsound(role, why) => write!(f, "`{role}` {why}"),
        }
    }
}

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clients => "clients",
            Self::Everyone => "everyone",
            Self::Publishers => "publishers",
        })
    }
}

#[cfg(test)]
mod tests;
