//! A TUF repository that python-tuf made and rotated: fetched, adopted, and rotated on by a ceremony.

use std::fs;

use officiant::root::Dialect;

use super::adopt::{adopting, import, pin};
use super::journey::{make_key, write_plan};
use super::tuf::clients_walk;
use crate::courier::said;
use crate::harness::command::{command, run};
use crate::harness::peers::python;
use crate::sitting::{Bench, PlanText, genesis};

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

#[test]
fn a_chain_of_python_tuf_is_fetched_adopted_and_rotated_on() {
    let bench = Bench::new(Dialect::Tuf, &[NAME]);
    let published = bench.scratch.folder("published");
    let folder = published.to_str().unwrap();
    make_key(&bench, "root");
    python(&bench.scratch, MAKE, &[folder, "root-key.pem"]).ok();
    clients_walk(&bench.scratch, &published, 3);
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
    assert_eq!(fs::read_dir(&published).unwrap().count(), 7);
}
