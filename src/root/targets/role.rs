//! The name of a list's role: `targets`, or one below it to which it delegates.
//!
//! First floor: pure.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// `targets` or `targets/…`: lower-case letters, digits, `-`, `_` and single `/`, fewer than 256 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListRole(String);

impl ListRole {
    /// The repository's own list.
    pub fn top() -> Self {
        Self(TOP.to_owned())
    }

    /// What docker reads first: all that signers have released.
    pub fn releases() -> Self {
        Self(format!("{TOP}/releases"))
    }

    /// The role of a signer of docker's, by name: 1 or more of `[a-z0-9_-]`, the first a letter or digit, and not
    /// `releases`.
    pub fn of_signer(name: &str) -> Option<Self> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let role = format!("{TOP}/{name}").parse().ok()?;
        (starts && name.chars().all(good) && name != "releases").then_some(role)
    }

    /// The name of docker's signer whose role this is.
    pub fn signer(&self) -> Option<&str> {
        let name = self.0.strip_prefix("targets/")?;
        (!name.contains('/') && name != "releases").then_some(name)
    }

    /// Whether this is the repository's own list, whose keys the root names.
    pub fn is_top(&self) -> bool {
        self.0 == TOP
    }

    /// The role whose list delegates to this one.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// Whether this is `role` or below it.
    pub fn is_within(&self, role: &Self) -> bool {
        self.0.strip_prefix(&role.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ListRole {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let mut segments = text.split('/');
        let is_below = segments.next() == Some(TOP);
        let whole = segments.all(|segment| !segment.is_empty() && segment.chars().all(good));
        match is_below && whole && text.len() < 256 {
            true => Ok(Self(text.to_owned())),
            false => Err(NotARole { text: text.to_owned() }),
        }
    }
}

impl Serialize for ListRole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Not the name of a list's role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no role: `targets`, or `targets/` and names of `a-z`, `0-9`, `-` and `_`")]
pub struct NotARole {
    /// The text.
    pub text: String,
}

const TOP: &str = "targets";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_below_targets_and_their_names_plain() {
        for good in ["targets", "targets/releases", "targets/a-b_1/c"] {
            assert_eq!(good.parse::<ListRole>().unwrap().as_str(), good);
        }
        for bad in ["", "root", "targets/", "targets//a", "targets/A", "targets/..", "targetsx/a"] {
            assert!(bad.parse::<ListRole>().is_err(), "{bad}");
        }
        let child: ListRole = "targets/a/b".parse().unwrap();
        assert_eq!(child.parent().unwrap().as_str(), "targets/a");
        assert_eq!(ListRole::top().parent(), None);
    }

    #[test]
    fn a_signer_is_directly_below_targets_and_never_releases() {
        assert_eq!(ListRole::of_signer("ada").unwrap().signer(), Some("ada"));
        for bad in ["", "-a", "A", "a/b", "releases", "_a"] {
            assert_eq!(ListRole::of_signer(bad), None, "{bad}");
        }
        assert_eq!(ListRole::releases().signer(), None);
        assert_eq!(ListRole::top().signer(), None);
    }
}
