//! A repository for people, laid out as docker does, with our own table behind.
//!
//! Annex; pure.

use officiant::root::KeyId;

use super::super::horizon::{self, End};
use super::{Inspected, NOBODY};
use crate::report::table;

/// The whole page.
pub(super) fn page(inspected: &Inspected) -> String {
    [tags, signers, administrative, roles, ends].map(|part| part(inspected)).concat()
}

fn tags(inspected: &Inspected) -> String {
    let name = &inspected.typed;
    let mut rows = vec![["SIGNED TAG", "DIGEST", "SIGNERS"].map(str::to_owned)];
    for ((tag, digest), signers) in inspected.tags() {
        let signers: Vec<&str> = signers.into_iter().collect();
        let signers = match signers.is_empty() {
            true => format!("({NOBODY})"),
            false => signers.join(", "),
        };
        rows.push([tag.to_owned(), digest.to_string(), signers]);
    }
    match rows.len() {
        1 => format!("\nNo signatures for {name}\n\n"),
        _ => format!("\nSignatures for {name}\n\n{}\n", table(&rows)),
    }
}

fn signers(inspected: &Inspected) -> String {
    let mut rows = vec![["SIGNER", "KEYS"].map(str::to_owned)];
    for (signer, delegation) in inspected.signers() {
        let ids: Vec<&str> = delegation.ids.iter().map(short).collect();
        rows.push([signer.to_owned(), ids.join(", ")]);
    }
    match rows.len() {
        1 => String::new(),
        _ => {
            format!("List of signers and their keys for {}\n\n{}\n", inspected.typed, table(&rows))
        }
    }
}

fn administrative(inspected: &Inspected) -> String {
    let mut text = format!("Administrative keys for {}\n\n", inspected.typed);
    for (who, ids) in inspected.administrative().into_iter().rev() {
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        text += &format!("  {who} Key:\t{}\n", ids.join(", "));
    }
    text
}

fn roles(inspected: &Inspected) -> String {
    let mut rows = vec![["ROLE", "VERSION", "EXPIRES", "SIGN", "KEYS"].map(str::to_owned)];
    for role in inspected.roles() {
        let version = role.version.map(|version| version.to_string()).unwrap_or_default();
        let day = role.expires.unwrap_or_default();
        let day = day.split('T').next().unwrap_or_default().to_owned();
        let must = format!("{} of {}", role.threshold, role.ids.len());
        let ids = role.ids.iter().map(|(id, own)| match own {
            Some(own) => format!("{} (key {})", short(id), short(own)),
            None => short(id).to_owned(),
        });
        rows.push([role.name, version, day, must, ids.collect::<Vec<_>>().join(", ")]);
    }
    let (name, by) = (&inspected.typed, inspected.seen.because.word());
    format!("\nRoles of {name}, trusted by {by}\n\n{}", table(&rows))
}

fn ends(inspected: &Inspected) -> String {
    let mut text = String::new();
    if let Some(End { at, what, .. }) = inspected.first_failure() {
        text += &format!("\nFirst to end: {what}, {}: {}\n", horizon::day(at), what.means());
    }
    for (role, broken) in &inspected.seen.view.broken {
        text += &format!("\n`{role}` is passed over by every client: its list {}\n", broken.why);
    }
    text
}

fn short(id: &KeyId) -> &str {
    id.as_str().get(..12).unwrap_or(id.as_str())
}
