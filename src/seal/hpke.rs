//! HPKE (RFC 9180), the receiver's half in base mode, with the Diffie-Hellman done elsewhere.
//!
//! First floor: pure. HKDF-SHA256 0x0001 and ChaCha20Poly1305 0x0003, with one of two KEMs: DHKEM(P-256, HKDF-SHA256)
//! 0x0010, or MLKEM768-P256 0x0050 (draft-ietf-hpke-pq), whose halves are put together by SHA3-256.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA3_256};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;

use crate::secret::{Secret, SecretBytes};

/// The two public points of an encapsulation, uncompressed.
pub(super) struct Parties<'a> {
    pub(super) enc: &'a [u8],
    pub(super) recipient: &'a [u8],
}

/// Opens the first message to the recipient (RFC 9180 5.1.1 and 5.2), without additional data; none if it is not intact
/// or `agreed` is not the x coordinate of the agreement.
pub(super) fn open(
    agreed: &Secret<32>,
    parties: &Parties<'_>,
    info: &[u8],
    sealed: &[u8],
) -> Option<SecretBytes> {
    open_with(&decapsulate(agreed, parties)?, &DH_SUITE, info, sealed)
}

/// The same by both halves: what ML-KEM-768 gave, and the x coordinate of the agreement.
pub(super) fn open_hybrid(
    (kem, x): (&Secret<32>, &Secret<32>),
    parties: &Parties<'_>,
    info: &[u8],
    sealed: &[u8],
) -> Option<SecretBytes> {
    let mut hash = Context::new(&SHA3_256);
    for part in [kem.expose(), x.expose(), parties.enc, parties.recipient, b"MLKEM768-P256"] {
        hash.update(part);
    }
    open_with(&Secret::copy_of(hash.finish().as_ref())?, &HYBRID_SUITE, info, sealed)
}

fn open_with(shared: &Secret<32>, suite: &[u8], info: &[u8], sealed: &[u8]) -> Option<SecretBytes> {
    // 5.1, key_schedule, mode_base: no PSK, no PSK id.
    let context = [
        &[0][..],
        &extract(b"", &labelled(suite, "psk_id_hash", &[])),
        &extract(b"", &labelled(suite, "info_hash", info)),
    ]
    .concat();
    let secret = Salt::new(HKDF_SHA256, shared.expose()).extract(&labelled(suite, "secret", &[]));
    let key: Secret<32> = expand(&secret, suite, "key", &context)?;
    let nonce: Secret<12> = expand(&secret, suite, "base_nonce", &context)?;
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key.expose()).ok()?);
    let nonce = Nonce::assume_unique_for_key(*nonce.expose());
    let len = sealed.len().checked_sub(CHACHA20_POLY1305.tag_len())?;
    let mut plain = vec![0; len];
    let opened =
        key.open_separate_gather(nonce, Aad::empty(), &sealed[..len], &sealed[len..], &mut plain);
    let plain = SecretBytes::take(plain);
    opened.ok().map(|()| plain)
}

/// HKDF-Extract with SHA-256 (RFC 5869) of public material.
pub(super) fn extract(salt: &[u8], material: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), material);
    std::array::from_fn(|i| tag.as_ref()[i])
}

/// DHKEM's Decap (4.1) after the Diffie-Hellman: ExtractAndExpand.
fn decapsulate(agreed: &Secret<32>, parties: &Parties<'_>) -> Option<Secret<32>> {
    let prefix = labelled(&KEM, "eae_prk", &[]);
    let material = SecretBytes::fill(prefix.len() + 32, |material| {
        material[..prefix.len()].copy_from_slice(&prefix);
        material[prefix.len()..].copy_from_slice(agreed.expose());
    });
    let prk = Salt::new(HKDF_SHA256, b"").extract(material.expose());
    expand(&prk, &KEM, "shared_secret", &[parties.enc, parties.recipient].concat())
}

/// LabeledExpand (4).
fn expand<const N: usize>(prk: &Prk, suite: &[u8], label: &str, info: &[u8]) -> Option<Secret<N>> {
    let len = u16::try_from(N).ok()?.to_be_bytes();
    let labelled = labelled(suite, label, info);
    let parts = [&len[..], &labelled];
    let okm = prk.expand(&parts, Length(N)).ok()?;
    Secret::try_fill(|out| okm.fill(out)).ok()
}

/// `"HPKE-v1" ‖ suite_id ‖ label ‖ material`.
fn labelled(suite: &[u8], label: &str, material: &[u8]) -> Vec<u8> {
    [b"HPKE-v1", suite, label.as_bytes(), material].concat()
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

const KEM: [u8; 5] = *b"KEM\x00\x10";
const DH_SUITE: [u8; 10] = *b"HPKE\x00\x10\x00\x01\x00\x03";
const HYBRID_SUITE: [u8; 10] = *b"HPKE\x00\x50\x00\x01\x00\x03";

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9180 A.3 has this KEM with AES-128-GCM; the encapsulation does not depend on the cipher.
    #[test]
    fn the_encapsulation_is_that_of_rfc_9180_a_3() {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let private = hex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2");
        let recipient = hex(
            "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0",
        );
        let enc = hex(
            "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
        );
        let shared = hex("c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8");
        let ours = aws_lc_rs::agreement::PrivateKey::from_private_key(
            &aws_lc_rs::agreement::ECDH_P256,
            &private,
        )
        .unwrap();
        let peer =
            aws_lc_rs::agreement::UnparsedPublicKey::new(&aws_lc_rs::agreement::ECDH_P256, &enc);
        let agreed =
            aws_lc_rs::agreement::agree(&ours, peer, (), |x| Ok(Secret::<32>::copy_of(x).unwrap()))
                .unwrap();
        let parties = Parties { enc: &enc, recipient: &recipient };
        assert_eq!(decapsulate(&agreed, &parties).unwrap().expose()[..], shared);
    }
}
