//! What losses would leave, as `check` tells it of a plan and `custody` of the folders after it.

use std::fs;

use officiant::root::{Dialect, Role};
use serde_json::Value;

use super::bad_root::{adopting, certified, first};
use super::genesis::in_shares;
use super::{Bench, Holding, PlanText};
use crate::harness::command::flat;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "share-1"];
const PAPERS: [&str; 2] = ["sheet-a", "sheet-b"];

/// A genesis in which two of three keys sign: two on tokens, and one in shares over a token and two papers.
fn mixed() -> PlanText {
    PlanText {
        keys: vec![
            ("root-a", "ecdsa-p256", Holding::Token("officer-a")),
            ("root-b", "ecdsa-p256", Holding::Token("officer-b")),
            ("root-s", "ecdsa-p256", Holding::Papers(2, &["share-1"], &PAPERS)),
        ],
        root: vec!["root-a", "root-b", "root-s"],
        threshold: 2,
        ..in_shares()
    }
}

/// A room before that genesis, with the sites of tokens and papers in the plan.
fn before() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let mut plan = fs::read_to_string(bench.write_plan(&mixed())).unwrap();
    for (name, site) in [
        ("officer-a", "vault 1"),
        ("officer-b", "vault 2"),
        ("share-1", "vault 1"),
        ("sheet-a", "vault 2"),
        ("sheet-b", "vault 3"),
    ] {
        let seat = format!("custodian = \"seat of {name}\"\n");
        assert!(plan.contains(&seat), "{plan}");
        plan = plan.replace(&seat, &format!("{seat}site = \"{site}\"\n"));
    }
    bench.lay_plan(&plan, &Role::ONLINE);
    bench
}

/// Sign, rotate, restore and the keys that are gone, after a loss.
fn after(json: &Value, lost: &str) -> String {
    let losses = json["losses"].as_array().unwrap();
    let loss = losses.iter().find(|loss| loss["lost"] == lost);
    let loss = loss.unwrap_or_else(|| panic!("{lost}: {losses:?}"));
    let gone = loss["gone"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
    let able = ["sign", "rotate", "restore"].map(|what| loss[what].as_str().unwrap());
    format!("{}: {}", able.join(" "), gone.collect::<Vec<_>>().join(" "))
}

#[test]
fn a_plan_is_asked_about_losses_before_it_is_held_and_its_folders_after() {
    let bench = before();
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_str(&bench.officiant(arguments).ok().stdout).unwrap()
    };
    let checked = json(&["check", "plan-1.toml", "--json", "--lost", "seat of sheet-a", "vault 3"]);
    let plan = &checked["survival"];
    assert_eq!(after(plan, "what was named: seat of sheet-a + vault 3"), "edge nothing no: root-s");
    assert_eq!(after(plan, "site vault 1"), "edge nothing edge: root-a");
    assert_eq!(after(plan, "site vault 1 + site vault 2"), "no nothing no: root-a root-b root-s");
    bench.conduct().ok();
    let folder = ["custody", "media/out-1a", "--json"];
    let kept = json(&folder);
    assert_eq!(kept["schema"], "officiant-survival-1");
    assert_eq!(after(&kept, "site vault 1"), "edge edge edge: root-a");
    assert_eq!(after(&kept, "site vault 1 + site vault 2"), "no no no: root-a root-b root-s");
    assert_eq!(kept["fatal"]["sites"], plan["fatal"]["sites"]);
    assert_eq!(kept["copies"], Value::Array(Vec::new()));
    let remark = "3 tokens of model `SoftHSM v2`: one advisory on it ends signing, and whoever breaks it can sign.";
    assert_eq!(kept["remarks"], serde_json::json!([remark]));
    let text = bench.officiant(&["custody", "media/out-1a"]).ok().stdout;
    let flat = flat(&text);
    let least = "The least whose loss ends signing: 2 holders, 2 people or 2 sites.";
    assert!(flat.contains(least), "{text}");
    assert!(
        text.contains("\nsite vault 1                | edge | edge   | edge    | root-a\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn the_custody_folder_says_which_sealed_shares_lie_in_it() {
    let bench = before();
    bench.conduct().ok();
    let copies = || {
        let ran =
            bench.officiant(&["custody", "media/out-1a", "--custody", "media/room-1", "--json"]);
        let kept: Value = serde_json::from_str(&ran.ok().stdout).unwrap();
        kept["copies"].clone()
    };
    assert_eq!(
        copies(),
        serde_json::json!(["Key `root-s`: all of its 3 shares lie here, sealed."])
    );
    let custody = bench.path("media/room-1/custody");
    let mut folders = fs::read_dir(&custody).unwrap().map(|entry| entry.unwrap().path());
    let set = folders.find(|path| path.join("2.age").exists()).unwrap();
    fs::write(set.join("2.age"), "another").unwrap();
    let told = "Key `root-s`: share 2 of 3 is not here as it was sealed.";
    assert_eq!(copies(), serde_json::json!([told]));
}

#[test]
fn a_loss_of_nothing_that_is_there_is_refused() {
    let bench = before();
    bench.conduct().ok();
    let ran = bench.officiant(&["custody", "media/out-1a", "--lost", "officer-z"]);
    assert_eq!(ran.code(), 2);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[0], "error: nothing that holds a key or share is called `officer-z`");
    assert!(
        lines[1]
            .starts_with("hint: what may be lost: `officer-a`, `officer-b`, `share-1`, `sheet-a`"),
        "{lines:?}"
    );
    assert_eq!(lines[2], "nothing was written; what is there was only read");
}

#[test]
fn a_root_that_another_tool_made_is_met_by_the_key_that_is_adopted() {
    let bench = adopting(|bench, owner| {
        first(bench, owner, vec![certified(owner, 1, (-1, 3000))], 900).bytes().to_vec()
    });
    let asked = |more: &[&str]| -> Value {
        let ran = bench.officiant(&[&["check", "plan-1.toml", "--json"], more].concat());
        let json: Value = serde_json::from_str(&ran.ok().stdout).unwrap();
        json["survival"].clone()
    };
    let adopted = "Token `officer-a` was adopted: whoever has its SO PIN or PUK may set its PIN, and is not counted here.";
    let in_room = asked(&["--room", "room-1.toml"]);
    assert_eq!(after(&in_room, "seat of officer-a (token officer-a)"), "edge no nothing: root-old");
    assert_eq!(after(&in_room, "seat of officer-b (token officer-b)"), "no edge nothing: root-new");
    assert_eq!(in_room["remarks"][0], adopted);
    let alone = asked(&[]);
    assert_eq!(
        after(&alone, "seat of officer-a (token officer-a)"),
        "edge nothing nothing: root-old"
    );
    let unseen = "Root 1 of `localhost:5000/one` is not in the trust folder: whether its threshold is met was not counted.";
    assert_eq!(
        (&alone["remarks"][0], &alone["remarks"][1]),
        (&Value::from(unseen), &Value::from(adopted))
    );
}
