use super::*;

const ROOM: &str = r#"work = "work"
[media]
in = ["media/in"]
out = ["media/out-1", "media/out-2"]
room = ["media/room-1", "media/room-2"]
[[module]]
name = "softhsm"
path = "/usr/lib/softhsm/libsofthsm2.so"
[[token]]
name = "officer-a"
module = "softhsm"
softhsm = "tokens/officer-a"
[rehearsal]
module = "softhsm"
"#;

fn parse(text: &str) -> Result<Binding, String> {
    Binding::parse(Path::new("/room/room.toml"), text.as_bytes()).map_err(|e| e.to_string())
}

#[test]
fn a_room_binds_the_plans_names_to_this_machine() {
    let room = parse(ROOM).unwrap();
    assert_eq!(room.work, Path::new("/room/work"));
    assert_eq!(room.trust, None);
    assert_eq!(room.media.outward[1], Path::new("/room/media/out-2"));
    assert_eq!(room.module("softhsm").unwrap().path, Path::new("/usr/lib/softhsm/libsofthsm2.so"));
    let token = room.token("officer-a").unwrap();
    assert_eq!(token.softhsm().unwrap(), Path::new("/room/tokens/officer-a"));
    assert_eq!(room.rehearsal.as_deref(), Some("softhsm"));
    assert_eq!(room.digest, Digest::of(ROOM.as_bytes()));
}

#[test]
fn paths_are_whole_whatever_folder_we_are_in() {
    let room = Binding::parse(Path::new("room.toml"), ROOM.as_bytes()).unwrap();
    let here = std::env::current_dir().unwrap();
    assert_eq!(room.work, here.join("work"));
    assert_eq!(room.tokens[0].softhsm(), Some(&here.join("tokens/officer-a")));
}

#[test]
fn a_module_writes_neither_what_is_the_ceremonys_nor_at_terminals() {
    let with = |path: &str| {
        let writes = format!("libsofthsm2.so\"\nwrites = [\"{path}\"]");
        parse(&ROOM.replace("libsofthsm2.so\"", &writes))
    };
    let room = with("/dev/tpmrm0").unwrap();
    assert_eq!(room.modules[0].needs.writes, [Path::new("/dev/tpmrm0")]);
    assert_eq!(with("store").unwrap().modules[0].needs.writes, [Path::new("/room/store")]);
    for (why, paths) in [
        ("expected a path without `..`", &["media/store/..", "/dev/shm/../tty"][..]),
        (
            "the ceremony's own files lie there",
            &["/", "work", "work/custody", "media", "media/out-2/x", "tokens", "/room/./media/in"],
        ),
        (
            "people's screens and keyboards are there",
            &["/dev", "/dev/tty", "/dev/tty1", "/dev/pts/0", "/dev/input", "/dev/vcsa1"],
        ),
    ] {
        for path in paths {
            let found = with(path).unwrap_err();
            assert_eq!(found, format!("/room/room.toml:9: `writes` of `{path}`: {why}"));
        }
    }
}

#[test]
fn whatever_does_not_fit_is_refused_with_its_line() {
    let second_token =
        "[[token]]\nname = \"officer-b\"\nmodule = \"softhsm\"\nsofthsm = \"tokens/officer-a\"\n";
    let yubikey = |name: &str| format!("[[token]]\nname = \"{name}\"\nyubikey = 4242\n");
    let rows: [(String, &str); 15] = [
        (ROOM.replace("work =", "wrok ="), "1: unknown field `wrok`"),
        (format!("{ROOM}[extra]\n"), "15: unknown field `extra`"),
        (ROOM.replace("[media]", "work = \"x\"\n[media]"), "2: duplicate key"),
        (format!("{ROOM}trailing"), "15: key with no value, expected `=`"),
        (
            ROOM.replace("media/out-2", "media/./out-1"),
            "4: folder `media/./out-1` stands here twice",
        ),
        (
            ROOM.replace(", \"media/room-2\"", ""),
            "2: [media] `room`: expected two folders, found 1",
        ),
        (
            ROOM.replace("module = \"softhsm\"\nsoft", "module = \"soft\"\nsoft"),
            "11: module `soft` is not one of",
        ),
        (
            ROOM.replace("officer-a\"\nmod", "Officer A\"\nmod"),
            "10: name `Officer A`: expected 1 to 32",
        ),
        (
            ROOM.replace("[rehearsal]", &format!("{second_token}[rehearsal]")),
            "16: folder `tokens/officer-a` stands",
        ),
        (ROOM.replace("work = \"work\"", ""), "1: missing field `work`"),
        (
            ROOM.replace("softhsm = \"tok", "yubikey = 4242\nsofthsm = \"tok"),
            "10: token `officer-a`: expected either `module` or `yubikey`",
        ),
        (
            ROOM.replace("softhsm = \"tok", "uri = \"pkcs11:token=a\"\nsofthsm = \"tok"),
            "10: token `officer-a`: expected either `softhsm` or `uri`",
        ),
        (
            ROOM.replace("softhsm = \"tokens/officer-a\"", "uri = \"pkcs11:id=1\""),
            "12: `uri`: expected nothing but `manufacturer`",
        ),
        (
            ROOM.replace("module = \"softhsm\"\nsoft", "soft"),
            "10: token `officer-a`: expected either `module` or `yubikey`",
        ),
        (format!("{ROOM}{}{}", yubikey("b"), yubikey("c")), "20: YubiKey 4242 stands here twice"),
    ];
    for (text, expected) in rows {
        let found = parse(&text).unwrap_err();
        let expected = format!("/room/room.toml:{expected}");
        assert!(found.starts_with(&expected), "expected {expected}, found {found}");
    }
}

#[test]
fn a_module_that_is_not_there_is_named() {
    let error = module_digest(Path::new("/nowhere/module.so")).unwrap_err();
    assert_eq!(error.to_string(), "program `/nowhere/module.so` cannot be read");
}
