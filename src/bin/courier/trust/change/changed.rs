//! What was changed, for people and for machines.
//!
//! Annex; pure.

use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::targets::ListRole;
use officiant::wording::Count;
use serde_json::json;

use super::super::Error;
use super::super::place::Place;
use super::candidate::Candidate;
use super::draft::Published;
use crate::report::{Output, words};

/// What was done before something stopped the work.
#[derive(Debug)]
pub(crate) struct Done {
    /// In which repositories.
    pub(crate) names: Vec<Name>,
    /// What there is to say of them.
    pub(crate) output: Output,
}

/// What is to be read before it is signed.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Of which repository.
    pub(crate) gun: Name,
    /// The lists.
    pub(crate) roles: Vec<ListRole>,
    /// What they say.
    pub(crate) lines: Vec<String>,
    /// What is agreed to.
    pub(crate) digest: Digest,
}

impl Shown {
    /// Whether a person means this by the digits that they give.
    pub(crate) fn is_agreed(&self, agreed: &str) -> bool {
        agreed.len() >= SHORTEST && self.digest.to_string().starts_with(agreed)
    }

    /// The digits that are enough.
    pub(crate) fn digits(&self) -> String {
        self.digest.to_string()[..SHORTEST].to_owned()
    }

    /// For people and for machines.
    pub(crate) fn output(&self) -> Output {
        let Self { gun, lines, digest, .. } = self;
        let mut text = format!("{gun}\n");
        for line in lines {
            text += &format!("  {line}\n");
        }
        text += &format!("digest    {}\n", digest.grouped());
        text += &words("words     ", digest);
        text += &format!(
            "next      compare it with whom it is from, then `--agree {}` signs it\n",
            self.digits()
        );
        let json = json!({
            "repository": gun, "changes": lines, "digest": digest, "words": digest.words(),
        });
        Output { text, json }
    }
}

/// Says it of one repository: in words, and with the versions of the lists that went up.
pub(crate) fn changed(place: &Place, published: &Published, told: &[String]) -> Output {
    let mut text = format!("{}\n", place.gun);
    for line in told {
        text += &format!("  {line}\n");
    }
    for (role, list) in published.lists.iter().filter(|(_, list)| list.kept > 0) {
        let kept = Count(list.kept, "target");
        text += &format!("  `{role}` names {kept} as before: signed again with it\n");
    }
    match &published.apart {
        Some(apart) => text += &apart.text(),
        None => {
            for (role, list) in &published.lists {
                text += &format!(
                    "  `{role}` version {}: signed, uploaded, fetched back and equal\n",
                    list.version
                );
            }
        }
    }
    if published.lists.is_empty() {
        text += "  nothing was changed: it is so already\n";
    }
    let lists = published.lists.iter();
    let lists = lists.map(
        |(role, list)| json!({ "role": role, "version": list.version, "as_before": list.kept }),
    );
    let apart = published.apart.as_ref().map(Candidate::json);
    let json = json!({
        "repository": place.gun, "done": told, "lists": lists.collect::<Vec<_>>(), "apart": apart,
    });
    Output { text, json }
}

/// Changes one repository after the other, up to the first that is refused.
///
/// # Errors
/// [`Error`] of that one; [`Error::After`] where others were changed before it.
pub(crate) async fn each<T>(
    all: Vec<(Place, T)>,
    change: impl AsyncFn(&Place, T) -> Result<Output, Error>,
) -> Result<Output, Error> {
    let (mut names, mut outputs) = (Vec::new(), Vec::new());
    for (place, what) in all {
        match change(&place, what).await {
            Ok(output) => outputs.push(output),
            Err(error) if names.is_empty() => return Err(error),
            Err(error) => {
                let done = Done { names, output: joined(outputs) };
                return Err(Error::After { error: Box::new(error), done: Box::new(done) });
            }
        }
        names.push(place.gun.clone());
    }
    Ok(joined(outputs))
}

/// Several of them, one after the other.
fn joined(outputs: Vec<Output>) -> Output {
    let text = outputs.iter().map(|output| output.text.as_str()).collect();
    Output { text, json: outputs.into_iter().map(|output| output.json).collect() }
}

/// Of a digest, at least so many hex digits are compared.
const SHORTEST: usize = 16;
