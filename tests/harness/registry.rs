//! Docker's real registry on loopback: open to all, with a password, or with TLS.

use std::{fs, path::PathBuf, process::Stdio};

use super::{
    command::{Ran, Server, command, run},
    notary::certificates,
    peers::peer,
    scratch::Scratch,
};

/// The user and password of a registry that wants them.
pub(crate) const LOGIN: &str = "ada:pass";

/// A running registry, with an empty folder of its own.
pub(crate) struct ImageRegistry {
    folder: PathBuf,
    port: u16,
    _server: Server,
}

impl ImageRegistry {
    /// One that answers everybody, without TLS.
    #[track_caller]
    pub(crate) fn open(scratch: &Scratch) -> Self {
        Self::start(scratch, "")
    }

    /// One that wants [`LOGIN`], without TLS.
    #[track_caller]
    pub(crate) fn with_password(scratch: &Scratch) -> Self {
        let file = scratch.file("registry/htpasswd", HTPASSWD);
        Self::start(
            scratch,
            &format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", file.display()),
        )
    }

    /// One with a certificate of the authority in [`ImageRegistry::ca`].
    #[track_caller]
    pub(crate) fn with_tls(scratch: &Scratch) -> Self {
        let folder = certificates(scratch);
        let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
        fs::copy(folder.join("ca.crt"), scratch.folder("registry").join("ca.crt")).expect("it");
        let tls =
            format!("tls: {{certificate: {}, key: {}}}", certificate.display(), key.display());
        Self::start(scratch, &format!("\u{20} {tls}\n"))
    }

    /// Starts it with more configuration; what begins with blanks continues its `http`.
    #[track_caller]
    fn start(scratch: &Scratch, more: &str) -> Self {
        let folder = scratch.folder("registry");
        let (file, log) = (folder.join("config.yml"), folder.join("log"));
        let (_server, port) = Server::start(|port| {
            let configuration = format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: 127.0.0.1:{port}\n{more}",
                folder.join("images").display()
            );
            fs::write(&file, configuration).expect("its configuration");
            let mut registry = command(peer("engine/docker-registry"), &folder);
            registry.arg("serve").arg(&file).stdin(Stdio::null()).stdout(Stdio::null());
            registry.stderr(fs::File::create(&log).expect("its log"));
            registry
        });
        Self { folder, port, _server }
    }

    /// Its host and port.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The name of an image in it.
    pub(crate) fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.host())
    }

    /// The PEM file of the authority that its certificate is from.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// `skopeo` with these arguments.
    pub(crate) fn skopeo(&self, arguments: &[&str]) -> Ran {
        run(command("skopeo", &self.folder).args(arguments))
    }
}

/// bcrypt of [`LOGIN`], as Apache's `htpasswd -B` writes it.
const HTPASSWD: &str = "ada:$2b$05$abcdefghijklmnopqrstuuZFBUbfXoM8LFiPx8LYlO/sXZB/Cwk3K\n";
