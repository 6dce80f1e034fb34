//! What people hold in their hands: the script before a ceremony and the report after it, as text and as HTML.
//!
//! Roof, pure: a small model of a document, rendered twice, so that both forms say the same.

use crate::digest::Digest;
use crate::wording::one_line;

mod code;
mod html;
mod inline;
pub mod losses;
mod text;

pub mod outlook;
pub mod report;
pub mod script;
pub mod sheet;

pub use code::{png, svg};
pub use html::html;
pub use text::text;

/// A document for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Its title, which the first page begins with.
    pub title: String,
    /// What every page says at its foot: which plan this belongs to.
    pub foot: String,
    /// What every page says at its head, when the ceremony is not a real one: `PRACTICE`, `REHEARSAL`.
    pub mark: Option<String>,
    /// Its content, in order.
    pub blocks: Vec<Block>,
}

/// A piece of a document. Text between backticks is set as code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Texts for a camera, each a QR code.
    Codes(Vec<String>),
    /// A digest with its label, as hex in groups of four and as 24 numbered words.
    Digest(String, Digest),
    /// A heading.
    Heading(Level, String),
    /// Lines that are typed: number, letters in groups, check word.
    Lines(Vec<[String; 3]>),
    /// Labels and what they say.
    Pairs(Vec<(String, String)>),
    /// Short sentences, one under the other.
    Points(Vec<String>),
    /// A paragraph.
    Prose(String),
    /// A table.
    Table(Table),
}

/// How much a heading parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Begins a new page.
    Page,
    /// Goes on where it stands.
    Section,
}

/// A table whose head is repeated on every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub head: &'static str,
    /// Its width in characters, and its share of the page's width.
    pub width: usize,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// One text for each column.
    Cells(Vec<String>),
    /// One text across all columns, with a word that says of what kind it is.
    Note {
        /// `exception`, `refused`, `restarted`.
        kind: &'static str,
        /// What happened.
        text: String,
    },
    /// Empty cells to write in, this many lines high.
    Space(usize),
}

impl Paper {
    /// A document without content.
    pub fn new(title: impl Into<String>, foot: impl Into<String>) -> Self {
        Self { title: title.into(), foot: foot.into(), mark: None, blocks: Vec::new() }
    }

    pub(crate) fn page(&mut self, heading: impl Into<String>) {
        self.blocks.push(Block::Heading(Level::Page, heading.into()));
    }

    pub(crate) fn section(&mut self, heading: impl Into<String>) {
        self.blocks.push(Block::Heading(Level::Section, heading.into()));
    }

    pub(crate) fn prose(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Prose(text.into()));
    }

    pub(crate) fn points<T: Into<String>>(&mut self, points: impl IntoIterator<Item = T>) {
        let points: Vec<String> = points.into_iter().map(Into::into).collect();
        if !points.is_empty() {
            self.blocks.push(Block::Points(points));
        }
    }

    pub(crate) fn pairs<L: Into<String>, T: Into<String>>(
        &mut self,
        pairs: impl IntoIterator<Item = (L, T)>,
    ) {
        let pairs = pairs.into_iter().map(|(label, said)| (label.into(), said.into()));
        self.blocks.push(Block::Pairs(pairs.collect()));
    }

    pub(crate) fn digest(&mut self, label: &str, digest: Digest) {
        self.blocks.push(Block::Digest(label.to_owned(), digest));
    }

    pub(crate) fn table(&mut self, columns: &[(&'static str, usize)], rows: Vec<Row>) {
        let columns = columns.iter().map(|(head, width)| Column { head, width: *width }).collect();
        self.blocks.push(Block::Table(Table { columns, rows }));
    }
}

/// What a text says, in one line whatever it holds, and how many empty lines stand at its end to be written on.
fn said_and_empty(text: &str) -> (String, usize) {
    let said = text.trim_end_matches('\n');
    (one_line(said), text.len() - said.len())
}

pub(crate) fn cells<const N: usize>(cells: [&str; N]) -> Row {
    Row::Cells(cells.map(str::to_owned).to_vec())
}
