//! The table: as text for a terminal, and in Markdown for a page.

use std::fmt::Write as _;

use crate::figure::{Figure, Line, Spread};

/// What a row says, column by column.
struct Row {
    what: String,
    measured: String,
    ratio: String,
    spread: String,
    target: String,
    met: &'static str,
}

/// The names of the columns after the first.
const HEAD: [&str; 5] = ["median", "ratio", "least to most", "target", "met"];

impl Row {
    fn reference(figure: &Figure, line: &Line) -> Self {
        Self {
            what: line.who.clone(),
            measured: measured(figure, line),
            ratio: "1".to_owned(),
            spread: String::new(),
            target: String::new(),
            met: "",
        }
    }

    fn compared(figure: &Figure, line: &Line) -> Self {
        let ratio = figure.ratio(line);
        let is_alone = figure.reference.is_none();
        Self {
            what: line.who.clone(),
            measured: measured(figure, line),
            ratio: if is_alone { String::new() } else { number(ratio.median) },
            spread: format!("{} to {}", number(ratio.least), number(ratio.most)),
            target: line.target.map(|target| target.to_string()).unwrap_or_default(),
            met: match line.target {
                None => "",
                Some(target) if target.is_met(ratio.median) => "yes",
                Some(_) => "no",
            },
        }
    }

    fn cells(&self) -> [&str; 5] {
        [&self.measured, &self.ratio, &self.spread, &self.target, self.met]
    }
}

fn rows(figure: &Figure) -> impl Iterator<Item = Row> {
    let reference = figure.reference.iter().map(|line| Row::reference(figure, line));
    reference.chain(figure.lines.iter().map(|line| Row::compared(figure, line)))
}

fn measured(figure: &Figure, line: &Line) -> String {
    format!("{} {}", number(Spread::of(&line.values).median), figure.unit).trim_end().to_owned()
}

/// Three digits that say something, and the thousands apart.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 || size == 0.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut apart = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && digit.is_ascii_digit() {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart + rest
}

/// The table for a terminal.
pub(crate) fn text(figures: &[Figure]) -> String {
    let mut out = String::new();
    let width = figures.iter().flat_map(rows).map(|row| row.what.chars().count()).max();
    let width = width.unwrap_or_default() + 2;
    let mut line = |what: &str, cells: [&str; 5]| {
        let [median, ratio, spread, target, met] = cells;
        let text =
            format!("{what:width$} {median:>16} {ratio:>8} {spread:>20} {target:>8} {met:>4}");
        let _ = writeln!(out, "{}", text.trim_end());
    };
    for figure in figures {
        line(&format!("{}: {}", figure.name, figure.title), HEAD.map(|_| ""));
        line("", HEAD);
        for row in rows(figure) {
            line(&format!("  {}", row.what), row.cells());
        }
        line("", HEAD.map(|_| ""));
    }
    out
}

/// The same for docs/performance.md.
pub(crate) fn markdown(figures: &[Figure]) -> String {
    let mut out = String::new();
    for figure in figures {
        let _ = writeln!(out, "**{}**: {}\n", figure.name, figure.title);
        let _ = writeln!(out, "| | {} |\n|---|---|---|---|---|---|", HEAD.join(" | "));
        for row in rows(figure) {
            let _ = writeln!(out, "| {} | {} |", row.what, row.cells().join(" | "));
        }
        out.push('\n');
    }
    out
}
