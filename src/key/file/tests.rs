use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use super::*;

fn vector(name: &str) -> Vec<u8> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/key").join(name);
    std::fs::read(path).unwrap()
}

/// The scalar in a file, as the public key that belongs to it tells.
fn opened(name: &str, passphrase: &str) -> Result<Secret<32>, Error> {
    scalar(&KeyFile::read(&vector(name))?.open(passphrase.as_bytes())?)
}

#[test]
fn one_key_is_read_from_every_form_that_others_write_it_in() {
    let plain = opened("sec1.pem", "").unwrap();
    let pair = KeyFile::read(&vector("sec1.pem")).unwrap().open(b"").unwrap();
    let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &pair).unwrap();
    assert_eq!(pair.public_key().as_ref().len(), 65);
    for name in ["pkcs8.pem", "pbes2.pem", "dek256.pem", "dek128.pem", "notary.pem"] {
        let file = KeyFile::read(&vector(name)).unwrap();
        assert_eq!(file.is_encrypted(), name != "pkcs8.pem", "{name}");
        assert!(opened(name, "correct horse").unwrap().matches(&plain), "{name}");
    }
    assert!(opened("ed25519.pem", "").is_ok());
}

#[test]
fn another_passphrase_opens_nothing_and_other_files_hold_no_key() {
    for name in ["pbes2.pem", "dek256.pem", "dek128.pem", "notary.pem"] {
        let wrong = (0..64).filter(|n| opened(name, &format!("wrong {n}")).is_ok()).count();
        assert_eq!(wrong, 0, "{name}");
    }
    assert_eq!(opened("rsa.pem", "").map(|_| ()), Err(Error::NoKey));
    assert_eq!(KeyFile::read(b"no key").map(|_| ()), Err(Error::NoPem));
    let des = String::from_utf8(vector("dek256.pem")).unwrap().replace("AES-256-CBC", "DES-CBC");
    assert_eq!(KeyFile::read(des.as_bytes()).map(|_| ()), Err(Error::Cipher));
}

#[test]
fn every_block_of_a_file_is_read_and_written_again_with_its_headers() {
    let text = [vector("notary.pem"), b"text between\n".to_vec(), vector("dek256.pem")].concat();
    let all = KeyFile::read_all(&text).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].header("role"), Some("root"));
    assert_eq!(all[0].header("gun"), None);
    assert_eq!(all[0].to_pem(&[]).as_bytes(), vector("notary.pem"));
    assert_eq!(all[1].to_pem(&[]).as_bytes(), vector("dek256.pem"));
    let more = all[1].to_pem(&[("role", "ada"), ("path", "abc")]);
    let lines: Vec<&str> = more.lines().collect();
    assert_eq!(lines[1], "Proc-Type: 4,ENCRYPTED");
    assert!(lines[2].starts_with("DEK-Info: AES-256-CBC,"), "{more}");
    assert_eq!(lines[3..6], ["path: abc", "role: ada", ""]);
    assert_eq!(KeyFile::read_all(b"-----BEGIN nothing").map(|_| ()), Err(Error::NoPem));
}

#[test]
fn cut_and_changed_files_break_nothing() {
    for name in ["sec1.pem", "pkcs8.pem", "dek256.pem", "ed25519.pem"] {
        let bytes = vector(name);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x15;
            for text in [&bytes[..at], &other] {
                let _ = KeyFile::read(text)
                    .and_then(|file| file.open(b"correct horse"))
                    .and_then(|der| scalar(&der));
            }
        }
    }
}
