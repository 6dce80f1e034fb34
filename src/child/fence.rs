//! What a child denies itself before it does anything: the terminal, other processes, files, sockets, core dumps.
//!
//! Roof: changes this process alone. A PKCS#11 module is not our code, so the child that loads one first gives up whatever
//! a module does not need; the vault gives up all.

mod calls;
mod files;

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};
use serde::{Deserialize, Serialize};

/// Which sockets a child may still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sockets {
    None,
    Unix,
}

/// What stays within a child's reach behind its fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The socket of pcscd, and no file.
    Card,
    /// No file, no socket.
    Nothing,
    /// What a module and its libraries read.
    Module {
        /// The folder of a soft token, read and written.
        token: Option<PathBuf>,
        /// The sockets of daemons, or their folders, that the room file lets the module speak to. Without any it has no
        /// socket at all.
        sockets: Vec<PathBuf>,
        /// Files and folders that the room file lets the module write.
        writes: Vec<PathBuf>,
    },
}

impl Reach {
    fn sockets(&self) -> Sockets {
        match self {
            Self::Nothing => Sockets::None,
            Self::Module { sockets, .. } if sockets.is_empty() => Sockets::None,
            Self::Card | Self::Module { .. } => Sockets::Unix,
        }
    }
}

/// What stands around a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The form of Landlock by which it opens no file but those within its reach; 0 where the kernel has none.
    pub landlock: i32,
    /// Its memory never goes to a disk. Only where the limit of the account allows all of it: with a smaller limit the
    /// process would end at the next large allocation.
    pub is_memory_locked: bool,
}

impl Fence {
    /// What people are told where files are not confined.
    pub const UNCONFINED: &str = "this kernel has no Landlock: a module may open whatever this account may, media, work folder and \
         terminals included";

    /// Whether it opens no file but those within its reach: without Landlock a module opens whatever the account may open,
    /// media and terminals included.
    pub const fn is_confined(&self) -> bool {
        self.landlock > 0
    }
}

/// What this machine does not let a child deny itself. The child then does nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Unfenced {
    /// Sockets, programs, signals.
    #[error("system calls cannot be denied (seccomp)")]
    Calls,
    /// What an administrator's account may do.
    #[error("an administrator's capabilities cannot be dropped")]
    Capabilities,
    /// Core dumps, or the view of other processes.
    #[error("core dumps cannot be turned off")]
    Dumps,
    /// Files, though the kernel could.
    #[error("files cannot be denied (Landlock)")]
    Files,
    /// The session, and with it the terminal.
    #[error("the session of the terminal cannot be left")]
    Session,
}

/// Makes this process one that leaves no core dump, into whose memory no other of the same user can look, and whose
/// children get none of the descriptors with which it was started: a terminal may be among them.
///
/// # Errors
/// [`Unfenced::Dumps`].
pub fn seclude() -> Result<(), Unfenced> {
    close_fds::set_fds_cloexec(3, &[]);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none).map_err(|_| Unfenced::Dumps)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|_| Unfenced::Dumps)
}

/// Raises the fence around this process, for good. To be called before there is a second thread.
pub(super) fn raise(reach: &Reach) -> Result<Fence, Unfenced> {
    seclude()?;
    // What a person types at the terminal, to stop us too, is for the parent: no child shares its session.
    rustix::process::setsid().map_err(|_| Unfenced::Session)?;
    let landlock = files::confine(reach)?;
    calls::deny(reach.sockets())?;
    let is_memory_locked = lock_memory();
    drop_capabilities()?;
    Ok(Fence { landlock, is_memory_locked })
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

/// Each page is locked once it is touched: one that never was holds nothing, and a module's untouched pages, or the stack
/// that a thread never needs, would take megabytes in each child.
fn lock_memory() -> bool {
    let limit = rustix::process::getrlimit(Resource::Memlock).current;
    let is_exempt = rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    (limit.is_none() || is_exempt) && rustix::mm::mlockall(flags).is_ok()
}

const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_vault_and_a_module_without_a_daemon_have_no_socket_at_all() {
        let module = |sockets| Reach::Module { token: None, sockets, writes: Vec::new() };
        assert_eq!(module(vec!["/run/pcscd".into()]).sockets(), Sockets::Unix);
        assert_eq!(Reach::Card.sockets(), Sockets::Unix);
        assert_eq!(module(Vec::new()).sockets(), Sockets::None);
        assert_eq!(Reach::Nothing.sockets(), Sockets::None);
    }
}
