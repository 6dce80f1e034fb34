//! Verification: roots as clients read them, beside bare verification of the same signatures.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, EcdsaVerificationAlgorithm, UnparsedPublicKey,
};
use jiff::Timestamp;
use officiant::root::profile::{
    NOTARY_CLIENT, PYTHON_TUF, Profile, STRICTEST_NOTARY, STRICTEST_TUF, TOUGH,
};
use officiant::root::walk::{Chain, Walker};
use officiant::root::{Dialect, Role, SignedRoot, Version};

use crate::keys::SoftKey;
use crate::roots::{GUN, Maker};

/// A signature, what it is over, and the point of the key that made it.
struct Bare {
    form: &'static EcdsaVerificationAlgorithm,
    point: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Bare {
    /// The signatures that a client has to verify that begins with the first root of a chain: of each root by its own
    /// key and by the one before.
    fn of(chain: &[SignedRoot]) -> Vec<Self> {
        let key = |of: &SignedRoot| {
            let (id, key) = of.root().role_keys(Role::Root).next().expect("a root key");
            (id.clone(), key.public().expect("a key").material().to_vec())
        };
        let mut bare = Vec::new();
        for (at, root) in chain.iter().enumerate() {
            let form: &'static EcdsaVerificationAlgorithm = match root.root().dialect() {
                Dialect::Notary => &ECDSA_P256_SHA256_FIXED,
                Dialect::Tuf => &ECDSA_P256_SHA256_ASN1,
            };
            let before = at.checked_sub(1).map(|at| key(&chain[at]));
            for (id, point) in before.into_iter().chain([key(root)]) {
                let signature = root.signatures().iter().find(|signature| signature.key == id);
                let signature = signature.expect("a signature").bytes.clone();
                bare.push(Self { form, point, message: root.root().signed_bytes(), signature });
            }
        }
        bare
    }

    fn verify(&self) {
        let key = UnparsedPublicKey::new(self.form, &self.point);
        key.verify(&self.message, &self.signature).expect("a signature of that key");
    }
}

/// Verifies so many Notary roots of one signature each: each is parsed from its bytes and judged by the strictest
/// profile. Gives the time of as many bare verifications on one thread, and of this on so many.
pub(crate) fn roots(count: usize, threads: usize) -> [Duration; 2] {
    let maker = Maker::new(Dialect::Notary, &online());
    let roots: Vec<_> = (0..count).flat_map(|_| maker.chain(1)).collect();
    let bare: Vec<_> = roots.iter().flat_map(|root| Bare::of(std::slice::from_ref(root))).collect();
    assert_eq!(bare.len(), count, "a signature of each");
    let files: Vec<Vec<u8>> = roots.iter().map(|root| root.bytes().to_vec()).collect();
    drop(roots);
    let raw = timed(|| bare.iter().for_each(Bare::verify));
    let at = Timestamp::now();
    let ours = timed(|| {
        thread::scope(|scope| {
            for part in files.chunks(files.len().div_ceil(threads)) {
                scope.spawn(move || part.iter().for_each(|file| judge(file, at)));
            }
        });
    });
    [raw, ours]
}

fn judge(file: &[u8], at: Timestamp) {
    let root = SignedRoot::parse(Dialect::Notary, file).expect("a root");
    let walker = Walker { profile: &STRICTEST_NOTARY, repository: GUN, at };
    walker.walk(&Chain::new([root]), Some(Version::FIRST)).expect("a root that stands");
}

/// Writes a chain in each dialect, as the programs below tests/peers read chains.
pub(crate) fn write_chains(folder: &Path, count: usize) {
    for (dialect, name) in DIALECTS {
        let online = online();
        let case = folder.join(name).join("chain");
        fs::create_dir_all(&case).expect("a folder");
        for (role, key) in &online {
            fs::write(folder.join(name).join(format!("{role}.key")), key.pkcs8()).expect("a file");
        }
        fs::write(case.join("gun"), GUN).expect("a file");
        for root in Maker::new(dialect, &online).chain(count) {
            fs::write(case.join(format!("{}.root.json", root.version())), root.bytes())
                .expect("a file");
        }
    }
}

/// Walks a chain from its first version by a profile, the reading of its files included.
pub(crate) fn walk(profile: &str, folder: &Path) -> Duration {
    let profile = profile_of(profile);
    timed(|| {
        let chain = Chain::new(read(profile.dialect, folder));
        let walker = Walker { profile: &profile, repository: GUN, at: Timestamp::now() };
        walker.walk(&chain, Some(Version::FIRST)).expect("a chain that leads on");
    })
}

/// Verifies the signatures of a chain and nothing else.
pub(crate) fn walk_raw(dialect: &str, folder: &Path) -> Duration {
    let (dialect, _) = DIALECTS.into_iter().find(|(_, name)| *name == dialect).expect("a dialect");
    let bare = Bare::of(&read(dialect, folder).collect::<Vec<_>>());
    timed(|| bare.iter().for_each(Bare::verify))
}

fn read(dialect: Dialect, folder: &Path) -> impl Iterator<Item = SignedRoot> {
    let files = (1..).map_while(move |n| fs::read(folder.join(format!("{n}.root.json"))).ok());
    files.map(move |file| SignedRoot::parse(dialect, &file).expect("a root"))
}

/// A profile by what `bench` calls it. How many versions a client goes through in one update is no matter here.
fn profile_of(name: &str) -> Profile {
    let profile = match name {
        "notary" => NOTARY_CLIENT,
        "notary-strictest" => STRICTEST_NOTARY,
        "python-tuf" => PYTHON_TUF,
        "tough" => TOUGH,
        "tuf-strictest" => STRICTEST_TUF,
        _ => panic!("no profile is called {name}"),
    };
    Profile { most_steps: u64::MAX, ..profile }
}

fn online() -> Vec<(Role, SoftKey)> {
    Role::ONLINE.into_iter().map(|role| (role, SoftKey::new())).collect()
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

const DIALECTS: [(Dialect, &str); 2] = [(Dialect::Notary, "notary"), (Dialect::Tuf, "tuf")];
