//! Which files a child still opens: Landlock.
//!
//! Roof: changes this process alone. What is open already stays open, and what a child may open hangs on the file itself
//! and on no name of it, so no link leads out.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, BitFlags, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::{Reach, Unfenced};

/// Gives up every file that is not within reach. Says by which form of Landlock; 0 where the kernel could not do it at all.
pub(super) fn confine(reach: &Reach) -> Result<i32, Unfenced> {
    let status = restrict(reach).map_err(|_| Unfenced::Files)?;
    let form = match status.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi } => {
            kernel_abi.unwrap_or(effective_abi as i32)
        }
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    };
    Ok(if status.ruleset == RulesetStatus::NotEnforced { 0 } else { form })
}

fn restrict(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
    // On an older kernel what it does not know is left out: what that costs stands in `calls`, which denies it as well.
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?;
    let rules = match reach {
        Reach::Card => {
            let connect = BitFlags::from(AccessFs::ResolveUnix);
            rules.add_rules(path_beneath_rules([PCSCD], connect))?
        }
        Reach::Nothing => rules,
        Reach::Module { token, sockets, writes } => {
            let connect = BitFlags::from(AccessFs::ResolveUnix);
            // Kernels before 7.1 ask for no right to connect to any.
            let rules = rules.add_rules(path_beneath_rules(sockets, connect))?;
            open_up(rules, token.as_slice(), writes)?
        }
    };
    rules.restrict_self()
}

fn open_up(
    rules: RulesetCreated,
    token: &[PathBuf],
    writes: &[PathBuf],
) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let odd = AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock;
    let write = AccessFs::from_all(KNOWN) & !odd;
    // A device, a pipe or a link in the folder of a soft token would wait there for us.
    let links = AccessFs::MakeSym | AccessFs::MakeFifo | AccessFs::MakeSock;
    let devices = AccessFs::IoctlDev | AccessFs::ResolveUnix;
    // What is not there cannot be opened up, and need not.
    rules
        .add_rules(path_beneath_rules(READ, read))?
        .add_rules(path_beneath_rules(["/dev/null"], read | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(token, write & !links & !devices))?
        .add_rules(path_beneath_rules(writes, write))
}

const PCSCD: &str = "/run/pcscd";

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

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    /// A ruleset is for its thread and those after it, so each case has a thread of its own.
    fn behind<T: Send + 'static>(reach: Reach, act: impl FnOnce() -> T + Send + 'static) -> T {
        let thread = std::thread::spawn(move || {
            assert!(matches!(confine(&reach), Ok(1..)), "this kernel has no Landlock");
            act()
        });
        thread.join().unwrap()
    }

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("officiant-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("token")).unwrap();
        fs::write(path.join("record"), "{}").unwrap();
        fs::write(path.join("device"), "").unwrap();
        path
    }

    fn reads(path: impl AsRef<Path>) -> Result<(), ErrorKind> {
        File::open(path).map(drop).map_err(|error| error.kind())
    }

    fn writes(path: impl AsRef<Path>) -> Result<(), ErrorKind> {
        let opened = OpenOptions::new().append(true).create(true).open(path);
        opened.map(drop).map_err(|error| error.kind())
    }

    const CLOSED: Result<(), ErrorKind> = Err(ErrorKind::PermissionDenied);

    #[test]
    fn with_nothing_in_reach_or_only_a_card_nothing_opens() {
        for reach in [Reach::Nothing, Reach::Card] {
            nothing_opens(reach);
        }
    }

    fn nothing_opens(reach: Reach) {
        let folder = scratch("nothing");
        let record = folder.join("record");
        let found = behind(reach, move || {
            ["/etc/passwd", "/usr", "/dev/null", "/proc/self/status"].map(reads).into_iter().chain(
                [
                    reads(&record),
                    writes(&record),
                    fs::remove_file(&record).map_err(|error| error.kind()),
                ],
            )
        });
        for outcome in found {
            assert_eq!(outcome, CLOSED);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_module_reads_its_libraries_and_writes_its_token_and_what_the_room_file_says() {
        let folder = scratch("module");
        symlink(folder.join("record"), folder.join("token/record")).unwrap();
        let within = |name: &str| folder.join(name);
        let [token, device, record] = ["token", "device", "record"].map(within);
        let reach = Reach::Module {
            token: Some(token.clone()),
            sockets: Vec::new(),
            writes: vec![device.clone()],
        };
        behind(reach, move || {
            for open in ["/usr/lib", "/etc/passwd", "/dev/urandom", "/proc/self/maps"] {
                assert_eq!(reads(open), Ok(()), "{open}");
            }
            assert_eq!(
                [writes("/dev/null"), writes(token.join("new")), writes(&device)],
                [Ok(()); 3]
            );
            fs::create_dir(token.join("folder")).unwrap();
            fs::rename(token.join("new"), token.join("folder/old")).unwrap();
            fs::remove_file(token.join("folder/old")).unwrap();
            for closed in ["/dev/tty", "/dev/ptmx", "/tmp", "/root", "/proc/1/cmdline", "/run"] {
                assert_eq!(reads(closed), CLOSED, "{closed}");
            }
            assert_eq!(
                [reads(&record), writes(&record), writes(token.join("record"))],
                [CLOSED; 3]
            );
            // Neither in nor out by another name for a file.
            for (from, to) in
                [(&record, token.join("mine")), (&token.join("record"), record.clone())]
            {
                assert!(fs::hard_link(from, &to).is_err() && fs::rename(from, &to).is_err());
            }
            assert_eq!(symlink("/", token.join("link")).map_err(|error| error.kind()), CLOSED);
        });
        assert_eq!(fs::read(folder.join("record")).unwrap(), b"{}");
        fs::remove_dir_all(folder).unwrap();
    }
}
