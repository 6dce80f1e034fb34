use super::*;
use crate::key::pem_text;

const KEY: &[u8] = include_bytes!("../../tests/vectors/attestation/key.der");
const ISSUER: &[u8] = include_bytes!("../../tests/vectors/attestation/issuer.der");
const AUTHORITY: &[u8] = include_bytes!("../../tests/vectors/attestation/authority.der");

fn chain() -> Vec<Vec<u8>> {
    vec![KEY.to_vec(), ISSUER.to_vec()]
}

fn read(certificates: &[Vec<u8>]) -> Result<Attestation, String> {
    Attestation::read(certificates, &public(KEY).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn an_attestation_says_which_yubikey_made_the_key_and_what_its_use_asks_for() {
    let said = read(&chain()).unwrap();
    let expected = Attestation {
        serial: 4242,
        firmware: [5, 7, 1],
        pin: PinPolicy::Once,
        touch: TouchPolicy::Cached,
        is_by_maker: false,
    };
    assert_eq!(said, expected);
    let kept: String = chain().iter().map(|der| pem_text("CERTIFICATE", der)).collect();
    assert_eq!(Attestation::read_kept(kept.as_bytes(), &public(KEY).unwrap()), Ok(said));
    let authority = public(AUTHORITY).unwrap();
    let key = public(KEY).unwrap();
    let said = Attestation::read_by(&chain(), &key, &[authority]).unwrap();
    assert_eq!(said, Attestation { is_by_maker: true, ..expected });
}

#[test]
fn what_is_no_attestation_of_the_key_is_refused() {
    let flipped = |at: usize| {
        let mut bytes = KEY.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let rows = [
        (vec![KEY.to_vec()], "expected two certificates, found 1"),
        (vec![ISSUER.to_vec(), AUTHORITY.to_vec()], "it is of another key"),
        (vec![KEY.to_vec(), AUTHORITY.to_vec()], FORGED),
        (vec![flipped(KEY.len() - 3), ISSUER.to_vec()], FORGED),
        (vec![flipped(20), ISSUER.to_vec()], FORGED),
        (vec![KEY[1..].to_vec(), ISSUER.to_vec()], "it is no certificate"),
    ];
    for (certificates, expected) in rows {
        assert_eq!(read(&certificates), Err(expected.to_owned()));
    }
    // Signed by who signs YubiKeys, and of no key that a YubiKey made.
    let authority = [ISSUER.to_vec(), AUTHORITY.to_vec()];
    let said = Attestation::read(&authority, &public(ISSUER).unwrap());
    assert_eq!(said, Err(Error::Unsaid));
}

#[test]
fn makers_certificates_are_their_own() {
    for pem in MAKERS {
        let (_, der) = x509_cert::der::pem::decode_vec(pem.as_bytes()).unwrap();
        assert_eq!(is_signed(&der, &public(&der).unwrap()), Ok(true));
    }
    assert_eq!(makers().unwrap().len(), MAKERS.len());
}

const FORGED: &str = "its signature is not by the attestation key that came with it";
