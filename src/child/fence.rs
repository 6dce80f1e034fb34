//! What a child denies itself before it does anything: core dumps, other processes' eyes, sockets.
//!
//! Roof: changes this process alone. A PKCS#11 module is not our code, so the child that loads one first gives up every
//! socket but those of AF_UNIX, which pcscd and p11-kit need; the vault gives up all.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use serde::{Deserialize, Serialize};

/// Which sockets a child may still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sockets {
    None,
    Unix,
}

/// What stands around a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Its memory never goes to a disk. Only where the limit of the account allows all of it: with a smaller limit the
    /// process would end at the next large allocation.
    pub is_memory_locked: bool,
}

/// What this machine does not let a child deny itself. The child then does nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Unfenced {
    /// What an administrator's account may do.
    #[error("an administrator's capabilities cannot be dropped")]
    Capabilities,
    /// Core dumps, or the view of other processes.
    #[error("core dumps cannot be turned off")]
    Dumps,
    /// Sockets.
    #[error("sockets cannot be denied (seccomp)")]
    Sockets,
}

/// Makes this process one that leaves no core dump, and into whose memory no other of the same user can look.
///
/// # Errors
/// [`Unfenced::Dumps`].
pub fn seclude() -> Result<(), Unfenced> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none).map_err(|_| Unfenced::Dumps)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|_| Unfenced::Dumps)
}

/// Raises the fence around this process, for good. To be called before there is a second thread.
pub(super) fn raise(sockets: Sockets) -> Result<Fence, Unfenced> {
    seclude()?;
    let filter = filter(sockets).ok_or(Unfenced::Sockets)?;
    seccompiler::apply_filter(&filter).map_err(|_| Unfenced::Sockets)?;
    let is_memory_locked = lock_memory();
    drop_capabilities()?;
    Ok(Fence { is_memory_locked })
}

/// An administrator's process may look into others whatever they deny; what a child keeps is only what lets its memory
/// stay locked. The filter sees to it that nothing it starts gets them back.
fn drop_capabilities() -> Result<(), Unfenced> {
    let held = rustix::thread::capabilities(None).map_err(|_| Unfenced::Capabilities)?;
    let sets = CapabilitySets {
        effective: held.effective & CapabilitySet::IPC_LOCK,
        permitted: held.permitted & CapabilitySet::IPC_LOCK,
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, sets).map_err(|_| Unfenced::Capabilities)
}

/// Ends this process when its parent is gone, even while a module hangs in a call: nobody would ever take the answer.
pub(super) fn end_with_parent(wire: OwnedFd) {
    std::thread::spawn(move || {
        // No event is asked for, so this wakes for the hang-up alone.
        let mut fds = [PollFd::new(&wire, PollFlags::empty())];
        while poll(&mut fds, None) == Err(Errno::INTR) {}
        // A regular end closes the wire too, and takes less than this.
        std::thread::sleep(GRACE);
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    });
}

fn lock_memory() -> bool {
    let limit = rustix::process::getrlimit(Resource::Memlock).current;
    let is_exempt = rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    (limit.is_none() || is_exempt)
        && rustix::mm::mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE).is_ok()
}

fn filter(sockets: Sockets) -> Option<BpfProgram> {
    let other_family = || {
        let unix = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, AF_UNIX);
        Some(vec![SeccompRule::new(vec![unix.ok()?]).ok()?])
    };
    let mut rules = std::collections::BTreeMap::new();
    for call in SOCKET_CALLS {
        let rule = if sockets == Sockets::Unix { other_family()? } else { Vec::new() };
        rules.insert(*call, rule);
    }
    for call in OTHER_CALLS {
        rules.insert(*call, Vec::new());
    }
    // x86-64 has each call a second time, for the x32 ABI; kernels rarely serve it.
    if cfg!(target_arch = "x86_64") {
        let twins: Vec<_> = rules.iter().map(|(call, rule)| (call | X32, rule.clone())).collect();
        rules.extend(twins);
    }
    let denied = SeccompAction::Errno(Errno::PERM.raw_os_error().cast_unsigned());
    let arch = std::env::consts::ARCH.try_into().ok()?;
    SeccompFilter::new(rules, SeccompAction::Allow, denied, arch).ok()?.try_into().ok()
}

const GRACE: Duration = Duration::from_secs(2);

const AF_UNIX: u64 = 1;
const X32: i64 = 0x4000_0000;

/// socket, socketpair.
#[cfg(target_arch = "x86_64")]
const SOCKET_CALLS: &[i64] = &[41, 53];
// The one table of aarch64 and riscv64; on any other machine `TargetArch` is none, and nothing starts.
#[cfg(not(target_arch = "x86_64"))]
const SOCKET_CALLS: &[i64] = &[198, 199];

/// io_uring_setup, io_uring_enter and io_uring_register, which open sockets too; ptrace, process_vm_readv,
/// process_vm_writev and pidfd_getfd, which reach into other processes; bpf.
#[cfg(target_arch = "x86_64")]
const OTHER_CALLS: &[i64] = &[425, 426, 427, 101, 310, 311, 438, 321];
#[cfg(not(target_arch = "x86_64"))]
const OTHER_CALLS: &[i64] = &[425, 426, 427, 117, 270, 271, 438, 280];

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketType, socket};

    use super::*;

    /// A filter is for its thread and those after it, so each case has a thread of its own.
    fn behind(sockets: Sockets, family: AddressFamily) -> Result<(), Errno> {
        std::thread::spawn(move || {
            seccompiler::apply_filter(&filter(sockets).unwrap()).unwrap();
            socket(family, SocketType::STREAM, None).map(drop)
        })
        .join()
        .unwrap()
    }

    #[test]
    fn no_socket_but_those_of_the_machine_itself_can_be_opened() {
        for family in [AddressFamily::INET, AddressFamily::INET6, AddressFamily::NETLINK] {
            assert_eq!(behind(Sockets::Unix, family), Err(Errno::PERM));
            assert_eq!(behind(Sockets::None, family), Err(Errno::PERM));
        }
        assert_eq!(behind(Sockets::Unix, AddressFamily::UNIX), Ok(()));
        assert_eq!(behind(Sockets::None, AddressFamily::UNIX), Err(Errno::PERM));
    }

    #[test]
    fn no_descriptor_is_taken_out_of_another_process() {
        let own = rustix::process::getpid();
        let taken = std::thread::spawn(move || {
            let flags = rustix::process::PidfdFlags::empty();
            let process = rustix::process::pidfd_open(own, flags).unwrap();
            let take = || {
                let flags = rustix::process::PidfdGetfdFlags::empty();
                rustix::process::pidfd_getfd(&process, 0, flags).map(drop)
            };
            let before = take();
            seccompiler::apply_filter(&filter(Sockets::Unix).unwrap()).unwrap();
            (before, take())
        });
        let (before, after) = taken.join().unwrap();
        assert_ne!(before, Err(Errno::PERM));
        assert_eq!(after, Err(Errno::PERM));
    }

    #[test]
    fn no_capability_is_left_but_the_one_that_locks_memory() {
        let left = std::thread::spawn(|| {
            drop_capabilities().unwrap();
            rustix::thread::capabilities(None).unwrap()
        });
        let left = left.join().unwrap();
        assert!(
            (left.effective | left.permitted) - CapabilitySet::IPC_LOCK == CapabilitySet::empty()
        );
        assert_eq!(left.inheritable, CapabilitySet::empty());
    }
}
