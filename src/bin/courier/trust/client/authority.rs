//! Certificate authorities that a pin names.
//!
//! Annex; pure.

use std::time::Duration;

use jiff::Timestamp;
use officiant::root::certificate::Bundle;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// Authorities, each of which may have signed a root certificate, or an intermediate of one.
pub(crate) struct Authorities(Vec<TrustAnchor<'static>>);

impl Authorities {
    /// Reads the certificates of a PEM file; none where one is no authority's, or there is none.
    pub(crate) fn read(pem: &[u8]) -> Option<Self> {
        let certificates =
            CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().ok()?;
        let anchor =
            |der: &CertificateDer<'_>| Some(anchor_from_trusted_cert(der).ok()?.to_owned());
        let anchors = certificates.iter().map(anchor).collect::<Option<Vec<_>>>()?;
        (!anchors.is_empty()).then_some(Self(anchors))
    }

    /// Whether one of them vouches for a root certificate at a moment (RFC 5280 6.1). What it may be used for does not
    /// matter: notary asks for `serverAuth` there, which no root certificate that it makes has.
    pub(crate) fn vouch_for(&self, bundle: &Bundle, at: Timestamp) -> bool {
        let der = CertificateDer::from(bundle.leaf().der());
        let Ok(leaf) = EndEntityCert::try_from(&der) else { return false };
        let between = bundle.intermediates().iter().map(|c| CertificateDer::from(c.der()));
        let between: Vec<_> = between.collect();
        let at = u64::try_from(at.as_second()).unwrap_or_default();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
        USAGES.iter().any(|usage| {
            let usage = KeyUsage::required_if_present(usage);
            let verified = leaf.verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &self.0,
                &between,
                at,
                usage,
                None,
                None,
            );
            verified.is_ok()
        })
    }
}

/// `serverAuth` and `codeSigning` (RFC 5280 4.2.1.12), as DER content.
const USAGES: [&[u8]; 2] = [
    &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
    &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03],
];
