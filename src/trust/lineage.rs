//! The roots of one repository, as far as they need not be read: how many there are, and who governs it now.
//!
//! Second floor, beside the ceremony: pure.

use std::sync::Arc;

use crate::key::PublicKey;
use crate::root::{Dialect, Expiry, Role, Root};

/// A repository's roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    dialect: Dialect,
    versions: u64,
    governed: Arc<Governed>,
}

/// Whose signatures a newest root asks for, and until when it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governed {
    /// The keys of the root role, in the order of the document.
    pub keys: Vec<PublicKey>,
    /// How many of them.
    pub threshold: i64,
    /// When the root expires.
    pub expires: Expiry,
}

impl Governed {
    /// What a root says.
    pub fn by(root: &Root) -> Self {
        let keys = root.role_keys(Role::Root).filter_map(|(_, key)| key.public().cloned());
        let threshold = root.role(Role::Root).map_or(0, |role| role.threshold);
        Self { keys: keys.collect(), threshold, expires: root.expires().clone() }
    }
}

impl Lineage {
    /// The lineage that ends with a root.
    pub(super) fn of(newest: &Root) -> Self {
        let (dialect, versions) = (newest.dialect(), newest.version().get());
        Self { dialect, versions, governed: Arc::new(Governed::by(newest)) }
    }

    /// The same, which shares what governs it with others.
    pub(super) fn sharing(self, known: &mut Governors) -> Self {
        Self { governed: known.shared(self.governed), ..self }
    }

    /// The dialect of the roots.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many there are: the version of the newest.
    pub const fn versions(&self) -> u64 {
        self.versions
    }

    /// Whose signatures the newest asks for.
    pub fn governed(&self) -> &Governed {
        &self.governed
    }

    /// Whether the newest lists a root key.
    pub fn is_governed_by(&self, key: &PublicKey) -> bool {
        self.governed.keys.contains(key)
    }
}

/// What governs repositories, each once: those of a fleet have the same keys, and end on one day.
#[derive(Debug, Default)]
pub(super) struct Governors(Vec<Arc<Governed>>);

impl Governors {
    fn shared(&mut self, governed: Arc<Governed>) -> Arc<Governed> {
        if let Some(known) = self.0.iter().find(|known| **known == governed) {
            return Arc::clone(known);
        }
        self.0.push(Arc::clone(&governed));
        governed
    }
}
