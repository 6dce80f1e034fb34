//! What one ceremony writes the next one reads: there is one set of limits.

use std::{collections::BTreeMap, fs};

use officiant::{
    digest::Digest,
    root::Dialect,
    sums::{Predecessor, Sums},
};

use super::abandon::write_abandon;
use super::genesis::on_tokens;
use super::rotate::{after_genesis, renewal};
use super::{Bench, PlanText};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];

/// Puts other bytes into a file of the first ceremony's folder, and makes its sums anew.
fn replace(bench: &Bench, name: &str, bytes: &[u8]) {
    let folder = bench.trust(1).join("ceremonies/0001-genesis");
    fs::write(folder.join(name), bytes).unwrap();
    let path = folder.join("SHA256SUMS");
    let old = Sums::parse(&fs::read(&path).unwrap()).unwrap();
    let mut sums = Sums::default();
    for (file, digest) in old.files() {
        let digest = if file == name { Digest::of(bytes) } else { *digest };
        sums.insert(file, digest).unwrap();
    }
    assert_eq!(old.predecessor(), None::<&Predecessor>);
    fs::write(path, sums.to_text()).unwrap();
}

#[test]
fn a_large_file_in_the_trust_folder_is_read_by_whoever_comes_next() {
    let bench = after_genesis(Dialect::Tuf);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    // Larger than a request may be, and than any reader but the closing once took.
    replace(&bench, "report.html", &vec![b' '; 65 << 20]);
    let plan = bench.write_plan(&renewal(&bench));
    bench.officiant(&["check", plan.to_str().unwrap(), "--room", "room-2.toml"]).ok();
    let ran = bench.officiant(&["verify", "media/out-1a"]);
    let told = "error: `ceremonies/0001-genesis/report.html` is not the report that the record gives [TRUST-FOLDER]\n";
    assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    let ran = bench.officiant(&["token", "init", "officer-a", "--room", "room-2.toml"]);
    let told =
        "error: token `officer-a` is named by trust folder `media/out-1a/trust` [TOKEN-INIT]\n";
    assert!(bench.told(&ran).starts_with(told), "{}", ran.stderr);
}

#[test]
fn a_ceremony_that_follows_an_abandon_is_abandoned_and_that_is_resumed() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    for after in [None, Some(2)] {
        let after = after.map(|number| bench.closing(number));
        // Everybody enrols, and nobody says whether there is a second reader.
        bench.write_room(&TOKENS);
        bench.write_answers(&TOKENS, "\"second-reader\" = \"maybe\"\n");
        let text = PlanText { after: after.clone(), ..on_tokens() };
        let request = bench.write_request(&BTreeMap::new());
        bench.lay_plan(&bench.plan_toml(&text, request), &text.roles);
        let ran = bench.conduct();
        assert!(
            ran.stderr.contains("nobody said whether there is a second reader"),
            "{}",
            ran.stderr
        );
        bench.next_room();
        bench.write_room(&TOKENS);
        // Only one custodian is there at first.
        bench.write_answers(&["officer-a"], "");
        write_abandon(&bench, after.as_deref());
        let ran = bench.conduct();
        let told = "the answers have none for `pin officer-b`";
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
        bench.write_answers(&TOKENS, "");
        bench.resume().ok();
        bench.next_room();
    }
}
