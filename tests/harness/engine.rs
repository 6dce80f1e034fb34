//! Docker's real engine, one for each test: its own folders and socket, no network of its own, nothing of the machine's.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    command::{ENVIRONMENT, LIMIT, command, end, run},
    media::leave_out,
    peers::peer,
    scratch::Scratch,
};

/// Whether docker's engine, or podman, may be started: by root alone. A test that needs it fails where that is not so,
/// unless [`LEAVE_OUT`] is set.
#[track_caller]
pub(crate) fn may_start(test: &str) -> bool {
    if std::env::var_os(LEAVE_OUT).is_some() {
        leave_out(test, "starts docker's engine or podman, and was told not to");
        return false;
    }
    let is_root = rustix::process::geteuid().is_root();
    assert!(
        is_root,
        "`{test}` starts docker's engine or podman, and needs root; {LEAVE_OUT}=1 leaves it out"
    );
    true
}

/// Set by whoever cannot start the engine and knows what then remains untested.
const LEAVE_OUT: &str = "OFFICIANT_WITHOUT_ENGINE";

/// A running engine. Declare it after its [`Scratch`], so that it has ended before its folder goes.
pub(crate) struct Engine {
    folder: PathBuf,
    daemon: Child,
}

impl Engine {
    /// Starts dockerd and waits until it says that it is ready, as it would say to systemd.
    #[track_caller]
    pub(crate) fn start(scratch: &Scratch) -> Self {
        let folder = scratch.folder("engine");
        let at = |name: &str| folder.join(name);
        let ready = UnixDatagram::bind(at("ready")).expect("a socket");
        let programs = peer("engine/dockerd");
        let path =
            format!("{}:{}", programs.parent().expect("a folder").display(), ENVIRONMENT[1].1);
        let mut dockerd = command(&programs, &folder);
        dockerd.args(["--iptables=false", "--bridge=none", "--storage-driver=vfs"]);
        for (option, name) in
            [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")]
        {
            dockerd.arg(option).arg(at(name));
        }
        dockerd.args(["--host", &host(&folder)]);
        dockerd.env("PATH", path).env("NOTIFY_SOCKET", at("ready")).stdin(Stdio::null());
        let log = fs::File::create(at("log")).expect("its log");
        dockerd.stdout(log.try_clone().expect("its log")).stderr(log);
        let mut engine = Self { daemon: dockerd.spawn().expect("dockerd"), folder };
        engine.wait(&ready);
        engine
    }

    /// Where `docker` finds it: the value of `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        host(&self.folder)
    }

    /// Makes an image of busybox alone, which no other test has: `note` goes into it.
    #[track_caller]
    pub(crate) fn import(&self, mut docker: Command, name: &str, note: &str) {
        let tar = self.folder.join("image.tar");
        let from = peer("engine/busybox");
        let mut pack = command("tar", &self.folder);
        run(pack
            .arg("-C")
            .arg(from.parent().expect("a folder"))
            .arg("-cf")
            .arg(&tar)
            .arg("busybox"))
        .ok();
        docker.env("DOCKER_HOST", self.host()).args(["import", "--message", note]);
        run(docker.arg(&tar).arg(name)).ok();
    }

    fn wait(&mut self, ready: &UnixDatagram) {
        // Looks, between two messages, whether it has ended instead.
        ready.set_read_timeout(Some(Duration::from_millis(50))).expect("a time limit");
        let (begun, mut message) = (Instant::now(), [0; 256]);
        while begun.elapsed() < LIMIT && self.daemon.try_wait().expect("a child").is_none() {
            if let Ok(length) = ready.recv(&mut message)
                && message[..length].starts_with(b"READY=1")
            {
                return;
            }
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("docker's engine does not start:\n{log}");
    }
}

impl Drop for Engine {
    /// Asks it to end, as its containers and containerd end with it then, and insists after a while.
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.daemon.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = end(&mut self.daemon, Duration::from_secs(20));
    }
}

fn host(folder: &Path) -> String {
    format!("unix://{}", folder.join("docker.sock").display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{notary::NotaryServer, registry::ImageRegistry};

    #[test]
    fn docker_signs_what_it_pushes_and_pulls_only_what_is_signed() {
        if !may_start("docker_signs_what_it_pushes_and_pulls_only_what_is_signed") {
            return;
        }
        let scratch = Scratch::new();
        let (engine, registry) = (Engine::start(&scratch), ImageRegistry::open(&scratch));
        let server = NotaryServer::memory(&scratch);
        let home = scratch.folder("ada");
        let docker = || server.docker(&home);
        let trusting = |verb: &str, image: &str| {
            let mut docker = docker();
            docker.env("DOCKER_HOST", engine.host()).env("DOCKER_CONTENT_TRUST", "1");
            run(docker.args([verb, image]))
        };
        let signed = registry.name("admin/demo:1");
        engine.import(docker(), &signed, "first");
        let pushed = trusting("push", &signed).ok().stdout;
        assert!(pushed.contains("1: digest: sha256:"), "{pushed}");
        let pulled = trusting("pull", &signed).ok().stdout;
        let digest = pushed.split("digest: ").nth(1).unwrap().split(' ').next().unwrap();
        assert!(pulled.contains(&format!("{}@{digest}", registry.name("admin/demo"))), "{pulled}");
        let unsigned = registry.name("admin/demo:2");
        engine.import(docker(), &unsigned, "second");
        let mut untrusting = docker();
        run(untrusting.env("DOCKER_HOST", engine.host()).args(["push", &unsigned])).ok();
        let refused = trusting("pull", &unsigned);
        assert_eq!(refused.code(), 1);
        assert_eq!(refused.stderr, "No valid trust data for 2\n");
    }
}
