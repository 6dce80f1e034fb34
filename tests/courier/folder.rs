//! Trust folders as the last ceremony would have closed them, around roots that keys in memory signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use officiant::digest::Digest;
use officiant::name::Name;
use officiant::record::{Body, Mode, Record, Tool};
use officiant::root::Role;
use officiant::sums::Sums;
use officiant::trust::Custody;

use super::version;

/// Adds roots to the trust folder in `home`, closes it anew around all that it holds, and returns its path.
pub(crate) fn trust(home: &Path, roots: &[(&str, &[u8])]) -> PathBuf {
    let trust = home.join("trust");
    for (name, bytes) in roots {
        let name: Name = name.parse().unwrap();
        let path = trust.join(format!("metadata/{}/{}.root.json", name.folder(), version(bytes)));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let names: Vec<&str> = roots.iter().map(|(name, _)| *name).collect();
    close(&trust, &names, Mode::Practice);
    trust
}

/// Closes a trust folder around its roots as one ceremony would; `long` are names that no folder spells.
pub(super) fn close(trust: &Path, long: &[&str], mode: Mode) {
    let mut vouched = BTreeMap::from([("custody.json".to_owned(), Custody::default().to_bytes())]);
    let mut names: BTreeSet<String> = long.iter().map(|name| (*name).to_owned()).collect();
    let mut dialect = "notary";
    for folder in fs::read_dir(trust.join("metadata")).unwrap().map(|entry| entry.unwrap()) {
        let folder_name = folder.file_name().into_string().unwrap();
        let name = Name::from_folder(&folder_name).ok().flatten();
        names.extend(name.map(|name| name.to_string()));
        for file in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()) {
            let file_name = file.file_name().into_string().unwrap();
            let bytes = fs::read(file.path()).unwrap();
            if String::from_utf8_lossy(&bytes).contains("\"_type\":\"root\"") {
                dialect = "tuf";
            }
            vouched.insert(format!("metadata/{folder_name}/{file_name}"), bytes);
        }
    }
    let certificates = if dialect == "notary" { "certificates_until = 2036-01-01\n" } else { "" };
    let mut plan = format!(
        "ceremony = \"genesis\"\ntitle = \"t\"\ndialect = \"{dialect}\"\nquorum_people = 1\n\
         [when]\nfrom = 2026-01-01\nuntil = 2027-01-01\n[request]\nsha256 = \"{}\"\n\
         [[token]]\nname = \"officer-a\"\ncustodian = \"seat A\"\n\
         [[key]]\nname = \"root-a\"\nalgorithm = \"ecdsa-p256\"\ntoken = \"officer-a\"\n\
         [root]\nkeys = [\"root-a\"]\nthreshold = 1\nexpires = 2031-01-01\n{certificates}",
        Digest::of(b"")
    );
    for role in Role::ONLINE {
        let _ = write!(plan, "[[role]]\nname = \"{role}\"\nkeys = \"request\"\nthreshold = 1\n");
    }
    for name in &names {
        let _ = write!(plan, "[[repository]]\nname = \"{name}\"\n");
    }
    let mut record = Record::default();
    let tool = Tool { version: "0".to_owned(), sha256: Digest::of(b"") };
    let (plan_digest, inputs) = (Digest::of(plan.as_bytes()), Digest::of(b""));
    let opened = Body::Opened { tool, plan: plan_digest, after: None, inputs, mode };
    record.append("2026-11-22T14:00:00Z".parse().unwrap(), 0, opened).unwrap();
    let sums = Sums::of(&vouched).unwrap().to_text();
    let mut files = BTreeMap::from([
        ("plan.toml".to_owned(), plan.into_bytes()),
        ("record.jsonl".to_owned(), record.file().read().unwrap()),
        ("TRUST-SHA256SUMS".to_owned(), sums.into_bytes()),
    ]);
    files.insert("SHA256SUMS".to_owned(), Sums::of(&files).unwrap().to_text().into_bytes());
    let ceremony = trust.join("ceremonies/0001-genesis");
    fs::create_dir_all(&ceremony).unwrap();
    for (name, bytes) in files {
        fs::write(ceremony.join(name), bytes).unwrap();
    }
    fs::write(trust.join("custody.json"), Custody::default().to_bytes()).unwrap();
}
