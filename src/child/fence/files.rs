//! Which files a child still opens: Landlock.
//!
//! Roof: changes this process alone. What is open already stays open, and what a child may open hangs on the file itself
//! and on no name of it, so no link leads out.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, BitFlags, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::{Reach, Unfenced};

/// Gives up every file that is not within reach. Says whether the kernel could do it at all.
pub(super) fn confine(reach: &Reach) -> Result<bool, Unfenced> {
    let status = restrict(reach).map_err(|_| Unfenced::Files)?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

fn restrict(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
    // On an older kernel what it does not know is left out: what that costs stands in `calls`, which denies it as well.
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?;
    let rules = match reach {
        Reach::Nothing => rules,
        Reach::Module { token, writes } => open_up(rules, token.as_slice(), writes)?,
    };
    rules.restrict_self()
}

fn open_up(
    rules: RulesetCreated,
    token: &[PathBuf],
    writes: &[PathBuf],
) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let connect = BitFlags::from(AccessFs::ResolveUnix);
    let odd = AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock;
    let write = AccessFs::from_all(KNOWN) & !odd;
    // A device, a pipe or a link in the folder of a soft token would wait there for us.
    let links = AccessFs::MakeSym | AccessFs::MakeFifo | AccessFs::MakeSock;
    let devices = AccessFs::IoctlDev | AccessFs::ResolveUnix;
    // What is not there cannot be opened up, and need not.
    rules
        .add_rules(path_beneath_rules(READ, read))?
        .add_rules(path_beneath_rules(["/dev/null"], read | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(sockets(), connect))?
        .add_rules(path_beneath_rules(token, write & !links & !devices))?
        .add_rules(path_beneath_rules(writes, write))
}

/// Where the sockets of pcscd and of p11-kit stand. Kernels before 7.1 ask for no right to connect to any.
fn sockets() -> [String; 2] {
    let user = rustix::process::getuid().as_raw();
    ["/run/pcscd".to_owned(), format!("/run/user/{user}/p11-kit")]
}

/// The newest form of Landlock that this list of rights was written for.
const KNOWN: ABI = ABI::V9;

/// What a module and the libraries that it brings read: programs, configuration, what the kernel says of the machine and
/// of this very process. Nothing of people, and nothing below a place where media are mounted.
const READ: [&str; 17] = [
    "/bin",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/proc/sys",
    "/sbin",
    "/sys",
    "/usr",
];
