//! `courier digest`: what real registries and layouts hold, and what registries that lie get for it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;
use officiant::digest::Digest;
use serde_json::{Value, json};

use super::courier;
use super::fake::{Fake, reply};
use crate::harness::command::{ENVIRONMENT, Ran, run};
use crate::harness::engine::{Engine, may_start};
use crate::harness::notary::NotaryServer;
use crate::harness::registry::{ImageRegistry, LOGIN};
use crate::harness::scratch::Scratch;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const PLAIN: &str = "--dest-tls-verify=false";

/// `courier digest` of these, with no configuration of docker unless `home` holds one.
fn digest(home: &Path, arguments: &[&str]) -> Command {
    let mut courier = courier(home);
    courier.arg("digest").args(arguments);
    courier
}

/// A layout of one image under the tag `one`, and an index of it under `many`.
pub(super) fn layout(scratch: &Scratch) -> String {
    let blob = |kind: &str, bytes: &[u8]| {
        let digest = Digest::of(bytes);
        scratch.file(&format!("layout/blobs/sha256/{digest}"), bytes);
        json!({ "mediaType": kind, "digest": format!("sha256:{digest}"), "size": bytes.len() })
    };
    let layer = vec![0; 1024];
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({ "architecture": architecture, "os": "linux", "config": {}, "rootfs":
        { "type": "layers", "diff_ids": [format!("sha256:{}", Digest::of(&layer))] } });
    let config = blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let layer = blob("application/vnd.oci.image.layer.v1.tar", &layer);
    let one = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
    let mut one = blob(OCI_MANIFEST, one.to_string().as_bytes());
    one["platform"] = json!({ "architecture": architecture, "os": "linux" });
    let many = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [one] });
    let mut many = blob(OCI_INDEX, many.to_string().as_bytes());
    one["annotations"] = json!({ "org.opencontainers.image.ref.name": "one" });
    many["annotations"] = json!({ "org.opencontainers.image.ref.name": "many" });
    let index = json!({ "schemaVersion": 2, "manifests": [one, many] });
    scratch.file("layout/index.json", index.to_string());
    scratch.file("layout/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    scratch.path().join("layout").to_str().unwrap().to_owned()
}

/// Copies the index of the layout into a registry, with everything that is under it.
pub(super) fn copy(registry: &ImageRegistry, layout: &str, name: &str, more: &[&str]) {
    let (from, to) = (format!("oci:{layout}:many"), format!("docker://{}", registry.name(name)));
    run_skopeo(registry, &[&["copy", "--all", "--preserve-digests", &from, &to], more].concat());
}

fn run_skopeo(registry: &ImageRegistry, arguments: &[&str]) -> Ran {
    registry.skopeo(arguments).ok()
}

/// What skopeo has for the bytes behind a name, as `courier digest` writes it.
fn raw(registry: &ImageRegistry, name: &str, media_type: &str) -> String {
    let image = format!("docker://{}", registry.name(name));
    let bytes = run_skopeo(registry, &["inspect", "--raw", "--tls-verify=false", &image]).stdout;
    let repository = registry.name(name.split(':').next().unwrap());
    let digest = Digest::of(bytes.as_bytes());
    format!("{repository}@sha256:{digest} {} {media_type}\n", bytes.len())
}

#[track_caller]
fn refuses(courier: &mut Command, code: i32, words: &str) {
    let refused = run(courier);
    assert_eq!(refused.stderr, words);
    assert_eq!((refused.code(), refused.stdout.as_str()), (code, ""));
}

#[test]
fn what_docker_pushed_has_the_digest_and_length_that_docker_printed() {
    if !may_start("what_docker_pushed_has_the_digest_and_length_that_docker_printed") {
        return;
    }
    let scratch = Scratch::new();
    let (engine, registry) = (Engine::start(&scratch), ImageRegistry::open(&scratch));
    let server = NotaryServer::memory(&scratch);
    let name = registry.name("admin/demo:1");
    engine.import(server.docker(scratch.path()), &name, "pushed");
    let mut docker = server.docker(scratch.path());
    let pushed = run(docker.env("DOCKER_HOST", engine.host()).args(["push", &name])).ok().stdout;
    // "1: digest: sha256:… size: 527"
    let words: Vec<&str> = pushed.lines().last().unwrap().split(' ').collect();
    let (digested, length) = (words[2], words[4]);
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    let expected = format!("{}@{digested} {length} {media_type}\n", registry.name("admin/demo"));
    assert_eq!(run(&mut digest(scratch.path(), &[&name])).ok().stdout, expected);
    assert_eq!(raw(&registry, "admin/demo:1", media_type), expected);
    // By its digest it is the same.
    let by_digest = format!("{}@{digested}", registry.name("admin/demo"));
    assert_eq!(run(&mut digest(scratch.path(), &[&by_digest])).ok().stdout, expected);
}

#[test]
fn an_index_is_signed_as_a_whole_from_a_registry_and_from_a_layout_alike() {
    let scratch = Scratch::new();
    let registry = ImageRegistry::open(&scratch);
    let layout = layout(&scratch);
    copy(&registry, &layout, "demo:many", &[PLAIN]);
    let name = registry.name("demo:many");
    let expected = raw(&registry, "demo:many", OCI_INDEX);
    assert_eq!(run(&mut digest(scratch.path(), &[&name])).ok().stdout, expected);
    let from_layout = digest(scratch.path(), &[&name, "--layout", &layout]).output().unwrap();
    assert_eq!(String::from_utf8(from_layout.stdout).unwrap(), expected);
    // Skopeo's own layout of one image; `latest` where no tag is written.
    let (from, to) = (format!("docker://{name}"), format!("oci:{layout}-2:latest"));
    run_skopeo(&registry, &["copy", "--src-tls-verify=false", &from, &to]);
    let one = registry.name("demo");
    let layout_2 = format!("{layout}-2");
    let found = run(&mut digest(scratch.path(), &[&one, "--layout", &layout_2, "--json"])).ok();
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    let index: Value =
        serde_json::from_slice(&fs::read(format!("{layout_2}/index.json")).unwrap()).unwrap();
    let written = &index["manifests"][0];
    assert_eq!(
        found,
        json!({ "images": [{
            "image": one,
            "by_digest": format!("{one}@{}", written["digest"].as_str().unwrap()),
            "length": written["size"],
            "media_type": OCI_MANIFEST,
        }] })
    );
}

#[test]
fn a_registry_that_wants_a_password_gets_the_one_that_docker_keeps_for_it() {
    let scratch = Scratch::new();
    let registry = ImageRegistry::with_password(&scratch);
    copy(&registry, &layout(&scratch), "demo:many", &[PLAIN, "--dest-creds", LOGIN]);
    let (name, host) = (registry.name("demo:many"), registry.host());
    let url = format!("http://{host}/v2/demo/manifests/many");
    let hint = format!("hint: `docker login {host}`, as somebody who may\nnothing was written\n");
    let wants = format!("error: {url}: the server wants credentials\n{hint}");
    refuses(&mut digest(scratch.path(), &[&name]), 3, &wants);
    // They are not those of trust servers.
    let notary = BASE64.encode(LOGIN.as_bytes());
    refuses(digest(scratch.path(), &[&name]).env("NOTARY_AUTH", &notary), 3, &wants);
    let keep = |config: Value| scratch.file(".docker/config.json", config.to_string());
    keep(json!({ "auths": { &host: { "auth": BASE64.encode(b"ada:no") } } }));
    let refused = format!("error: {url}: the server does not let these credentials pull\n{hint}");
    refuses(&mut digest(scratch.path(), &[&name]), 3, &refused);
    keep(json!({ "auths": { &host: { "auth": BASE64.encode(LOGIN.as_bytes()) } } }));
    let found = run(&mut digest(scratch.path(), &[&name])).ok().stdout;
    assert!(found.ends_with(&format!(" {OCI_INDEX}\n")), "{found}");
}

/// A credential helper that gives the password for one host, as `docker-credential-test get` is asked.
fn helper(scratch: &Scratch, body: &str) -> String {
    let file =
        scratch.file("bin/docker-credential-test", format!("#!/bin/sh\nread -r host\n{body}\n"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", scratch.path().join("bin").display(), ENVIRONMENT[1].1)
}

#[test]
fn a_credential_helper_is_asked_for_the_registry() {
    let scratch = Scratch::new();
    let registry = ImageRegistry::with_password(&scratch);
    copy(&registry, &layout(&scratch), "demo:many", &[PLAIN, "--dest-creds", LOGIN]);
    let (name, host) = (registry.name("demo:many"), registry.host());
    let file = scratch.path().join("elsewhere/config.json");
    let ask = |config: Value, path: &str| {
        scratch.file("elsewhere/config.json", config.to_string());
        let mut courier = digest(scratch.path(), &[&name]);
        courier.env("DOCKER_CONFIG", scratch.path().join("elsewhere")).env("PATH", path);
        courier
    };
    let path = helper(
        &scratch,
        &format!(
            "[ \"$1 $host\" = \"get {host}\" ] && echo '{{\"ServerURL\":\"x\",\"Username\":\"ada\",\"Secret\":\"pass\"}}'"
        ),
    );
    for config in [json!({ "credsStore": "test" }), json!({ "credHelpers": { &host: "test" } })] {
        let found = run(&mut ask(config, &path)).ok().stdout;
        assert!(found.ends_with(&format!(" {OCI_INDEX}\n")), "{found}");
    }
    let nothing = format!(
        "error: the credential helper that `{}` names for `{host}` gives nothing\n",
        file.display()
    );
    let hint = format!(
        "hint: see that the helper is in PATH, or `docker login {host}` anew\nnothing was written\n"
    );
    let path = helper(&scratch, "echo the store is locked >&2; exit 1");
    let locked = format!("{nothing}because the store is locked\n{hint}");
    refuses(&mut ask(json!({ "credsStore": "test" }), &path), 3, &locked);
    let gone = format!("{nothing}because Unable to communicate with credential helper\n{hint}");
    refuses(&mut ask(json!({ "credsStore": "gone" }), &path), 3, &gone);
    // To have none is no failure of the helper.
    let path = helper(&scratch, "echo credentials not found in native keychain; exit 1");
    let refused = run(&mut ask(json!({ "credsStore": "test" }), &path));
    assert!(refused.stderr.contains(": the server wants credentials\n"), "{}", refused.stderr);
    scratch.file("elsewhere/config.json", "{");
    let mut broken = digest(scratch.path(), &[&name]);
    refuses(
        broken.env("DOCKER_CONFIG", scratch.path().join("elsewhere")),
        2,
        &format!(
            "error: `{}` is no configuration of docker whose credentials can be read\n\
             hint: `docker login` writes it; `DOCKER_CONFIG` says where it is\nnothing was written\n",
            file.display()
        ),
    );
}

#[test]
fn a_registry_with_tls_is_believed_by_its_authority_alone() {
    let scratch = Scratch::new();
    let registry = ImageRegistry::with_tls(&scratch);
    copy(&registry, &layout(&scratch), "demo:many", &[PLAIN]);
    let name = registry.name("demo:many");
    let refused = run(&mut digest(scratch.path(), &[&name]));
    let first = refused.stderr.lines().next().unwrap();
    assert_eq!(
        first,
        format!("error: https://{}/v2/demo/manifests/many: no answer", registry.host())
    );
    assert_eq!(refused.code(), 3);
    let mut named = digest(scratch.path(), &[&name]);
    let found = run(named.arg("--ca").arg(registry.ca())).ok().stdout;
    assert!(found.ends_with(&format!(" {OCI_INDEX}\n")), "{found}");
    // Where a docker without root keeps it.
    let folder = scratch.folder(&format!(".config/docker/certs.d/{}", registry.host()));
    fs::copy(registry.ca(), folder.join("ca.crt")).unwrap();
    assert_eq!(run(&mut digest(scratch.path(), &[&name])).ok().stdout, found);
}

#[test]
fn what_is_not_there_is_told() {
    let scratch = Scratch::new();
    let registry = ImageRegistry::open(&scratch);
    let name = registry.name("demo:1");
    refuses(
        &mut digest(scratch.path(), &[&name]),
        3,
        &format!(
            "error: the registry has no image `{name}`\n\
             hint: push it first, or correct its name or tag\nnothing was written\n"
        ),
    );
    let layout = layout(&scratch);
    refuses(
        &mut digest(scratch.path(), &[&name, "--layout", &layout]),
        2,
        &format!(
            "error: `{layout}` holds no image under the tag `1`\n\
             hint: `index.json` of the layout says which tags it has\nnothing was written\n"
        ),
    );
    refuses(
        &mut digest(scratch.path(), &[&name, "--layout", "nowhere"]),
        2,
        "error: `nowhere` is no whole OCI image layout\n\
         hint: name the folder that `index.json` and `blobs` lie in\nnothing was written\n",
    );
    refuses(
        &mut digest(scratch.path(), &["Demo:1"]),
        2,
        "error: `Demo:1` is no name of an image\nbecause invalid reference format\n\
         hint: name it as `REGISTRY/REPOSITORY:TAG`\nnothing was written\n",
    );
}

#[test]
fn a_layout_whose_documents_were_changed_is_refused() {
    let scratch = Scratch::new();
    let layout = layout(&scratch);
    let blobs = scratch.path().join("layout/blobs/sha256");
    let mut changed = Vec::new();
    for blob in fs::read_dir(&blobs).unwrap() {
        let path = blob.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if text.contains("\"manifests\"") {
            let other = text.replace("linux", "plan9");
            fs::write(&path, &other).unwrap();
            changed.push((path.display().to_string(), Digest::of(other.as_bytes())));
        }
    }
    let [(path, found)] = &changed[..] else { panic!("{changed:?}") };
    refuses(
        &mut digest(scratch.path(), &["localhost/demo:many", "--layout", &layout]),
        1,
        &format!(
            "error: `{path}` came as another document, of SHA-256 {found}\n\
             hint: somebody changed it, or it was not copied whole: find out which\nnothing was written\n"
        ),
    );
}

/// A manifest that says no more than it must.
fn small() -> String {
    let digest = "0".repeat(64);
    let config = json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "size": 1,
        "digest": format!("sha256:{digest}") });
    json!({ "schemaVersion": 2, "config": config, "layers": [] }).to_string()
}

#[test]
fn no_header_and_no_size_of_a_registry_is_believed() {
    let scratch = Scratch::new();
    let fake = Fake::new(|asked, stream| match asked.file() {
        "lying" => {
            let head = format!(
                "Docker-Content-Digest: sha256:{}\r\nContent-Type: x/y\r\n",
                "0".repeat(64)
            );
            reply(stream, "200 OK", &head, &small());
        }
        "large" => reply(stream, "200 OK", "", &" ".repeat((4 << 20) + 1)),
        "page" => reply(stream, "200 OK", "", "<html>"),
        "both" => reply(
            stream,
            "200 OK",
            "",
            &small().replace("\"layers\"", "\"manifests\":[],\"layers\""),
        ),
        _ => reply(stream, "200 OK", "", &small()),
    });
    let host = fake.url.strip_prefix("http://").unwrap();
    let found = run(&mut digest(scratch.path(), &[&format!("{host}/demo:lying")])).ok().stdout;
    let own = Digest::of(small().as_bytes());
    assert_eq!(found, format!("{host}/demo@sha256:{own} {} {OCI_MANIFEST}\n", small().len()));
    let end = "nothing was written\n";
    let other = format!("{host}/demo@sha256:{}", "1".repeat(64));
    for (name, code, words) in [
        (
            format!("{host}/demo:large"),
            3,
            format!(
                "error: {}/v2/demo/manifests/large: the answer is larger than 4194304 bytes\n\
                 hint: no repository has such a file: ask who runs the server\n",
                fake.url
            ),
        ),
        (
            format!("{host}/demo:page"),
            1,
            format!(
                "error: what `{host}/demo:page` names can not be signed\n\
                 because it is no manifest and no index of schema 2\n\
                 hint: push it again, with a client of this decade\n"
            ),
        ),
        (
            format!("{host}/demo:both"),
            1,
            format!(
                "error: what `{host}/demo:both` names can not be signed\n\
                 because it is a manifest and an index at once\n\
                 hint: push it again, with a client of this decade\n"
            ),
        ),
        (
            other.clone(),
            1,
            format!(
                "error: `{other}` came as another document, of SHA-256 {own}\n\
                 hint: somebody changed it, or it was not copied whole: find out which\n"
            ),
        ),
    ] {
        refuses(&mut digest(scratch.path(), &[&name]), code, &format!("{words}{end}"));
    }
    let accepted = fake.asked()[0].header("accept").unwrap().to_owned();
    assert!(accepted.contains(OCI_INDEX) && accepted.contains(OCI_MANIFEST), "{accepted}");
}

#[test]
fn a_bearer_token_comes_for_a_password_or_for_an_identity_token_and_never_from_elsewhere() {
    let scratch = Scratch::new();
    let password = format!("Basic {}", BASE64.encode(LOGIN.as_bytes()));
    let fake = Fake::new(move |asked, stream| {
        let host = asked.header("host").unwrap().to_owned();
        let posted = asked.is("POST").then(|| asked.body(stream));
        let form = "grant_type=refresh_token&service=s&scope=repository%3Ademo%3Apull\
                    &client_id=officiant-courier&refresh_token=identity";
        match asked.header("authorization") {
            _ if posted.as_deref() == Some(form) => {
                reply(stream, "200 OK", "", r#"{"access_token":"T"}"#);
            }
            Some(given) if asked.file().starts_with("token?") && given == password => {
                reply(stream, "200 OK", "", r#"{"token":"T"}"#);
            }
            Some("Bearer T") => reply(stream, "200 OK", "", &small()),
            _ => {
                let realm = if asked.line.contains("/away/") { "localhost:1" } else { &host };
                let challenge = format!(
                    "WWW-Authenticate: Bearer realm=\"http://{realm}/token\",service=\"s\",\
                     scope=\"repository:demo:pull\"\r\n"
                );
                reply(stream, "401 Unauthorized", &challenge, "");
            }
        }
    });
    let host = fake.url.strip_prefix("http://").unwrap();
    for login in
        [json!({ "auth": BASE64.encode(LOGIN.as_bytes()) }), json!({ "identitytoken": "identity" })]
    {
        scratch.file(".docker/config.json", json!({ "auths": { host: login } }).to_string());
        let found = run(&mut digest(scratch.path(), &[&format!("{host}/demo:1")])).ok().stdout;
        assert!(found.ends_with(&format!(" {OCI_MANIFEST}\n")), "{found}");
        refuses(
            &mut digest(scratch.path(), &[&format!("{host}/away/demo:1")]),
            1,
            &format!(
                "error: {}/v2/away/demo/manifests/1: the server asks for the credentials at another host, `localhost`\n\
                 hint: if that is the token server of this one, let it have them by `--token-host localhost`\n\
                 nothing was written\n",
                fake.url
            ),
        );
    }
}
