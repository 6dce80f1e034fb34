//! The room: everything that touches the world, one module per device.
//!
//! Room floor: may use values; never documents, the ceremony, the command line, or a sibling device.

pub mod binding;
pub mod clock;
pub mod console;
pub mod entropy;
pub mod machine;
pub mod media;
pub mod picture;
#[cfg(feature = "piv")]
pub mod piv;
pub mod pkcs11;
pub mod soft;
pub mod token;

pub use clock::Clock;
pub use console::{Console, Expected, Prompt};
