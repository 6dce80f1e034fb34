//! Where memory may go: to a disk, or to another process.
//!
//! Room floor: reads what the kernel shows as files.

use super::{Finding, Machine, Unseen};
use crate::wording::one_line;

impl Machine {
    pub(super) fn swap(&self) -> Result<Vec<Finding>, Unseen> {
        let Some(table) = self.text("proc/swaps")? else {
            return Ok(vec![Finding::ok("swap", "this kernel has none")]);
        };
        let areas = table.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        let findings: Vec<Finding> = areas.map(swap_area).collect();
        let none = || vec![Finding::ok("swap", "none is in use")];
        Ok(if findings.is_empty() { none() } else { findings })
    }

    /// Our own processes leave no core dump; every other on this machine may, pcscd among them, through which PINs pass.
    pub(super) fn core_dumps(&self) -> Result<Vec<Finding>, Unseen> {
        let own = self.limit("self", CORE)?;
        if own.as_deref() != Some("0") {
            let said = format!("this program itself may leave one: its limit is {}", told(own));
            return Ok(vec![Finding::bad(
                "core dumps",
                said,
                "report it: it sets this limit to 0",
            )]);
        }
        let pattern = self.text("proc/sys/kernel/core_pattern")?;
        let finding = match pattern.as_deref() {
            None => Finding::ok("core dumps", "this kernel makes none"),
            Some("|/bin/false" | "|/usr/bin/false") => {
                Finding::ok("core dumps", "every program's are thrown away")
            }
            Some(pipe) if pipe.starts_with('|') => Finding::warn(
                "core dumps",
                format!(
                    "this program leaves none; those of others, pcscd too, go to `{}`",
                    one_line(&pipe[1..])
                ),
                NO_DUMPS,
            ),
            Some(_) => self.core_files()?,
        };
        Ok(vec![finding])
    }

    /// What the shell that started us allows, it allows to what else it starts.
    fn core_files(&self) -> Result<Finding, Unseen> {
        let status = self.text("proc/self/status")?.unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(str::trim);
        let limit = match parent {
            Some(parent) => self.limit(parent, CORE)?,
            None => None,
        };
        Ok(if limit.as_deref() == Some("0") {
            let said = "this program leaves none, and neither does what this shell starts; services have limits of their own";
            Finding::ok("core dumps", said)
        } else {
            let said = format!(
                "this program leaves none; what else this shell starts may: its limit is {}",
                told(limit)
            );
            Finding::warn("core dumps", said, NO_DUMPS)
        })
    }

    /// Nobody but root looks into our processes. PINs are typed in a terminal, which is a process of the same account.
    pub(super) fn ptrace(&self) -> Result<Vec<Finding>, Unseen> {
        let scope = self.text("proc/sys/kernel/yama/ptrace_scope")?;
        let finding = match scope.as_deref() {
            Some("1" | "2" | "3") => {
                Finding::ok("ptrace", "no program looks into others that it did not start")
            }
            Some(_) => Finding::warn("ptrace", OPEN, "`sysctl -w kernel.yama.ptrace_scope=2`"),
            None => {
                let said = format!("this kernel has no Yama: {OPEN}");
                Finding::warn("ptrace", said, "run nothing else under the account of the ceremony")
            }
        };
        Ok(vec![finding])
    }

    /// How much memory this account may keep from a disk.
    pub fn lockable(&self) -> String {
        told(self.limit("self", "Max locked memory").ok().flatten())
    }
}

/// Compressed swap in memory goes to a disk only where somebody gave it one.
fn swap_area(area: &str) -> Finding {
    let area = one_line(area);
    if area.starts_with("/dev/zram") {
        let said = format!("`{area}` is in use, which is memory unless it has a backing disk");
        return Finding::warn("swap", said, format!("`swapoff {area}`"));
    }
    let said = format!("`{area}` is in use: memory with PINs and shares may go to a disk");
    Finding::bad("swap", said, "`swapoff --all`, and take it out of /etc/fstab")
}

fn told(limit: Option<String>) -> String {
    limit.map_or_else(|| "not to be seen".to_owned(), |limit| one_line(&limit))
}

const CORE: &str = "Max core file size";
const NO_DUMPS: &str = "`sysctl -w kernel.core_pattern='|/bin/false'`";
const OPEN: &str = "programs of one account look into each other, into the terminal in which PINs are typed too; not into this one";
