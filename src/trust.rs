//! The trust folder as values: who holds which key, every complete root, and the ceremonies that made them.
//!
//! Second floor, beside the ceremony: pure; the bytes of files in, checked values out.

mod custody;
mod past;

pub use custody::{
    ATTESTATIONS, Custody, CustodyKey, CustodyPaper, CustodyShare, CustodyToken, Held,
};
pub use past::{Error, LastCeremony, Past, TRUST_SUMS, below, folder_name};

/// Path of the custody file in the trust folder.
pub const CUSTODY: &str = "custody.json";
/// Folder of the roots in the trust folder.
pub const METADATA: &str = "metadata";
/// Folder of the ceremonies in the trust folder.
pub const CEREMONIES: &str = "ceremonies";
