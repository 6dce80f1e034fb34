//! The trust folder as values: who holds which key, every complete root, and the ceremonies that made them.
//!
//! Second floor, beside the ceremony: pure; the bytes of files in, checked values out.

mod alone;
mod custody;
mod holds;
mod identity;
mod lineage;
mod past;
mod people;

pub use alone::{Alone, Drawn, KeyAlone, ShareAlone};
pub use custody::{
    ATTESTATIONS, Custody, CustodyKey, CustodyPaper, CustodyRecipient, CustodyShare, CustodyToken,
    Gone, Held,
};
pub use holds::{Holds, ShareOf};
pub use identity::Identity;
pub use lineage::{Governed, Lineage};
pub use past::{Error, LastCeremony, Past, TRUST_SUMS, folder_name};
pub use people::{PEOPLE, People};

/// Path of the custody file in the trust folder.
pub const CUSTODY: &str = "custody.json";
/// Folder of the roots in the trust folder.
pub const METADATA: &str = "metadata";
/// Folder of the statements of drills that custodians did alone, in the trust folder.
pub const DRILLS: &str = "drills";
/// Folder of the ceremonies in the trust folder.
pub const CEREMONIES: &str = "ceremonies";
