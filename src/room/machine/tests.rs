use super::*;
use crate::digest::Digest;

/// A machine that a test makes of files; they go with it.
struct Played(Machine);

impl Played {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let name = format!("officiant-machine-{name}-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
        }
        fs::create_dir_all(&root).unwrap();
        Self(Machine::below(root, true))
    }

    /// What is found of one subject: grade, said, and hint.
    fn of(&self, subject: &str) -> Vec<String> {
        let findings = self.0.findings().into_iter().filter(|found| found.subject == subject);
        findings
            .map(|found| {
                let hint = found.hint.map(|hint| format!(" — {hint}")).unwrap_or_default();
                format!("{}: {}{hint}", found.grade.name(), found.said)
            })
            .collect()
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.root);
    }
}

const NO_DUMP: (&str, &str) = (
    "proc/self/limits",
    "Max core file size        0                    0                    bytes\nMax locked memory         8388608              8388608              bytes",
);
const NET: &str = "Inter-|   Receive\n face |bytes\n    lo: 0 0\n";

#[test]
fn an_interface_counts_when_it_is_up_when_it_could_be_and_when_it_hides() {
    let clean = Played::new(
        "net-clean",
        &[
            ("proc/self/net/dev", NET),
            ("sys/class/net/lo/flags", "0x9"),
            ("sys/class/net/sit0/flags", "0x80"),
            ("sys/class/net/bonding_masters", "x"),
        ],
    );
    assert_eq!(
        clean.of("network"),
        ["ok: no interface is up but the loopback; `sit0` is down and no card"]
    );
    let busy = Played::new(
        "net-busy",
        &[
            ("proc/self/net/dev", &format!("{NET}  eth0: 1 2\n hidden0: 1 2")),
            ("sys/class/net/lo/flags", "0x9"),
            ("sys/class/net/eth0/flags", "0x1003"),
            ("sys/class/net/tun7/flags", "0x1091"),
            ("sys/class/net/eth1/flags", "0x1002"),
            ("sys/class/net/eth1/device/vendor", "0x1af4"),
            ("sys/class/net/odd0/flags", "what"),
        ],
    );
    assert_eq!(
        busy.of("network"),
        [
            "bad: `eth0`, `odd0` and `tun7` are up — pull the cable, and `ip link set NAME down`",
            "bad: `hidden0` is there, and whether up cannot be seen in /sys — look with `ip link`, and take it down",
            "warn: `eth1` is down, and can be brought up — take the card out, or deny its driver",
        ]
    );
    assert_eq!(Played::new("net-none", &[]).of("network"), ["ok: this kernel has none"]);
}

#[test]
fn a_radio_is_bad_unless_something_holds_it_off() {
    let switch = |entry: &str, name: &str, kind: &str, soft: &str, hard: &str| {
        let of = |file: &str| format!("sys/class/rfkill/{entry}/{file}");
        [(of("name"), name), (of("type"), kind), (of("soft"), soft), (of("hard"), hard)]
            .map(|(path, text)| (path, text.to_owned()))
    };
    let mut files = [
        switch("rfkill0", "phy0", "wlan", "0", "0"),
        switch("rfkill1", "hci0", "bluetooth", "1", "0"),
        switch("rfkill2", "wwan", "wwan", "0", "1"),
    ]
    .concat();
    for path in [
        "ieee80211/phy0/index",
        "ieee80211/phy1/index",
        "bluetooth/hci0/type",
        "bluetooth/hci0:1/type",
    ] {
        files.push((format!("sys/class/{path}"), "1".to_owned()));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    assert_eq!(
        Played::new("radio", &files).of("radio"),
        [
            "bad: `phy0` (wlan) is on — take it out of the machine, or `rfkill block all`",
            "warn: `hci0` (bluetooth) is off by software alone, which can turn it on again — turn its switch off, or take it out of the machine",
            "ok: `wwan` (wwan) is off by its switch",
            "bad: `phy1` is there, and nothing says that it is off — take it out of the machine",
        ]
    );
    let none = ["ok: the kernel knows of none; one without a driver is not seen"];
    assert_eq!(Played::new("radio-none", &[]).of("radio"), none);
}

#[test]
fn memory_that_may_go_to_a_disk_is_told() {
    let swap = |name, table| Played::new(name, &[("proc/swaps", table)]).of("swap");
    let head = "Filename Type Size Used Priority";
    assert_eq!(swap("swap-none", head), ["ok: none is in use"]);
    assert_eq!(
        swap(
            "swap-disk",
            &format!("{head}\n/dev/sda2 partition 9 0 -2\n/dev/zram0 partition 9 0 5")
        ),
        [
            "bad: `/dev/sda2` is in use: memory with PINs and shares may go to a disk — `swapoff --all`, and take it out of /etc/fstab",
            "warn: `/dev/zram0` is in use, which is memory unless it has a backing disk — `swapoff /dev/zram0`",
        ]
    );
    assert_eq!(Played::new("swap-off", &[]).of("swap"), ["ok: this kernel has none"]);
    assert_eq!(Played::new("lock", &[NO_DUMP]).0.lockable(), "8388608");
}

#[test]
fn core_dumps_are_judged_by_where_they_go_and_who_may_leave_one() {
    let shell = |limit: &str| format!("Max core file size        {limit}            0  bytes");
    let dumps = |name, pattern: &str, limit: &str| {
        let shell = shell(limit);
        let files = [
            NO_DUMP,
            ("proc/sys/kernel/core_pattern", pattern),
            ("proc/self/status", "Name:\tofficiant\nPPid:\t77"),
            ("proc/77/limits", &*shell),
        ];
        Played::new(name, &files).of("core dumps")
    };
    let hint = "`sysctl -w kernel.core_pattern='|/bin/false'`";
    assert_eq!(dumps("core-false", "|/bin/false", "0"), ["ok: every program's are thrown away"]);
    assert_eq!(
        dumps("core-pipe", "|/usr/share/apport %p", "0"),
        [format!(
            "warn: this program leaves none; those of others, pcscd too, go to `/usr/share/apport %p` — {hint}"
        )]
    );
    assert_eq!(
        dumps("core-shell", "core", "unlimited"),
        [format!(
            "warn: this program leaves none; what else this shell starts may: its limit is unlimited — {hint}"
        )]
    );
    assert_eq!(
        dumps("core-none", "core", "0"),
        [
            "ok: this program leaves none, and neither does what this shell starts; services have limits of their own"
        ]
    );
    let own = shell("unlimited");
    assert_eq!(
        Played::new("core-own", &[("proc/self/limits", &own)]).of("core dumps"),
        [
            "bad: this program itself may leave one: its limit is unlimited — report it: it sets this limit to 0"
        ]
    );
}

#[test]
fn what_looks_into_other_programs_is_told() {
    let scope = |name, scope| {
        Played::new(name, &[("proc/sys/kernel/yama/ptrace_scope", scope)]).of("ptrace")
    };
    assert_eq!(scope("yama-1", "1"), ["ok: no program looks into others that it did not start"]);
    let open = "programs of one account look into each other, into the terminal in which PINs are typed too; not into this one";
    assert_eq!(
        scope("yama-0", "0"),
        [format!("warn: {open} — `sysctl -w kernel.yama.ptrace_scope=2`")]
    );
    assert_eq!(
        Played::new("yama-none", &[]).of("ptrace"),
        [format!(
            "warn: this kernel has no Yama: {open} — run nothing else under the account of the ceremony"
        )]
    );
}

#[test]
fn the_generator_is_judged_by_readiness_age_and_what_feeds_it() {
    let of = |name, release: &str| {
        Played::new(name, &[("proc/sys/kernel/osrelease", release)]).of("generator")
    };
    assert_eq!(
        of("linux-new", "6.1.0-13-amd64"),
        ["ok: Linux 6.1.0-13-amd64: BLAKE2s pool, ChaCha20"]
    );
    assert_eq!(
        of("linux-old", "5.10.0-1"),
        [
            "warn: Linux 5.10.0-1, before 5.18: an older design that takes longer to recover from a seed that is known — use a newer kernel"
        ]
    );
    assert_eq!(
        of("linux-odd", "unknown"),
        [
            "warn: the kernel's version cannot be read from `unknown` — look with `uname -r`; 5.18 or later is meant"
        ]
    );
    let mut waiting = Played::new("waiting", &[("proc/sys/kernel/osrelease", "6.1.0")]);
    waiting.0.is_random_ready = false;
    assert_eq!(
        waiting.of("generator")[0],
        "bad: the kernel's generator is not ready: keys would wait for it — wait, type, move the mouse; run it again"
    );
    let fed = Played::new(
        "fed",
        &[
            ("sys/class/misc/hw_random/rng_current", "tpm-rng-0"),
            ("proc/cpuinfo", "flags\t\t: fpu rdrand hypervisor"),
        ],
    );
    assert_eq!(fed.of("entropy"), ["ok: device `tpm-rng-0`, the processor's instruction"]);
    assert!(fed.of("hypervisor")[0].starts_with("warn: this is one: "));
    let bare = Played::new(
        "bare",
        &[("sys/class/misc/hw_random/rng_current", "none"), ("proc/cpuinfo", "flags : fpu")],
    );
    assert!(bare.of("entropy")[0].starts_with("warn: the kernel names no source but"));
    assert!(bare.of("hypervisor")[0].starts_with("ok: "));
}

#[test]
fn the_clock_has_a_floor_and_no_more() {
    let at = |text: &str| clock(text.parse().unwrap(), jiff::civil::date(2026, 11, 22));
    assert_eq!(at("2026-11-21T23:59:00Z").grade, Grade::Bad);
    assert_eq!(
        at("2026-11-21T23:59:00Z").said,
        "2026-11-21 23:59 UTC, before the day of this release, 2026-11-22"
    );
    assert_eq!(at("2026-11-22T00:00:00Z").grade, Grade::Ok);
}

#[test]
fn what_cannot_be_read_is_no_health() {
    let folder = Played::new("unseen", &[("proc/swaps/is-a-folder", "")]);
    assert_eq!(
        folder.of("swap"),
        [
            "warn: cannot be seen: `/proc/swaps`: is a directory — look at it by other means, or run this where it can be seen"
        ]
    );
}

#[test]
fn modules_are_offered_as_p11_kit_lists_them_and_never_those_without_keys() {
    let lib = "usr/lib/x86_64-linux-gnu";
    let machine = Played::new(
        "modules",
        &[
            (
                "usr/share/p11-kit/modules/p11-kit-trust.module",
                "module: p11-kit-trust.so\ntrust-policy: yes",
            ),
            ("usr/share/p11-kit/modules/Soft HSM.module", "# module: no.so\nmodule: /opt/soft.so"),
            ("usr/share/p11-kit/modules/opensc.module", "module: old.so"),
            ("usr/share/p11-kit/modules/gone.module", "module: gone.so"),
            ("usr/share/p11-kit/modules/far.module", "remote: |ssh host"),
            ("etc/pkcs11/modules/opensc.module", "module: opensc-pkcs11.so"),
            ("etc/pkcs11/modules/soft-hsm.module", "module: /opt/other.so"),
            ("etc/pkcs11/modules/README", "module: no.so"),
            (&format!("{lib}/pkcs11/opensc-pkcs11.so"), "opensc"),
            ("opt/soft.so", "soft"),
        ],
    );
    let offer =
        |name: &str, path: &str, sha256| Offer { name: name.to_owned(), path: path.into(), sha256 };
    assert_eq!(
        machine.0.offers().unwrap(),
        [
            offer("soft-hsm", "/opt/soft.so", Some(Digest::of(b"soft\n"))),
            offer(
                "opensc",
                &format!("/{lib}/pkcs11/opensc-pkcs11.so"),
                Some(Digest::of(b"opensc\n"))
            ),
            offer("soft-hsm-2", "/opt/other.so", None),
        ]
    );
    assert_eq!(
        offer("soft-hsm", "/opt/a \"b\".so", None).lines().unwrap(),
        "[[module]]\nname = \"soft-hsm\"\npath = '/opt/a \"b\".so'\n"
    );
}
