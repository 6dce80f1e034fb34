//! Children that crash, hang or talk nonsense, and what stands around them.

use std::{
    fs,
    os::unix::{fs::FileExt, fs::PermissionsExt, process::ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use officiant::{
    child::{
        Error, Launch,
        token::{Login, Purpose, SoPin, Token},
        vault::Vault,
        wire::Wire,
    },
    key::{Algorithm, Hash, Scheme},
    room::binding::Needs,
};

use super::{PIN, driver, fresh, launch, pin, start, vault};
use crate::harness::{
    scratch::Scratch,
    shim::Shim,
    softhsm::{MODULE, SoftHsm},
};

fn words<T>(result: Result<T, Error>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

fn program(scratch: &Scratch, name: &str, script: &str) -> Launch {
    let path = scratch.file(name, format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Launch { program: path, ..launch("officer-1") }
}

/// The processes that this very test started and that have not ended, by the command line that they show: the others'
/// were started by other threads.
fn children(kind: &str) -> Vec<u32> {
    let mine = fs::read_to_string("/proc/thread-self/children").unwrap();
    let mine = mine.split_whitespace().map(|pid| pid.parse().unwrap());
    mine.filter(|pid: &u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.ends_with(&format!("\0child\0{kind}\0"))
    })
    .collect()
}

#[test]
fn whatever_a_child_does_is_an_error_that_names_it() {
    let scratch = Scratch::new();
    for (name, script, told) in [
        ("dies", "exit 1", "it ended"),
        ("crashes", "kill -SEGV $$", "it ended"),
        (
            "talks",
            "echo hello, this is a module; exec cat",
            "it sent something else than an answer",
        ),
        ("floods", "exec cat /dev/zero", "it sent something else than an answer"),
        ("hangs", "exec sleep 60", "it did not answer within 0 s"),
        (
            "lies",
            "printf 'OFC1\\0\\0\\0\\2\\0\\0\\0\\0{}'; exec sleep 60",
            "it sent something else than an answer",
        ),
    ] {
        let mut launch = program(&scratch, name, script);
        // Whoever hangs is waited for; the others are known by what they do, long before patience ends.
        if name == "hangs" {
            launch.patience = Duration::from_millis(500);
        }
        let error = words(Vault::start(&launch));
        assert_eq!(error, format!("the process for `officer-1` was lost: {told}"), "{name}");
    }
    let nowhere = Launch { program: "/nowhere".into(), ..launch("officer-1") };
    assert_eq!(words(Vault::start(&nowhere)), "the process for `officer-1` cannot be started");
}

#[test]
fn a_module_that_crashes_takes_one_token_with_it() {
    let scratch = Scratch::new();
    let mut well = fresh(&scratch, "well");
    let softhsm = SoftHsm::token(&scratch, "ill", PIN);
    let serial = softhsm.serial(&scratch);
    let shim = Shim::before(&scratch, "ill", MODULE, &["C_Login 1 after abort"]);
    let mut ill = start("ill", &softhsm, &shim.module());
    ill.select(&serial).unwrap();
    assert_eq!(words(ill.login(pin(PIN))), "the process for `ill` was lost: it ended");
    assert_eq!(words(ill.list()), "the process for `ill` was lost: it ended");
    // The other token never noticed, and a new child finds this one as it was.
    well.generate(Purpose::Root, Algorithm::EcdsaP256, "root").unwrap();
    shim.rules(MODULE, &[]);
    let mut again = start("ill", &softhsm, &shim.module());
    again.select(&serial).unwrap();
    assert_eq!(again.login(pin(PIN)).unwrap(), Login::Open);
}

#[test]
fn a_module_that_hangs_is_given_up_and_ended() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", PIN);
    let shim = Shim::before(&scratch, "one", MODULE, &["C_Login 1 before hang"]);
    let driver = driver(&softhsm, &shim.module());
    // Long enough for a busy machine to come as far as the login.
    let patient = Launch { patience: Duration::from_secs(10), ..launch("one") };
    let mut token = Token::start(&patient, &driver).unwrap();
    token.select(&softhsm.serial(&scratch)).unwrap();
    let told = words(token.login(pin(PIN)));
    assert_eq!(told, "the process for `one` was lost: it did not answer within 10 s");
    let pid = shim.calls()[0].process;
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_child_whose_parent_is_gone_ends_even_in_a_call_that_hangs() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::empty(&scratch, "one");
    let shim = Shim::before(&scratch, "one", MODULE, &["C_Initialize 1 before hang"]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_officiant"))
        .args(["child", "token"])
        .env_clear()
        .env("SOFTHSM2_CONF", softhsm.configuration())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (reader, writer) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let mut wire = Wire::new(reader.into(), writer.into()).unwrap();
    let long = Some(Duration::from_secs(20));
    let (module, token) = (shim.module(), softhsm.configuration().parent().unwrap().to_owned());
    let needs = Needs { writes: vec![shim.folder().into()], ..Needs::default() };
    let terms = serde_json::json!({
        "Module": { "module": module, "sha256": null, "token": token, "needs": needs, "uri": null }
    });
    wire.send(&terms, &[], long).unwrap();
    wire.receive::<serde_json::Value>(long).unwrap();
    wire.send(&"Load", &[], long).unwrap();
    let begin = Instant::now();
    while shim.calls().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(child.try_wait().unwrap().is_none());
    drop(wire);
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn a_pin_is_gone_from_the_childs_memory_after_its_act() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::empty(&scratch, "one");
    let shim = Shim::before(&scratch, "one", MODULE, &[]);
    let mut token = start("one", &softhsm, &shim.module());
    // Of letters that stand nowhere else, and never whole in this test's own binary.
    let text = ["pin", "of", "this", "test", &std::process::id().to_string()].join("/");
    token.init(None, "one", SoPin::Drawn, pin(&text)).unwrap();
    assert_eq!(token.login(pin(&text)).unwrap(), Login::Open);
    token.generate(Purpose::Root, Algorithm::EcdsaP256, "root").unwrap();
    token.logout().unwrap();
    let pid = shim.calls()[0].process;
    assert!(!holds(pid, text.as_bytes()));
    assert!(holds(pid, b"/libshim.so"), "memory that cannot be read");
}

/// Whether `needle` stands in the memory of a process. Only root reads that of a child.
fn holds(pid: u32, needle: &[u8]) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (from, to) =
            (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        let read = memory.read_at(&mut bytes, from).unwrap_or(0);
        bytes[..read].windows(needle.len()).any(|window| window == needle)
    })
}

#[test]
fn a_module_that_spoils_signatures_is_found_by_verifying() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", PIN);
    let shim = Shim::before(&scratch, "one", MODULE, &["C_Sign every after garbage"]);
    let mut token = start("one", &softhsm, &shim.module());
    token.select(&softhsm.serial(&scratch)).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    let made = token.generate(Purpose::Root, Algorithm::EcdsaP256, "root").unwrap();
    let scheme = Scheme::EcdsaRaw(Hash::Sha256);
    let raw = token.sign(&made.key, &[scheme.to_sign(b"root")]).unwrap();
    let signature = scheme.encode(Algorithm::EcdsaP256, &raw[0]);
    assert!(
        signature.is_err() || made.key.public.verify(scheme, b"root", &signature.unwrap()).is_err()
    );
}

#[test]
fn a_child_is_fenced_in_and_shows_no_secret() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", PIN);
    let mut token = start("one", &softhsm, Path::new(MODULE));
    token.select(&softhsm.serial(&scratch)).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    let vault = vault();
    assert!(vault.fence().is_confined(), "this kernel has no Landlock");
    for kind in ["token", "vault"] {
        let found = children(kind);
        assert_eq!(found.len(), 1, "{kind}");
        for pid in found {
            let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let status = String::from_utf8(read("status")).unwrap();
            for line in ["Seccomp:\t2", "NoNewPrivs:\t1"] {
                assert!(status.contains(line), "{kind}: {status}");
            }
            // After the name: state, parent, group, session, terminal.
            let stat = String::from_utf8(read("stat")).unwrap();
            let numbers: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
            assert_eq!((numbers[3], numbers[4]), (pid.to_string().as_str(), "0"), "{stat}");
            if vault.fence().is_memory_locked {
                assert!(!status.contains("VmLck:\t       0 kB"), "{kind}: {status}");
            }
            let limits = String::from_utf8(read("limits")).unwrap();
            let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
            assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
            let seen = [read("environ"), read("cmdline")].concat();
            assert!(!String::from_utf8_lossy(&seen).contains(PIN));
            let environment = String::from_utf8(read("environ")).unwrap();
            let names: Vec<_> = environment
                .split('\0')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, _)| name)
                .collect();
            assert!(names.iter().all(|name| *name == "SOFTHSM2_CONF"), "{names:?}");
            assert!(kind == "token" || names.is_empty());
        }
    }
}
