//! Tests of certificates: what is wrong with each, and that an assertion is signed by the key.

use super::*;
use rcgen::{CertificateParams, KeyPair as Signer, date_time_ymd};
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

const CLIENT: &str = include_str!("../../tests/keys/client.pem");
const OTHER: &str = include_str!("../../tests/keys/other.pem");

/// 15 June 2026.
const NOW: Duration = Duration::from_hours(24 * 20_619);

/// A certificate for a key, good in one year.
fn certificate(key: &Signer, year: i32) -> String {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (date_time_ymd(year, 1, 1), date_time_ymd(year, 12, 31));
    params.self_signed(key).unwrap().pem()
}

/// The same for a key of RSA.
fn of(key: &str, year: i32) -> String {
    certificate(&Signer::from_pem(&key[key.find("-----").unwrap()..]).unwrap(), year)
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let curve = Signer::generate().unwrap();
    let encrypted = CLIENT
        .replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE")
        .replace("END PRIVATE", "END ENCRYPTED PRIVATE");
    let good = of(CLIENT, 2026);
    for (pem, expected) in [
        (format!("{good}{CLIENT}"), "ok"),
        (format!("{CLIENT}{good}"), "ok"),
        (format!("{CLIENT}{}{good}", of(OTHER, 2026)), "ok"),
        (format!("{CLIENT}{}{good}{}", of(CLIENT, 2025), of(CLIENT, 2027)), "ok"),
        (String::new(), "add the certificate's private key, as PEM"),
        (good.clone(), "add the certificate's private key, as PEM"),
        (CLIENT.to_owned(), "add the certificate, as PEM"),
        (format!("{good}{encrypted}"), "write the private key without its password"),
        (format!("{good}-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"), "without its password"),
        (format!("{good}{OTHER}"), "that were made together"),
        (
            format!("{}{}", certificate(&curve, 2026), curve.serialize_pem()),
            "an RSA key of 2048 to 4096 bits",
        ),
        (format!("{}{CLIENT}", of(CLIENT, 2025)), "this one expired at 2025-12-31T00:00:00Z"),
        (format!("{}{CLIENT}", of(CLIENT, 2027)), "not valid before 2027-01-01T00:00:00Z"),
        (format!("{CLIENT}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "cannot be read"),
        (format!("{good}-----BEGIN PRIVATE KEY-----\n%\n-----END PRIVATE KEY-----\n"), "cannot be read"),
    ] {
        let said = Certificate::read(pem.as_bytes(), NOW)
            .map_or_else(|fault| fault.to_string(), |_| "ok".to_owned());
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn an_assertion_is_signed_by_the_key_and_names_the_certificate() {
    let pem = of(CLIENT, 2026);
    let certificate = Certificate::read(format!("{pem}{CLIENT}").as_bytes(), NOW).unwrap();
    let jwt = certificate.assertion("client", "https://login.example/t/oauth2/v2.0/token", NOW).unwrap();
    let parts: Vec<&str> = jwt.split('.').collect();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &der));
    assert_eq!(read(parts[0]), json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}));
    let claims = read(parts[1]);
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client"), &json!("client")));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap(), 300);
    let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, certificate.0.key.public().as_ref());
    let signed = jwt.rsplit_once('.').unwrap().0;
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
    let again = certificate.assertion("client", "https://login.example/t/oauth2/v2.0/token", NOW).unwrap();
    assert_ne!(read(again.split('.').nth(1).unwrap())["jti"], claims["jti"]);
}

#[test]
fn a_certificate_is_known_by_its_key_and_never_prints_it() {
    let read = |key: &str, year| {
        let now = NOW + Duration::from_hours(24 * 365) * u32::try_from(year - 2026).unwrap();
        Certificate::read(format!("{}{key}", of(key, year)).as_bytes(), now).unwrap()
    };
    assert!(read(CLIENT, 2026) != read(CLIENT, 2027) && read(CLIENT, 2026) != read(OTHER, 2026));
    let shown = format!("{:?}", read(CLIENT, 2026));
    assert!(shown.len() < 70, "{shown}");
}
