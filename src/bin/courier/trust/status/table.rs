//! The horizon for people: what is broken, then a line for each repository, the first end first.
//!
//! Annex; pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use officiant::root::targets::ListRole;
use officiant::wording::Count;

use super::super::horizon::{End, What, day};
use super::{Fleet, Row};
use crate::report::table;

impl Fleet {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (gun, error) in &self.broken {
            text += &format!("refused    {gun}: {}\n", plain(gun.as_str(), &error.to_string()));
        }
        for (gun, error) in &self.unanswered {
            text += &format!("no answer  {gun}: {}\n", plain(gun.as_str(), &error.to_string()));
        }
        let rows: Vec<_> = self.whole.iter().map(Row::cells).collect();
        if !rows.is_empty() {
            text += &table(&[&[HEAD.map(str::to_owned)], &rows[..]].concat());
        }
        text += &self.meanings();
        text + &self.summary()
    }

    /// What the ends within the days that were asked for mean, each once.
    fn meanings(&self) -> String {
        let ends = self.whole.iter().flat_map(|row| &row.ends).filter(|end| self.is_soon(end.at));
        let what: BTreeSet<_> = ends.map(|end| &end.what).collect();
        what.iter().map(|what| format!("{what}: {}\n", what.means())).collect()
    }

    fn summary(&self) -> String {
        let (broken, soon) = (self.broken.len(), self.soon().count());
        let missed = self.unanswered.len() + self.unasked.len();
        let all = self.whole.len() + broken + missed;
        let mut text = format!("{}: ", Count(all, "repository"));
        if broken > 0 {
            text += &format!("{broken} refused, ");
        }
        if missed > 0 {
            text += &format!("{missed} without an answer, ");
        }
        let days = Count(usize::from(self.within), "day");
        text + &match soon {
            0 => format!("nothing ends within {days}\n"),
            soon => format!("{soon} in which something ends within {days}\n"),
        }
    }
}

impl Row {
    /// As in [`HEAD`].
    fn cells(&self) -> [String; 9] {
        let date =
            |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| day(at).to_string());
        let at = |is: fn(&What) -> bool| {
            date(self.ends.iter().find(|end| is(&end.what)).map(|end| end.at))
        };
        let first = self.ends.first();
        [
            date(first.map(|end| end.at)),
            first.map(|end| end.fails.to_string()).unwrap_or_default(),
            first.map(by).unwrap_or_default(),
            self.gun.to_string(),
            at(|what| *what == What::Root),
            at(|what| *what == What::Certificates),
            at(|what| what.role().is_some_and(ListRole::is_top)),
            at(|what| what.role().is_some_and(|role| !role.is_top())),
            at(|what| *what == What::Snapshot),
        ]
    }
}

/// What ends first, in a word.
fn by(end: &End) -> String {
    end.what.role().map_or_else(|| end.what.word().to_owned(), ToString::to_string)
}

/// A reason whose repository stands before it.
fn plain<'a>(gun: &str, why: &'a str) -> &'a str {
    why.strip_prefix("repository `")
        .and_then(|why| why.strip_prefix(gun))
        .and_then(|why| why.strip_prefix("`: "))
        .unwrap_or(why)
}

const HEAD: [&str; 9] = [
    "FIRST",
    "FAILS FOR",
    "BY",
    "REPOSITORY",
    "ROOT",
    "CERTIFICATES",
    "TARGETS",
    "DELEGATIONS",
    "SNAPSHOT",
];
