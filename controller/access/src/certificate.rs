//! The certificate of a client, and what is signed with its key for Entra ID.
//!
//! In: PEM, a time. Out: a certificate or what is wrong with it; assertions. The key is never printed.

use azure_core::Uuid;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PSS_SHA256;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use x509_cert::Certificate as Parsed;
use x509_cert::der::{DateTime, Decode as _};
use x509_cert::time::Validity;

/// How long an assertion is good for. Entra's documentation asks for 5 to 10 minutes at most; one is made for each token.
const LIFETIME: Duration = Duration::from_mins(5);

/// A certificate with its private key. Two are equal where both are.
#[derive(Clone)]
pub struct Certificate(Arc<Held>);

struct Held {
    key: KeyPair,
    /// SHA-256 of the certificate, in base64url: the header `x5t#S256`.
    thumbprint: String,
    /// SHA-256 of certificate and key.
    digest: [u8; 32],
}

/// What is wrong with the PEM of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be read.
    Unreadable,
    /// It has no certificate.
    NoCertificate,
    /// It has no private key.
    NoKey,
    /// The private key has a password.
    Encrypted,
    /// The private key is none of RSA, or has a length that cannot be used.
    NotRsa,
    /// The private key is that of another certificate.
    OtherKey,
    /// It was good until this time.
    Expired(DateTime),
    /// It is good from this time on.
    NotYet(DateTime),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("write it anew as PEM: it cannot be read"),
            Self::NoCertificate => {
                f.write_str("add the certificate, as PEM: there is no BEGIN CERTIFICATE in it")
            }
            Self::NoKey => f.write_str("add the certificate's private key, as PEM: there is no BEGIN PRIVATE KEY in it"),
            Self::Encrypted => {
                f.write_str("write the private key without its password, as openssl pkey does: it is encrypted")
            }
            Self::NotRsa => f.write_str(
                "use a certificate with an RSA key of 2048 to 4096 bits: its private key is another, which Entra ID does not take",
            ),
            Self::OtherKey => {
                f.write_str("put the certificate and the key that were made together there: the private key belongs to no certificate in it")
            }
            Self::Expired(at) => {
                write!(f, "register a new certificate with the application and put it there: this one expired at {at}")
            }
            Self::NotYet(at) => write!(f, "wait, or use another: it is not valid before {at}"),
        }
    }
}

impl Certificate {
    /// Reads certificate and key; `now` is the time since 1970. Of several certificates, as in a chain or after a
    /// renewal, the one of the key that is good for longest is taken.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(pem: &[u8], now: Duration) -> Result<Self, Fault> {
        let key = key(pem)?;
        let pair = pair(&key)?;
        let mut fault = Fault::NoCertificate;
        let mut best: Option<(Duration, CertificateDer<'_>)> = None;
        for found in CertificateDer::pem_slice_iter(pem) {
            let der = found.map_err(|_| Fault::Unreadable)?;
            let parsed = Parsed::from_der(&der).map_err(|_| Fault::Unreadable)?;
            let certificate = parsed.tbs_certificate();
            let until = certificate.validity().not_after.to_unix_duration();
            let public = certificate.subject_public_key_info().subject_public_key.raw_bytes();
            match belongs(public, &pair).and_then(|()| is_valid(certificate.validity(), now)) {
                Ok(()) if best.as_ref().is_none_or(|(other, _)| until > *other) => best = Some((until, der)),
                Ok(()) => {}
                // What is wrong with the key's own certificate is said rather than that there are others.
                Err(Fault::OtherKey) if fault != Fault::NoCertificate => {}
                Err(found) => fault = found,
            }
        }
        best.map_or(Err(fault), |(_, der)| Ok(Self::new(&der, &key, pair)))
    }

    fn new(certificate: &CertificateDer<'_>, key: &PrivateKeyDer<'_>, pair: KeyPair) -> Self {
        let mut both = Context::new(&SHA256);
        both.update(certificate);
        both.update(key.secret_der());
        let mut whole = [0; 32];
        whole.copy_from_slice(both.finish().as_ref());
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate));
        Self(Arc::new(Held { key: pair, thumbprint, digest: whole }))
    }

    /// What a client shows instead of a secret: a token that it signs itself, for the address that gives tokens.
    /// `now` is the time since 1970. Source: Entra ID, "certificate credentials".
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn assertion(&self, client: &str, audience: &str, now: Duration) -> azure_core::Result<String> {
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.0.thumbprint});
        let (since, until) = (now.as_secs(), (now + LIFETIME).as_secs());
        let claims = json!({
            "aud": audience, "iss": client, "sub": client, "jti": Uuid::new_v4().to_string(),
            "iat": since, "nbf": since, "exp": until,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.0.key.public().modulus_len()];
        self.0.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(
            |_| {
                let kind = azure_core::error::ErrorKind::Credential;
                azure_core::Error::with_message(kind, "the client's certificate could not sign")
            },
        )?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The private key in PEM.
fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Fault> {
    let has = |text: &[u8]| pem.windows(text.len()).any(|part| part == text);
    if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(Fault::Encrypted);
    }
    match PrivateKeyDer::pem_slice_iter(pem).next() {
        Some(key) => key.map_err(|_| Fault::Unreadable),
        None => Err(Fault::NoKey),
    }
}

/// The private key as what signs.
fn pair(key: &PrivateKeyDer<'_>) -> Result<KeyPair, Fault> {
    let pair = if let PrivateKeyDer::Pkcs1(key) = key {
        KeyPair::from_der(key.secret_pkcs1_der())
    } else {
        KeyPair::from_pkcs8(key.secret_der())
    };
    pair.map_err(|_| Fault::NotRsa)
}

/// Whether a certificate's public key is that of the private one.
fn belongs(public: &[u8], pair: &KeyPair) -> Result<(), Fault> {
    if public == pair.public().as_ref() { Ok(()) } else { Err(Fault::OtherKey) }
}

/// Whether a certificate is good at this time since 1970.
fn is_valid(validity: &Validity, now: Duration) -> Result<(), Fault> {
    if now < validity.not_before.to_unix_duration() {
        return Err(Fault::NotYet(validity.not_before.to_date_time()));
    }
    if now > validity.not_after.to_unix_duration() {
        return Err(Fault::Expired(validity.not_after.to_date_time()));
    }
    Ok(())
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Eq for Certificate {}

impl Hash for Certificate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest.hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.0.thumbprint)
    }
}

#[cfg(test)]
mod tests;
