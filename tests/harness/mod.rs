//! What the tests stand on: scratch folders, commands, terminals, and programs that nobody here wrote.

pub(crate) mod command;
#[cfg(feature = "online")]
pub(crate) mod engine;
#[cfg(feature = "online")]
pub(crate) mod forward;
pub(crate) mod kill;
pub(crate) mod killer;
pub(crate) mod lying;
pub(crate) mod media;
pub(crate) mod memory;
pub(crate) mod notary;
pub(crate) mod peers;
pub(crate) mod photo;
pub(crate) mod pty;
#[cfg(feature = "online")]
pub(crate) mod registry;
pub(crate) mod scratch;
pub(crate) mod shim;
pub(crate) mod softhsm;
pub(crate) mod yubikey;
