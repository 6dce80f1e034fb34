//! Whole journeys against the real thing: fetched from a server that nobody here wrote, conducted at a terminal,
//! published, and judged by the clients that people have.

mod adopt;
mod fleet;
pub(crate) mod genesis;
pub(crate) mod journey;
mod odd;
pub(crate) mod rotate;
mod theirs;
mod tuf;
mod yubikey;

use crate::sitting::officer::Officer;
use journey::Journey;
