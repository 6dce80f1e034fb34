//! TUF repositories that python-tuf and tough made and rotated: fetched, adopted, and rotated on by a ceremony.

use std::fs;
use std::path::Path;

use officiant::root::{Dialect, SignedRoot};

use super::adopt::{adopting, import, pin};
use super::journey::{make_key, write_plan};
use super::tuf::{clients_walk, sign_online};
use crate::courier::said;
use crate::harness::command::{command, run};
use crate::harness::peers::{peer, python};
use crate::sitting::{Bench, PlanText, Publisher, genesis};

const NAME: &str = "theirs.test";

/// Three versions: an Ed25519 key, then two of two with RSA and P-256, then the P-256 key of the file named.
const MAKE: &str = "
import datetime, sys
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
folder, file = sys.argv[1:]
expires = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
expires += datetime.timedelta(days=20)
online = CryptoSigner.generate_ecdsa()
mine = CryptoSigner(load_pem_private_key(open(file, 'rb').read(), None))
sets = [
    [CryptoSigner.generate_ed25519()],
    [CryptoSigner(rsa.generate_private_key(65537, 3072)),
     CryptoSigner(ec.generate_private_key(ec.SECP256R1()))],
    [mine],
]
root = Root(expires=expires)
for role in ['targets', 'snapshot', 'timestamp']:
    root.add_key(online.public_key, role)
old = []
for version, signers in enumerate(sets, 1):
    for signer in old:
        root.revoke_key(signer.public_key.keyid, 'root')
    for signer in signers:
        root.add_key(signer.public_key, 'root')
    root.roles['root'].threshold = len(signers)
    root.version = version
    metadata = Metadata(root)
    for signer in old + signers:
        metadata.sign(signer, append=True)
    metadata.to_file(f'{folder}/{version}.root.json')
    old = signers
for name, made in [('1.targets', Targets(expires=expires)), ('1.snapshot', Snapshot(expires=expires)),
                   ('timestamp', Timestamp(expires=expires))]:
    metadata = Metadata(made)
    metadata.sign(online)
    metadata.to_file(f'{folder}/{name}.json')
";

/// Has a repository of three roots fetched, the last key adopted, and a fourth root published behind them. `make` writes
/// the three into a folder, the last by the key in `root-key.pem`.
fn adopted_and_rotated_on(make: impl FnOnce(&Bench, &Path)) {
    let bench = Bench::new(Dialect::Tuf, &[NAME]);
    let published = bench.scratch.folder("published");
    let folder = published.to_str().unwrap();
    make_key(&bench, "root");
    make(&bench, &published);
    clients_walk(&bench.scratch, &published, 3);
    let before = fs::read_dir(&published).unwrap().count();
    import(&bench, "old", "root-key.pem");

    let mut fetch = command(env!("CARGO_BIN_EXE_courier"), bench.scratch.path());
    fetch.args(["fetch", NAME, "--dialect", "tuf", "--server", folder, "--out", "media/in-1"]);
    run(&mut fetch).ok();
    let plan = PlanText { ceremony: "rotate", roles: Vec::new(), ..genesis::on_tokens() };
    write_plan(&bench, &plan, &adopting(pin(&bench)));
    let tokens = ["officer-a", "officer-b", "officer-c", "old"];
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "");
    bench.conduct().ok();
    let mut publish = command(env!("CARGO_BIN_EXE_courier"), bench.scratch.path());
    publish.args(["publish", "media/out-1a", "--directory", folder]);
    let told = said(&run(&mut publish).ok());
    assert_eq!(told, format!("{NAME}: version 3 → 4, fetched back and equal\n"));
    clients_walk(&bench.scratch, &published, 4);
    assert_eq!(fs::read_dir(&published).unwrap().count(), before + 1);
}

#[test]
fn a_chain_of_python_tuf_is_fetched_adopted_and_rotated_on() {
    adopted_and_rotated_on(|bench, published| {
        python(&bench.scratch, MAKE, &[published.to_str().unwrap(), "root-key.pem"]).ok();
    });
}

#[test]
fn a_chain_of_tough_is_fetched_adopted_and_rotated_on() {
    adopted_and_rotated_on(|bench, published| {
        let openssl = |arguments: &str| {
            run(command("openssl", bench.scratch.path()).args(arguments.split(' '))).ok();
        };
        openssl("pkcs8 -topk8 -nocrypt -in root-key.pem -outform DER -out root-key.der");
        openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
        for (role, key) in &bench.online {
            bench.scratch.file(&format!("{role}.der"), key.pkcs8());
        }
        for name in ["one.der", "two.der"] {
            bench.scratch.file(name, Publisher::new().pkcs8());
        }
        let mut make = command(peer("tough/tough-walk"), bench.scratch.path());
        make.arg("make").arg(published).args(["targets.der", "snapshot.der", "timestamp.der"]);
        run(make.args(["one.der", "two.der,rsa.pem", "root-key.der"])).ok();
        let last =
            SignedRoot::parse(Dialect::Tuf, &fs::read(published.join("3.root.json")).unwrap());
        sign_online(bench, last.unwrap().root(), published);
    });
}
