//! How much a folder of a ceremony may hold: one set of limits, so that what one run writes the next one reads.
//!
//! Room floor: numbers.

use super::Limits;

/// The largest record that is read, in bytes: of a ceremony of some thousand repositories, interrupted often.
pub const LARGEST_RECORD: u64 = 512 << 20;

impl Limits {
    /// A custody folder.
    pub const CUSTODY: Limits =
        Limits { files: 100_000, bytes_each: 1 << 20, bytes_total: 256 << 20, depth: 4 };

    /// The folder of one request: a few files, one of which holds all repositories.
    pub const REQUEST: Limits =
        Limits { files: 16, bytes_each: 1 << 30, bytes_total: (1 << 30) + (1 << 20), depth: 0 };

    /// A trust folder of some thousand repositories and some dozens of ceremonies, or any folder that is shown.
    pub const TRUST: Limits =
        Limits { files: 2_000_000, bytes_each: LARGEST_RECORD, bytes_total: 4 << 30, depth: 8 };

    /// The inputs of a ceremony: past, custody and requests, and once more those of an unfinished one, three folders
    /// deeper.
    pub const INPUTS: Limits = Limits {
        files: 3 * Self::TRUST.files,
        bytes_each: Self::TRUST.bytes_each,
        bytes_total: 3 * Self::TRUST.bytes_total,
        depth: 3 + Self::TRUST.depth,
    };
}
