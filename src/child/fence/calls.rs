//! Which system calls a child gives up: seccomp.
//!
//! Roof: changes this process alone. Names stand beside the numbers; those of any other machine than x86-64 are of the one
//! table that aarch64 and riscv64 share.

use std::collections::BTreeMap;

use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::{Sockets, Unfenced};

/// Gives them up, for this thread and those after it.
pub(super) fn deny(sockets: Sockets) -> Result<(), Unfenced> {
    for filter in filters(sockets).ok_or(Unfenced::Calls)? {
        seccompiler::apply_filter(&filter).map_err(|_| Unfenced::Calls)?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn filters(sockets: Sockets) -> Option<[BpfProgram; 2]> {
    let refused = program(refused(sockets)?, Errno::PERM)?;
    // Libraries that hear this take the older call, whose arguments a filter can see.
    let absent = program(ABSENT.iter().map(|call| (*call, Vec::new())).collect(), Errno::NOSYS)?;
    Some([refused, absent])
}

fn program(mut rules: Rules, answer: Errno) -> Option<BpfProgram> {
    // x86-64 has each call a second time, for the x32 ABI; kernels rarely serve it.
    if cfg!(target_arch = "x86_64") {
        let twins: Vec<_> = rules.iter().map(|(call, rule)| (call | X32, rule.clone())).collect();
        rules.extend(twins);
    }
    let answer = SeccompAction::Errno(answer.raw_os_error().cast_unsigned());
    let arch = std::env::consts::ARCH.try_into().ok()?;
    SeccompFilter::new(rules, SeccompAction::Allow, answer, arch).ok()?.try_into().ok()
}

fn refused(sockets: Sockets) -> Option<Rules> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    for call in SOCKET {
        let other = SeccompRule::new(vec![if_(0, SeccompCmpOp::Ne, AF_UNIX)?]).ok()?;
        rules.insert(*call, if sockets == Sockets::Unix { vec![other] } else { Vec::new() });
    }
    let own = u64::from(rustix::process::getpid().as_raw_nonzero().get().cast_unsigned());
    for call in SIGNAL {
        rules.insert(*call, vec![SeccompRule::new(vec![if_(0, SeccompCmpOp::Ne, own)?]).ok()?]);
    }
    let process = if_(0, SeccompCmpOp::MaskedEq(CLONE_THREAD), 0)?;
    rules.insert(CLONE, vec![SeccompRule::new(vec![process]).ok()?]);
    for call in IOCTL {
        rules.insert(*call, any(1, TYPE.iter().map(|request| (SeccompCmpOp::Eq, *request)))?);
    }
    // Without Landlock's newer rights these two would cut or steer a file that may not be opened.
    let cuts = (SeccompCmpOp::MaskedEq(O_ACCMODE | O_TRUNC), O_TRUNC);
    let steers = (SeccompCmpOp::MaskedEq(O_ACCMODE), O_ACCMODE);
    for (call, argument) in OPEN {
        rules.insert(*call, any(*argument, [cuts.clone(), steers.clone()])?);
    }
    Some(rules)
}

/// A call is denied if one argument is as any of these.
fn any(
    argument: u8,
    values: impl IntoIterator<Item = (SeccompCmpOp, u64)>,
) -> Option<Vec<SeccompRule>> {
    let rule = |(op, value)| SeccompRule::new(vec![if_(argument, op, value)?]).ok();
    values.into_iter().map(rule).collect()
}

fn if_(argument: u8, op: SeccompCmpOp, value: u64) -> Option<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value).ok()
}

const AF_UNIX: u64 = 1;
const CLONE_THREAD: u64 = 0x1_0000;
const O_ACCMODE: u64 = 3;
const O_TRUNC: u64 = 0x200;
const X32: i64 = 0x4000_0000;

/// Requests by which one types for people or takes their terminal: TIOCSCTTY, TIOCSPGRP, TIOCSTI, TIOCLINUX, TIOCCONS,
/// TIOCSETD.
const TYPE: [u64; 6] = [0x540e, 0x5410, 0x5412, 0x541c, 0x541d, 0x5423];

/// clone3, openat2: their arguments lie in memory, where a filter does not look.
const ABSENT: &[i64] = &[435, 437];

/// socket, socketpair.
#[cfg(target_arch = "x86_64")]
const SOCKET: &[i64] = &[41, 53];
#[cfg(not(target_arch = "x86_64"))]
const SOCKET: &[i64] = &[198, 199];

/// Signals to other processes than this one: kill, rt_sigqueueinfo, tgkill, rt_tgsigqueueinfo, and the two of x32 that
/// have other numbers there.
#[cfg(target_arch = "x86_64")]
const SIGNAL: &[i64] = &[62, 129, 234, 297, 524, 536];
#[cfg(not(target_arch = "x86_64"))]
const SIGNAL: &[i64] = &[129, 138, 131, 240];

/// clone: only threads are made.
#[cfg(target_arch = "x86_64")]
const CLONE: i64 = 56;
#[cfg(not(target_arch = "x86_64"))]
const CLONE: i64 = 220;

/// ioctl, and that of x32.
#[cfg(target_arch = "x86_64")]
const IOCTL: &[i64] = &[16, 514];
#[cfg(not(target_arch = "x86_64"))]
const IOCTL: &[i64] = &[29];

/// openat, open, with the argument that holds their flags.
#[cfg(target_arch = "x86_64")]
const OPEN: &[(i64, u8)] = &[(257, 2), (2, 1)];
#[cfg(not(target_arch = "x86_64"))]
const OPEN: &[(i64, u8)] = &[(56, 2)];

/// Other programs: fork, vfork, execve, execveat (59 and 322; 520 and 545 are those of x32), and add_key, request_key and
/// keyctl, by which the kernel starts one. Other views of the machine: unshare, setns. Signals by another way: tkill,
/// pidfd_send_signal. Other processes: ptrace (101, 521), process_vm_readv (310, 539), process_vm_writev (311, 540),
/// pidfd_getfd. Files by their names, past Landlock: truncate, chmod, chown, lchown, fchownat, fchmodat, fchmodat2,
/// setxattr, lsetxattr, removexattr, lremovexattr, setxattrat, removexattrat, open_by_handle_at. Whatever does these
/// things for one: io_uring_setup, io_uring_enter, io_uring_register, bpf.
#[cfg(target_arch = "x86_64")]
const REFUSED: &[i64] = &[
    57, 58, 59, 520, 322, 545, 248, 249, 250, 272, 308, 200, 424, 101, 521, 310, 539, 311, 540,
    438, 76, 90, 92, 94, 260, 268, 452, 188, 189, 197, 198, 463, 466, 304, 425, 426, 427, 321,
];
/// The same, without fork and vfork, which are clone there, and without those that take no folder.
#[cfg(not(target_arch = "x86_64"))]
const REFUSED: &[i64] = &[
    221, 281, 217, 218, 219, 97, 268, 130, 424, 117, 270, 271, 438, 45, 54, 53, 452, 5, 6, 14, 15,
    463, 466, 265, 425, 426, 427, 280,
];

#[cfg(test)]
mod tests;
