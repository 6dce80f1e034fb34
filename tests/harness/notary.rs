//! The real Notary: its server (with keys of its own, or with its signer behind it), its client, and `docker trust`.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    command::{Server, command, run},
    peers::peer,
    scratch::Scratch,
};

/// The passphrase of every key that a client here keeps on disk.
pub(crate) const PASSPHRASE: &str = "correct horse battery";

/// A running notary-server on loopback with an empty memory store, its own authority and certificates.
pub(crate) struct NotaryServer {
    folder: PathBuf,
    port: u16,
    scheme: &'static str,
    // Ended in this order when the server goes.
    _server: Option<Server>,
    _signer: Option<Server>,
}

/// A server whose store is a database on disk, with the signer that keeps its keys: it can be stopped and started.
#[cfg(feature = "online")]
pub(crate) struct StoredServer {
    folder: PathBuf,
    configuration: String,
    server: NotaryServer,
}

#[cfg(feature = "online")]
impl StoredServer {
    /// Starts both.
    #[track_caller]
    pub(crate) fn new(scratch: &Scratch) -> Self {
        let folder = certificates(scratch);
        let (signer, trust) = signer(&folder);
        fs::copy(peer("notary-store/empty.db"), folder.join("notary.db")).expect("a database");
        let store =
            r#"{"backend":"sqlite3","db_url":"./notary.db?_txlock=immediate&_busy_timeout=20000"}"#;
        let told = |port| of_server(port, TLS, (&trust, store));
        let (server, port) = listen(&folder, ("notary-store", "notary-server"), told);
        let server = NotaryServer {
            folder: folder.clone(),
            port,
            scheme: "https",
            _server: Some(server),
            _signer: Some(signer),
        };
        Self { folder, configuration: of_server(port, TLS, (&trust, store)), server }
    }

    /// The server as clients see it.
    pub(crate) const fn server(&self) -> &NotaryServer {
        &self.server
    }

    /// Ends the server, at once.
    pub(crate) fn stop(&mut self) {
        self.server._server = None;
    }

    /// Starts it again, where it was.
    #[track_caller]
    pub(crate) fn start(&mut self) {
        let programs = ("notary-store", "notary-server");
        let again = start(&self.folder, programs, &self.configuration);
        let server = Server::start_at(self.server.port, again);
        self.server._server = Some(server.expect("its port is taken"));
    }
}

impl NotaryServer {
    /// Starts a server that keeps the snapshot and timestamp keys itself.
    #[track_caller]
    pub(crate) fn memory(scratch: &Scratch) -> Self {
        let folder = certificates(scratch);
        let (server, port) = serve(&folder, TLS, r#"{"type":"local"}"#);
        Self { folder, port, scheme: "https", _server: Some(server), _signer: None }
    }

    /// Starts such a server without TLS, so that whoever stands before it sees what is asked.
    #[cfg(feature = "online")]
    #[track_caller]
    pub(crate) fn plain(scratch: &Scratch) -> Self {
        let folder = certificates(scratch);
        let (server, port) = serve(&folder, "", r#"{"type":"local"}"#);
        Self { folder, port, scheme: "http", _server: Some(server), _signer: None }
    }

    /// Starts a notary-signer and a server that asks it for every signature.
    #[track_caller]
    pub(crate) fn with_signer(scratch: &Scratch) -> Self {
        let folder = certificates(scratch);
        let (signer, trust) = signer(&folder);
        let (server, port) = serve(&folder, TLS, &trust);
        Self { folder, port, scheme: "https", _server: Some(server), _signer: Some(signer) }
    }

    /// Where it answers: `https://localhost:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.port)
    }

    /// The PEM file of the authority that its certificate is from.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// What the server has said on its standard error so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("notary-server.log")).unwrap_or_default()
    }

    /// The `notary` client of one person, whose trust folder is `home`/trust.
    pub(crate) fn notary(&self, home: &Path) -> Command {
        let mut notary = command(peer("notary/notary"), home);
        notary.args(["--server", &self.url()]);
        notary.arg("--trustDir").arg(home.join("trust")).arg("--tlscacert").arg(self.ca());
        for role in ["ROOT", "TARGETS", "SNAPSHOT", "DELEGATION"] {
            notary.env(format!("NOTARY_{role}_PASSPHRASE"), PASSPHRASE);
        }
        notary
    }

    /// The `docker` client of one person, without any engine; its configuration is `home`/docker.
    pub(crate) fn docker(&self, home: &Path) -> Command {
        let mut docker = self.of_docker(peer("docker/docker"), home);
        docker.env("DOCKER_HOST", "unix:///nonexistent.sock");
        docker
    }

    #[cfg(feature = "online")]
    /// `courier` of the same person: where the server is, its authority and the passphrases are said as to docker.
    pub(crate) fn courier(&self, home: &Path) -> Command {
        self.of_docker(env!("CARGO_BIN_EXE_courier"), home)
    }

    fn of_docker(&self, program: impl AsRef<OsStr>, home: &Path) -> Command {
        let configuration = home.join("docker");
        let tls = configuration.join(format!("tls/localhost:{}", self.port));
        fs::create_dir_all(&tls).expect("docker's configuration");
        fs::copy(self.ca(), tls.join("ca.crt")).expect("the authority");
        let mut program = command(program, home);
        program
            .env("DOCKER_CONFIG", configuration)
            .env("DOCKER_CONTENT_TRUST_SERVER", self.url())
            .env("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", PASSPHRASE)
            .env("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", PASSPHRASE);
        program
    }
}

/// What a server with TLS is told of it.
const TLS: &str = r#","tls_key_file":"./server.key","tls_cert_file":"./server.crt""#;

/// Starts a signer; gives it with what a server is told of it.
#[track_caller]
fn signer(folder: &Path) -> (Server, String) {
    let (signer, port) = listen(folder, ("notary", "notary-signer"), |port| {
        format!(
            r#"{{"server":{{"grpc_addr":"127.0.0.1:{port}","tls_cert_file":"./server.crt",
            "tls_key_file":"./server.key","client_ca_file":"./ca.crt"}},
            "logging":{{"level":"error"}},"storage":{{"backend":"memory"}}}}"#
        )
    });
    let trust = format!(
        r#"{{"type":"remote","hostname":"localhost","port":"{port}","key_algorithm":"ecdsa",
        "tls_ca_file":"./ca.crt","tls_client_cert":"./server.crt","tls_client_key":"./server.key"}}"#
    );
    (signer, trust)
}

fn serve(folder: &Path, tls: &str, trust: &str) -> (Server, u16) {
    let store = r#"{"backend":"memory"}"#;
    listen(folder, ("notary", "notary-server"), |port| of_server(port, tls, (trust, store)))
}

/// The configuration of a server, with its trust service and its store.
fn of_server(port: u16, tls: &str, (trust, store): (&str, &str)) -> String {
    format!(
        r#"{{"server":{{"http_addr":"127.0.0.1:{port}"{tls}}},"trust_service":{trust},
        "logging":{{"level":"error"}},"storage":{store}}}"#
    )
}

/// Starts a program of a peer with its configuration for the port that it gets.
#[track_caller]
fn listen(
    folder: &Path,
    programs: (&str, &str),
    configuration: impl Fn(u16) -> String,
) -> (Server, u16) {
    Server::start(|port| start(folder, programs, &configuration(port)))
}

/// What starts it.
fn start(folder: &Path, (of, name): (&str, &str), configuration: &str) -> Command {
    let (file, log) = (folder.join(format!("{name}.json")), folder.join(format!("{name}.log")));
    fs::write(&file, configuration).expect("its configuration");
    let mut program = command(peer(&format!("{of}/{name}")), folder);
    program.arg("-config").arg(&file).stdin(Stdio::null()).stdout(Stdio::null());
    program.stderr(fs::File::create(&log).expect("its log"));
    program
}

/// Makes an authority and one certificate for both ends of each connection, with openssl.
pub(crate) fn certificates(scratch: &Scratch) -> PathBuf {
    let folder = scratch.folder("notary");
    let extensions = "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n\
                      extendedKeyUsage=serverAuth,clientAuth\n";
    scratch.file("notary/extensions", extensions);
    let new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256";
    for line in [
        format!("{new} -x509 -days 30 -subj /CN=test-authority -keyout ca.key -out ca.crt"),
        format!("{new} -subj /CN=localhost -keyout server.key -out server.csr"),
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -sha256 \
         -extfile extensions -out server.crt"
            .to_owned(),
    ] {
        run(command("openssl", &folder).args(line.split_whitespace())).ok();
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of_roles(inspected: &str) -> usize {
        ["\"Name\": \"Root\"", "\"Name\": \"Repository\""]
            .iter()
            .filter(|name| inspected.contains(**name))
            .count()
    }

    fn a_repository_is_published_and_read_by_both_clients(
        server: &NotaryServer,
        scratch: &Scratch,
    ) {
        let (ada, bob) = (scratch.folder("ada"), scratch.folder("bob"));
        let name = "localhost:5000/demo";
        run(server.notary(&ada).args(["init", "-p", name])).ok();
        let file = scratch.file("ada/file", "content");
        run(server.notary(&ada).args(["add", "-p", name, "1.0"]).arg(file)).ok();
        let listed = run(server.notary(&bob).args(["list", name])).ok().stdout;
        assert!(listed.contains("1.0"), "{listed}");
        let inspected = run(server.docker(&bob).args(["trust", "inspect", name])).ok().stdout;
        assert_eq!(names_of_roles(&inspected), 2, "{inspected}");
        assert!(inspected.contains("\"SignedTag\": \"1.0\""), "{inspected}");
    }

    #[test]
    fn the_server_with_keys_in_memory_serves_both_clients() {
        let scratch = Scratch::new();
        let server = NotaryServer::memory(&scratch);
        a_repository_is_published_and_read_by_both_clients(&server, &scratch);
        let unknown =
            run(server.notary(&scratch.folder("eve")).args(["list", "localhost:5000/no"]));
        assert_ne!(unknown.code(), 0);
        assert!(!server.log().contains("panic"), "{}", server.log());
    }

    #[test]
    fn the_server_with_a_signer_behind_it_serves_both_clients() {
        let scratch = Scratch::new();
        let server = NotaryServer::with_signer(&scratch);
        a_repository_is_published_and_read_by_both_clients(&server, &scratch);
        assert!(server.url().starts_with("https://localhost:"));
    }
}
