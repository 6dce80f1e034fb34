//! Officiant runs the ceremonies of an offline root key: this is the map of the house, from the ground up.
//!
//! The plan is the only input, the record is the only state, and everything that touches the world is in one folder.
//! A module uses its own floor and those below it, never one above; `tests/house/floors.rs` reads every path in the
//! source and refuses an edge upward.
//!
//! **Ground floor, values.** Pure. [`check`] names every rule that can refuse, [`refusal`] is a refusal with its three
//! lines and its exit code, [`digest`] a SHA-256 as hex and as words, [`secret`] what is wiped and never shown,
//! [`cjson`] canonical JSON, [`key`] public keys and how they sign, [`name`] the names of repositories and their
//! folders, [`packed`] very many values by text, [`sums`] `SHA256SUMS`, [`files`] files by path, [`shelf`] where those
//! lie that are too much to hold, [`wording`] plurals, lists, and text that cannot play with a terminal.
//!
//! **First floor, documents.** Pure; bytes to checked values and back. [`root`] is root metadata of both dialects: one
//! encoding each, one counter of signatures, one rule of succession, the difference of two roots in sentences, and the
//! walk of every known client. [`request`] is what `courier` brings, [`list`] the repositories of a plan, [`share`] and
//! [`seal`] a key in shares and the envelope around each, [`attestation`] what a maker says of a key on its token,
//! and [`advisory`] which tokens are known to be weak.
//!
//! **Second floor, the ceremony.** Pure: it decides and never does. [`ceremony`] compiles a plan to steps, says which
//! act is next, and judges every fact that comes back. Beside it stand [`record`], the hash-chained log whose entries
//! are its facts, and [`trust`], the public folder of plans and records that every ceremony continues.
//!
//! **The room.** All input and output: [`room`] has the console, the clock, the machine, media, entropy and PKCS#11 modules, each
//! knowing nothing of the others.
//!
//! **The roof.** [`conduct`] takes an act to the room and its fact to the ceremony and the record. [`child`] holds the
//! processes that drive a token or keep a software key. [`paper`] is script and report, [`show`] what a second reader
//! sees, [`verify`] holds finished ceremonies again; these three are pure. [`cli`] is what can be typed.
//!
//! **The annex**, with feature `online` alone, is the binary `courier` in `src/bin/courier`. It has all the network
//! code there is.
//!
//! The forms of all files are in docs/format.md, the reasons for all this in docs/design.md.

// Ground floor: values.
pub mod check;
pub mod cjson;
pub mod digest;
pub mod files;
pub mod key;
pub mod name;
pub mod packed;
pub mod refusal;
pub mod secret;
pub mod shelf;
pub mod sums;
pub mod wording;

// First floor: documents.
pub mod advisory;
pub mod attestation;
pub mod list;
pub mod request;
pub mod root;
pub mod seal;
pub mod share;

// Second floor: the ceremony, its record, and the folder that it continues.
pub mod ceremony;
pub mod record;
pub mod trust;

// The room.
pub mod room;

// The roof.
pub mod child;
pub mod cli;
pub mod conduct;
pub mod paper;
pub mod show;
pub mod verify;

/// The day of this release: no ceremony is held before it (docs/threats.md rule 24).
pub const RELEASED: jiff::civil::Date = jiff::civil::date(2026, 11, 22);
