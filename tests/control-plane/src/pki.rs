//! The certificates of one control plane: its authority, its server, its users.
//! In: names. Out: PEM text. May not write files.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use sha2::{Digest, Sha256};

use crate::cache::hex;
use crate::error::{Error, Result};

/// A certificate and its private key, as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: String,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let failed = |source| Error::Certificate { subject: "the authority".into(), source };
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "control-plane-ca");
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// For a server that is reached under these host names and addresses.
    pub(crate) fn server(&self, hosts: &[&str]) -> Result<Pair> {
        let names: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        let params = CertificateParams::new(names).map_err(failed(hosts[0]))?;
        self.issue(params, hosts[0], ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// For a user, in Kubernetes' way: the common name is the user, organizations are its groups.
    pub(crate) fn client(&self, user: &str, groups: &[&str]) -> Result<Pair> {
        let mut params = CertificateParams::default();
        for group in groups {
            params.distinguished_name.push(DnType::OrganizationName, *group);
        }
        self.issue(params, user, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        subject: &str,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<Pair> {
        params.distinguished_name.push(DnType::CommonName, subject);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().map_err(failed(subject))?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed(subject))?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// The keys, private and public, with which the API server signs and checks the tokens of service accounts, as PEM.
pub(crate) fn signing_keys() -> Result<(String, String)> {
    let key = KeyPair::generate().map_err(failed("service accounts"))?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

/// A secret that nobody can guess: the hash of a private key that is thrown away.
pub(crate) fn token() -> Result<String> {
    let (private, _) = signing_keys()?;
    Ok(hex(&Sha256::digest(private)))
}

fn failed(subject: &str) -> impl FnOnce(rcgen::Error) -> Error {
    let subject = subject.to_owned();
    move |source| Error::Certificate { subject, source }
}
