//! `officiant doctor` on this very machine, whose networks, swap and settings are played in namespaces of its own.

use std::{fs, path::Path};

use officiant::digest::Digest;
use serde_json::Value;

use crate::harness::{
    command::{Ran, command, run},
    media::may_mount,
    scratch::Scratch,
    softhsm::MODULE,
};

const OFFICIANT: &str = env!("CARGO_BIN_EXE_officiant");

/// Runs `doctor` with networks and mounts of its own, after these shell lines. `/sys` shows what the new network has, and
/// no radio of the machine that the tests run on.
fn doctor(scratch: &Scratch, before: &str, arguments: &str) -> Ran {
    let script = format!(
        "set -e
mount -t sysfs none /sys
for radios in rfkill ieee80211 bluetooth; do
    if [ -d /sys/class/$radios ]; then mount -t tmpfs none /sys/class/$radios; fi
done
{before}
exec {OFFICIANT} doctor {arguments}"
    );
    let mut shell = command("unshare", scratch.path());
    run(shell.args(["--net", "--mount", "sh", "-c", &script]))
}

/// No swap, whatever the machine has that the tests run on.
fn no_swap(scratch: &Scratch) -> String {
    over(scratch, "swaps", "Filename Type Size Used Priority\n", "/proc/swaps")
}

/// The findings of one subject: grade and what was said.
fn found(json: &Value, subject: &str) -> Vec<(String, String)> {
    let findings = json["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = findings.filter(|finding| finding["subject"] == subject);
    of.map(|finding| (text(&finding["grade"]), text(&finding["said"]))).collect()
}

fn one(json: &Value, subject: &str) -> (String, String) {
    let found = found(json, subject);
    assert_eq!(found.len(), 1, "{subject}: {found:?}");
    found[0].clone()
}

fn pair(grade: &str, said: &str) -> (String, String) {
    (grade.to_owned(), said.to_owned())
}

/// Mounts a file of this text over a file of the kernel's.
fn over(scratch: &Scratch, name: &str, text: &str, path: &str) -> String {
    let file = scratch.file(name, text);
    format!("mount --bind {} {path}", file.display())
}

#[test]
fn a_machine_without_networks_and_swap_is_fit() {
    if !may_mount("a_machine_without_networks_and_swap_is_fit") {
        return;
    }
    let scratch = Scratch::new();
    let dumps = over(&scratch, "pattern", "|/bin/false\n", "/proc/sys/kernel/core_pattern");
    let before = format!("{}\n{dumps}", no_swap(&scratch));
    let ran = doctor(&scratch, &before, "--json").ok();
    assert_eq!(ran.stderr, "");
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let (grade, said) = one(&json, "network");
    assert!(grade == "ok" && said.starts_with("no interface is up but the loopback"), "{said}");
    for (subject, said) in [
        ("radio", "the kernel knows of none; one without a driver is not seen"),
        ("swap", "none is in use"),
        ("core dumps", "every program's are thrown away"),
        ("fence", "seccomp: children deny themselves sockets, programs, other processes"),
        ("binary", "its digest is below; paper says what it must be"),
    ] {
        assert_eq!(one(&json, subject), pair("ok", said), "{subject}");
    }
    for subject in ["clock", "generator"] {
        assert_eq!(one(&json, subject).0, "ok", "{subject}");
    }
    // Older kernels have an older form of it.
    let (grade, said) = one(&json, "landlock");
    assert!(grade != "bad" && said.starts_with("form "), "{said}");
    let digest = Digest::of(&fs::read(OFFICIANT).unwrap());
    let binary = &json["digests"][0];
    assert_eq!(binary["name"], concat!("officiant ", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        (&binary["sha256"], binary["words"].as_array().unwrap().len()),
        (&Value::from(digest.to_string()), 24)
    );
    let text = doctor(&scratch, &before, "").ok().stdout;
    assert!(text.contains("\nok    network         no interface is up but"), "{text}");
    assert!(text.contains(&digest.grouped()), "{text}");
    assert!(!text.contains("\nbad "), "{text}");
}

#[test]
fn an_interface_that_is_up_and_swap_on_a_disk_are_refused_by_name() {
    if !may_mount("an_interface_that_is_up_and_swap_on_a_disk_are_refused_by_name") {
        return;
    }
    let scratch = Scratch::new();
    let swap = "Filename Type Size Used Priority\n/dev/sda2 partition 8388604 0 -2\n";
    let swap = over(&scratch, "swaps", swap, "/proc/swaps");
    let before =
        format!("ip link add veth-a type veth peer name veth-b\nip link set veth-a up\n{swap}");
    let ran = doctor(&scratch, &before, "--json");
    assert_eq!(ran.code(), 1);
    assert_eq!(
        ran.stderr,
        "error: this machine is not fit for a ceremony: network and swap\n\
         hint: do what stands beside each finding that is bad, and run it again\n\
         nothing was changed; the machine was only looked at\n"
    );
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(one(&json, "network"), pair("bad", "`veth-a` is up"));
    let said = "`/dev/sda2` is in use: memory with PINs and shares may go to a disk";
    assert_eq!(one(&json, "swap"), pair("bad", said));
    let text = doctor(&scratch, &before, "").stdout;
    let rule = "=".repeat(80);
    let first = "bad   network         `veth-a` is up — pull the cable, and `ip link set NAME";
    assert!(
        text.starts_with(&format!("This machine, for a ceremony\n{rule}\n2 bad, "))
            && text.contains(&format!(" ok\n{first}\n")),
        "{text}"
    );
}

#[test]
fn what_somebody_hides_in_sys_still_counts() {
    if !may_mount("what_somebody_hides_in_sys_still_counts") {
        return;
    }
    let scratch = Scratch::new();
    let empty = scratch.folder("empty");
    let before =
        format!("ip link add dummy-a type veth\nmount --bind {} /sys/class/net", empty.display());
    let ran = doctor(&scratch, &before, "--json");
    assert_eq!(ran.code(), 1);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let (grade, said) = one(&json, "network");
    assert_eq!(grade, "bad");
    assert!(
        said.contains("`dummy-a`")
            && said.ends_with(" there, and whether up cannot be seen in /sys"),
        "{said}"
    );
}

#[test]
fn radios_dumps_tracing_and_an_old_kernel_are_told_one_by_one() {
    if !may_mount("radios_dumps_tracing_and_an_old_kernel_are_told_one_by_one") {
        return;
    }
    let scratch = Scratch::new();
    let before = "mount -t tmpfs none /sys/class
mkdir -p /sys/class/net/lo /sys/class/rfkill/rfkill0 /sys/class/ieee80211/phy1
echo 0x9 >/sys/class/net/lo/flags
echo phy0 >/sys/class/rfkill/rfkill0/name
echo wlan >/sys/class/rfkill/rfkill0/type
echo 0 >/sys/class/rfkill/rfkill0/soft
echo 0 >/sys/class/rfkill/rfkill0/hard
mount -t tmpfs none /proc/sys/kernel
mkdir /proc/sys/kernel/yama
echo 2 >/proc/sys/kernel/yama/ptrace_scope
echo 5.10.0-1-amd64 >/proc/sys/kernel/osrelease
echo '|/lib/systemd/systemd-coredump %P' >/proc/sys/kernel/core_pattern";
    let before = format!("{}\n{before}", no_swap(&scratch));
    let ran = doctor(&scratch, &before, "--json");
    assert_eq!(ran.code(), 1);
    let told = "error: this machine is not fit for a ceremony: radio\n";
    assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        found(&json, "radio"),
        [
            pair("bad", "`phy0` (wlan) is on"),
            pair("bad", "`phy1` is there, and nothing says that it is off")
        ]
    );
    let dumps = "this program leaves none; those of others, pcscd too, go to `/lib/systemd/systemd-coredump %P`";
    assert_eq!(one(&json, "core dumps"), pair("warn", dumps));
    let traced = "no program looks into others that it did not start";
    assert_eq!(one(&json, "ptrace"), pair("ok", traced));
    let (grade, said) = one(&json, "generator");
    assert!(grade == "warn" && said.starts_with("Linux 5.10.0-1-amd64, before 5.18: "), "{said}");
}

#[test]
fn an_account_that_may_not_lock_its_memory_is_told() {
    if !may_mount("an_account_that_may_not_lock_its_memory_is_told") {
        return;
    }
    let scratch = Scratch::new();
    // Where every account may run it; the folder of a build is its owner's.
    let before = format!(
        "{}
mount -t tmpfs none /mnt
cp {OFFICIANT} /mnt/officiant
ulimit -l 64
cd /
exec setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/officiant doctor --json",
        no_swap(&scratch)
    );
    let ran = doctor(&scratch, &before, "").ok();
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let told = "this account may lock 65536 bytes: memory of children may go to swap";
    assert_eq!(one(&json, "memory lock"), pair("warn", told));
    assert_eq!(one(&json, "fence").0, "ok");
    assert_eq!(one(&json, "swap"), pair("ok", "none is in use"));
}

#[test]
fn the_modules_of_a_room_are_read_by_digest_and_one_that_is_missing_is_bad() {
    let scratch = Scratch::new();
    let room = |path: &str| {
        let text = format!(
            "work = \"work\"\n[media]\nin = [\"in\"]\nout = [\"o1\", \"o2\"]\nroom = [\"r1\", \"r2\"]\n\
             [[module]]\nname = \"softhsm\"\npath = \"{path}\"\n"
        );
        let file = scratch.path().join("room.toml");
        fs::write(&file, text).unwrap();
        let mut officiant = command(OFFICIANT, scratch.path());
        run(officiant.args(["doctor", "--json", "--room"]).arg(&file))
    };
    let json: Value = serde_json::from_str(&room(MODULE).stdout).unwrap();
    assert_eq!(one(&json, "module"), pair("ok", "`softhsm`: its digest is below"));
    let digest = Digest::of(&fs::read(MODULE).unwrap()).to_string();
    assert_eq!(
        (&json["digests"][1]["name"], &json["digests"][1]["sha256"]),
        (&Value::from("module softhsm"), &Value::from(digest))
    );
    assert_eq!(json["offers"], Value::Array(Vec::new()));
    let ran = room("/nowhere/module.so");
    assert_eq!(ran.code(), 1);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(one(&json, "module"), pair("bad", "program `/nowhere/module.so` cannot be read"));
    assert!(
        ran.stderr.starts_with("error: this machine is not fit for a ceremony: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_p11_kit_lists_is_offered_as_lines_that_a_room_file_takes() {
    let scratch = Scratch::new();
    let ran = run(command(OFFICIANT, scratch.path()).arg("doctor"));
    let (_, lines) =
        ran.stdout.split_once("\nFor room.toml, of these what the ceremony needs\n").unwrap();
    let room = format!(
        "work = \"work\"\n[media]\nin = [\"in\"]\nout = [\"o1\", \"o2\"]\nroom = [\"r1\", \"r2\"]\n{lines}"
    );
    let room =
        officiant::room::binding::Binding::parse(Path::new("/room.toml"), room.as_bytes()).unwrap();
    let real = |path: &Path| fs::canonicalize(path).unwrap();
    let softhsm = room.modules.iter().find(|module| real(&module.path) == real(Path::new(MODULE)));
    assert_eq!(softhsm.unwrap().name, "softhsm2");
    assert!(room.modules.iter().all(|module| !module.path.ends_with("p11-kit-trust.so")));
}
