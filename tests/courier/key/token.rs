//! Keys of publishers on real soft tokens.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use officiant::digest::Digest;
use officiant::key::PublicKey;
use officiant::key::file::KeyFile;
use officiant::request::Role;
use officiant::request::proof::{Claim, Proof};

use super::{id_of, names, private};
use crate::harness::command::{Ran, Server, command, run};
use crate::harness::media::may_mount;
use crate::harness::notary::NotaryServer;
use crate::harness::pty::{Ended, Pty};
use crate::harness::scratch::Scratch;
use crate::harness::softhsm::{MODULE, SoftHsm};
use crate::harness::yubikey::Readers;

const PIN: &str = "123456";

/// A person, and a token with the label `ada`.
struct Holder {
    scratch: Scratch,
    softhsm: SoftHsm,
    home: PathBuf,
}

impl Holder {
    fn new() -> Self {
        let scratch = Scratch::new();
        let softhsm = SoftHsm::token(&scratch, "ada", PIN);
        let home = scratch.folder("home");
        Self { scratch, softhsm, home }
    }

    /// What the token calls itself in errors.
    fn token(&self) -> String {
        format!("token `ada` (serial {})", self.softhsm.serial(&self.scratch))
    }

    fn key(&self, arguments: &[&str]) -> Command {
        let mut key = super::key(&self.home, arguments);
        key.env("SOFTHSM2_CONF", self.softhsm.configuration());
        key
    }

    /// `courier prove` by the keys that the store has of a role; the token is known from the store alone.
    fn prove(&self, repository: &str) -> Command {
        fs::write(self.home.join("plan.toml"), "").unwrap();
        let mut prove = crate::courier::courier(&self.home);
        prove.args(["prove", "plan.toml", "--repository", repository, "--role", "targets"]);
        prove.arg("--out").arg(self.scratch.folder("in"));
        prove.env("DOCKER_CONFIG", self.home.join("docker"));
        prove
    }

    /// Imports a key of openssl's into the token, and gives its public half.
    fn import(&self, label: &str, id: &str) -> PublicKey {
        let openssl = |arguments: &str| {
            run(command("openssl", &self.home).args(arguments.split(' '))).ok();
        };
        openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
        openssl("pkey -in key.pem -pubout -out public.pem");
        let mut tool = command("softhsm2-util", &self.home);
        tool.env("SOFTHSM2_CONF", self.softhsm.configuration());
        tool.args(["--import", "key.pem", "--token", "ada", "--label", label, "--id", id]);
        run(tool.args(["--pin", PIN])).ok();
        fs::remove_file(self.home.join("key.pem")).unwrap();
        PublicKey::from_pem(&fs::read_to_string(self.home.join("public.pem")).unwrap()).unwrap()
    }

    /// The one proof on the media.
    fn proof(&self) -> Proof {
        let only = |folder: &Path| {
            let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let path = entries.next().unwrap();
            assert!(entries.next().is_none());
            path
        };
        let file = only(&only(&self.scratch.path().join("in/proofs")));
        Proof::parse(&fs::read(file).unwrap()).unwrap()
    }
}

fn uri(more: &str) -> String {
    format!("pkcs11:token=ada{more}?module-path={MODULE}")
}

/// Types the PIN once, and gives what stood on the screen without the breaks of its lines.
#[track_caller]
fn typed(command: &Command, pin: &str) -> (Ended, String) {
    let mut pty = Pty::start(command);
    pty.expect("[1] owner of the key — PIN for token `ada`");
    // The process that speaks to people has not loaded the module; its child has.
    let maps = fs::read_to_string(format!("/proc/{}/maps", pty.pid())).unwrap();
    assert!(maps.contains("/courier") && !maps.contains("softhsm"), "{maps}");
    pty.send_line(pin);
    let ended = pty.finish();
    assert!(!ended.left_running && !ended.transcript.contains(pin), "{}", ended.transcript);
    let flat = crate::harness::command::flat(&ended.transcript);
    (ended, flat)
}

#[track_caller]
fn refused(ran: Ran, code: i32, words: &str) {
    assert_eq!((ran.stderr.as_str(), ran.stdout.as_str()), (words, ""));
    assert_eq!(ran.code(), code);
}

fn claim(repository: &str) -> Claim {
    let repository = repository.parse().unwrap();
    Claim { plan: Digest::of(b""), repository, role: Role::Targets }
}

#[test]
fn a_token_makes_a_key_that_signs_and_docker_and_notary_pass_it_over() {
    let holder = Holder::new();
    let gun = "localhost:5000/demo";
    let role = ["generate", "--role", "targets", "--gun", gun, "--token", &uri("")];
    let (ended, _) = typed(&holder.key(&role), PIN);
    assert!(ended.status.success(), "{}", ended.transcript);
    let id = id_of(&holder.home.join("targets.pub"));
    let reference = private(&holder.home).join(format!("{id}.pkcs11"));
    assert_eq!(names(&private(&holder.home)), [format!("{id}.pkcs11")]);
    assert_eq!(super::mode(&reference), 0o600);
    let text = fs::read_to_string(&reference).unwrap();
    let head = format!(
        "-----BEGIN PUBLIC KEY-----\ngun: {gun}\nrole: targets\nsofthsm: {}\ntoken: {}\n\n",
        holder.softhsm.configuration().display(),
        uri("")
    );
    assert!(text.starts_with(&head), "{text}");

    let listed = run(&mut holder.key(&["list"])).ok().stdout;
    assert!(listed.ends_with(&format!("targets  {gun}  {id}  {}\n", uri(""))), "{listed}");
    let server = NotaryServer::memory(&holder.scratch);
    let mut notary = server.notary(&holder.home);
    notary.arg("--trustDir").arg(holder.home.join("docker/trust"));
    let theirs = run(notary.args(["key", "list"])).ok().stdout;
    assert!(theirs.contains("No signing keys found"), "{theirs}");

    // What signs is what the store says; no variable leads there.
    let (ended, _) = typed(&holder.prove(gun), PIN);
    assert!(ended.status.success(), "{}", ended.transcript);
    let public = KeyFile::read(text.as_bytes()).unwrap();
    let public = PublicKey::from_der(public.der()).unwrap();
    assert_eq!(holder.proof().verify(&claim(gun), &public), Ok(()));
}

#[test]
fn a_key_that_is_on_a_token_is_taken_up_by_its_label_or_its_id_and_signs() {
    let holder = Holder::new();
    let first = holder.import("first", "01");
    let second = holder.import("second", "02");
    let several = uri("");
    refused(
        run(&mut holder.key(&["load", &several, "--name", "ada"])),
        2,
        &format!(
            "error: {} shows 2 keys that fit `{several}`, expected 1\n\
             hint: name the key by `object` or `id`; `p11tool --list-all` and `pkcs11-tool -O` show them\n\
             nothing was written\n",
            holder.token()
        ),
    );
    let load = |more: &str, owner: &[&str]| {
        let uri = uri(more);
        run(&mut holder.key(&[&["load", &uri], owner].concat())).ok().stdout
    };
    let role = ["--role", "targets", "--gun", "localhost:5000/demo"];
    let told = load(";id=%02;type=private", &role);
    assert!(told.ends_with("role      targets of localhost:5000/demo, loaded\n"), "{told}");
    let again = load(";object=second", &["--name", "bob"]);
    let known = "role      targets of localhost:5000/demo, already in the store\n";
    assert!(again.ends_with(known), "{again}");
    load(";object=first", &["--name", "ada"]);
    assert_eq!(names(&private(&holder.home)).len(), 2);

    let (ended, _) = typed(&holder.prove("localhost:5000/demo"), PIN);
    assert!(ended.status.success(), "{}", ended.transcript);
    let proof = holder.proof();
    assert_eq!(proof.verify(&claim("localhost:5000/demo"), &second), Ok(()));
    assert!(proof.verify(&claim("localhost:5000/demo"), &first).is_err());
}

#[test]
fn a_wrong_pin_is_tried_once_and_the_last_try_is_nobodys() {
    let holder = Holder::new();
    holder.import("first", "01");
    let role = ["--role", "targets", "--gun", "x"];
    run(&mut holder.key(&[&["load", &uri("")], &role[..]].concat())).ok();
    let (ended, flat) = typed(&holder.prove("x"), "654321");
    assert_eq!(ended.status.code(), Some(1), "{}", ended.transcript);
    let words = format!(
        "error: {} refused the PIN, the token says that tries are running low \
         hint: it was tried once: run it again with the right PIN nothing was written",
        holder.token()
    );
    assert!(flat.ends_with(&words), "{flat}");
    assert!(holder.scratch.path().join("in").read_dir().unwrap().next().is_none());
    // Nobody is there to type one.
    let prove = holder.prove("x");
    let mut session = command("setsid", &holder.home);
    session.arg("--wait").arg(prove.get_program()).args(prove.get_args());
    session.env("DOCKER_CONFIG", holder.home.join("docker"));
    refused(
        run(&mut session),
        2,
        &format!(
            "error: nobody was asked for the PIN of {}\n\
             because there is no terminal to ask people on\n\
             hint: run courier at a terminal\n\
             nothing was written\n",
            holder.token()
        ),
    );
}

#[test]
fn a_token_behind_a_daemon_is_reached_by_what_the_command_line_lets_its_module_have() {
    let holder = Holder::new();
    let socket = holder.home.join("p11.sock");
    let mut server = command("p11-kit", &holder.home);
    server.args(["server", "--foreground", "--provider", MODULE, "--name"]);
    server.arg(&socket).arg("pkcs11:").stdout(Stdio::piped());
    server.env("SOFTHSM2_CONF", holder.softhsm.configuration());
    let mut server = Server(server.spawn().unwrap());
    // It says where it listens once it does.
    let mut said = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("p11.sock"), "{said}");

    let uri = format!("pkcs11:token=ada?module-path={CLIENT}");
    let address = format!("P11_KIT_SERVER_ADDRESS=unix:path={}", socket.display());
    let role = ["generate", "--role", "targets", "--gun", "x", "--token", &uri];
    let key = |more: &[&str]| super::key(&holder.home, &[&role[..], more].concat());
    let needs = ["--environment", &address, "--socket", "p11.sock"];
    let (ended, flat) = typed(&key(&needs), PIN);
    assert!(ended.status.success(), "{flat}");
    let id = id_of(&holder.home.join("targets.pub"));
    let text = fs::read_to_string(private(&holder.home).join(format!("{id}.pkcs11"))).unwrap();
    let head = format!(
        "-----BEGIN PUBLIC KEY-----\nenvironment: {address}\ngun: x\nrole: targets\nsocket: {}\ntoken: {uri}\n\n",
        socket.display()
    );
    assert!(text.starts_with(&head), "{text}");
    let (ended, _) = typed(&holder.prove("x"), PIN);
    assert!(ended.status.success(), "{}", ended.transcript);
    let public = KeyFile::read(text.as_bytes()).unwrap();
    let public = PublicKey::from_der(public.der()).unwrap();
    assert_eq!(holder.proof().verify(&claim("x"), &public), Ok(()));

    // Without the socket the module does not get there, and nothing that steers a program is its to have.
    fs::remove_file(holder.home.join("targets.pub")).unwrap();
    let closed = run(&mut key(&["--environment", &address]));
    assert_eq!(closed.code(), 3, "{}", closed.stderr);
    let loader = "LD_PRELOAD=/tmp/x.so";
    refused(
        run(&mut key(&["--environment", loader])),
        2,
        &format!(
            "error: `{loader}` is no variable for a module: it steers the program before it steers the module\n\
             hint: leave it away\nnothing was written\n"
        ),
    );
    // Nor is it, whoever wrote it into the file.
    let path = private(&holder.home).join(format!("{id}.pkcs11"));
    fs::write(&path, text.replace("P11_KIT_SERVER_ADDRESS", "LD_PRELOAD")).unwrap();
    let listed = run(&mut holder.key(&["list"])).ok().stdout;
    assert!(listed.ends_with("it names no key on a token\n"), "{listed}");
}

#[test]
fn a_key_on_a_yubikey_is_taken_up_through_ykcs11_and_signs() {
    if !may_mount("a_key_on_a_yubikey_is_taken_up_through_ykcs11_and_signs") {
        return;
    }
    const YKCS11: &str = "/usr/lib/x86_64-linux-gnu/libykcs11.so";
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 4242, "5.4.3");
    let make = ["--login", "--login-type", "so", "--so-pin", FACTORY_MANAGEMENT_KEY];
    let key = ["--keypairgen", "--key-type", "EC:prime256v1", "--id", "01"];
    readers.tool(&[&["pkcs11-tool", "--module", YKCS11][..], &make, &key].concat());
    let holder = Holder::new();
    let uri = format!("pkcs11:serial=4242;id=%01?module-path={YKCS11}");
    let role = ["--role", "targets", "--gun", "x", "--socket", "/run/pcscd"];
    let beside = |arguments: &[&str]| {
        let key = super::key(&holder.home, &[arguments, &role[..]].concat());
        run(&mut readers.beside(&key))
    };
    let made = beside(&["generate", "--token", &uri]);
    assert_eq!(made.code(), 1, "{}", made.stderr);
    let words = " makes keys for whoever knows its management key, and not for its user\n\
                 hint: make it by the tool of its maker, and take it up by `courier key load`\n\
                 nothing was written\n";
    assert!(made.stderr.ends_with(words), "{}", made.stderr);
    beside(&["load", &uri]).ok();
    let prove = |pin: &str| {
        let mut pty = Pty::start(&readers.beside(&holder.prove("x")));
        pty.expect("owner of the key — PIN for token ");
        pty.send_line(pin);
        pty.finish()
    };
    // It has the PIN of the factory, with which nothing is signed.
    let ended = prove("123456");
    let words = "has the PIN with which every one leaves the factory\n\
                 hint: change it first, by the tool of its maker\nnothing was written\n";
    assert!(ended.transcript.ends_with(words), "{}", ended.transcript);
    let change = ["--login", "--pin", "123456", "--change-pin", "--new-pin", "135792"];
    readers.tool(&[&["pkcs11-tool", "--module", YKCS11][..], &change].concat());
    let ended = prove("135792");
    assert!(ended.status.success(), "{}", ended.transcript);
    let name = names(&private(&holder.home)).remove(0);
    let text = fs::read(private(&holder.home).join(name)).unwrap();
    let public = PublicKey::from_der(KeyFile::read(&text).unwrap().der()).unwrap();
    assert_eq!(holder.proof().verify(&claim("x"), &public), Ok(()));
}

const FACTORY_MANAGEMENT_KEY: &str = "010203040506070801020304050607080102030405060708";

const CLIENT: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";

#[test]
fn what_is_no_key_on_a_token_is_refused_in_words() {
    let holder = Holder::new();
    holder.import("first", "01");
    let load = |uri: &str, code: i32, words: &str| {
        let ran = run(&mut holder.key(&["load", uri, "--name", "ada"]));
        refused(ran, code, &format!("error: {words}\nnothing was written\n"));
    };
    let shows = "hint: `courier help key load` shows one";
    for (uri, why) in [
        ("pkcs11:token=ada".to_owned(), "`module-path` is missing behind `?`"),
        (uri("") + "&pin-value=1", "a PIN is typed at the terminal, and read from nowhere else"),
        (uri(";slot-id=1"), "expected nothing but `manufacturer`, `model`, `serial` and `token`"),
    ] {
        load(&uri, 2, &format!("`{uri}` names no key: {why}\n{shows}"));
    }
    let other = format!("pkcs11:token=bob?module-path={MODULE}");
    let meant = "hint: insert the one that is meant, and no other that fits";
    load(&other, 3, &format!("0 tokens fit `{other}`, expected 1\n{meant}"));
    load(
        "pkcs11:token=ada?module-path=/usr/lib/none.so",
        3,
        "the module `/usr/lib/none.so` cannot be loaded (there is no such file)\n\
         hint: see that `module-path` names a PKCS#11 module, and say what it needs: `courier help key load` lists it",
    );
    let ran = run(&mut holder.key(&["load", &uri("")]));
    let words = format!(
        "error: `{}` does not say whose key it is\n\
         hint: say it by `--name NAME`, or by `--role targets --gun NAME`\nnothing was written\n",
        uri("")
    );
    refused(ran, 2, &words);
    refused(
        run(&mut holder.key(&["load", "key.pem", "--name", "ada", "--socket", "/run/pcscd"])),
        2,
        "error: `--socket` is for keys on tokens, and none is named\nhint: leave it away\n\
         nothing was written\n",
    );
    assert!(!holder.home.join("docker").exists());
}

#[test]
fn a_key_stays_on_its_token_whatever_is_done_to_its_reference() {
    let holder = Holder::new();
    let (ended, _) = typed(&holder.key(&["generate", "ada", "--token", &uri("")]), PIN);
    assert!(ended.status.success(), "{}", ended.transcript);
    let id = id_of(&holder.home.join("ada.pub"));
    let short = &id[..7];
    let stays = format!(
        "error: key {short} (ada) is on a token\n\
         hint: it never leaves it, and its PIN is changed by the tool of its maker\n"
    );
    let passwd = run(&mut holder.key(&["passwd", short]));
    refused(passwd, 2, &format!("{stays}the key is as it was\n"));
    let export = run(&mut holder.key(&["export", "--key", short]));
    refused(export, 2, &format!("{stays}nothing was written\n"));
    // Whoever asks for all is told what is not among them.
    let all = run(&mut holder.key(&["export"])).ok();
    assert_eq!(all.stderr, format!("key {short} (ada) is on a token, and stays there\n"));
    assert_eq!(all.stdout, "");

    let mut pty = Pty::start(&holder.key(&["remove", short]));
    pty.expect("stays on its token, and is no longer known here");
    pty.expect("type the first 7 letters of its id to remove it: ");
    pty.send_line(short);
    let ended = pty.finish();
    assert!(ended.status.success(), "{}", ended.transcript);
    assert!(names(&private(&holder.home)).is_empty());
    // It is there all the same: another of that label is not made, and this one is taken up again.
    fs::remove_file(holder.home.join("ada.pub")).unwrap();
    let (ended, flat) = typed(&holder.key(&["generate", "ada", "--token", &uri("")]), PIN);
    assert_eq!(ended.status.code(), Some(1), "{flat}");
    let words = format!(
        "error: {} already holds a key with the label or id of `ada` hint: name another by `object`; \
         one that an interrupted run made is taken up by `courier key load` nothing was written",
        holder.token()
    );
    assert!(flat.ends_with(&words), "{flat}");
    let uri = uri(";object=ada");
    let told = run(&mut holder.key(&["load", &uri, "--name", "ada"])).ok().stdout;
    assert_eq!(told, format!("key       {id}\nrole      ada, loaded\n"));
}

#[test]
fn a_reference_that_was_changed_is_told_and_names_no_other_key() {
    let holder = Holder::new();
    holder.import("first", "01");
    run(&mut holder.key(&["load", &uri(""), "--role", "targets", "--gun", "x"])).ok();
    let folder = private(&holder.home);
    let name = names(&folder).remove(0);
    let text = fs::read_to_string(folder.join(&name)).unwrap();
    // The same reference under the id of another key.
    let other = format!("{}.pkcs11", "0".repeat(64));
    fs::rename(folder.join(&name), folder.join(&other)).unwrap();
    let listed = run(&mut holder.key(&["list"])).ok().stdout;
    let id = name.strip_suffix(".pkcs11").unwrap();
    let told = format!("holds another key than its name says: {id}\n");
    assert!(listed.ends_with(&told), "{listed}");
    fs::remove_file(folder.join(&other)).unwrap();
    // One that names no token.
    fs::write(folder.join(&name), text.replace("\ntoken: pkcs11:", "\ntoken: pkcs12:")).unwrap();
    let listed = run(&mut holder.key(&["list"])).ok().stdout;
    assert!(listed.ends_with("it names no key on a token\n"), "{listed}");
    // One whose key the token does not have.
    fs::write(folder.join(&name), text).unwrap();
    let empty = SoftHsm::token(&holder.scratch, "other/ada", PIN);
    let reference = fs::read_to_string(folder.join(&name)).unwrap();
    let (ours, theirs) = (holder.softhsm.configuration(), empty.configuration());
    let moved = reference.replace(ours.to_str().unwrap(), theirs.to_str().unwrap());
    let moved = moved.replace("token=ada", "token=other%2Fada");
    fs::write(folder.join(&name), moved).unwrap();
    let ran = run(&mut holder.prove("x"));
    let words = format!(
        "error: token `other/ada` (serial {}) does not show the key\n\
         hint: insert the one that is meant, and no other that fits\nnothing was written\n",
        empty.serial(&holder.scratch)
    );
    refused(ran, 3, &words);
}
