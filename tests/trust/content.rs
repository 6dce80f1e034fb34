//! Targets that are no images: what `notary add`, `addhash`, `remove` and `verify` are for.

use super::{GUN, Team};

#[test]
fn any_file_is_signed_with_what_goes_with_it_and_notary_verifies_it() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    team.scratch.file("ada/release.txt", "a release\n");
    // What `notary add --custom` sends, spaces and all, is refused by the server as signed by nobody.
    team.scratch.file("ada/custom.json", r#"{ "b": "<&>", "a": [1, 2] }"#);
    let line = format!("add {GUN} release/1.0 release.txt --custom custom.json");
    team.courier("ada", &line).ok();
    let found = team.notary("bob", &format!("verify {GUN} release/1.0 -i ../ada/release.txt"));
    assert_eq!(found.ok().stdout, "a release\n");
    let line = format!("lookup {GUN} release/1.0 --file ../ada/release.txt");
    team.courier("bob", &line).ok();
    let row = team.courier("bob", &format!("lookup {GUN} release/1.0 --json")).ok().stdout;
    let row: serde_json::Value = serde_json::from_str(&row).unwrap();
    assert_eq!(row["custom"], serde_json::json!({ "a": [1, 2], "b": "<&>" }));
    team.scratch.file("ada/release.txt", "a releasf\n");
    let ran = team.courier("bob", &line);
    assert_eq!(ran.code(), 1);
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "error: `../ada/release.txt` is not what is signed as `release/1.0` [TAG-UNSIGNED]"
    );

    let (short, long) = ("ab".repeat(32), "cd".repeat(64));
    let line = format!("add {GUN} other --sha256 {short} --sha512 {long} --length 7");
    team.courier("ada", &line).ok();
    let listed = team.notary("bob", &format!("list {GUN}")).ok().stdout;
    assert!(listed.contains(&short) && listed.contains("release/1.0"), "{listed}");
    team.courier("ada", &format!("remove {GUN} release/1.0 other")).ok();
    let listed = team.notary("bob", &format!("list {GUN}")).ok().stdout;
    assert!(!listed.contains(&short) && !listed.contains("release/1.0"), "{listed}");
    let ran = team.courier("ada", &format!("remove {GUN} other"));
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        format!("error: repository `{GUN}`: the list of `targets` does not name `other`")
    );
}
