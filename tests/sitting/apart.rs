//! Custodians at different sites sign one candidate, each on a machine of their own; the room takes up what they signed.

use std::fs;
use std::path::Path;

use data_encoding::BASE64;
use officiant::root::{Dialect, Role, SignedRoot};

use super::abandon::write_abandon;
use super::genesis::on_tokens;
use super::officer::Officer;
use super::{Bench, PlanText, Publisher};
use crate::harness::command::flat;
use crate::harness::{
    command::{Ran, command, run},
    pty::Ended,
    scratch::Scratch,
    softhsm::MODULE,
};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const NAME: &str = "localhost:5000/one";

/// A machine at another site: one token, a copy of the trust folder, and no way to the room but media.
struct Site {
    token: &'static str,
    scratch: Scratch,
}

impl Site {
    /// The custodian leaves with the token and a copy of the trust folder.
    fn of(bench: &Bench, token: &'static str) -> Self {
        let scratch = Scratch::new();
        copy(&bench.trust(1), &scratch.path().join("trust"));
        scratch.folder("tokens");
        copy(&bench.path(&format!("tokens/{token}")), &scratch.path().join("tokens").join(token));
        // The configuration names the folder where the token was.
        fs::remove_file(scratch.path().join(format!("tokens/{token}/softhsm2.conf"))).unwrap();
        let room = format!(
            "work = \"work\"\n[media]\nin = [\"in\"]\nout = [\"out-a\", \"out-b\"]\n\
             room = [\"room-1\", \"room-2\"]\n[[module]]\nname = \"soft\"\npath = \"{MODULE}\"\n\
             [[token]]\nname = \"{token}\"\nmodule = \"soft\"\nsofthsm = \"tokens/{token}\"\n"
        );
        scratch.file("room.toml", room);
        Self { token, scratch }
    }

    /// Signs a candidate that was carried here, and reads its words from the room's page.
    fn sign(&self, bench: &Bench, candidate: &Path, out: &str) -> Ended {
        let mut command = command(Path::new(env!("CARGO_BIN_EXE_officiant")), self.scratch.path());
        command.arg("sign").arg(candidate).arg(self.token);
        command.args(["--previous", "trust", "--room", "room.toml", "--out", out]);
        let mut officer = Officer::before(bench);
        officer.candidate = candidate.to_owned();
        officer.sit(&command)
    }
}

fn copy(from: &Path, to: &Path) {
    run(command("cp", from.parent().unwrap()).arg("-a").arg(from).arg(to)).ok();
}

/// A room after a genesis 2 of 3.
fn after_genesis() -> Bench {
    let mut bench = Bench::new(Dialect::Notary, &[NAME]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_tokens());
    bench.conduct().ok();
    bench.next_room();
    bench
}

/// Writes a plan that gives the repository other targets.
fn write_rotation(bench: &mut Bench, title: &str) {
    bench.online.insert(Role::Targets, Publisher::new());
    bench.write_room(&TOKENS);
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        extra: format!("# {title}\n"),
        ..on_tokens()
    });
}

/// The candidate of the plan at hand, once the room has exported it and stopped before the signatures.
fn candidate(bench: &Bench) -> std::path::PathBuf {
    candidate_with(bench, "")
}

/// The same with other answers.
fn candidate_with(bench: &Bench, more: &str) -> std::path::PathBuf {
    bench.write_answers(&TOKENS, &format!("\"consent officer-a\" = \"not yet\"\n{more}"));
    let stopped = bench.conduct();
    assert!(stopped.stderr.contains("[CONSENT-CUSTODIAN]"), "{}", stopped.stderr);
    Officer::before(bench).candidate
}

fn merge(bench: &Bench, folders: &[&Path], out: &str) -> Ran {
    let mut merge = bench.command(&["merge"]);
    merge.args(folders).args(["--previous", "media/out-1a/trust", "--out", out]);
    run(&mut merge)
}

fn root(folder: &Path) -> Vec<u8> {
    let line = fs::read(folder.join(CANDIDATES)).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
    BASE64.decode(line["root"].as_str().unwrap().as_bytes()).unwrap()
}

/// Writes other bytes in the place of the only candidate of a folder.
fn exchange(folder: &Path, bytes: &[u8]) {
    let place = folder.join(CANDIDATES);
    let line = fs::read_to_string(&place).unwrap();
    let line = line.replace(&BASE64.encode(&root(folder)), &BASE64.encode(bytes));
    fs::write(place, line).unwrap();
}

const CANDIDATES: &str = "candidates.jsonl";

#[test]
fn three_sites_sign_one_candidate_and_every_order_of_joining_gives_the_same_root() {
    let mut bench = after_genesis();
    let sites = TOKENS.map(|token| Site::of(&bench, token));
    write_rotation(&mut bench, "one");
    // Two are present at the beginning, and then their custodians leave; one was never here.
    fs::remove_dir_all(bench.path("tokens/officer-c")).unwrap();
    let candidate = candidate_with(&bench, "\"insert officer-c\" = \"elsewhere\"\n");
    let signed = sites.each_ref().map(|site| {
        let ended = site.sign(&bench, &candidate, "signed");
        let told = flat(&ended.transcript);
        assert!(ended.status.success(), "{told}");
        for said in [
            "key root-",
            "old keys: 1 signed, 2 needed; new keys: 1 signed, 2 needed",
            "1 root, 1 not complete",
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
        site.scratch.path().join("signed")
    });
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut all = Vec::new();
    for (number, order) in orders.into_iter().enumerate() {
        let folders = order.map(|at| signed[at].as_path());
        let out = format!("joined-{number}");
        let told = merge(&bench, &folders, &out).ok().stdout;
        assert!(
            told.contains("old keys: 3 signed, 2 needed; new keys: 3 signed, 2 needed"),
            "{told}"
        );
        assert!(told.contains("1 root, 0 not complete. Every root is complete."), "{told}");
        all.push(root(&bench.path(&out)));
    }
    // By two and two, and twice the same, it is no other.
    merge(&bench, &[&signed[2], &signed[0]], "two").ok();
    merge(&bench, &[&bench.path("two"), &signed[1], &signed[0]], "joined-6").ok();
    all.push(root(&bench.path("joined-6")));
    all.dedup();
    assert_eq!(all.len(), 1);
    // Who mistypes the folder is asked again, and then told where the room stands.
    bench.write_answers(&TOKENS, "\"insert officer-a\" = \"signed nowhere\"\n");
    let stopped = bench.resume();
    assert_eq!(stopped.stderr.matches("`nowhere` is missing").count(), 3, "{}", stopped.stderr);
    assert!(stopped.stderr.ends_with("`resume` goes on at step 11\n"), "{}", stopped.stderr);
    // The room goes on with what was brought, and ends with that very root.
    let joined = bench.path("joined-0");
    let answers: String = TOKENS
        .iter()
        .map(|token| format!("\"insert {token}\" = \"signed {}\"\n", joined.display()))
        .collect();
    bench.write_answers(&TOKENS, &answers);
    let resumed = bench.resume().ok();
    assert!(!resumed.stderr.contains("PIN for"), "{}", resumed.stderr);
    let name = NAME.parse::<officiant::name::Name>().unwrap().folder();
    let published = bench.trust(2).join(format!("metadata/{name}/2.root.json"));
    assert_eq!(fs::read(published).unwrap(), all[0]);
    let report = fs::read_to_string(bench.trust(2).join("ceremonies/0002-rotate/report.html"));
    let apart = "signed at another site: that its custodian read the change there and consented stands in no record";
    assert_eq!(report.unwrap().matches(apart).count(), 3);
    assert_eq!(bench.shape(NAME, 2), "2 of root-a root-b root-c, signed by root-a root-b root-c");
    bench.officiant(&["verify", "media/out-2a"]).ok();
}

#[test]
fn a_site_and_its_token_sign_one_candidate_of_a_version_and_no_other() {
    let mut bench = after_genesis();
    let (b, c) = (Site::of(&bench, "officer-b"), Site::of(&bench, "officer-c"));
    let saved = bench.save();
    write_rotation(&mut bench, "one");
    let one = b.scratch.path().join("one");
    copy(&candidate(&bench), &one);
    assert!(b.sign(&bench, &one, "signed").status.success());
    // The same once more: the token signs what it meant to sign.
    assert!(b.sign(&bench, &one, "again").status.success());
    // Somebody shows the other site another candidate of that version.
    bench.restore(&saved);
    write_rotation(&mut bench, "two");
    let two = c.scratch.path().join("two");
    copy(&candidate(&bench), &two);
    assert!(c.sign(&bench, &two, "signed").status.success());
    let (of_one, of_two) = (b.scratch.path().join("signed"), c.scratch.path().join("signed"));
    let refused = |ran: Ran, what: &str| {
        assert!(ran.stderr.contains(what) && ran.code() == 1, "{what}: {}", ran.stderr);
    };
    let what =
        format!("`{NAME}`: version 2 is one thing here and another there [ROOT-EQUIVOCATION]\n");
    refused(merge(&bench, &[&of_one, &of_two], "joined"), &what);
    let ended = b.sign(&bench, &two, "other");
    let what =
        "token `officer-b` was to sign something else after this ceremony [ROOT-EQUIVOCATION]";
    assert!(ended.transcript.contains(what), "{ended:?}");
    assert_eq!(ended.status.code(), Some(1));
    // The room takes neither the folder of the other candidate, nor the token that signed it.
    bench.write_answers(
        &TOKENS,
        &format!("\"insert officer-b\" = \"signed {}\"\n", of_one.display()),
    );
    let what = format!(
        "`{}` holds another candidate than this room [ROOT-EQUIVOCATION]\n",
        of_one.display()
    );
    refused(bench.resume(), &what);
    fs::remove_dir_all(bench.path("tokens/officer-b")).unwrap();
    copy(&b.scratch.path().join("tokens/officer-b"), &bench.path("tokens/officer-b"));
    fs::remove_file(bench.path("tokens/officer-b/softhsm2.conf")).unwrap();
    bench.write_answers(&TOKENS, "");
    refused(
        bench.resume(),
        "token `officer-b` was to sign something else in this ceremony [ROOT-EQUIVOCATION]\n",
    );
}

#[test]
fn a_signature_over_other_bytes_or_by_a_stranger_is_refused_by_name() {
    let mut bench = after_genesis();
    let site = Site::of(&bench, "officer-a");
    write_rotation(&mut bench, "one");
    let candidate = candidate(&bench);
    assert!(site.sign(&bench, &candidate, "signed").status.success());
    let signed = site.scratch.path().join("signed");
    let file = SignedRoot::parse(Dialect::Notary, &root(&signed)).unwrap();
    let text = String::from_utf8(file.bytes().to_vec()).unwrap();
    let name = NAME.parse::<officiant::name::Name>().unwrap().folder();
    let id = file.signatures()[0].key.to_string();
    let refused = |text: String, what: &str| {
        exchange(&signed, text.as_bytes());
        let ran = merge(&bench, &[&signed], "joined");
        let what = format!("`{}`: `{NAME}`: {what}\n", signed.display());
        assert!(ran.stderr.contains(&what) && ran.code() == 1, "{what}: {}", ran.stderr);
    };
    // Where it stands among the signatures, not where the root lists the key.
    let at = text.find("\"signatures\"").unwrap();
    let (before, after) = text.split_at(at);
    let stranger = "0".repeat(64);
    refused(
        format!("{before}{}", after.replace(&id, &stranger)),
        &format!("signed by a stranger, key {stranger} [ROOT-KEYS]"),
    );
    let first = fs::read(bench.trust(1).join(format!("metadata/{name}/1.root.json"))).unwrap();
    let old = SignedRoot::parse(Dialect::Notary, &first).unwrap();
    let other = old.signatures().iter().find(|other| other.key == file.signatures()[0].key);
    let other = BASE64.encode(&other.unwrap().bytes);
    let mine = BASE64.encode(&file.signatures()[0].bytes);
    refused(
        format!("{before}{}", after.replace(&mine, &other)),
        &format!("key {id} signed other bytes than these [SIGNATURE-GOOD]"),
    );
    exchange(&signed, text.as_bytes());
    merge(&bench, &[&signed], "joined").ok();
}

#[test]
fn a_token_that_signed_apart_never_signs_that_version_otherwise_though_the_room_abandoned_it() {
    let mut bench = after_genesis();
    let (site, after) = (Site::of(&bench, "officer-b"), bench.closing(1));
    write_rotation(&mut bench, "one");
    let candidate = candidate(&bench);
    assert!(site.sign(&bench, &candidate, "signed").status.success());
    // Nobody in the room knows that the custodian signed.
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, Some(&after));
    let ran = bench.conduct().ok();
    let remark = format!(
        "`{NAME}`: version 2 was drafted and may have been signed at another site: a token that did signs no other version 2"
    );
    assert!(flat(&ran.stderr).contains(&remark), "{}", ran.stderr);
    fs::remove_dir_all(bench.path("tokens/officer-b")).unwrap();
    copy(&site.scratch.path().join("tokens/officer-b"), &bench.path("tokens/officer-b"));
    fs::remove_file(bench.path("tokens/officer-b/softhsm2.conf")).unwrap();
    bench.next_room();
    bench.online.insert(Role::Targets, Publisher::new());
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(3)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..on_tokens()
    });
    let refused = bench.conduct();
    let what = format!(
        "error: token `officer-b` was to sign something else as version 2 of `{NAME}`, in a ceremony that was abandoned [ROOT-EQUIVOCATION]\n"
    );
    assert!(refused.stderr.contains(&what) && refused.code() == 1, "{}", refused.stderr);
    // The others go on without it.
    bench.write_answers(&TOKENS, "\"insert officer-b\" = \"absent it signed elsewhere\"\n");
    bench.resume().ok();
    assert_eq!(bench.shape(NAME, 2), "2 of root-a root-b root-c, signed by root-a root-c");
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_anybody_is_asked() {
    let bench = after_genesis();
    let refused = |args: &[&str], what: &str, hint: &str| {
        let ran = bench.officiant(args);
        let told =
            format!("error: {what}\nhint: {hint}\nnothing was signed and nothing was written\n");
        assert_eq!((ran.stderr.as_str(), ran.code()), (told.as_str(), 2));
    };
    let (trust, room) = ("media/out-1a/trust", "room-1.toml");
    let hint = "give the name that the folder gets, in one that is there";
    for out in ["media", "nowhere/signed"] {
        let what = format!("`{out}` names no new folder");
        let sign = ["sign", trust, "officer-a", "--previous", trust, "--room", room, "--out", out];
        refused(&sign, &what, hint);
        refused(&["merge", trust, "--previous", trust, "--out", out], &what, hint);
    }
    let merge = ["merge", trust, "--previous", trust, "--out", "joined"];
    let ran = bench.officiant(&merge);
    let told = format!(
        "error: `{trust}`: no `plan.toml` is in it: it is no candidate [SECOND-READER]\n\
         hint: name the folder `candidate-…` that the room exported\n"
    );
    assert!(ran.stderr.starts_with(&told) && ran.code() == 1, "{}", ran.stderr);
    let drill = ["drill", trust, "officer-a", "--room", room, "--out", "nowhere"];
    refused(&drill, "`nowhere` is no folder", "name one that is there in `--out`");
}
