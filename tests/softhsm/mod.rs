//! Real children on real soft tokens: what a token and a vault do, and what they do when something is wrong.

mod broken;
mod held;
mod remote;
mod shares;
mod token;

use std::path::{Path, PathBuf};
use std::time::Duration;

use officiant::{
    child::{
        Launch,
        token::{Driver, KeyRef, Login, Purpose, SoPin, Token},
        vault::Vault,
    },
    key::Algorithm,
    room::binding::Needs,
    seal::SealKey,
    secret::{Pin, SecretBytes},
};

use crate::harness::{
    scratch::Scratch,
    softhsm::{MODULE, SoftHsm},
};

const PIN: &str = "123456";

fn launch(name: &str) -> Launch {
    Launch {
        program: PathBuf::from(env!("CARGO_BIN_EXE_officiant")),
        name: name.to_owned(),
        patience: Duration::from_secs(60),
    }
}

fn pin(text: &str) -> Pin {
    Pin::new(SecretBytes::copy_of(text.as_bytes())).unwrap()
}

fn vault() -> Vault {
    Vault::start(&launch("vault")).unwrap()
}

/// A child on the tokens of one SoftHSM folder, with nothing selected.
fn start(name: &str, softhsm: &SoftHsm, module: &Path) -> Token {
    Token::start(&launch(name), &driver(softhsm, module)).unwrap()
}

/// How a module drives the tokens of one SoftHSM folder. A shim writes its counts beside it.
fn driver(softhsm: &SoftHsm, module: &Path) -> Driver {
    let shim = module.parent().filter(|_| module != Path::new(MODULE)).map(Path::to_owned);
    Driver::Module {
        module: module.to_owned(),
        sha256: None,
        softhsm: Some(softhsm.configuration()),
        needs: Box::new(Needs { writes: shim.into_iter().collect(), ..Needs::default() }),
        uri: None,
    }
}

/// A child on a new token of its own, initialised by us, and logged in.
fn fresh(scratch: &Scratch, name: &str) -> Token {
    let softhsm = SoftHsm::empty(scratch, name);
    let mut token = start(name, &softhsm, Path::new(MODULE));
    token.init(None, name, SoPin::Drawn, pin(PIN)).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    token
}

/// A token with a sealing key.
struct Sealer {
    token: Token,
    key: KeyRef,
    to: SealKey,
}

impl Sealer {
    fn new(scratch: &Scratch, name: &str) -> Self {
        let mut token = fresh(scratch, name);
        let made = token.generate(Purpose::Seal, Algorithm::EcdsaP256, "seal").unwrap();
        let to = made.key.public.clone().try_into().unwrap();
        Self { token, key: made.key, to }
    }
}
