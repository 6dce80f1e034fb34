//! A document as one HTML file that needs nothing else: no script, no link, no font, no picture from outside.
//!
//! Roof, pure.

use super::code::svg;
use super::inline::{Span, spans};
use super::{Block, Level, Paper, Row, Table, said_and_empty};
use crate::digest::Digest;
use crate::wording::one_line;

/// Renders a document as HTML, made to be printed on A4.
pub fn html(paper: &Paper) -> String {
    let title = escaped(&paper.title);
    let mut body = String::new();
    if let Some(mark) = &paper.mark {
        body += &format!("<p class=\"mark\">{}</p>\n", escaped(mark));
    }
    body += &format!("<h1>{title}</h1>\n");
    paper.blocks.iter().for_each(|block| write(block, &mut body));
    body += &format!("<footer>{}</footer>\n", inline(&paper.foot));
    let head = paper.mark.as_deref().unwrap_or_default();
    let running = format!(
        "@page {{ @top-center {{ content: {}; }} @bottom-left {{ content: {}; }} }}\n",
        quoted(head),
        quoted(&paper.foot)
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{running}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

fn write(block: &Block, out: &mut String) {
    match block {
        Block::Codes(codes) => {
            *out += "<div class=\"codes\">\n";
            codes.iter().filter_map(|code| svg(&[code])).for_each(|drawn| *out += &drawn);
            *out += "</div>\n";
        }
        Block::Digest(label, digest) => words(label, *digest, out),
        Block::Heading(Level::Page, heading) => {
            *out += &format!("<h2 class=\"page\">{}</h2>\n", inline(heading));
        }
        Block::Heading(Level::Section, heading) => {
            *out += &format!("<h3>{}</h3>\n", inline(heading));
        }
        Block::Lines(lines) => {
            *out += "<div class=\"lines\">\n";
            for [number, letters, word] in lines.iter().map(|line| line.each_ref().map(escaped)) {
                *out += &format!("<code><i>{number}</i> {letters} <b>{word}</b></code>\n");
            }
            *out += "</div>\n";
        }
        Block::Pairs(pairs) => {
            *out += "<dl>\n";
            for (label, said) in pairs {
                *out += &format!("<dt>{}</dt><dd>{}</dd>\n", inline(label), inline(said));
            }
            *out += "</dl>\n";
        }
        Block::Points(points) => {
            *out += "<ul>\n";
            points.iter().for_each(|point| *out += &format!("<li>{}</li>\n", inline(point)));
            *out += "</ul>\n";
        }
        Block::Prose(prose) => *out += &format!("<p>{}</p>\n", inline(prose)),
        Block::Table(table) => grid(table, out),
    }
}

fn words(label: &str, digest: Digest, out: &mut String) {
    *out += &format!(
        "<figure><figcaption>{}</figcaption>\n<code class=\"hex\">{}</code>\n<ol class=\"words\">",
        inline(label),
        digest.grouped()
    );
    digest.words().iter().for_each(|word| *out += &format!("<li>{word}</li>"));
    *out += "</ol></figure>\n";
}

fn grid(table: &Table, out: &mut String) {
    // Room for the padding, which a narrow column needs as much as a wide one.
    let all: usize = table.columns.iter().map(|column| column.width + PADDING).sum();
    // A short table stays on one page; a long one repeats its head.
    let short = if table.rows.len() <= SHORT { " class=\"short\"" } else { "" };
    *out += &format!("<table{short}>\n<colgroup>");
    for column in &table.columns {
        let share = 100.0 * (column.width + PADDING) as f64 / all.max(1) as f64;
        *out += &format!("<col style=\"width:{share:.1}%\">");
    }
    *out += "</colgroup>\n<thead><tr>";
    for column in &table.columns {
        *out += &format!("<th scope=\"col\">{}</th>", inline(column.head));
    }
    *out += "</tr></thead>\n<tbody>\n";
    table.rows.iter().for_each(|row| line(row, table.columns.len(), out));
    *out += "</tbody>\n</table>\n";
}

fn line(row: &Row, columns: usize, out: &mut String) {
    match row {
        Row::Cells(cells) => {
            *out += "<tr>";
            for (at, cell) in cells.iter().enumerate() {
                let tag = if at == 0 { "th scope=\"row\"" } else { "td" };
                let end = if at == 0 { "th" } else { "td" };
                *out += &format!("<{tag}>{}</{end}>", inline(cell));
            }
            *out += "</tr>\n";
        }
        Row::Note { kind, text } => {
            *out += &format!(
                "<tr class=\"note\"><td colspan=\"{columns}\"><b>{}</b> {}</td></tr>\n",
                escaped(kind),
                inline(text)
            );
        }
        Row::Space(height) => {
            let style = format!("height:{:.1}em", *height as f64 * 1.6);
            *out += &format!("<tr style=\"{style}\">{}</tr>\n", "<td></td>".repeat(columns));
        }
    }
}

fn inline(text: &str) -> String {
    let (said, empty) = said_and_empty(text);
    let mut out = String::with_capacity(said.len());
    for span in spans(&said) {
        match span {
            Span::Code(code) => out += &format!("<code>{}</code>", escaped(code)),
            Span::Plain(plain) => out += &escaped(plain),
        }
    }
    // A line to write on is as high as any other.
    out + &"<br>&nbsp;".repeat(empty)
}

fn escaped(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}

/// A string of CSS. Everything but letters, digits and plain marks is written by number, so that no text can end it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in one_line(text).chars() {
        match c {
            c if c.is_ascii_alphanumeric() || " .,:;-()/".contains(c) => out.push(c),
            c => out += &format!("\\{:x} ", u32::from(c)),
        }
    }
    out + "\""
}

const PADDING: usize = 3;
const SHORT: usize = 6;
const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::cells;

    fn sample() -> Paper {
        let mut paper = Paper::new("<script>alert(1)</script>", "plan: \"a\" </style> \\");
        paper.mark = Some("PRACTICE".into());
        paper.prose("`<b>` & \"quotes\" 'too'\u{202e}");
        paper.pairs([("label", "<i>")]);
        paper.digest("of nothing", Digest::of(b""));
        let note = Row::Note { kind: "exception", text: "<u>".into() };
        paper.table(&[("No", 3), ("Do", 10)], vec![cells(["1", "<td>"]), note, Row::Space(2)]);
        paper
    }

    #[test]
    fn no_text_becomes_markup_or_style() {
        let page = html(&sample());
        for bad in ["<script", "<b>&", "<i>", "<u>", "<td><td>", "\u{202e}"] {
            assert!(!page.contains(bad), "{bad}: {page}");
        }
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(page.contains("plan: \\22 a\\22  \\3c /style\\3e  \\5c \""), "{page}");
    }

    #[test]
    fn no_value_begins_a_line_of_its_own() {
        let mut paper = Paper::new("a\nforged", "b\nforged");
        paper.prose("c\nforged\n");
        let page = html(&paper);
        // Title, heading, foot, the foot of every page, and the paragraph.
        assert_eq!(page.matches("\\u{a}forged").count() + page.matches("\\5c u\\7b a").count(), 5);
        assert!(page.contains("<p>c\\u{a}forged<br>&nbsp;</p>"), "{page}");
    }

    #[test]
    fn nothing_is_asked_from_elsewhere() {
        let page = html(&sample());
        for word in ["http:", "https:", "url(", "@import", "src=", "<script", "<link"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("default-src 'none'"));
    }
}
