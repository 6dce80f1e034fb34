//! What stands out inside a line: text between backticks, and digests in groups of four.
//!
//! Roof, pure.

/// A stretch of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span<'a> {
    /// A name or a digest: every letter counts.
    Code(&'a str),
    /// A word like any other.
    Plain(&'a str),
}

/// Cuts a line into its stretches.
pub(super) fn spans(line: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    for (at, part) in line.split('`').enumerate() {
        // An odd backtick at the end opens nothing.
        let is_open = at % 2 == 1 && line.matches('`').count() > at;
        if is_open {
            spans.push(Span::Code(part));
        } else {
            groups(part, &mut spans);
        }
    }
    spans.retain(|span| !matches!(span, Span::Plain("") | Span::Code("")));
    spans
}

/// The sixteen groups of a digest, which belong together.
fn groups<'a>(mut text: &'a str, spans: &mut Vec<Span<'a>>) {
    const LENGTH: usize = 16 * 5 - 1;
    let mut at = 0;
    while at + LENGTH <= text.len() {
        if text.is_char_boundary(at) && is_grouped(&text.as_bytes()[at..at + LENGTH]) {
            spans.push(Span::Plain(&text[..at]));
            spans.push(Span::Code(&text[at..at + LENGTH]));
            text = &text[at + LENGTH..];
            at = 0;
        } else {
            at += 1;
        }
    }
    spans.push(Span::Plain(text));
}

fn is_grouped(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(at, byte)| match at % 5 {
        4 => *byte == b' ',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn names_and_digests_stand_out() {
        let hex = Digest::of(b"").grouped();
        let line = format!("plan {hex} of `a`, ü");
        let expected =
            [Span::Plain("plan "), Span::Code(&hex), Span::Plain(" of "), Span::Code("a")];
        assert_eq!(spans(&line)[..4], expected);
        assert_eq!(spans("odd ` one"), [Span::Plain("odd "), Span::Plain(" one")]);
    }
}
