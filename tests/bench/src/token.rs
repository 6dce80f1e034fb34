//! A child that drives a token, as a ceremony uses it: batches are signed in it and every signature is verified by the
//! parent, on another core where there is one.

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use officiant::child::Launch;
use officiant::child::token::{Driver, KeyRef, Login, Token};
use officiant::key::{Hash, Scheme};
use officiant::room::binding::Needs;
use officiant::secret::{Pin, SecretBytes};

use crate::soft::{MODULE, PIN, Soft};

/// How signatures are made and verified: those of Notary's root.
const SCHEME: Scheme = Scheme::EcdsaRaw(Hash::Sha256);
/// So many go to the token at once.
const BATCH: usize = 1024;

/// A batch as it was signed.
type Signed = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// Signs so many messages with each token, all tokens at once, and verifies each signature. Gives the time from the
/// first question to the last verification, with all tokens logged in before.
pub(crate) fn sign(program: &Path, count: usize, tokens: &[(PathBuf, PathBuf)]) -> Duration {
    let mut tokens: Vec<_> =
        tokens.iter().map(|(module, folder)| open(program, module, &Soft::at(folder))).collect();
    let ready = Barrier::new(tokens.len() + 1);
    thread::scope(|scope| {
        for (token, key) in &mut tokens {
            let ready = &ready;
            let (to, from) = sync_channel(2);
            let public = key.clone();
            scope.spawn(move || {
                ready.wait();
                for first in (0..count).step_by(BATCH) {
                    let messages = messages(first..count.min(first + BATCH));
                    let inputs: Vec<_> = messages.iter().map(|m| SCHEME.to_sign(m)).collect();
                    let signatures = token.sign(key, &inputs).expect("signatures");
                    to.send((messages, signatures)).expect("a verifier");
                }
            });
            scope.spawn(move || verify(&public, &from));
        }
        ready.wait();
        Instant::now()
    })
    .elapsed()
}

fn messages(numbers: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    numbers.map(|number| format!("message {number}").into_bytes()).collect()
}

fn verify(key: &KeyRef, from: &Receiver<Signed>) {
    for (messages, signatures) in from {
        assert_eq!(messages.len(), signatures.len(), "a signature of each message");
        for (message, signature) in messages.iter().zip(&signatures) {
            let algorithm = key.public.algorithm();
            let encoded = SCHEME.encode(algorithm, signature).expect("a signature");
            key.public.verify(SCHEME, message, &encoded).expect("a signature of that key");
        }
    }
}

fn open(program: &Path, module: &Path, soft: &Soft) -> (Token, KeyRef) {
    let launch = Launch {
        program: program.to_owned(),
        name: soft.label.clone(),
        patience: Duration::from_secs(120),
    };
    // A module that is not SoftHSM itself is the shim, which writes what it counts beside itself.
    let writes = module.parent().filter(|_| module != Path::new(MODULE)).map(Path::to_owned);
    let driver = Driver::Module {
        module: module.to_owned(),
        sha256: None,
        softhsm: Some(soft.configuration()),
        needs: Box::new(Needs { writes: writes.into_iter().collect(), ..Needs::default() }),
        uri: None,
    };
    let mut token = Token::start(&launch, &driver).expect("a child");
    let faces = token.list().expect("tokens").faces;
    let face = faces.iter().find(|face| face.name.label == soft.label).expect("the token");
    token.select(&face.name.serial.clone()).expect("the token");
    let pin = Pin::new(SecretBytes::copy_of(PIN.as_bytes())).expect("a PIN");
    assert_eq!(token.login(pin).expect("an answer"), Login::Open, "the PIN");
    let key = token.keys().expect("keys").remove(0).key;
    (token, key)
}
