//! Certificates of clients, with keys that are the same at each run: RSA, of which none can be made in a moment.

use anyhow::{Context as _, Result};
use rcgen::{CertificateParams, KeyPair};

/// The private key of a client, as PEM.
pub const KEY: &str = include_str!("../../../controller/access/tests/keys/client.pem");
/// The private key of another.
pub const OTHER: &str = include_str!("../../../controller/access/tests/keys/other.pem");

/// A certificate for a private key, as PEM. It expires in the year 4096, or expired in this year.
///
/// # Errors
/// When the key cannot be read.
pub fn certificate(key: &str, expired: Option<i32>) -> Result<String> {
    let begin = key.find("-----").context("no PEM")?;
    let mut params = CertificateParams::default();
    if let Some(year) = expired {
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
    }
    Ok(params.self_signed(&KeyPair::from_pem(&key[begin..])?)?.pem())
}
