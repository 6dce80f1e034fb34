//! The kernel: its generator, what feeds it, its clock, and whether there is another machine below it.
//!
//! Room floor: reads what the kernel shows as files.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Finding, Machine, Unseen};
use crate::wording::one_line;

impl Machine {
    pub(super) fn generator(&self) -> Result<Vec<Finding>, Unseen> {
        let mut findings = Vec::new();
        if !self.is_random_ready {
            let said = "the kernel's generator is not ready: keys would wait for it";
            findings.push(Finding::bad(
                "generator",
                said,
                "wait, type, move the mouse; run it again",
            ));
        }
        let release = self.text("proc/sys/kernel/osrelease")?.unwrap_or_default();
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
        findings.push(match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= BLAKE2S => {
                let said = format!("Linux {}: BLAKE2s pool, ChaCha20", one_line(&release));
                Finding::ok("generator", said)
            }
            (Some(Ok(_)), Some(Ok(_))) => {
                let said = format!("Linux {}, before {}.{}: an older design that takes longer to recover from a seed that is known", one_line(&release), BLAKE2S.0, BLAKE2S.1);
                Finding::warn("generator", said, "use a newer kernel")
            }
            _ => {
                let said = format!("the kernel's version cannot be read from `{}`", one_line(&release));
                Finding::warn("generator", said, "look with `uname -r`; 5.18 or later is meant")
            }
        });
        Ok(findings)
    }

    /// What the generator is fed from besides the times of interrupts.
    pub(super) fn hardware_entropy(&self) -> Result<Vec<Finding>, Unseen> {
        let device = self.text("sys/class/misc/hw_random/rng_current")?;
        let device = device.filter(|name| !name.is_empty() && name != "none");
        let flags = self.text("proc/cpuinfo")?.unwrap_or_default();
        let has = |names: [&str; 3]| flags.split_whitespace().any(|flag| names.contains(&flag));
        let mut sources: Vec<String> =
            device.iter().map(|name| format!("device `{}`", one_line(name))).collect();
        if has(["rdrand", "rdseed", "rng"]) {
            sources.push("the processor's instruction".to_owned());
        }
        Ok(vec![if sources.is_empty() {
            let said = "the kernel names no source but the times of interrupts; tokens are mixed in, in a ceremony";
            Finding::warn("entropy", said, "use a machine with one")
        } else {
            Finding::ok("entropy", sources.join(", "))
        }])
    }

    /// The host of a virtual machine reads its memory, and no file in it says so.
    pub(super) fn virtual_machine(&self) -> Result<Vec<Finding>, Unseen> {
        let flags = self.text("proc/cpuinfo")?.unwrap_or_default();
        let is_virtual = flags.split_whitespace().any(|flag| flag == "hypervisor");
        Ok(vec![if is_virtual {
            let said = "this is one: its host may read all memory, PINs and shares too";
            Finding::warn("hypervisor", said, "hold ceremonies on a machine that you can touch")
        } else {
            let said = "the processor does not say that this is one; a host that hides is not seen";
            Finding::ok("hypervisor", said)
        }])
    }
}

/// The clock against its floor, the day of this release: nobody holds a ceremony before that.
pub fn clock(now: Timestamp, released: Date) -> Finding {
    let utc = now.to_zoned(TimeZone::UTC);
    let said = utc.strftime("%Y-%m-%d %H:%M UTC").to_string();
    if utc.date() < released {
        let said = format!("{said}, before the day of this release, {released}");
        return Finding::bad("clock", said, "set it by two people's watches, in UTC");
    }
    let said = format!(
        "{said}, not before the day of this release, {released}; more only two watches tell"
    );
    Finding::ok("clock", said)
}

/// From this version on the generator hashes what feeds it with BLAKE2s, and reseeds at once where it is asked.
const BLAKE2S: (u32, u32) = (5, 18);
