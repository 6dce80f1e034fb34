use super::*;
use crate::key::PublicKey;
use crate::root::{Dialect, fixture};

const LIST: &str = r#"{"signed":{"_type":"Targets","delegations":{"keys":{},"roles":[{"keyids":[],"name":"targets/a","paths":["x","y"],"threshold":2},{"keyids":[],"name":"targets/b","threshold":1}]},"expires":"2029-11-27T00:00:00.25Z","targets":{"1.0":{"custom":{"a":1},"hashes":{"sha256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","sha512":"AAAA"},"length":528}},"version":3},"signatures":[]}"#;

fn signed(text: &str) -> Signed {
    Signed::parse(Dialect::Notary, text.as_bytes()).unwrap()
}

fn again(targets: &Targets) -> String {
    let file = file(&Signed { value: targets.value(), signatures: Vec::new() });
    String::from_utf8(file).unwrap()
}

#[test]
fn a_list_reads_back_and_is_written_byte_for_byte_as_go_writes_it() {
    let list = Targets::read(&signed(LIST)).unwrap();
    assert_eq!(again(&list), LIST);
    let target = &list.targets["1.0"];
    assert_eq!((target.length, target.sha256()), (528, Some(Digest::from_bytes([0; 32]))));
    let [a, b] = &list.delegations[..] else { panic!() };
    assert!(a.allows("x1") && a.allows("y") && !a.allows("1.0") && !b.allows("1.0"));
    assert_eq!(a.threshold, 2);
}

#[test]
fn go_writes_null_for_what_is_empty_and_that_is_read() {
    let bare = LIST.replace(r#""keyids":[]"#, r#""keyids":null"#);
    let list = Targets::read(&signed(&bare)).unwrap();
    assert_eq!(again(&list), bare);
    let none = r#"{"signed":{"_type":"Targets","delegations":{"keys":null,"roles":null},"expires":"2029-11-27T00:00:00Z","targets":null,"version":1},"signatures":[]}"#;
    let list = Targets::read(&signed(none)).unwrap();
    assert!(list.targets.is_empty() && list.delegations.is_empty());
}

#[test]
fn what_clients_would_read_in_different_ways_is_no_list() {
    for (from, to) in [
        ("\"Targets\"", "\"Snapshot\""),
        ("\"length\":528", "\"length\":-1"),
        ("\"length\":528", "\"length\":\"528\""),
        ("\"sha256\"", "\"sha384\""),
        ("AAAAAAA=", "AAAAAA=="),
        ("targets/a", "other/a"),
        ("targets/a", "targets/A"),
        ("[\"x\",\"y\"]", "\"x\""),
        ("\"threshold\":2", "\"threshold\":\"2\""),
        ("2029-11-27T00:00:00.25Z", "soon"),
    ] {
        let text = LIST.replacen(from, to, 1);
        assert_ne!(text, LIST, "{from}");
        assert_eq!(Targets::read(&signed(&text)), None, "{to}");
    }
}

#[test]
fn keys_that_no_role_has_are_not_written() {
    let mut list = Targets::empty(Timestamp::UNIX_EPOCH);
    let key: PublicKey = fixture::Signer::new().public;
    let id = list.add_key(Key::plain(Dialect::Notary, &key).unwrap());
    assert!(!again(&list).contains(id.as_str()));
    let role = ListRole::releases();
    let (ids, paths) = (vec![id.clone()], vec![String::new()]);
    list.delegations.push(Delegation::new(role.clone(), ids, 1, paths));
    assert_eq!(again(&list).matches(id.as_str()).count(), 2);
    let read = Targets::read(&signed(&again(&list))).unwrap();
    assert_eq!(read, list);
    let electorate = read.electorate(read.delegation(&role).unwrap());
    assert_eq!(electorate.keys.keys().collect::<Vec<_>>(), [&id]);
}
