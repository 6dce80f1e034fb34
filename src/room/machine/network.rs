//! Networks and radios.
//!
//! Room floor: reads what the kernel shows as files.

use std::collections::BTreeSet;

use super::{Finding, Machine, Unseen};
use crate::wording::{List, one_line};

impl Machine {
    /// Interfaces other than the loopback. Those of this process and those that /sys shows are the same, unless somebody
    /// shut this process in: then both count.
    pub(super) fn network(&self) -> Result<Vec<Finding>, Unseen> {
        let table = self.text("proc/self/net/dev")?;
        let shown = self.names("sys/class/net")?;
        if table.is_none() && shown.is_none() {
            return Ok(vec![Finding::ok("network", "this kernel has none")]);
        }
        let listed = table.as_deref().unwrap_or_default().lines();
        let listed = listed.filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned()));
        let all: BTreeSet<String> = listed.chain(shown.into_iter().flatten()).collect();
        let (mut up, mut card, mut made, mut unseen) = (vec![], vec![], vec![], vec![]);
        for name in all.into_iter().filter(|name| name != "lo") {
            let folder = format!("sys/class/net/{name}");
            if !self.has(&folder) {
                unseen.push(one_line(&name));
                continue;
            }
            // Files stand beside the interfaces, `bonding_masters` for one.
            let Some(flags) = self.interface_flags(&folder) else { continue };
            let kind = match flags {
                flags if flags & IFF_UP != 0 => &mut up,
                _ if self.has(&format!("{folder}/device")) => &mut card,
                _ => &mut made,
            };
            kind.push(one_line(&name));
        }
        Ok(network_findings(&up, &card, &made, &unseen))
    }

    /// Flags that cannot be read count as those of an interface that is up.
    fn interface_flags(&self, folder: &str) -> Option<u32> {
        match self.text(&format!("{folder}/flags")) {
            Ok(Some(flags)) => {
                let digits = flags.trim().trim_start_matches("0x");
                Some(u32::from_str_radix(digits, 16).unwrap_or(IFF_UP))
            }
            Ok(None) => self.has(&format!("{folder}/type")).then_some(IFF_UP),
            Err(unseen) if unseen.why == std::io::ErrorKind::NotADirectory => None,
            Err(_) => Some(IFF_UP),
        }
    }

    /// Radios: those with a switch, and those of which the kernel knows no switch.
    pub(super) fn radios(&self) -> Result<Vec<Finding>, Unseen> {
        let (mut findings, mut switched) = (Vec::new(), BTreeSet::new());
        for entry in self.names("sys/class/rfkill")?.unwrap_or_default() {
            let of = |file: &str| self.text(&format!("sys/class/rfkill/{entry}/{file}"));
            let name = of("name")?.unwrap_or_else(|| entry.clone());
            let kind = of("type")?.unwrap_or_default();
            let radio = format!("`{}` ({})", one_line(&name), one_line(&kind));
            let is_blocked = |state: Option<String>| state.as_deref() == Some("1");
            findings.push(match (is_blocked(of("hard")?), is_blocked(of("soft")?)) {
                (true, _) => Finding::ok("radio", format!("{radio} is off by its switch")),
                (false, true) => Finding::warn(
                    "radio",
                    format!("{radio} is off by software alone, which can turn it on again"),
                    "turn its switch off, or take it out of the machine",
                ),
                (false, false) => Finding::bad(
                    "radio",
                    format!("{radio} is on"),
                    format!("{TAKE_OUT}, or `rfkill block all`"),
                ),
            });
            switched.insert(name);
        }
        for class in ["sys/class/ieee80211", "sys/class/bluetooth"] {
            let radios = self.names(class)?.unwrap_or_default();
            // A connection stands beside its adapter, as `hci0:1`.
            let radios = radios.into_iter().filter(|name| !name.contains(':'));
            findings.extend(radios.filter(|name| !switched.contains(name)).map(|name| {
                let said =
                    format!("`{}` is there, and nothing says that it is off", one_line(&name));
                Finding::bad("radio", said, TAKE_OUT)
            }));
        }
        if findings.is_empty() {
            let said = "the kernel knows of none; one without a driver is not seen";
            findings.push(Finding::ok("radio", said));
        }
        Ok(findings)
    }
}

fn network_findings(
    up: &[String],
    card: &[String],
    made: &[String],
    unseen: &[String],
) -> Vec<Finding> {
    let are = |names: &[String]| {
        format!("{} {}", List::names(names), if names.len() == 1 { "is" } else { "are" })
    };
    let mut findings = Vec::new();
    if !up.is_empty() {
        let said = format!("{} up", are(up));
        findings.push(Finding::bad("network", said, "pull the cable, and `ip link set NAME down`"));
    }
    if !unseen.is_empty() {
        let said = format!("{} there, and whether up cannot be seen in /sys", are(unseen));
        findings.push(Finding::bad("network", said, "look with `ip link`, and take it down"));
    }
    if !card.is_empty() {
        let said = format!("{} down, and can be brought up", are(card));
        findings.push(Finding::warn("network", said, "take the card out, or deny its driver"));
    }
    if findings.is_empty() {
        let made = if made.is_empty() {
            String::new()
        } else {
            format!("; {} down and no card", are(made))
        };
        findings.push(Finding::ok("network", format!("no interface is up but the loopback{made}")));
    }
    findings
}

/// Of linux/if.h.
const IFF_UP: u32 = 1;

const TAKE_OUT: &str = "take it out of the machine";
