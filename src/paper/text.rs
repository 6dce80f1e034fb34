//! A document as text, 80 columns wide.
//!
//! Roof, pure.

use super::code::blocks;
use super::{Block, Level, Paper, Row, Table, said_and_empty};
use crate::wording::{Readable, one_line};

/// The width of a page.
const WIDTH: usize = 80;
/// The width of a label.
const LABEL: usize = 22;
const BETWEEN: &str = " | ";

/// Renders a document as text.
pub fn text(paper: &Paper) -> String {
    let mut out = String::new();
    if let Some(mark) = &paper.mark {
        out += &format!("{:^WIDTH$}\n", format!("*** {mark} ***"));
    }
    out += &format!("{}\n{}\n", one_line(&paper.title), "=".repeat(WIDTH));
    for block in &paper.blocks {
        match block {
            Block::Heading(Level::Page, heading) => {
                out += "\n";
                underlined(heading, "=", &mut out);
            }
            Block::Heading(Level::Section, heading) => underlined(heading, "-", &mut out),
            Block::Codes(codes) => {
                codes.iter().filter_map(|code| blocks(code)).for_each(|drawn| out += &drawn);
            }
            Block::Digest(label, digest) => out += &format!("\n{label}\n{}\n", Readable(*digest)),
            Block::Lines(lines) => {
                out += "\n";
                for [number, letters, word] in lines {
                    out += &format!("{number:>2}  {letters:<35}  {word}\n");
                }
            }
            Block::Pairs(pairs) => pairs.iter().for_each(|pair| labelled(pair, &mut out)),
            Block::Points(points) => {
                points.iter().for_each(|point| hanging("- ", point, &mut out));
            }
            Block::Prose(prose) => hanging("", prose, &mut out),
            Block::Table(table) => grid(table, &mut out),
        }
    }
    if !paper.foot.is_empty() {
        out += &format!("\n{}\n", "=".repeat(WIDTH));
        hanging("", &paper.foot, &mut out);
    }
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn underlined(heading: &str, with: &str, out: &mut String) {
    let heading = one_line(heading);
    *out += &format!("\n{heading}\n{}\n", with.repeat(heading.chars().count()));
}

fn hanging(lead: &str, text: &str, out: &mut String) {
    let indent = lead.chars().count();
    for (at, line) in wrap(text, WIDTH - indent).iter().enumerate() {
        let lead = if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
        *out += &format!("{lead}{line}\n");
    }
}

fn labelled((label, said): &(String, String), out: &mut String) {
    let labels = wrap(label, LABEL - 2);
    let lines = wrap(said, WIDTH - LABEL);
    for at in 0..labels.len().max(lines.len()) {
        let label = labels.get(at).map_or("", String::as_str);
        let line = lines.get(at).map_or("", String::as_str);
        *out += &format!("{label:<LABEL$}{line}\n");
    }
}

fn grid(table: &Table, out: &mut String) {
    let widths: Vec<usize> = table.columns.iter().map(|column| column.width).collect();
    let heads: Vec<String> = table.columns.iter().map(|column| column.head.to_owned()).collect();
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("-+-");
    *out += "\n";
    lines(&heads, &widths, out);
    *out += &format!("{rule}\n");
    for row in &table.rows {
        match row {
            Row::Cells(cells) => lines(cells, &widths, out),
            Row::Note { kind, text } => hanging(&format!("  {kind}: "), text, out),
            Row::Space(height) => {
                let empty = vec![String::new(); widths.len()];
                (0..*height).for_each(|_| lines(&empty, &widths, out));
            }
        }
        *out += &format!("{rule}\n");
    }
}

fn lines(cells: &[String], widths: &[usize], out: &mut String) {
    let wrapped: Vec<Vec<String>> =
        cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(1).max(1);
    for at in 0..height {
        let line: Vec<String> = wrapped
            .iter()
            .zip(widths)
            .map(|(lines, width)| format!("{:<width$}", lines.get(at).map_or("", String::as_str)))
            .collect();
        *out += &format!("{}\n", line.join(BETWEEN));
    }
}

/// Breaks text at spaces; a word that is longer than a line is broken where the line ends.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let (text, empty) = said_and_empty(text);
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let used = line.chars().count();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        } else if used > 0 {
            line.push(' ');
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        line.extend(word);
    }
    lines.push(line);
    lines.extend(std::iter::repeat_n(String::new(), empty));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::paper::cells;

    #[test]
    fn nothing_is_wider_than_the_page_and_nothing_is_lost() {
        let mut paper = Paper::new("Title", "foot ".repeat(40));
        paper.prose("word ".repeat(50));
        paper.points(["x".repeat(200)]);
        paper.pairs([("a long label of many words", "said ".repeat(40))]);
        paper.digest("digest", Digest::of(b""));
        let long = format!("plan {}", Digest::of(b"").grouped());
        let rows = vec![cells(["1", &long]), Row::Space(2)];
        paper.table(&[("No", 3), ("Must see", 16)], rows);
        let text = text(&paper);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches('x').count(), 200);
        let cells: String = text
            .lines()
            .filter_map(|line| line.split_once(" | "))
            .fold(String::new(), |all, (_, cell)| format!("{all} {}", cell.trim()));
        assert!(cells.contains(&long), "{cells}");
    }

    #[test]
    fn what_hides_is_shown() {
        let paper = Paper::new("a\u{202e}b", "");
        assert!(text(&paper).starts_with("a\\u{202e}b\n"));
    }

    #[test]
    fn no_value_begins_a_line_of_its_own() {
        let mut paper = Paper::new("a\nforged", "b\nforged");
        paper.page("c\nforged");
        paper.section("d\nforged");
        paper.prose("e\nforged");
        paper.points(["f\nforged"]);
        paper.pairs([("label", "g\nforged")]);
        paper.table(&[("No", 30)], vec![cells(["h\nforged"]), cells(["to write on\n\n"])]);
        let text = text(&paper);
        assert_eq!(text.matches("\\u{a}forged").count(), 8, "{text}");
        assert!(text.contains("\nto write on\n\n\n-"), "{text}");
    }
}
