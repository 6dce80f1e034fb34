//! What was changed, for people and for machines.
//!
//! Annex; pure.

use serde_json::json;

use super::super::place::Place;
use super::draft::Published;
use crate::report::{Output, words};

/// Says it of one repository: in words, and with the versions of the lists that went up.
pub(crate) fn changed(place: &Place, published: &Published, told: &[String]) -> Output {
    let mut text = format!("{}\n", place.gun);
    for line in told {
        text += &format!("  {line}\n");
    }
    match &published.apart {
        Some(apart) => {
            for (role, (found, needed)) in &apart.tallies {
                text += &format!("  `{role}`: {found} signed, {needed} needed\n");
            }
            text += &format!("written   {}\n", apart.folder.display());
            text += &format!("digest    {}\n", apart.digest.grouped());
            text += &words("words     ", &apart.digest);
            text += "next      the others compare the digest, and sign by `courier countersign`\n";
        }
        None => {
            for (role, version) in &published.versions {
                text += &format!(
                    "  `{role}` version {version}: signed, uploaded, fetched back and equal\n"
                );
            }
        }
    }
    if published.versions.is_empty() {
        text += "  nothing was changed: it is so already\n";
    }
    let lists = published.versions.iter();
    let lists = lists.map(|(role, version)| json!({ "role": role, "version": version }));
    let apart = published.apart.as_ref().map(|apart| {
        json!({ "folder": apart.folder, "digest": apart.digest, "words": apart.digest.words() })
    });
    let json = json!({
        "repository": place.gun, "done": told, "lists": lists.collect::<Vec<_>>(), "apart": apart,
    });
    Output { text, json }
}

/// Several of them, one after the other.
pub(crate) fn joined(outputs: Vec<Output>) -> Output {
    let text = outputs.iter().map(|output| output.text.as_str()).collect();
    Output { text, json: outputs.into_iter().map(|output| output.json).collect() }
}
