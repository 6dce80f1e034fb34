//! The horizon as a calendar (RFC 5545): an event for each end of each repository, which keeps its name when its day
//! changes, so that a calendar moves it.
//!
//! Annex; pure.

use ics::parameters::Value;
use ics::properties::{Description, DtStart, Summary, Transp, Trigger};
use ics::{Alarm, Event, ICalendar, escape_text};
use jiff::Timestamp;
use officiant::digest::Digest;

use super::Fleet;

impl Fleet {
    pub(super) fn calendar(&self) -> String {
        let mut calendar = ICalendar::new(
            "2.0",
            concat!("-//officiant//courier ", env!("CARGO_PKG_VERSION"), "//EN"),
        );
        for (gun, error) in &self.broken {
            let words = (format!("{gun}: refused"), error.to_string());
            calendar.add_event(self.event(&[gun.as_str()], self.now, words));
        }
        for row in &self.whole {
            for end in &row.ends {
                let role = end.what.role().map_or("", |role| role.as_str());
                let words =
                    (format!("{}: {} ({})", row.gun, end.what, end.fails), end.what.means());
                calendar.add_event(self.event(
                    &[row.gun.as_str(), end.what.word(), role],
                    end.at,
                    words,
                ));
            }
        }
        calendar.to_string()
    }

    /// An event of one day, told before.
    fn event(
        &self,
        name: &[&str],
        at: Timestamp,
        (summary, means): (String, String),
    ) -> Event<'static> {
        let uid = Digest::of(name.join("\n").as_bytes()).to_string();
        let mut event = Event::new(uid, self.now.strftime("%Y%m%dT%H%M%SZ").to_string());
        let mut start = DtStart::new(at.strftime("%Y%m%d").to_string());
        start.add(Value::DATE);
        event.push(start);
        let summary = escape_text(summary).into_owned();
        event.push(Summary::new(summary.clone()));
        event.push(Description::new(escape_text(means).into_owned()));
        event.push(Transp::transparent());
        for before in BEFORE {
            let description = Description::new(summary.clone());
            event.add_alarm(Alarm::display(Trigger::new(before), description));
        }
        event
    }
}

/// Time for a ceremony, and then little of it.
const BEFORE: [&str; 2] = ["-P12W", "-P3W"];
