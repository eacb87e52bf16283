//! Assertions that a client signs with the key of its certificate.
//!
//! In: an assertion, the certificate that is registered. Out: nothing, or the number and text of Entra ID's refusal.
//! Source: Entra ID, "certificate credentials" and "error codes".

use super::tokens;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// A refusal: its number, its text.
type Refusal = (u32, &'static str);

const NOT_REGISTERED: Refusal = (
    700_027,
    "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.",
);
const MALFORMED: Refusal = (50027, "AADSTS50027: JWT token is invalid or malformed.");
const NOT_IN_TIME: Refusal = (700_024, "AADSTS700024: Client assertion is not within its valid time range.");
const AUDIENCE: Refusal =
    (700_023, "AADSTS700023: Client assertion audience claim does not match Realm issuer.");
const ISSUER: Refusal =
    (700_021, "AADSTS700021: Client assertion application identifier doesn't match 'client_id' parameter.");

/// Whether the key of the certificate signed the assertion, for this client and this address.
pub fn check(assertion: &str, pem: &str, client: &str, audience: &str) -> Result<(), Refusal> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| NOT_REGISTERED)?;
    let (signed, signature) = assertion.rsplit_once('.').ok_or(MALFORMED)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| MALFORMED)?;
    let header = signed.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header: Value = header.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(MALFORMED)?;
    if header["alg"] != "PS256" || header["typ"] != "JWT" {
        return Err(MALFORMED);
    }
    if header["x5t#S256"] != URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate)) {
        return Err(NOT_REGISTERED);
    }
    let parsed = Certificate::from_der(&certificate).map_err(|_| NOT_REGISTERED)?;
    let tbs = parsed.tbs_certificate();
    let key = tbs.subject_public_key_info().subject_public_key.raw_bytes();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| NOT_REGISTERED)?;
    let now = Timestamp::now().as_second();
    if u64::try_from(now).is_ok_and(|now| now > tbs.validity().not_after.to_unix_duration().as_secs()) {
        return Err(NOT_REGISTERED);
    }
    claims(&tokens::payload(assertion).ok_or(MALFORMED)?, client, audience, now)
}

/// Whether the claims are those of the client, for this address and this time. Clocks may differ by five minutes.
fn claims(claims: &Value, client: &str, audience: &str, now: i64) -> Result<(), Refusal> {
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).ok_or(MALFORMED);
    if time("exp")? <= now || time("nbf")? > now + 300 {
        return Err(NOT_IN_TIME);
    }
    if claims["aud"] != audience {
        return Err(AUDIENCE);
    }
    if claims["iss"] != client || claims["sub"] != client || claims["jti"].as_str().is_none_or(str::is_empty)
    {
        return Err(ISSUER);
    }
    Ok(())
}
