use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair};

fn pair() -> (EcdsaKeyPair, PublicKey) {
    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = PublicKey::from_ec_point(Algorithm::EcdsaP256, pair.public_key().as_ref()).unwrap();
    (pair, key)
}

fn subject(name: &str, key: PublicKey) -> Subject {
    Subject {
        name: name.to_owned(),
        serial: [0xff; 16],
        key,
        not_before: "2026-11-30T00:00:00Z".parse().unwrap(),
        not_after: "2051-11-30T00:00:00Z".parse().unwrap(),
    }
}

fn certificate(name: &str) -> Certificate {
    let (pair, key) = pair();
    let tbs = Tbs::new(&subject(name, key)).unwrap();
    let raw = pair.sign(&SystemRandom::new(), tbs.bytes()).unwrap();
    Bundle::read(&tbs.pem(raw.as_ref()).unwrap()).unwrap().leaf().clone()
}

#[test]
fn a_certificate_says_what_was_asked_and_verifies_itself() {
    let certificate = certificate("localhost:5000/x_*");
    assert_eq!(certificate.name(), "localhost:5000/x_*");
    assert_eq!(certificate.not_after().to_string(), "2051-11-30T00:00:00Z");
    assert!(!certificate.is_ca() && !certificate.is_sha1());
    certificate.verify_as_made().unwrap();
    let bundle = Bundle::read_exact(&certificate.to_pem()).unwrap();
    assert_eq!(bundle.leaf(), &certificate);
}

#[test]
fn a_signature_by_another_key_is_refused() {
    let (_, key) = pair();
    let (other, _) = pair();
    let tbs = Tbs::new(&subject("a", key)).unwrap();
    let raw = other.sign(&SystemRandom::new(), tbs.bytes()).unwrap();
    let made = Bundle::read(&tbs.pem(raw.as_ref()).unwrap()).unwrap();
    assert_eq!(made.leaf().verify_as_made(), Err(Error::Key(key::Error::BadSignature)));
}

#[test]
fn wildcards_match_prefixes_and_names_match_whole() {
    let rows = [
        ("reg/ns/*", "reg/ns/x", true),
        ("reg/ns/*", "reg/other", false),
        ("*", "anything", true),
        ("reg/**", "reg/", true),
        ("reg/x", "reg/x", true),
        ("reg/x", "reg/xy", false),
        ("reg/*x", "reg/ax", false),
    ];
    for (name, repository, matches) in rows {
        assert_eq!(certificate(name).names(repository), matches, "{name} {repository}");
    }
}

#[test]
fn pem_that_go_would_write_otherwise_is_refused_where_bytes_count() {
    let pem = certificate("a").to_pem();
    let rows = [
        pem.replace('\n', "\r\n"),
        format!("subject=a\n{pem}"),
        pem.trim_end().to_owned(),
        format!("{pem}\n"),
    ];
    for text in rows {
        assert!(Bundle::read(&text).is_ok());
        assert_eq!(
            Bundle::read_exact(&text).unwrap_err().to_string(),
            "the certificate's PEM is not as Go writes it (64 columns, LF, nothing before, one line end after)"
        );
    }
    assert_eq!(Bundle::read_exact(&format!("{pem}{pem}")), Err(Error::Leaves { found: 2 }));
    assert_eq!(Bundle::read_exact("no certificate"), Err(Error::Pem));
}

#[test]
fn what_cannot_be_written_is_refused_in_exact_words() {
    let (_, key) = pair();
    let good = subject("a", key);
    let rows = [
        (
            Subject { name: String::new(), ..good.clone() },
            "a certificate's name has 1 to 255 bytes and no control characters, found ``",
        ),
        (
            Subject { serial: [0; 16], ..good.clone() },
            "a certificate's serial number is 128 random bits, found zero",
        ),
        (
            Subject { not_after: good.not_before, ..good.clone() },
            "a certificate that begins 2026-11-30T00:00:00Z cannot end 2026-11-30T00:00:00Z",
        ),
        (
            Subject { key: PublicKey::from_ed25519(&[7; 32]).unwrap(), ..good.clone() },
            "a root certificate holds no key of ed25519",
        ),
    ];
    for (subject, words) in rows {
        assert_eq!(Tbs::new(&subject).unwrap_err().to_string(), words);
    }
}

#[test]
fn every_reason_has_its_words() {
    let day: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
    let rows = [
        (
            Error::Algorithm { algorithm: Algorithm::Ed25519 },
            "a root certificate holds no key of ed25519",
        ),
        (
            Error::Dates { from: day, until: day },
            "a certificate that begins 2026-11-30T00:00:00Z cannot end 2026-11-30T00:00:00Z",
        ),
        (Error::Der { reason: "why".to_owned() }, "no X.509 certificate in DER: why"),
        (Error::Key(key::Error::BadSignature), "the signature is not by this key over these bytes"),
        (Error::LeafNotFirst, "the first certificate of a key is a CA's, its own must stand first"),
        (Error::Leaves { found: 2 }, "a key has one certificate that is no CA's, found 2"),
        (
            Error::Name { found: "a\n".to_owned(), limit: 255 },
            "a certificate's name has 1 to 255 bytes and no control characters, found `a\\n`",
        ),
        (
            Error::NotExact,
            "the certificate's PEM is not as Go writes it (64 columns, LF, nothing before, one line end after)",
        ),
        (Error::Pem, "no certificate in PEM"),
        (Error::Serial, "a certificate's serial number is 128 random bits, found zero"),
        (Error::Time { found: day }, "a certificate cannot hold the date 2026-11-30T00:00:00Z"),
    ];
    for (error, words) in rows {
        assert_eq!(error.to_string(), words);
    }
    let (_, key) = pair();
    let early =
        Subject { not_before: "1950-01-01T00:00:00Z".parse().unwrap(), ..subject("a", key) };
    assert_eq!(
        Tbs::new(&early).unwrap_err().to_string(),
        "a certificate cannot hold the date 1950-01-01T00:00:00Z"
    );
}

#[test]
fn a_certificate_that_may_do_more_is_told_from_one_made_here() {
    let made = certificate("localhost:5000/x");
    assert_eq!(made.verify_as_made(), Ok(()));
    // KeyUsage: digitalSignature, and then keyCertSign beside it.
    let at = made.der().windows(4).position(|bytes| bytes == [3, 2, 7, 0x80]).unwrap();
    let mut der = made.der().to_vec();
    der[at..at + 4].copy_from_slice(&[3, 2, 2, 0x84]);
    let more = Certificate::from_der(&der).unwrap();
    assert_eq!(more.verify_as_made(), Err(Error::NotAsMade));
}

#[test]
fn certificates_end_two_years_after_their_root_or_later() {
    for (expires, earliest) in [
        ("2031-11-30T00:00:00Z", "2033-11-30T00:00:00Z"),
        ("2028-02-28T00:00:00Z", "2030-02-28T00:00:00Z"),
        ("2028-02-29T00:00:00Z", "2030-02-28T00:00:00Z"),
        ("2026-03-01T00:00:00Z", "2028-03-01T00:00:00Z"),
    ] {
        let earliest: jiff::Timestamp = earliest.parse().unwrap();
        assert_eq!(earliest_end(expires.parse().unwrap()), earliest, "{expires}");
    }
}

#[test]
fn what_is_made_here_is_read_as_a_parser_reads_it_and_nothing_else_is() {
    let (pair, key) = pair();
    for n in 0..200_u8 {
        // Serials that begin with nothing and with a high bit, names of any length, years on both sides of 2050.
        let serial = std::array::from_fn(|at| if at < usize::from(n % 15) { 0 } else { n ^ 0x80 });
        let name = "x".repeat(1 + usize::from(n));
        let subject = Subject { name, serial, ..subject("x", key.clone()) };
        let subject = match n % 2 {
            0 => subject,
            _ => Subject { not_after: "2049-11-30T00:00:00Z".parse().unwrap(), ..subject },
        };
        let Ok(tbs) = Tbs::new(&subject) else { continue };
        let raw = pair.sign(&SystemRandom::new(), tbs.bytes()).unwrap();
        let pem = tbs.pem(raw.as_ref()).unwrap();
        let der = pem_bytes(LABEL, &pem).unwrap();
        assert_eq!(made::read(&der), Some(Certificate::parse(&der).unwrap()), "{n}");
        // One bit more or less, wherever, is no certificate, another one, or read by the parser.
        for at in 0..der.len() {
            let mut other = der.clone();
            other[at] ^= 1 << (n % 8);
            if let Some(read) = made::read(&other) {
                assert_eq!(Certificate::parse(&other), Ok(read), "{n} {at}");
            }
            assert_eq!(made::read(&der[..at]), None);
        }
    }
}
