//! The certificates of one simulator: its own authority, made at start and known to nobody else.
//! In: nothing. Out: what a client has to trust, as PEM, and the server's side of TLS with HTTP/2 and HTTP/1.1.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// Names the server answers for; storage accounts are addressed as `<account>.blob.localhost`. The last three are those of Azure, for
/// clients that take the server for their proxy.
const NAMES: [&str; 8] = [
    "localhost",
    "127.0.0.1",
    "*.localhost",
    "*.blob.localhost",
    "management.azure.com",
    "*.blob.core.windows.net",
    "*.vault.azure.net",
    crate::databricks::HOST,
];

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate could not be made.
    #[error("cannot make the simulator's own certificates")]
    Certificate(#[source] rcgen::Error),
    /// rustls refused the certificate or has no usable protocol version.
    #[error("cannot set up TLS with the simulator's own certificates")]
    Server(#[source] rustls::Error),
}

/// The authority's certificate (PEM) and the server configuration that it vouches for.
pub struct Identity {
    /// The certificate to trust, PEM.
    pub ca_pem: String,
    /// The configuration for accepting connections.
    pub server: Arc<ServerConfig>,
}

/// Makes a new authority and a certificate signed by it, which holds for one more name where one is given. HTTP/2 is
/// offered unless `http1` is set.
pub fn identity(host: Option<&str>, http1: bool) -> Result<Identity, TlsError> {
    let (ca_pem, issuer) = authority().map_err(TlsError::Certificate)?;
    let (chain, key) = leaf(&issuer, host).map_err(TlsError::Certificate)?;
    let mut server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Server)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Server)?;
    let protocols: &[&[u8]] = if http1 { &[b"http/1.1"] } else { &[b"h2", b"http/1.1"] };
    server.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Identity { ca_pem, server: Arc::new(server) })
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "azureml-simulator CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

type Chain = Vec<rustls::pki_types::CertificateDer<'static>>;

fn leaf(
    issuer: &Issuer<'static, KeyPair>,
    host: Option<&str>,
) -> Result<(Chain, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params =
        CertificateParams::new(NAMES.into_iter().chain(host).map(str::to_owned).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, "azureml-simulator");
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, issuer)?;
    Ok((vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
}
