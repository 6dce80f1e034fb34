//! Canonical JSON: one strict parser, and the byte forms that Notary (Go) and TUF (OLPC) sign and store.
//!
//! Ground floor: pure, touches nothing.

mod members;
mod parse;

use smol_str::SmolStr;
use unicode_normalization::is_nfc;

pub use members::Members;

/// A JSON value as signed metadata may hold it: no fractions, no duplicate keys, keys in byte order.
///
/// Byte order of UTF-8 is code point order, which is what both dialects sort by. A clone of text or of an object shares
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`, which Go writes for empty references.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of at most 2^53 in size: Go's verifier passes numbers through a double.
    Integer(i64),
    /// A string of Unicode scalar values.
    Text(SmolStr),
    /// An array.
    List(Vec<Value>),
    /// An object; the order in which a file wrote its members carries no meaning and is dropped.
    Map(Members),
}

/// How much a document may ask of its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest document, in bytes.
    pub bytes: usize,
    /// The deepest nesting of arrays and objects.
    pub depth: usize,
    /// The most values, of any kind, in it: a few bytes can make one that takes hundreds in memory.
    pub values: usize,
}

impl Limits {
    /// What one root metadata file may be: 4 MiB (a thousand certificates, some ten values each) and 16 levels (a root
    /// needs 5).
    pub const ROOT: Limits = Limits { bytes: 4 << 20, depth: 16, values: 1 << 16 };
}

/// The byte form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What clients of both dialects hash and verify: `docker/go` canonical JSON, and for text in NFC OLPC's.
    Go,
    /// The same value embedded in a file by Go's outer encoder, which escapes `<`, `>`, `&`, U+2028 and U+2029.
    GoEmbedded,
    /// A file that any JSON reader takes: as canonical, with control characters escaped (RFC 8259 7).
    Json,
}

impl Value {
    /// Reads exactly one JSON value from `bytes` (RFC 8259), refusing whatever two readers could take in two ways.
    ///
    /// # Errors
    /// Too long, too deep, too many values, not UTF-8, no JSON, a duplicate key, a number that is no integer within 2^53 or is `-0`,
    /// half a surrogate pair, or bytes after the value.
    pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, Error> {
        if bytes.len() > limits.bytes {
            return Err(Error::TooLong { found: bytes.len(), limit: limits.bytes });
        }
        let text =
            std::str::from_utf8(bytes).map_err(|e| Error::NotUtf8 { at: e.valid_up_to() })?;
        parse::document(text, limits)
    }

    /// The bytes of this value in `form`.
    pub fn encode(&self, form: Form) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length());
        self.write(form, &mut out);
        out
    }

    /// One line of JSON for a file.
    pub fn json(&self) -> Vec<u8> {
        self.encode(Form::Json)
    }

    /// The bytes that are signed.
    pub fn go(&self) -> Vec<u8> {
        self.encode(Form::Go)
    }

    /// Says whether all text in here, keys included, is in Unicode normalization form C: some TUF clients normalize
    /// before they verify and some do not.
    ///
    /// # Errors
    /// [`Error::NotNfc`] with the first text that is not.
    pub fn check_nfc(&self) -> Result<(), Error> {
        let nfc = |text: &str| match is_nfc(text) {
            true => Ok(()),
            false => Err(Error::NotNfc { text: text.to_owned() }),
        };
        match self {
            Value::Null | Value::Bool(_) | Value::Integer(_) => Ok(()),
            Value::Text(text) => nfc(text),
            Value::List(items) => items.iter().try_for_each(Value::check_nfc),
            Value::Map(members) => members
                .iter()
                .try_for_each(|(key, value)| nfc(key).and_then(|()| value.check_nfc())),
        }
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if this is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The items, if this is an array.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if this is an object.
    pub fn as_map(&self) -> Option<&Members> {
        match self {
            Value::Map(members) => Some(members),
            _ => None,
        }
    }

    /// An object of these members.
    pub fn map<K: Into<SmolStr>>(members: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Map(members.into_iter().collect())
    }

    /// A text value.
    pub fn text(text: impl Into<SmolStr>) -> Value {
        Value::Text(text.into())
    }

    /// The bytes that this value takes where nothing is escaped, or a few more.
    fn length(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) | Value::Integer(_) => 17,
            Value::Text(text) => text.len() + 2,
            Value::List(items) => items.iter().map(|item| item.length() + 1).sum::<usize>() + 2,
            Value::Map(members) => {
                members.iter().map(|(key, value)| key.len() + 4 + value.length()).sum::<usize>() + 2
            }
        }
    }

    /// Appends the bytes of this value in `form`.
    pub(crate) fn write(&self, form: Form, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::Text(text) => write_text(text, form, out),
            Value::List(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    item.write(form, out);
                }
                out.push(b']');
            }
            Value::Map(members) => {
                out.push(b'{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    write_text(key, form, out);
                    out.push(b':');
                    value.write(form, out);
                }
                out.push(b'}');
            }
        }
    }
}

/// Only `\` and `"` are escaped in what is signed; control characters stand raw there, in both dialects.
pub(crate) fn write_text(text: &str, form: Form, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    // Nearly all text is one run of bytes that stand for themselves, and is copied whole.
    let first = |bytes: &[u8]| match form {
        Form::Go => position(bytes, |byte| may_escape(byte, Form::Go)),
        Form::GoEmbedded => position(bytes, |byte| may_escape(byte, Form::GoEmbedded)),
        Form::Json => position(bytes, |byte| may_escape(byte, Form::Json)),
    };
    while let Some(at) = first(rest.as_bytes()) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut chars = tail.chars();
        if let Some(c) = chars.next() {
            write_char(c, form, out);
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// Where the first byte of a kind stands. Sixteen are looked at at once, by whatever the processor has for that.
fn position(bytes: &[u8], is_it: impl Fn(u8) -> bool) -> Option<usize> {
    let has_none = |some: &&[u8; 16]| !some.iter().fold(false, |any, byte| any | is_it(*byte));
    let before = bytes.as_chunks().0.iter().take_while(has_none).count() * 16;
    bytes[before..].iter().position(|byte| is_it(*byte)).map(|at| before + at)
}

/// Whether [`write_char`] may have to escape a character that begins with a byte.
fn may_escape(byte: u8, form: Form) -> bool {
    match byte {
        b'\\' | b'"' => true,
        b'\0'..b' ' => matches!(form, Form::Json),
        // U+2028 and U+2029 begin with 0xe2.
        b'<' | b'>' | b'&' | 0xe2 => matches!(form, Form::GoEmbedded),
        _ => false,
    }
}

fn write_char(c: char, form: Form, out: &mut Vec<u8>) {
    match (c, form) {
        ('\\', _) => out.extend_from_slice(b"\\\\"),
        ('"', _) => out.extend_from_slice(b"\\\""),
        ('\n', Form::Json) => out.extend_from_slice(b"\\n"),
        ('\0'..'\x20', Form::Json)
        | ('<' | '>' | '&' | '\u{2028}' | '\u{2029}', Form::GoEmbedded) => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
        }
        _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Why a document is not read, or a value not written. Offsets count bytes from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The same key stands twice in one object; readers differ in which one they take.
    #[error("byte {at}: the key `{key}` stands twice in one object")]
    DuplicateKey {
        /// Where the second one ends.
        at: usize,
        /// The key.
        key: String,
    },
    /// A number with a fraction or an exponent.
    #[error("byte {at}: numbers in signed metadata are integers, found `{found}`")]
    Fraction {
        /// Where the number begins.
        at: usize,
        /// The number as written.
        found: String,
    },
    /// An integer that a double cannot hold exactly, so that clients would differ.
    #[error("byte {at}: integers reach from -2^53 to 2^53, found `{found}`")]
    IntegerRange {
        /// Where the number begins.
        at: usize,
        /// The number as written.
        found: String,
    },
    /// `-0`, which parsers turn into different things.
    #[error("byte {at}: zero has no sign, found `-0`")]
    NegativeZero {
        /// Where the number begins.
        at: usize,
    },
    /// Text that is not in Unicode normalization form C.
    #[error("the text `{}` is not in Unicode form NFC: clients would sign different bytes", text.escape_debug())]
    NotNfc {
        /// The text.
        text: String,
    },
    /// Bytes that are not UTF-8.
    #[error("byte {at}: not UTF-8")]
    NotUtf8 {
        /// The first such byte.
        at: usize,
    },
    /// An escape of one half of a surrogate pair alone, which names no character.
    #[error("byte {at}: half a surrogate pair names no character")]
    Surrogate {
        /// Where the escape ends.
        at: usize,
    },
    /// Not JSON.
    #[error("byte {at}: expected {expected}, found {found}")]
    Syntax {
        /// Where.
        at: usize,
        /// What could have stood there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Nested too deeply.
    #[error("byte {at}: nested deeper than {limit} levels")]
    TooDeep {
        /// Where the level that is too many begins.
        at: usize,
        /// The deepest allowed.
        limit: usize,
    },
    /// More values than the caller takes.
    #[error("byte {at}: more than {limit} values")]
    TooMany {
        /// Where the value that is too many begins.
        at: usize,
        /// The most allowed.
        limit: usize,
    },
    /// Larger than the caller takes.
    #[error("{found} bytes, at most {limit} are read")]
    TooLong {
        /// The size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Something after the value.
    #[error("byte {at}: {found} more {} after the end of the document", if *found == 1 { "byte" } else { "bytes" })]
    Trailing {
        /// The first byte after the value and its white space.
        at: usize,
        /// How many there are.
        found: usize,
    },
}

#[cfg(test)]
mod tests;
