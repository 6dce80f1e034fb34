use super::*;

fn parse(text: &str) -> Result<Value, Error> {
    Value::parse(text.as_bytes(), Limits::ROOT)
}

#[test]
fn what_two_readers_could_take_in_two_ways_is_refused_in_exact_words() {
    let rows = [
        (r#"{"a":1,"a":1}"#, "byte 10: the key `a` stands twice in one object"),
        (r#"{"a":1,"\u0061":2}"#, "byte 15: the key `a` stands twice in one object"),
        ("1.0", "byte 0: numbers in signed metadata are integers, found `1.0`"),
        ("[1e3]", "byte 1: numbers in signed metadata are integers, found `1e3`"),
        ("9007199254740993", "byte 0: integers reach from -2^53 to 2^53, found `9007199254740993`"),
        (
            "99999999999999999999",
            "byte 0: integers reach from -2^53 to 2^53, found `99999999999999999999`",
        ),
        ("-0", "byte 0: zero has no sign, found `-0`"),
        ("01", "byte 0: expected an integer, found `0`"),
        ("--1", "byte 0: expected an integer, found `-`"),
        ("-", "byte 0: expected an integer, found `-`"),
        ("{}\n{}", "byte 3: 2 more bytes after the end of the document"),
        ("{},", "byte 2: 1 more byte after the end of the document"),
        ("", "byte 0: expected a value, found the end"),
        ("[1,]", "byte 3: expected a value, found `]`"),
        ("[1 2]", "byte 3: expected `,` or `]`, found `2`"),
        (r#"{"a" 1}"#, "byte 5: expected `:`, found `1`"),
        (r#"{"a":1,}"#, "byte 7: expected a string, found `}`"),
        (r#"{"a":1 b}"#, "byte 7: expected `,` or `}`, found `b`"),
        ("nul", "byte 0: expected a value, found `n`"),
        ("NaN", "byte 0: expected a value, found `N`"),
        ("\"a\nb\"", "byte 2: expected the rest of a string, found `\\n`"),
        (r#""\x""#, "byte 2: expected an escape, found `x`"),
        (r#""\u12G4""#, "byte 2: expected `u` and four hex digits, found `u`"),
        (r#""\u+123""#, "byte 2: expected `u` and four hex digits, found `u`"),
        (r#""\ud800""#, "byte 7: half a surrogate pair names no character"),
        (r#""\udc00""#, "byte 7: half a surrogate pair names no character"),
        (r#""\ud800\u0041""#, "byte 13: half a surrogate pair names no character"),
        ("\u{feff}{}", "byte 0: expected a value, found `\\u{feff}`"),
    ];
    for (text, words) in rows {
        assert_eq!(parse(text).unwrap_err().to_string(), words, "{text}");
    }
}

#[test]
fn size_depth_and_encoding_are_limits_before_they_are_work() {
    let limits = Limits { bytes: 100, depth: 3, values: 8 };
    let long = vec![b' '; 101];
    assert_eq!(
        Value::parse(&long, limits).unwrap_err().to_string(),
        "101 bytes, at most 100 are read"
    );
    assert!(Value::parse(b"[[[1]]]", limits).is_ok());
    assert_eq!(
        Value::parse(b"[[[{}]]]", limits).unwrap_err().to_string(),
        "byte 3: nested deeper than 3 levels"
    );
    assert!(Value::parse(b"[1,{\"a\":2},3,4,5,6]", limits).is_ok());
    assert_eq!(
        Value::parse(b"[1,{\"a\":2},3,4,5,6,7]", limits).unwrap_err().to_string(),
        "byte 19: more than 8 values"
    );
    assert_eq!(Value::parse(b"\"\xff\"", limits).unwrap_err().to_string(), "byte 1: not UTF-8");
    let bomb = vec![b'['; Limits::ROOT.bytes];
    assert!(matches!(Value::parse(&bomb, Limits::ROOT), Err(Error::TooDeep { at: 16, .. })));
}

#[test]
fn a_character_is_escaped_and_read_again_wherever_it_stands() {
    for length in 0..40 {
        let plain = "x".repeat(length);
        assert_eq!(Value::text(&plain).go(), format!("\"{plain}\"").as_bytes());
        for at in 0..length {
            for (character, escaped) in
                [('"', "\\\""), ('\\', "\\\\"), ('<', "\\u003c"), ('\u{2028}', "\\u2028")]
            {
                let (before, after) = plain.split_at(at);
                let text = Value::text(format!("{before}{character}{after}"));
                let written = text.encode(Form::GoEmbedded);
                assert_eq!(written, format!("\"{before}{escaped}{after}\"").as_bytes());
                assert_eq!(Value::parse(&written, Limits::ROOT), Ok(text));
                let broken = written.iter().map(|byte| if *byte == b'\\' { b'\n' } else { *byte });
                let broken: Vec<u8> = broken.collect();
                assert!(Value::parse(&broken, Limits::ROOT).is_err());
            }
        }
    }
}

#[test]
fn the_forms_differ_only_in_what_go_escapes_in_files_and_in_nfc() {
    let value =
        parse("{\"b\":\"<\\u0026>\u{2028}\\\"\\\\\\n\\u007fé\",\"a\":[null,true,-5]}").unwrap();
    let signed = "{\"a\":[null,true,-5],\"b\":\"<&>\u{2028}\\\"\\\\\n\u{7f}é\"}";
    assert_eq!(value.go(), signed.as_bytes());
    assert_eq!(
        value.encode(Form::GoEmbedded),
        "{\"a\":[null,true,-5],\"b\":\"\\u003c\\u0026\\u003e\\u2028\\\"\\\\\n\u{7f}é\"}".as_bytes()
    );
    let decomposed = parse("{\"e\u{301}\":1}").unwrap();
    assert_eq!(
        decomposed.check_nfc().unwrap_err().to_string(),
        "the text `e\u{301}` is not in Unicode form NFC: clients would sign different bytes"
    );
}

#[test]
fn keys_sort_by_code_point_beyond_the_basic_plane_too() {
    let value = parse("{\"\u{10000}\":1,\"\u{ffff}\":2,\"\":3}").unwrap();
    assert_eq!(value.go(), "{\"\":3,\"\u{ffff}\":2,\"\u{10000}\":1}".as_bytes());
    assert_eq!(parse("\"\\ud83d\\ude00\"").unwrap(), Value::text("😀"));
}

/// A small generator of our own (xorshift64*), so that every run tries the same values.
struct Seed(u64);

impl Seed {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 10] = ["\n", "\0", "a", "\"", "\\", "<&>", "é", "\u{2029}", "😀", "/"];
        (0..self.below(5)).map(|_| PARTS[self.below(10) as usize]).collect()
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::Integer(self.below(1 << 31) as i64 - (1 << 30)),
            3 => Value::text(self.text()),
            4 => Value::List((0..self.below(4)).map(|_| self.value(depth - 1)).collect()),
            _ => Value::map((0..self.below(4)).map(|_| (self.text(), self.value(depth - 1)))),
        }
    }
}

#[test]
fn every_form_parses_back_to_the_value_it_encodes() {
    let mut seed = Seed(7);
    for _ in 0..2000 {
        let value = seed.value(4);
        assert_eq!(Value::parse(&value.json(), Limits::ROOT).unwrap(), value);
        for form in [Form::Go, Form::GoEmbedded] {
            // What is signed holds control characters raw, and is then no JSON.
            let bytes = value.encode(form);
            match bytes.iter().any(|b| *b < b' ') {
                true => assert!(Value::parse(&bytes, Limits::ROOT).is_err()),
                false => assert_eq!(Value::parse(&bytes, Limits::ROOT).unwrap(), value),
            }
        }
    }
}

#[test]
fn mutated_bytes_never_panic_and_what_parses_encodes_back_to_itself() {
    let mut seed = Seed(11);
    for _ in 0..3000 {
        let mut bytes = seed.value(4).json();
        for _ in 0..=seed.below(3) {
            let at = seed.below(bytes.len() as u64) as usize;
            bytes[at] = seed.below(256) as u8;
        }
        if let Ok(value) = Value::parse(&bytes, Limits::ROOT) {
            assert_eq!(Value::parse(&value.json(), Limits::ROOT).unwrap(), value);
        }
    }
}

/// Cuts, doubles, inserts and overwrites, as a broken disk or a patient person would.
fn mutated(seed: &mut Seed, bytes: &[u8]) -> Vec<u8> {
    const TOKENS: &[u8] = b"{}[]\":,\\u0019.eE+-tfn \n\x00\x7f\xc3\xff";
    let mut bytes = bytes.to_vec();
    for _ in 0..=seed.below(3) {
        let at = seed.below(bytes.len() as u64) as usize;
        let end = (at + seed.below(8) as usize).min(bytes.len());
        let token = TOKENS[seed.below(TOKENS.len() as u64) as usize];
        match seed.below(4) {
            0 => bytes[at] = token,
            1 => bytes.insert(at, token),
            2 => drop(bytes.drain(at..end)),
            _ => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
        }
        if bytes.is_empty() {
            bytes.push(token);
        }
    }
    bytes
}

#[test]
fn real_files_mutated_never_panic_and_what_parses_encodes_to_one_form() {
    let files: [&[u8]; 4] = [
        include_bytes!("../../tests/vectors/notary/1.root.json"),
        include_bytes!("../../tests/vectors/notary/4.root.json"),
        include_bytes!("../../tests/vectors/tuf/1.root.json"),
        include_bytes!("../../tests/vectors/cjson/values.jsonl"),
    ];
    let (mut seed, mut parsed) = (Seed(13), 0);
    for file in files {
        for _ in 0..600 {
            let Ok(value) = Value::parse(&mutated(&mut seed, file), Limits::ROOT) else { continue };
            parsed += 1;
            let json = value.json();
            let again = Value::parse(&json, Limits::ROOT).unwrap();
            assert_eq!((&again, again.json(), again.go()), (&value, json, value.go()));
        }
    }
    // Not one that parses would mean that nothing was tried.
    assert!(parsed > 100, "{parsed}");
}

#[test]
fn any_bytes_are_read_without_a_panic_and_what_parses_encodes_to_one_form() {
    let (mut seed, mut parsed) = (Seed(17), 0);
    for _ in 0..20_000 {
        let short: Vec<u8> = (0..=seed.below(6)).map(|_| seed.below(256) as u8).collect();
        let bytes = mutated(&mut seed, &short);
        if let Ok(value) = Value::parse(&bytes, Limits::ROOT) {
            parsed += 1;
            assert_eq!(Value::parse(&value.json(), Limits::ROOT).unwrap(), value);
        }
    }
    assert!(parsed > 10, "{parsed}");
}

#[test]
fn securesystemslib_and_go_write_the_same_bytes() {
    let values = include_str!("../../tests/vectors/cjson/values.jsonl");
    let olpc = include_str!("../../tests/vectors/cjson/values.olpc");
    let go = include_str!("../../tests/vectors/cjson/values.go");
    let go: Vec<&str> = go.split_terminator('\n').collect();
    let olpc = olpc.split_terminator('\n');
    for ((value, olpc), go) in values.lines().zip(olpc).zip(go.chunks(2)) {
        let value = parse(value).unwrap();
        value.check_nfc().unwrap();
        assert_eq!(value.go(), olpc.as_bytes());
        assert_eq!(value.go(), go[0].as_bytes());
        assert_eq!(value.encode(Form::GoEmbedded), go[1].as_bytes());
    }
}
