//! The parser: one pass over text, no recursion beyond the depth asked for.
//!
//! Ground floor: pure, touches nothing.

use smol_str::SmolStr;

use super::members::Reading;
use super::{Error, Limits, Members, Value, position};

/// Reads one value and nothing after it but white space.
pub(super) fn document(text: &str, limits: Limits) -> Result<Value, Error> {
    let mut parser = Parser { text, at: 0, limits, values: 0 };
    let value = parser.value(0)?;
    parser.space();
    match parser.at == text.len() {
        true => Ok(value),
        false => Err(Error::Trailing { at: parser.at, found: text.len() - parser.at }),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
    values: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn syntax<T>(&self, expected: &'static str) -> Result<T, Error> {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(c) => format!("`{}`", c.escape_debug()),
            None => "the end".to_owned(),
        };
        Err(Error::Syntax { at: self.at, expected, found })
    }

    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), Error> {
        match self.peek() == Some(byte) {
            true => {
                self.at += 1;
                Ok(())
            }
            false => self.syntax(expected),
        }
    }

    fn value(&mut self, level: usize) -> Result<Value, Error> {
        self.space();
        let limit = self.limits.values;
        if self.values == limit {
            return Err(Error::TooMany { at: self.at, limit });
        }
        self.values += 1;
        match self.peek() {
            Some(b'{') => self.object(self.enter(level)?),
            Some(b'[') => self.array(self.enter(level)?),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            _ => self.syntax("a value"),
        }
    }

    fn enter(&self, level: usize) -> Result<usize, Error> {
        match level < self.limits.depth {
            true => Ok(level + 1),
            false => Err(Error::TooDeep { at: self.at, limit: self.limits.depth }),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, Error> {
        match self.text[self.at..].starts_with(word) {
            true => {
                self.at += word.len();
                Ok(value)
            }
            false => self.syntax("a value"),
        }
    }

    fn array(&mut self, level: usize) -> Result<Value, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(level)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.syntax("`,` or `]`"),
            }
        }
        self.at += 1;
        Ok(Value::List(items))
    }

    fn object(&mut self, level: usize) -> Result<Value, Error> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(Members::default()));
        }
        let mut members = Reading::default();
        loop {
            self.space();
            let key = self.string()?;
            if members.has(&key) {
                return Err(Error::DuplicateKey { at: self.at, key: key.into() });
            }
            self.space();
            self.take(b':', "`:`")?;
            members.add(key, self.value(level)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.syntax("`,` or `}`"),
            }
        }
        self.at += 1;
        Ok(Value::Map(members.finish()))
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let found = &self.text[start..self.at];
        let digits = found.strip_prefix('-').unwrap_or(found);
        if digits.contains(['.', 'e', 'E']) {
            return Err(Error::Fraction { at: start, found: found.to_owned() });
        }
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !plain || (digits.len() > 1 && digits.starts_with('0')) {
            self.at = start;
            return self.syntax("an integer");
        }
        match found.parse::<i64>() {
            Ok(0) if found.starts_with('-') => Err(Error::NegativeZero { at: start }),
            Ok(number) if number.unsigned_abs() <= 1 << 53 => Ok(Value::Integer(number)),
            _ => Err(Error::IntegerRange { at: start, found: found.to_owned() }),
        }
    }

    fn string(&mut self) -> Result<SmolStr, Error> {
        self.take(b'"', "a string")?;
        let plain = self.plain();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(plain.into());
        }
        let mut out = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => out.push(self.escape()?),
                _ => return self.syntax("the rest of a string"),
            }
            out.push_str(self.plain());
        }
        self.at += 1;
        Ok(out.into())
    }

    /// What stands for itself, up to the next byte that does not.
    fn plain(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        // These three are ASCII, and no byte of a longer character is.
        let is_end = |byte| matches!(byte, b'"' | b'\\' | b'\0'..b' ');
        let plain = &rest[..position(rest.as_bytes(), is_end).unwrap_or(rest.len())];
        self.at += plain.len();
        plain
    }

    fn escape(&mut self) -> Result<char, Error> {
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.syntax("an escape"),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode(&mut self) -> Result<char, Error> {
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff if self.text[self.at..].starts_with("\\u") => {
                self.at += 1;
                match self.hex4()? {
                    second @ 0xdc00..=0xdfff => {
                        0x10000 + ((first - 0xd800) << 10) + second - 0xdc00
                    }
                    _ => return Err(Error::Surrogate { at: self.at }),
                }
            }
            _ => first,
        };
        char::from_u32(code).ok_or(Error::Surrogate { at: self.at })
    }

    /// Reads `uXXXX` with `self.at` on the `u`.
    fn hex4(&mut self) -> Result<u32, Error> {
        let digits = self.text.get(self.at + 1..self.at + 5).unwrap_or("");
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.syntax("`u` and four hex digits");
        }
        self.at += 5;
        Ok(u32::from_str_radix(digits, 16).unwrap_or(0))
    }
}
