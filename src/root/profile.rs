//! How the clients of the world read a root, as data: one [`Profile`] each.
//!
//! First floor: pure. Each value was read from the client's source and is compared with the client itself by the
//! test "the walk is right".

use super::Dialect;
use super::shape::{ExpiresText, Shape, SpecVersion};
use super::threshold::{Counting, Fault, Signer};

/// One client's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name people know it by.
    pub name: &'static str,
    /// The dialect that it reads.
    pub dialect: Dialect,
    /// How it gets from the root it holds to the newest.
    pub path: Path,
    /// What counts as a signature.
    pub counting: Counting,
    /// Whose signatures count.
    pub electors: Electors,
    /// Which roots must not have expired.
    pub expiry: Expiries,
    /// Whether the newest file must be byte for byte what a Notary server writes, since the snapshot names its hash.
    pub exact_bytes: bool,
    /// The largest root file it reads, in bytes.
    pub largest: usize,
    /// The most versions it goes through in one update.
    pub most_steps: u64,
    /// What it wants of a root before it counts.
    pub shape: Shape,
}

/// How a client gets from the root it holds to the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Straight to the newest; only if the keys it holds did not sign that, one version after the other.
    NewestFirst,
    /// One version after the other, until the next is not there (TUF 5.3).
    OneByOne,
    /// A server: each version is uploaded in turn and judged by the one before.
    Uploads,
}

/// Whose signatures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Electors {
    /// The keys of root certificates that name the repository; in the new root only those that are valid that day.
    /// The ids are those of the certificates, whatever the document lists.
    Certificates,
    /// The keys that the root role lists.
    Listed,
}

/// Which roots must not have expired, and whether the last instant still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiries {
    /// Every root that is uploaded; the last instant counts.
    Each,
    /// The newest; the last instant counts.
    Newest,
    /// The newest; at the last instant it has expired.
    NewestExclusive,
}

impl Profile {
    /// The profiles that read roots of `dialect`, the strictest last.
    pub fn of(dialect: Dialect) -> impl Iterator<Item = &'static Profile> {
        ALL.iter().copied().filter(move |profile| profile.dialect == dialect)
    }
}

/// Every profile.
pub const ALL: [&Profile; 6] =
    [&NOTARY_CLIENT, &NOTARY_SERVER, &STRICTEST_NOTARY, &PYTHON_TUF, &TOUGH, &STRICTEST_TUF];

/// `notary` 0.7 and `docker trust`.
///
/// - Unknown and bad signatures are skipped; one key in two certificates counts twice.
/// - Keys are found by the id of their certificate as Go would write it, whatever id and type the document gives, so
///   that a certificate with CRLF never signs. Signatures by the keys held count though their certificates have ended;
///   the new root, one on the way too, needs certificates that are valid. On the way it may have expired.
/// - It tries the newest first. Held back by the keys alone it counts on from the version that the root in its cache
///   gives itself, and takes a file that gives itself a higher version than its name. With an expired root in its
///   cache it tries the newest and no more.
/// - A file with other bytes than a server would write is not even found, because the snapshot names another hash. If
///   the timestamp key has changed as well, the client learns that only after the walk.
/// - It verifies P-224, which we do not: a root with such keys walks worse here than it does.
pub const NOTARY_CLIENT: Profile = Profile {
    name: "Notary client",
    dialect: Dialect::Notary,
    path: Path::NewestFirst,
    counting: BY_ID,
    electors: Electors::Certificates,
    expiry: Expiries::Newest,
    exact_bytes: true,
    largest: 100 << 20,
    most_steps: u64::MAX,
    shape: NOTARY_SHAPE,
};

/// `notary-server` 0.7: the same code judges what is uploaded.
///
/// It takes bytes that it would write otherwise, and the repository is then broken for every client.
pub const NOTARY_SERVER: Profile = Profile {
    name: "Notary server",
    path: Path::Uploads,
    expiry: Expiries::Each,
    exact_bytes: false,
    largest: usize::MAX,
    ..NOTARY_CLIENT
};

/// python-tuf 7: ids are not recomputed, so one key under two ids counts twice; it stops without a complaint at the
/// first version that is not there. The limit on size is on what it fetches, not on what it was shipped with.
pub const PYTHON_TUF: Profile = Profile {
    name: "python-tuf",
    dialect: Dialect::Tuf,
    path: Path::OneByOne,
    counting: BY_ID,
    electors: Electors::Listed,
    expiry: Expiries::NewestExclusive,
    exact_bytes: false,
    largest: 512_000,
    most_steps: 256,
    shape: Shape {
        all_roles: true,
        no_other_role: true,
        every_id_has_a_key: false,
        ids_once: true,
        signatures_once: true,
        own_ids: false,
        kinds: &PYTHON_KINDS,
        every_key_decodes: false,
        pem_only: true,
        expires: ExpiresText::WholeSeconds,
        spec_version: SpecVersion::One,
        consistent_snapshot: false,
    },
};

/// tough 0.24: every id is recomputed; it knows neither P-384 nor any role beyond the four, and refuses the whole
/// root for one key of a kind that it does not know, an online key too.
pub const TOUGH: Profile = Profile {
    name: "tough",
    dialect: Dialect::Tuf,
    path: Path::OneByOne,
    counting: BY_ID,
    electors: Electors::Listed,
    expiry: Expiries::Newest,
    exact_bytes: false,
    largest: 1 << 20,
    most_steps: 1024,
    shape: Shape {
        all_roles: false,
        no_other_role: true,
        every_id_has_a_key: false,
        ids_once: false,
        signatures_once: true,
        own_ids: true,
        kinds: &TOUGH_KINDS,
        every_key_decodes: true,
        pem_only: false,
        expires: ExpiresText::Respelled,
        spec_version: SpecVersion::Present,
        consistent_snapshot: true,
    },
};

/// What we ask of our own Notary chains: whatever the client asks, and each public key counted once.
///
/// It goes one version after the other even where the client would jump.
pub const STRICTEST_NOTARY: Profile = Profile {
    name: "strictest reader",
    path: Path::OneByOne,
    // Signatures by keys outside the chain that is at hand may be of versions before it.
    counting: Counting::ONE_SIDE,
    expiry: Expiries::NewestExclusive,
    largest: 1 << 20,
    most_steps: 256,
    shape: Shape {
        ids_once: true,
        signatures_once: true,
        own_ids: true,
        every_key_decodes: true,
        consistent_snapshot: true,
        ..NOTARY_SHAPE
    },
    ..NOTARY_CLIENT
};

/// What we ask of our own TUF chains: whatever any client asks, and each public key counted once.
///
/// P-384 is the exception: the specification has it, [`TOUGH`] does not.
pub const STRICTEST_TUF: Profile = Profile {
    name: "strictest reader",
    // Signatures by keys outside the chain that is at hand may be of versions before it.
    counting: Counting::ONE_SIDE,
    shape: Shape {
        every_id_has_a_key: true,
        own_ids: true,
        every_key_decodes: true,
        consistent_snapshot: true,
        ..PYTHON_TUF.shape
    },
    ..PYTHON_TUF
};

const BY_ID: Counting = Counting {
    signer: Signer::Id,
    wrong_id: Fault::Ignore,
    unknown_key: Fault::Skip,
    bad_signature: Fault::Skip,
    second_signature: Fault::Ignore,
};

const NOTARY_SHAPE: Shape = Shape {
    all_roles: true,
    no_other_role: false,
    every_id_has_a_key: true,
    ids_once: false,
    signatures_once: false,
    own_ids: false,
    kinds: &[],
    every_key_decodes: false,
    pem_only: false,
    expires: ExpiresText::Any,
    spec_version: SpecVersion::Any,
    consistent_snapshot: false,
};

const PYTHON_KINDS: [(&str, &str); 19] = [
    ("dsa", "pgp+dsa-fips-180-2"),
    ("ecdsa", "ecdsa-sha2-nistp256"),
    ("ecdsa", "ecdsa-sha2-nistp384"),
    ("ecdsa", "ecdsa-sha2-nistp521"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ed25519", "ed25519"),
    ("eddsa", "pgp+eddsa-ed25519"),
    ("ml-dsa", "ml-dsa-44/1"),
    ("ml-dsa", "ml-dsa-65/1"),
    ("ml-dsa", "ml-dsa-87/1"),
    ("rsa", "pgp+rsa-pkcsv1.5"),
    ("rsa", "rsa-pkcs1v15-sha256"),
    ("rsa", "rsa-pkcs1v15-sha384"),
    ("rsa", "rsa-pkcs1v15-sha512"),
    ("rsa", "rsassa-pss-sha256"),
    ("rsa", "rsassa-pss-sha384"),
    ("rsa", "rsassa-pss-sha512"),
];

const TOUGH_KINDS: [(&str, &str); 4] = [
    ("ecdsa", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ed25519", "ed25519"),
    ("rsa", "rsassa-pss-sha256"),
];
