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

/// The digests are those that others publish, too: tests/vectors/attestation/ORIGIN.md.
#[test]
fn makers_certificates_are_signed_up_to_their_roots_and_have_the_published_digests() {
    let der = |pem: &str| x509_cert::der::pem::decode_vec(pem.as_bytes()).unwrap().1;
    let [old, a, b] = MAKERS.map(der);
    let [root, above_a, above_b] = ABOVE.map(der);
    for (below, above, digest) in [
        (&old, &old, "63ece914e54dd87915f34033c85af4c0696ba1512f8add66ced738331207b546"),
        (&above_a, &root, "4698a1d3389c3ec60016c216250f1d0439922832d65142327436376dc2942b55"),
        (&above_b, &root, "d4cc3f456fdaf4e7812a21aab1dfe9d8e27d24e2fd2d6f21c9940109f0daa754"),
        (&a, &above_a, "6de693f05376f5d8ca29069261e1c8626c75d503bd2edbfd75354cad1f722870"),
        (&b, &above_b, "2d55b7998f4e42569d6d8fa382b6dc77d1dacf07358b19701163892922b17052"),
    ] {
        assert_eq!(crate::digest::Digest::of(below).to_string(), digest);
        assert_eq!(is_signed(below, &public(above).unwrap()), Ok(true), "{digest}");
    }
    let digest = crate::digest::Digest::of(&root).to_string();
    assert_eq!(digest, "62760c6a6ef91679f454c8902b80fd009825b3f25da90f1fbace2ec6586cd5a8");
    // The root is of other applications' certificates, too.
    assert!(!makers().unwrap().contains(&public(&root).unwrap()));
}

/// What stands above those that are known: the root, and who signed A 1 and B 1.
const ABOVE: [&str; 3] = [
    include_str!("../../tests/vectors/attestation/yubico-root-1.pem"),
    include_str!("../../tests/vectors/attestation/yubico-intermediate-a-1.pem"),
    include_str!("../../tests/vectors/attestation/yubico-intermediate-b-1.pem"),
];

const FORGED: &str = "its signature is not by the attestation key that came with it";
