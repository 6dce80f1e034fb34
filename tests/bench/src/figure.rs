//! A figure: what was measured round by round, beside a reference of the same rounds, and what it is to be.

use serde_json::{Value, json};

/// One comparison.
#[derive(Debug)]
pub(crate) struct Figure {
    /// The word by which it is chosen.
    pub(crate) name: &'static str,
    /// What work it is about.
    pub(crate) title: String,
    /// Of the values, such as `ms`.
    pub(crate) unit: &'static str,
    /// What the others are compared with: by it they are divided. Without one they stand for themselves.
    pub(crate) reference: Option<Line>,
    /// Ours, and then the peers.
    pub(crate) lines: Vec<Line>,
}

/// The values of one of those compared, one for each round.
#[derive(Debug)]
pub(crate) struct Line {
    /// Who, and what it did exactly.
    pub(crate) who: String,
    /// In rounds.
    pub(crate) values: Vec<f64>,
    /// What the ratio, or the value where there is no reference, is to be; ours have one, peers do not.
    pub(crate) target: Option<Target>,
}

/// What a ratio is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// Not less.
    AtLeast(f64),
    /// Not more.
    AtMost(f64),
    /// Less.
    Below(f64),
    /// This and nothing else.
    Exactly(f64),
}

/// The middle of some values, and their ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// The smallest.
    pub(crate) least: f64,
    /// The middle.
    pub(crate) median: f64,
    /// The largest.
    pub(crate) most: f64,
}

impl Figure {
    /// A figure without values yet.
    pub(crate) fn new(name: &'static str, title: impl Into<String>, unit: &'static str) -> Self {
        Self { name, title: title.into(), unit, reference: None, lines: Vec::new() }
    }

    /// A value of the reference.
    pub(crate) fn reference(&mut self, who: &str, value: f64) {
        let line = self.reference.get_or_insert_with(|| Line::new(who, None));
        line.values.push(value);
    }

    /// A value of ours, which is to reach something.
    pub(crate) fn ours(&mut self, who: &str, target: Target, value: f64) {
        self.line(who, Some(target)).values.push(value);
    }

    /// A value of a peer.
    pub(crate) fn peer(&mut self, who: &str, value: f64) {
        self.line(who, None).values.push(value);
    }

    /// Has the first lines, which are ours, be below all others, which are of peers.
    pub(crate) fn lead(&mut self, ours: usize) {
        let peers = self.lines[ours..].iter().map(|line| self.ratio(line).median);
        let least = peers.fold(f64::INFINITY, f64::min);
        for line in &mut self.lines[..ours] {
            line.target = Some(Target::Below(least));
        }
    }

    fn line(&mut self, who: &str, target: Option<Target>) -> &mut Line {
        let at = self.lines.iter().position(|line| line.who == who).unwrap_or_else(|| {
            self.lines.push(Line::new(who, target));
            self.lines.len() - 1
        });
        &mut self.lines[at]
    }

    /// The ratios of a line to the reference of the same round.
    pub(crate) fn ratio(&self, line: &Line) -> Spread {
        match &self.reference {
            None => Spread::of(&line.values),
            Some(reference) => {
                let pairs = line.values.iter().zip(&reference.values);
                Spread::of(&pairs.map(|(value, by)| value / by).collect::<Vec<_>>())
            }
        }
    }

    /// All of it, for machines.
    pub(crate) fn json(&self) -> Value {
        let line = |line: &Line| json!({"who": line.who, "values": line.values});
        let compared = |of: &Line| {
            let ratio = self.ratio(of);
            let mut value = line(of);
            value["ratio"] = json!([ratio.least, ratio.median, ratio.most]);
            if let Some(target) = of.target {
                value["target"] = json!(target.to_string());
                value["met"] = json!(target.is_met(ratio.median));
            }
            value
        };
        json!({
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "reference": self.reference.as_ref().map(line),
            "lines": self.lines.iter().map(compared).collect::<Vec<_>>(),
        })
    }
}

impl Line {
    fn new(who: &str, target: Option<Target>) -> Self {
        Self { who: who.to_owned(), values: Vec::new(), target }
    }
}

impl Target {
    /// The bound itself.
    pub(crate) fn bound(self) -> f64 {
        let (Self::AtLeast(bound)
        | Self::AtMost(bound)
        | Self::Below(bound)
        | Self::Exactly(bound)) = self;
        bound
    }

    /// Whether a value is what it is to be.
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Below(bound) => value < bound,
            Self::Exactly(bound) => (value - bound).abs() < f64::EPSILON,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self {
            Self::AtLeast(_) => "≥ ",
            Self::AtMost(_) => "≤ ",
            Self::Below(_) => "< ",
            Self::Exactly(_) => "",
        };
        write!(f, "{sign}{}", plain(self.bound()))
    }
}

/// At most two decimals.
fn plain(bound: f64) -> f64 {
    (bound * 100.0).round() / 100.0
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        assert!(count > 0, "nothing was measured");
        let median = f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]);
        Self { least: sorted[0], median, most: sorted[count - 1] }
    }
}
