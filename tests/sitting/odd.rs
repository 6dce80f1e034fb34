//! A fleet in which some repositories are not like the others: each is found and handled in its own named way. And a fleet
//! whose room dies in its middle.

use std::{collections::BTreeMap, fs};

use jiff::ToSpan;
use officiant::{
    digest::Digest,
    record::Body,
    root::{Dialect, Role, SignedRoot, Version, succession, succession::Change},
};

use super::bad_root::{certified_for, first, import, lay_adoption};
use super::bench::Chains;
use super::genesis::on_one_token;
use super::{Bench, Publisher};
use crate::harness::{command::flat, scratch::Scratch, shim::Shim, softhsm::MODULE};

const COUNT: usize = 300;
const TOKENS: [&str; 2] = ["officer-a", "officer-b"];
/// Named so that the plan has them in this order, before all others.
const BROKEN: &str = "localhost:5000/1-broken/app";
const CLIENT: &str = "localhost:5000/2-client/app";
const HOSTILE: &str = "localhost:5000/3-hostile/app";
const ALIKE: [&str; 2] = ["localhost:5000/4-alike/app", "localhost:5000/4-alikc/app"];

/// Names that nobody takes for one another.
fn names() -> Vec<String> {
    let name = |n: usize| {
        let digest = Digest::of(&n.to_be_bytes()).to_string();
        format!("localhost:5000/team-{}/{}", &digest[..6], &digest[6..14])
    };
    (0..COUNT).map(name).collect()
}

/// A second root that the keys of the first did not sign.
pub(crate) fn usurped(name: &str, before: &SignedRoot) -> Vec<u8> {
    let stranger = Publisher::new();
    let key = certified_for(name, &stranger, 7, (-1, 3000));
    let change = Change {
        version: Version::new(2).unwrap(),
        root_keys: vec![key.clone()],
        threshold: 1,
        roles: BTreeMap::new(),
        expires: before.root().expires().instant() - 24.hours(),
    };
    let root = succession::next(Dialect::Notary, Some(before.root()), &change).unwrap();
    let raw = stranger.raw(&root.signed_bytes());
    let signature = root.signature(key.id(), &stranger.public(), &raw).unwrap();
    SignedRoot::assemble(&root, &[signature]).bytes().to_vec()
}

/// Repositories of another tool, with one root key on `officer-a`: some of them odd.
fn odd_fleet() -> (Bench, Publisher, Chains) {
    let mut names = names();
    names.extend([BROKEN, CLIENT, HOSTILE, ALIKE[0], ALIKE[1]].map(str::to_owned));
    names.sort();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let bench = Bench::new(Dialect::Notary, &names);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let owner = Publisher::new();
    import(&bench, &owner);
    // Its snapshot key is none of the server's.
    let client = Bench::new(Dialect::Notary, &[CLIENT]);
    let hostile = Publisher::new();
    let chain = |name: &str| {
        let mut keys = vec![certified_for(name, &owner, 1, (-1, 3000))];
        if name == HOSTILE {
            keys.push(certified_for(name, &hostile, 2, (-1, 3000)));
        }
        let of = if name == CLIENT { &client } else { &bench };
        let root = first(of, &owner, keys, 900);
        let more = (name == BROKEN).then(|| usurped(name, &root));
        std::iter::once(root.bytes().to_vec()).chain(more).collect()
    };
    let chains = names.iter().map(|name| ((*name).to_owned(), chain(name))).collect();
    (bench, owner, chains)
}

#[test]
fn what_is_odd_in_a_fleet_is_found_and_handled_each_in_its_own_named_way() {
    let (mut bench, owner, chains) = odd_fleet();
    let request = bench.write_request(&chains);
    lay_adoption(&bench, &owner, (request, &chains), "");
    let told = format!(
        "`{BROKEN}`: root 2 does not follow root 1: 0 of the 1 old signatures it needs [REQUEST-CHAIN]"
    );
    let hint = "somebody put a root there that its keys did not sign: find out who, before anything is signed";
    bench.refuses(1, &told, hint);
    let mut exclude = String::new();
    let mut left_out = |bench: &mut Bench, name: &str, reason: &str| {
        bench.repositories.retain(|other| other != name);
        exclude += &format!("[[exclude]]\nname = \"{name}\"\nreason = \"{reason}\"\n");
        lay_adoption(bench, &owner, (request, &chains), &exclude);
    };
    left_out(&mut bench, BROKEN, "a stranger signed its root 2");
    let told = format!(
        "`{CLIENT}`: the snapshot key of root 1 is not the server's, and the plan keeps it [SNAPSHOT-CLIENT]"
    );
    let hint = "add a `[[role]]` for `snapshot` to the plan, with `keys = \"request\"`: then the server signs, and takes the root";
    bench.refuses(1, &told, hint);
    left_out(&mut bench, CLIENT, "its owner moves the snapshot key first");
    // A root key that nobody else has: it stands alone, and is typed by name.
    let wrong = format!("\"outlier {HOSTILE}\" = \"{}\"\n", ALIKE[0]);
    bench.write_answers(&TOKENS, &wrong);
    let refused = bench.conduct();
    let told = format!(
        "error: `{HOSTILE}` changes otherwise than the others, and was not typed by name [FLEET-OUTLIER]\n"
    );
    assert!(refused.stderr.contains(&told) && refused.code() == 1, "{}", refused.stderr);
    bench.write_answers(&TOKENS, "");
    let screen = flat(&bench.resume().ok().stderr);
    let at = |said: &str| screen.find(said).unwrap_or_else(|| panic!("{said}: {screen}"));
    // What is odd comes before what is not.
    let alike =
        at(&format!("look twice: `{}` and `{}` differ by one character", ALIKE[1], ALIKE[0]));
    let alone = at(&format!(" {HOSTILE}: The version goes"));
    // They were made at different seconds, which is no difference.
    let others = at(&format!(" {} repositories: {}, {}, ", COUNT + 2, ALIKE[1], ALIKE[0]));
    assert!(alike < alone && alone < others, "{screen}");
    assert!(screen.contains(&format!("{HOSTILE} stands alone: type its name in full")));
    let shape = |name: &str, version: u64| bench.shape(name, version);
    for name in bench.repositories.iter().step_by(COUNT / 7).chain([&HOSTILE.to_owned()]) {
        assert_eq!(shape(name, 2), "1 of root-new, signed by root-old root-new", "{name}");
    }
    let folders = fs::read_dir(bench.trust(1).join("metadata")).unwrap().count();
    assert_eq!(folders, COUNT + 3, "those that are left out have no folder");
    for name in [BROKEN, CLIENT] {
        let left_out = format!("`{name}` was left out: ");
        assert!(bench.remarks().iter().any(|said| said.starts_with(&left_out)));
    }
    bench.officiant(&["verify", "media/out-1a/trust"]).ok();
}

#[test]
fn a_fleet_whose_room_dies_in_the_middle_of_signing_goes_on_with_what_is_missing() {
    let names = names();
    let bench = Bench::new(Dialect::Notary, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "one", MODULE, &[]);
    bench.write_room_with(&["officer-a"], &shim.module().display().to_string());
    bench.write_answers(&["officer-a"], "");
    bench.write_plan(&on_one_token());
    // Of both kinds of signatures some are recorded then.
    for (call, kind) in [(COUNT / 2, "certified"), (COUNT / 2 * 3, "signed")] {
        // A little slow, so that pieces are small; cryptoki asks for the length first.
        let dies = format!("C_Sign {} before kill both", 2 * call);
        shim.rules(MODULE, &["C_Sign every before work 1", &dies]);
        let ran = if kind == "certified" { bench.conduct() } else { bench.resume() };
        assert!(ran.signal().is_some(), "{}", ran.stderr);
        let recorded = recorded(&bench);
        assert!(recorded.get(kind).is_some_and(|many| *many > 0), "{recorded:?}");
        assert!(recorded[kind] < COUNT, "{recorded:?}");
    }
    let before = recorded(&bench);
    shim.rules(MODULE, &[]);
    bench.resume().ok();
    let after = recorded(&bench);
    assert_eq!((after["certified"], after["signed"]), (COUNT, COUNT));
    // What was recorded is not signed again; no key was made anew; beside the roots there is nothing to sign.
    let missing = COUNT - before["signed"];
    assert_eq!(shim.counts()["C_SignInit"], missing, "{before:?}");
    bench.officiant(&["verify", "media/out-1a/trust"]).ok();
    assert_eq!(bench.root(&names[0], 1).root().role(Role::Root).unwrap().threshold, 1);
}

/// How many certificates and signatures the record of the bench has, by kind; each repository comes once.
fn recorded(bench: &Bench) -> BTreeMap<&'static str, usize> {
    use officiant::ceremony::fact::Fact;
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in bench.record().wholes().map(Result::unwrap) {
        match entry.body {
            Body::Done { fact: Fact::Certified { certificates, .. } } => found
                .entry("certified")
                .or_default()
                .extend(certificates.into_iter().map(|made| made.repository)),
            Body::Done { fact: Fact::Signed { signatures, .. } } => found
                .entry("signed")
                .or_default()
                .extend(signatures.into_iter().map(|made| made.repository)),
            _ => {}
        }
    }
    for names in found.values_mut() {
        let many = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), many, "one was recorded twice");
    }
    found.into_iter().map(|(kind, names)| (kind, names.len())).collect()
}
