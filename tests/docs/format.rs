//! docs/format.md says what every form is; its vectors are made again here, through the library alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use officiant::ceremony::draft::{Consent, Draft};
use officiant::ceremony::fact::{Fact, Watch};
use officiant::ceremony::plan::{Plan, PlannedRetire};
use officiant::digest::Digest;
use officiant::key::{AgeKey, Algorithm, KemKey, PublicKey};
use officiant::list::List;
use officiant::name::Name;
use officiant::record::{Body, Mode, Record, Tool};
use officiant::request::proof::{Claim, Proof};
use officiant::request::{Repository, Request};
use officiant::room::binding::Binding;
use officiant::root::certificate::{Subject, Tbs};
use officiant::root::{Dialect, Role, SignedRoot};
use officiant::seal::{self, SealKey};
use officiant::secret::{Identity, Passphrase, Secret, SecretBytes};
use officiant::share::paper::PaperShare;
use officiant::share::{Commitment, Quorum, Set, ShareIndex};
use officiant::sums::{Predecessor, Sums};
use officiant::trust::{
    Custody, CustodyKey, CustodyPaper, CustodyRecipient, CustodyShare, CustodyToken, Held,
};

use super::top;

/// Where the vectors lie.
fn folder() -> PathBuf {
    top().join("tests/vectors/format")
}

/// A vector.
fn vector(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A vector that is text.
fn text(name: &str) -> String {
    String::from_utf8(vector(name)).expect(name)
}

/// Compares bytes made now with a vector.
#[track_caller]
fn same(name: &str, made: impl AsRef<[u8]>) {
    let (made, expected) = (made.as_ref(), vector(name));
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(made == expected, "{name}\n{}\n{}", shown(made), shown(&expected));
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.trim().as_bytes()).expect("hex")
}

/// The Ed25519 key whose seed is 32 times this byte.
fn pair(byte: u8) -> (Ed25519KeyPair, PublicKey) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[byte; 32]).expect("a seed");
    let public = PublicKey::from_ed25519(pair.public_key().as_ref()).expect("a key");
    (pair, public)
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

#[test]
fn a_digest_is_hex_in_groups_and_words() {
    let mut made = String::new();
    for bytes in [&b""[..], b"abc", b"officiant\n"] {
        let digest = Digest::of(bytes);
        let words = digest.words().join(" ");
        let _ =
            writeln!(made, "{}\n{digest}\n{}\n{words}\n", HEXLOWER.encode(bytes), digest.grouped());
    }
    same("digest.txt", made);
}

#[test]
fn a_digest_of_parts_has_a_domain_and_lengths() {
    let id = hex("000102030405060708090a0b0c0d0e0f");
    let key = pair(1).1;
    let plan = Digest::of(b"plan");
    let rows: [(&str, Vec<Vec<u8>>); 9] = [
        ("officiant share v1", vec![vec![7; 176]]),
        ("officiant share checksum v1", vec![vec![7; 168]]),
        ("officiant share check v1", vec![b"ed25519".to_vec(), key.der().to_vec(), id.clone()]),
        (
            "officiant token identity v1",
            vec![HEXLOWER.encode(&id).into(), b"19042155".to_vec(), b"officer-a".to_vec()],
        ),
        ("officiant transport pin v1", vec![plan.as_bytes().to_vec(), b"officer-a".to_vec()]),
        ("officiant inputs v1", vec![b"plan.toml".to_vec(), b"plan".to_vec()]),
        ("officiant paper checksum v1", vec![vec![7; 416]]),
        ("officiant paper mark v1", vec![vec![7; 424]]),
        ("officiant paper line v1", vec![vec![7], vec![b'A'; 30]]),
    ];
    let mut made = String::new();
    for (domain, parts) in rows {
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let _ = writeln!(made, "{domain}");
        for part in &parts {
            let _ = writeln!(made, "{}", HEXLOWER.encode(part));
        }
        let _ = writeln!(made, "= {}\n", Digest::of_parts(domain, &slices));
    }
    same("parts.txt", made);
}

#[test]
fn a_name_has_one_folder() {
    let long = format!("registry.example/{}", "x".repeat(150));
    let names = [
        "demo",
        "localhost:5000/team/app",
        "Registry.Example/App",
        "con.txt",
        ".hidden.",
        "caf\u{e9}",
        &long,
    ];
    let mut made = String::new();
    for name in names {
        let name: Name = name.parse().expect("a name");
        let _ = writeln!(made, "{name}\n{}\n", name.folder());
    }
    same("names.txt", made);
}

#[test]
fn a_list_is_read_and_written_back() {
    let list = List::parse(&vector("repositories.txt")).expect("a list");
    assert_eq!(list.0.len(), 3);
    assert_eq!(list.to_string(), text("repositories.txt"));
}

#[test]
fn a_plan_with_every_field_is_read() {
    let list = vector("repositories.txt");
    let plan = Plan::parse(&vector("plan.toml"), |name| {
        (name == "repositories.txt").then(|| list.clone())
    });
    let plan = plan.expect("a plan");
    assert_eq!(plan.list_digest(), Some(Digest::of(&list)));
    assert_eq!((plan.keys().count(), plan.repositories().len()), (2, 3));
    let inline = Plan::parse(&vector("plan-inline.toml"), |_| None).expect("a plan");
    assert_eq!(inline.repositories().len(), 1);
    Plan::parse(&vector("plan-abandon.toml"), |_| None).expect("a plan");
    Plan::parse(&vector("plan-drill.toml"), |_| None).expect("a plan");
    Plan::parse(&vector("plan-reshare.toml"), |_| None).expect("a plan");
    Plan::parse(&vector("plan-restore.toml"), |_| None).expect("a plan");
    let people = Plan::parse(&vector("plan-people.toml"), |_| None).expect("a plan");
    assert_eq!((people.people().count(), people.never_both().len()), (4, 1));
    let retire = Plan::parse(&vector("plan-retire.toml"), |_| None).expect("a plan");
    assert_eq!(retire.retire().map(PlannedRetire::hold), Some(45));
}

#[test]
fn a_room_with_every_field_is_read() {
    let room = Binding::parse(Path::new("/room/room.toml"), &vector("room.toml")).expect("a room");
    assert_eq!((room.modules.len(), room.tokens.len()), (4, 4));
    let needs = |at: usize| &room.modules[at].needs;
    assert_eq!((needs(0).sockets.len(), needs(1).writes.len()), (1, 2));
    assert_eq!(needs(1).environment.len(), 1);
    assert!(needs(2).parameters.is_some() && room.tokens[2].uri().is_some());
}

#[test]
fn a_request_is_its_files_and_its_digest() {
    let keys = |byte| vec![pair(byte).1];
    let keys = BTreeMap::from([
        (Role::Snapshot, keys(2)),
        (Role::Targets, keys(3)),
        (Role::Timestamp, keys(4)),
    ]);
    let name = "localhost:5000/team/app".parse().expect("a name");
    let request = Request {
        dialect: Dialect::Notary,
        fetched: at("2026-11-22T14:00:00Z"),
        server: "https://localhost:4443".to_owned(),
        repositories: BTreeMap::from([(
            name,
            Repository { roots: Vec::new(), keys, served: None },
        )]),
    };
    let files = request.files().expect("files");
    for (path, bytes) in &files {
        same(&format!("request/{path}"), bytes);
    }
    assert_eq!(Request::parse(&files).as_ref(), Ok(&request));
    let shown = fs::read_to_string(top().join("docs/format.md")).expect("a page");
    let digest = request.digest().expect("a digest").to_string();
    assert!(shown.contains(&digest), "docs/format.md says that the request is {digest}");
}

#[test]
fn a_proof_is_one_line_over_its_text() {
    let (pair, key) = pair(3);
    let repository = "localhost:5000/team/app".parse().expect("a name");
    let claim = Claim { plan: Digest::of(b"plan"), repository, role: Role::Targets };
    same("proof.txt", claim.text());
    let signature = pair.sign(claim.text().as_bytes()).as_ref().to_vec();
    let proof = Proof { claim: claim.clone(), key: key.id(), signature };
    same("proof.json", proof.to_line());
    assert_eq!(proof.verify(&claim, &key), Ok(()));
}

#[test]
fn sums_name_their_predecessor() {
    let files = BTreeMap::from([
        ("plan.toml".to_owned(), b"plan\n".to_vec()),
        ("record.jsonl".to_owned(), Vec::new()),
        ("request/metadata/demo/1.root.json".to_owned(), b"{}".to_vec()),
    ]);
    let before = Predecessor { folder: "0001-genesis".to_owned(), digest: Digest::of(b"") };
    let sums = Sums::of(&files).and_then(|sums| sums.after(before)).expect("sums");
    same("SHA256SUMS", sums.to_text());
}

#[test]
fn a_record_is_a_chain_of_lines() {
    let mut record = Record::default();
    let tool = Tool { version: "0.1.0".to_owned(), sha256: Digest::of(b"tool") };
    let (plan, inputs) = (Digest::of(b"plan"), Digest::of(b"inputs"));
    let watch = |who: &str| Watch {
        who: who.to_owned(),
        read: at("2026-12-01T09:00:00Z"),
        machine: at("2026-12-01T09:00:12Z"),
    };
    let bodies = [
        (0, Body::Opened { tool, plan, after: None, inputs, mode: Mode::Ceremony }),
        (1, Body::Done { fact: Fact::PlanConfirmed { wrong: 0 } }),
        (
            2,
            Body::Done {
                fact: Fact::ClockAttested { watches: vec![watch("operator"), watch("witness")] },
            },
        ),
        (4, Body::Checkpoint { part: "Opening".to_owned() }),
        (5, Body::Begun { subject: "officer-a".to_owned() }),
        (
            5,
            Body::Refused {
                check: Some(officiant::check::Check::TokenPin),
                exit: officiant::refusal::Exit::Refused,
            },
        ),
    ];
    for (step, body) in bodies {
        record.append(at("2026-12-01T09:00:00Z"), step, body).expect("an entry");
    }
    same("record.jsonl", record.file().read().unwrap());
    let shown = fs::read_to_string(top().join("docs/format.md")).expect("a page");
    assert!(
        shown.contains(&record.head().to_string()),
        "docs/format.md names the head {}",
        record.head()
    );
}

#[test]
fn every_fact_that_the_page_lists_is_read_and_none_is_missing() {
    let page = fs::read_to_string(top().join("docs/format.md")).expect("a page");
    let source = fs::read_to_string(top().join("src/ceremony/fact.rs")).expect("facts");
    let body = source.split("pub enum Fact {").nth(1).and_then(|rest| rest.split("\n}\n").next());
    let variants = body.expect("the facts").lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?.split([' ', ',']).next()?;
        name.starts_with(|c: char| c.is_ascii_uppercase()).then(|| kebab(name))
    });
    let mut count = 0;
    for name in variants {
        count += 1;
        assert!(
            page.contains(&format!("| `{name}` |")),
            "docs/format.md does not list the fact `{name}`"
        );
    }
    let listed = page.split("### Facts").nth(1).and_then(|rest| rest.split("\n## ").next());
    let listed = listed
        .expect("the list")
        .lines()
        .filter(|line| line.starts_with("| `") && !line.starts_with("| `is`"))
        .count();
    assert_eq!(listed, count);
}

fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

#[test]
fn custody_has_one_form() {
    let token = CustodyToken {
        name: "officer-1".to_owned(),
        custodian: "seat A".to_owned(),
        so_holder: Some("seat S".to_owned()),
        model: "SoftHSM v2".to_owned(),
        identity: Digest::of(b"identity"),
        attest: Some(pair(5).1),
        seal: None,
        kem: KemKey::from_bytes(&[0; 1184]).ok(),
    };
    let share = |index: u8| CustodyShare {
        index,
        holder: if index == 1 { "officer-1".to_owned() } else { "sheet-a".to_owned() },
        commitment: Digest::of(&[index]),
        sealed: Digest::of(&[index, index]),
        on_token: index == 1,
    };
    let shares = Held::Shares {
        set: "000102030405060708090a0b0c0d0e0f".to_owned(),
        threshold: 2,
        shares: vec![share(1), share(2)],
    };
    let key = |name: &str, byte, held| CustodyKey {
        name: name.to_owned(),
        algorithm: Algorithm::Ed25519,
        public: pair(byte).1,
        held,
        former: Vec::new(),
    };
    let paper = CustodyPaper { name: "sheet-a".to_owned(), custodian: "seat B".to_owned() };
    let age = AgeKey::try_from(text("age/recipient.txt").trim().to_owned()).expect("a key");
    let (name, custodian) = ("lawyer".to_owned(), "seat C".to_owned());
    let recipient = CustodyRecipient { name, custodian, age };
    let custody = Custody {
        tokens: vec![token],
        papers: vec![paper],
        recipients: vec![recipient],
        keys: vec![
            key("root-a", 6, Held::Token { token: "officer-1".to_owned() }),
            key("root-spare", 7, shares),
        ],
        ..Custody::default()
    };
    same("custody.json", custody.to_bytes());
}

#[test]
fn shares_are_admitted_and_give_the_key() {
    let set: Set = serde_json::from_slice(&vector("share/set.json")).expect("a set");
    let mut admitted = Vec::new();
    for index in ShareIndex::all(set.threshold.total()) {
        let encoded = hex(&text(&format!("share/{index}.hex")));
        assert_eq!((&encoded[..4], encoded.len()), (&b"OFSH"[..], 176));
        let encoded = SecretBytes::copy_of(&encoded);
        assert!(Commitment::of(&encoded) == set.commitments[usize::from(index.get()) - 1]);
        admitted.push(set.admit(index, &encoded).expect("an admitted share"));
    }
    let secret = hex(&text("share/secret.hex"));
    for pair in [[0, 1], [0, 2], [1, 2]] {
        let shares = pair.iter().map(|at| &admitted[*at]).collect();
        let recovered = Quorum::gather(&set, shares).and_then(|quorum| quorum.recover());
        assert_eq!(recovered.expect("the key").expose()[..], secret);
    }
}

#[test]
fn a_sealed_share_opens_by_the_agreement_of_its_token() {
    let private = PrivateKey::from_private_key(&ECDH_P256, &hex(&text("seal/private.hex")))
        .expect("a scalar");
    let point = private.compute_public_key().expect("a point");
    let to = PublicKey::from_ec_point(Algorithm::EcdsaP256, point.as_ref()).expect("a key");
    let to = SealKey::try_from(to).expect("a seal key");
    same("seal/recipient.txt", format!("{}\n", to.recipient()));
    let sealed = vector("seal/1.age");
    let peer = seal::asked(&sealed, &to).expect("a point").point;
    let agreed =
        agree(&private, UnparsedPublicKey::new(&ECDH_P256, peer), (), |x| Ok(Secret::copy_of(x)));
    let x = agreed.expect("an agreement").expect("32 bytes");
    let opened = seal::open(&sealed, &to, &seal::Agreed { x, kem: None });
    assert_eq!(opened.expect("the share").expose(), hex(&text("share/1.hex")));
}

#[test]
fn a_share_that_age_sealed_to_a_recipient_opens_by_its_identity() {
    let identity = SecretBytes::copy_of(&vector("age/identity.txt"));
    let identity = Identity::read(&identity).expect("an identity");
    let opened = seal::open_by_identity(&vector("age/1.age"), &identity).expect("the share");
    assert_eq!(opened.expose(), hex(&text("share/1.hex")));
}

#[test]
fn a_share_on_paper_is_codes_and_lines_and_opens_by_its_words() {
    let set: Set = serde_json::from_slice(&vector("share/set.json")).expect("a set");
    let sealed = vector("paper/1.age");
    let words = SecretBytes::copy_of(&vector("paper/passphrase.txt"));
    let words = Passphrase::typed(&words).expect("a passphrase");
    let opened = seal::open_by_passphrase(&sealed, &words).expect("the share");
    assert_eq!(opened.expose(), hex(&text("share/1.hex")));
    let share = PaperShare::of(&set, ShareIndex::new(1).expect("an index"), &sealed);
    let bytes = share.encode().expect("bytes");
    same("paper/1.hex", format!("{}\n", HEXLOWER.encode(&bytes)));
    same("paper/codes.txt", share.codes().expect("codes").join("\n") + "\n");
    let lines = share.lines().expect("lines").into_iter();
    let lines: String = lines.map(|l| format!("{} {} {}\n", l.number, l.groups, l.word)).collect();
    same("paper/lines.txt", &lines);
    assert_eq!(PaperShare::from_typed(&lines), Ok(share));
}

#[test]
fn a_certificate_is_the_same_bytes_for_the_same_subject() {
    let mut point = vec![4];
    point.extend(hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"));
    point.extend(hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"));
    let subject = Subject {
        name: "localhost:5000/team/app".to_owned(),
        serial: *b"0123456789abcdef",
        key: PublicKey::from_ec_point(Algorithm::EcdsaP256, &point).expect("the base point"),
        not_before: at("2026-11-30T00:00:00Z"),
        not_after: at("2033-11-30T00:00:00Z"),
    };
    let tbs = Tbs::new(&subject).expect("what is to be signed");
    same("certificate.tbs.hex", format!("{}\n", HEXLOWER.encode(tbs.bytes())));
}

#[test]
fn consent_is_one_digest_over_plan_room_and_roots() {
    let notary = |version: u64| {
        let path = top().join(format!("tests/vectors/notary/{version}.root.json"));
        SignedRoot::parse(Dialect::Notary, &fs::read(path).expect("a root")).expect("a root")
    };
    let tuf = fs::read(top().join("tests/vectors/tuf/1.root.json")).expect("a root");
    let tuf = SignedRoot::parse(Dialect::Tuf, &tuf).expect("a root");
    let draft = |repository: &str, chain: Vec<SignedRoot>, new: &SignedRoot| Draft {
        repository: repository.to_owned(),
        chain,
        candidate: SignedRoot::assemble(new.root(), &[]),
    };
    let drafts = [
        draft("localhost:5000/vector", vec![notary(1)], &notary(2)),
        draft("demo", Vec::new(), &tuf),
    ];
    let consent = Consent::new(Digest::of(b"plan"), Digest::of(b"room"));
    same("consent.txt", format!("{}\n", consent.over(&drafts)));
}
