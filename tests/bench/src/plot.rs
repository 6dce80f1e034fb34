//! The plot: a bar for each row of the table, on an axis of powers of ten for each figure.

use std::fmt::Write as _;

use crate::figure::{Figure, Line, Spread};
use crate::report::number;

/// Across: what stands left of the bars, the bars, and what stands right of them.
const LEFT: f64 = 440.0;
const BARS: f64 = 420.0;
const RIGHT: f64 = 150.0;
/// Down: the head of a figure, a row of it, and what is left free below.
const HEAD: f64 = 34.0;
const ROW: f64 = 22.0;
const GAP: f64 = 26.0;
const MARGIN: f64 = 16.0;

const STYLE: &str = "\
text{font:13px sans-serif;fill:#222}.head{font-weight:bold}.who{text-anchor:end}.axis{font-size:11px;fill:#666;\
text-anchor:middle}.met{fill:#2a7f62}.not{fill:#c8553d}.peer{fill:#9aa5b1}.grid{stroke:#ddd}.one{stroke:#888}\
.target{stroke:#111;stroke-width:2;stroke-dasharray:3 2}.spread{stroke:#222}";

/// The powers of ten between which the bars of a figure lie.
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn of(figure: &Figure) -> Self {
        let one = figure.reference.is_some().then_some(1.0);
        let lines = figure.lines.iter().flat_map(|line| {
            let ratio = figure.ratio(line);
            [Some(ratio.least), Some(ratio.most), line.target.map(|target| target.bound())]
        });
        // Nothing has no place on such an axis.
        let values = lines.flatten().chain(one).filter(|value| *value > 0.0).map(f64::log10);
        let (from, to) = values.fold((0.0_f64, 0.0_f64), |(from, to), value| {
            (from.min(value.floor()), to.max(value.ceil()))
        });
        Self { from, to: if to > from { to } else { from + 1.0 } }
    }

    fn at(&self, value: f64) -> f64 {
        let at = (value.max(f64::MIN_POSITIVE).log10() - self.from) / (self.to - self.from);
        LEFT + BARS * at.clamp(0.0, 1.0)
    }
}

/// All figures as one picture.
pub(crate) fn svg(figures: &[Figure]) -> String {
    let mut body = String::new();
    let mut top = MARGIN;
    for figure in figures {
        top = panel(&mut body, figure, top);
    }
    let width = LEFT + BARS + RIGHT;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{top}\" \
         viewBox=\"0 0 {width} {top}\">\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn panel(body: &mut String, figure: &Figure, top: f64) -> f64 {
    let axis = Axis::of(figure);
    let title = match &figure.reference {
        Some(reference) => format!("{}: {}, to: {}", figure.name, figure.title, reference.who),
        None => format!("{}: {}", figure.name, figure.title),
    };
    let _ = writeln!(
        body,
        "<text class=\"head\" x=\"12\" y=\"{}\">{}</text>",
        top + 12.0,
        plain(&title)
    );
    let first = top + HEAD;
    let last = first + ROW * figure.lines.len() as f64;
    let mut power = axis.from;
    while power <= axis.to {
        let value = 10_f64.powf(power);
        let x = axis.at(value);
        let class = if value == 1.0 && figure.reference.is_some() { "one" } else { "grid" };
        stroke(body, class, (x, first), (x, last));
        let label = number(value);
        let label = if label.contains('.') {
            label.trim_end_matches('0').trim_end_matches('.')
        } else {
            &label
        };
        let y = last + 13.0;
        let _ = writeln!(body, "<text class=\"axis\" x=\"{x:.1}\" y=\"{y}\">{label}</text>");
        power += 1.0;
    }
    for (line, number) in figure.lines.iter().zip(0_u32..) {
        row(body, figure, line, (&axis, first + ROW * f64::from(number)));
    }
    last + GAP + MARGIN
}

fn row(body: &mut String, figure: &Figure, line: &Line, (axis, top): (&Axis, f64)) {
    let ratio = figure.ratio(line);
    let class = match line.target {
        None => "peer",
        Some(target) if target.is_met(ratio.median) => "met",
        Some(_) => "not",
    };
    let baseline = top + 15.0;
    let _ = writeln!(
        body,
        "<text class=\"who\" x=\"{}\" y=\"{baseline}\">{}</text>",
        LEFT - 8.0,
        plain(&line.who)
    );
    let width = axis.at(ratio.median) - LEFT;
    let (y, height) = (top + 4.0, ROW - 8.0);
    let _ = writeln!(
        body,
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\"/>"
    );
    spread(body, axis, ratio, top + ROW / 2.0);
    if let Some(target) = line.target {
        let x = axis.at(target.bound());
        stroke(body, "target", (x, top + 1.0), (x, top + ROW - 1.0));
    }
    let target = line.target.map(|target| format!(" ({target})")).unwrap_or_default();
    let value = format!("{}{target}", number(ratio.median));
    let x = LEFT + BARS + 10.0;
    let _ = writeln!(body, "<text x=\"{x}\" y=\"{baseline}\">{}</text>", plain(&value));
}

/// From the least to the most.
fn spread(body: &mut String, axis: &Axis, ratio: Spread, y: f64) {
    let (least, most) = (axis.at(ratio.least), axis.at(ratio.most));
    stroke(body, "spread", (least, y), (most, y));
    for x in [least, most] {
        stroke(body, "spread", (x, y - 3.0), (x, y + 3.0));
    }
}

fn stroke(body: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        body,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}

fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
