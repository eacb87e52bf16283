//! What a client signs in with, as it stands in a Secret: its secret, or a certificate with its key.
//!
//! In: what a Secret holds, a time. Out: the proof, or what the Secret lacks. Reads nothing by itself.

use crate::certificate::Certificate;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a client signs in with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A client's secret.
    Secret(String),
    /// A certificate with its key.
    Certificate(Certificate),
}

/// The key of the client's secret.
const SECRET_KEY: &str = "clientSecret";
/// The key of the client's certificate: PEM with the certificate and its private key.
const CERTIFICATE_KEY: &str = "clientCertificate";
/// The keys of a certificate and its private key in a Secret of the type `kubernetes.io/tls`.
const TLS_KEYS: [&str; 2] = ["tls.crt", "tls.key"];
/// The longest secret. Those of Entra ID have 40 characters.
const LONGEST_SECRET: usize = 1024;
/// The longest PEM. A key and a certificate of 4096 bits have 5 KiB, and a chain has more certificates.
const LONGEST_PEM: usize = 64 << 10;

/// What a Secret holds to sign in with. `now` is the time since 1970.
///
/// # Errors
/// What is missing.
pub fn read(name: &str, found: Option<BTreeMap<String, Vec<u8>>>, now: Duration) -> Result<Proof, Wait> {
    let held = found.ok_or_else(|| {
        let message = format!(
            "there is no Secret {name} in this namespace; create it with the key {SECRET_KEY} or {CERTIFICATE_KEY}"
        );
        Wait::new(Reason::SECRET_NOT_FOUND, message).unwatched()
    })?;
    let (secret, pem) = (held.get(SECRET_KEY), pem(&held));
    match (secret, pem) {
        (Some(_), Some((keys, _))) => {
            Err(lacks(format!("Secret {name} has {SECRET_KEY} and {keys}; remove the one that is not used")))
        }
        (_, Some((keys, pem))) => certificate(name, keys, &pem, now),
        (secret, None) => value(name, secret).map(Proof::Secret),
    }
}

fn lacks(message: String) -> Wait {
    Wait::stalled(Reason::SECRET_INCOMPLETE, message).unwatched()
}

/// The PEM in a Secret, with the keys under which it stands.
fn pem(held: &BTreeMap<String, Vec<u8>>) -> Option<(&'static str, Vec<u8>)> {
    if let Some(pem) = held.get(CERTIFICATE_KEY) {
        return Some((CERTIFICATE_KEY, pem.clone()));
    }
    let [certificate, key] = TLS_KEYS.map(|key| held.get(key));
    (certificate.is_some() || key.is_some()).then(|| {
        let both = [certificate, key].into_iter().flatten();
        ("tls.crt and tls.key", both.map(Vec::as_slice).collect::<Vec<_>>().join(&b'\n'))
    })
}

fn certificate(name: &str, keys: &str, pem: &[u8], now: Duration) -> Result<Proof, Wait> {
    if pem.len() > LONGEST_PEM {
        let message = format!(
            "{keys} of Secret {name} is longer than {LONGEST_PEM} bytes; write the client's certificate and key there alone"
        );
        return Err(lacks(message));
    }
    Certificate::read(pem, now)
        .map(Proof::Certificate)
        .map_err(|fault| lacks(format!("{keys} of Secret {name} cannot be used; {fault}")))
}

/// The client's secret.
fn value(name: &str, secret: Option<&Vec<u8>>) -> Result<String, Wait> {
    let text = secret.and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::trim);
    let text = text.filter(|text| !text.is_empty()).ok_or_else(|| {
        lacks(format!("Secret {name} has no key {SECRET_KEY}; add it, or a certificate as {CERTIFICATE_KEY}"))
    })?;
    if text.len() > LONGEST_SECRET {
        let message = format!(
            "{SECRET_KEY} of Secret {name} is longer than {LONGEST_SECRET} bytes; write the client's secret there"
        );
        return Err(lacks(message));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = include_str!("../tests/keys/client.pem");
    const NOW: Duration = Duration::from_hours(24 * 20_619);

    fn holding(pairs: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
        pairs.iter().map(|(key, bytes)| ((*key).to_owned(), bytes.to_vec())).collect()
    }

    #[test]
    fn what_a_secret_lacks_is_said_with_what_to_do() {
        let (long, pem) = ("x".repeat(LONGEST_SECRET + 1), "x".repeat(LONGEST_PEM + 1));
        let no_key = "has no key clientSecret; add it";
        for (found, reason, part) in [
            (None, Reason::SECRET_NOT_FOUND, "create it with the key clientSecret"),
            (Some(holding(&[])), Reason::SECRET_INCOMPLETE, no_key),
            (Some(holding(&[("clientsecret", b"x")])), Reason::SECRET_INCOMPLETE, no_key),
            (Some(holding(&[(SECRET_KEY, b" \n")])), Reason::SECRET_INCOMPLETE, no_key),
            (Some(holding(&[(SECRET_KEY, &[0xff])])), Reason::SECRET_INCOMPLETE, no_key),
            (
                Some(holding(&[(SECRET_KEY, long.as_bytes())])),
                Reason::SECRET_INCOMPLETE,
                "longer than 1024 bytes",
            ),
            (
                Some(holding(&[(SECRET_KEY, b"x"), (CERTIFICATE_KEY, b"x")])),
                Reason::SECRET_INCOMPLETE,
                "has clientSecret and clientCertificate; remove the one",
            ),
            (
                Some(holding(&[(CERTIFICATE_KEY, pem.as_bytes())])),
                Reason::SECRET_INCOMPLETE,
                "longer than 65536 bytes",
            ),
            (
                Some(holding(&[(CERTIFICATE_KEY, CLIENT.as_bytes())])),
                Reason::SECRET_INCOMPLETE,
                "clientCertificate of Secret azure cannot be used; add the certificate",
            ),
            (
                Some(holding(&[("tls.crt", b"x")])),
                Reason::SECRET_INCOMPLETE,
                "tls.crt and tls.key of Secret azure cannot be used; add the certificate's private key",
            ),
        ] {
            let wait = read("azure", found, NOW).err().unwrap();
            assert!(wait.reason == reason && wait.message.contains(part), "{}", wait.message);
        }
    }

    #[test]
    fn a_secret_or_a_certificate_signs_in() {
        let word = read("azure", Some(holding(&[(SECRET_KEY, b"word\n")])), NOW).unwrap();
        assert!(word == Proof::Secret("word".to_owned()), "a file ends with a line break");
        let signer = rcgen::KeyPair::from_pem(&CLIENT[CLIENT.find("-----").unwrap()..]).unwrap();
        let pem = rcgen::CertificateParams::default().self_signed(&signer).unwrap().pem();
        let whole = format!("{pem}{CLIENT}");
        let one = read("azure", Some(holding(&[(CERTIFICATE_KEY, whole.as_bytes())])), NOW);
        let pair = holding(&[("tls.crt", pem.trim().as_bytes()), ("tls.key", CLIENT.as_bytes())]);
        let two = read("azure", Some(pair), NOW);
        assert!(one.is_ok() && one.ok() == two.ok());
    }
}
