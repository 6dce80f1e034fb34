//! What was changed, for people and for machines.
//!
//! Annex; pure.

use serde_json::json;

use super::draft::Published;
use super::place::Place;
use crate::report::Output;

/// Says it of one repository: in words, and with the versions of the lists that went up.
pub(super) fn changed(place: &Place, published: &Published, told: &[String]) -> Output {
    let mut text = format!("{}\n", place.gun);
    for line in told {
        text += &format!("  {line}\n");
    }
    for (role, version) in published {
        text +=
            &format!("  `{role}` version {version}: signed, uploaded, fetched back and equal\n");
    }
    if published.is_empty() {
        text += "  nothing was changed: it is so already\n";
    }
    let lists = published.iter().map(|(role, version)| json!({ "role": role, "version": version }));
    let json = json!({
        "repository": place.gun, "done": told, "lists": lists.collect::<Vec<_>>(),
    });
    Output { text, json }
}

/// Several of them, one after the other.
pub(super) fn joined(outputs: Vec<Output>) -> Output {
    let text = outputs.iter().map(|output| output.text.as_str()).collect();
    Output { text, json: outputs.into_iter().map(|output| output.json).collect() }
}
