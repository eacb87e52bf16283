//! A server that answers as it is told, with a certificate of its own, and a client that has a token to lose.
//!
//! In: a function from request to response. Out: what was asked. Knows nothing of Azure.

#![allow(dead_code, reason = "each test file uses a part of it")]

use anyhow::Result;
use axum::body::Body;
use axum::http::{Request, Response};
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azureml_client::auth::Credential;
use azureml_client::budget::{Limit, Limits};
use azureml_client::client::{Client, Versions};
use azureml_client::cloud::Cloud;
use azureml_client::send::Transport;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use url::Url;

/// What a test must never find anywhere but in an `Authorization` header that goes to the cloud.
pub const TOKEN: &str = "secret-token";

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET /path?query`.
    pub line: String,
    /// Every header, one line each, and the body.
    pub rest: String,
}

impl Seen {
    /// Whether any part of the request carries a token of the client.
    pub fn has_token(&self) -> bool {
        format!("{}{}", self.line, self.rest).contains(TOKEN)
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// A server on loopback, which ends with the test.
pub struct Server {
    /// `https://127.0.0.1:<port>`.
    pub address: String,
    /// `127.0.0.1:<port>`.
    pub host: String,
    certificate: reqwest::Certificate,
    log: Log,
}

impl Server {
    /// Starts a server.
    pub async fn start(
        respond: impl Fn(&Seen) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Result<Self> {
        let (tls, certificate) = tls()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = listener.local_addr()?.to_string();
        let log = Log::default();
        let seen = log.clone();
        let service = move |request: Request<Body>| {
            let (seen, respond) = (seen.clone(), respond.clone());
            async move {
                let request = note(request).await;
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
                respond(&request)
            }
        };
        let listener = TlsListener { listener, tls: TlsAcceptor::from(Arc::new(tls)) };
        let router = axum::Router::new().fallback(service);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address: format!("https://{host}"), host, certificate, log })
    }

    /// What was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lines of what was asked so far.
    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

/// A certificate for loopback, and what serves it.
fn tls() -> Result<(ServerConfig, reqwest::Certificate)> {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    let certificate = reqwest::Certificate::from_pem(key.cert.pem().as_bytes())?;
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], secret)?;
    Ok((tls, certificate))
}

async fn note(request: Request<Body>) -> Seen {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let line = format!("{} {target}", head.method);
    let headers = head.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n"));
    let headers: String = headers.collect();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    Seen { line, rest: format!("{headers}\n{}", String::from_utf8_lossy(&body)) }
}

struct TlsListener {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// An answer with a status and a JSON body.
pub fn answer(status: u16, body: &str) -> Response<Body> {
    with(status, &[("content-type", "application/json")], body)
}

/// An answer with headers.
pub fn with(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.to_owned())).unwrap_or_default()
}

/// An HTTP client that knows the certificates of these servers, as the controller makes them.
pub fn http(servers: &[&Server]) -> Result<reqwest::Client> {
    http_that_trusts(servers.iter().map(|server| server.certificate.clone()))
}

fn http_that_trusts(certificates: impl IntoIterator<Item = reqwest::Certificate>) -> Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).https_only(true);
    Ok(builder.tls_certs_merge(certificates).timeout(Duration::from_secs(10)).build()?)
}

/// A transport that may write.
pub fn transport(http: reqwest::Client) -> Transport {
    Transport::new(Arc::new(http), Arc::new(|| true), Arc::new(|_| {}))
}

/// A client for a cloud that is one server; `others` are known to its TLS and not trusted.
pub fn client(cloud: &Server, others: &[&Server]) -> Result<Client> {
    let servers: Vec<&Server> = std::iter::once(cloud).chain(others.iter().copied()).collect();
    client_over(cloud, transport(http(&servers)?))
}

/// The same over a transport.
pub fn client_over(cloud: &Server, transport: Transport) -> Result<Client> {
    client_at(&cloud.host, transport)
}

/// The same for a cloud at a host.
pub fn client_of_host(host: &str, http: reqwest::Client) -> Result<Client> {
    client_at(host, transport(http))
}

fn client_at(host: &str, transport: Transport) -> Result<Client> {
    let plenty = Limit { burst: 1e6, per_second: 1e6 };
    let limits = Limits { reads: plenty, writes: plenty, deletes: plenty, data_plane: plenty };
    let asked = Arc::new(AtomicUsize::new(0));
    let make = move || -> azure_core::Result<Arc<dyn TokenCredential>> {
        Ok(Arc::new(Fixed(asked.fetch_add(1, Ordering::Relaxed))))
    };
    let cloud = Cloud {
        name: "Test".into(),
        authority: "https://login.invalid".into(),
        resource_manager: Url::parse(&format!("https://{host}"))?,
        resource_manager_audience: "https://management.invalid".into(),
        machine_learning_audience: "https://ml.invalid".into(),
        registry_audience: "https://registry.invalid".into(),
        storage_audience: "https://storage.invalid".into(),
        storage_hosts: vec![host.to_owned()],
        hosts: vec![host.to_owned()],
    };
    let credential = Credential::new(Arc::new(make));
    Ok(Client::new(Arc::new(cloud), transport, credential, Arc::new(Versions::default()), limits))
}

/// A server that keeps the bytes of each request's head, and gives one answer to all.
pub struct Raw {
    /// `127.0.0.1:<port>`.
    pub host: String,
    certificate: reqwest::Certificate,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Raw {
    /// Starts a server.
    pub async fn start(answer: &'static str) -> Result<Self> {
        let (tls, certificate) = tls()?;
        let tls = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = listener.local_addr()?.to_string();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = tls.accept(stream).await else { continue };
                let head = head(&mut stream).await.unwrap_or_default();
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(head);
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Ok(Self { host, certificate, heads })
    }

    /// An HTTP client that knows this server's certificate.
    pub fn http(&self) -> Result<reqwest::Client> {
        http_that_trusts([self.certificate.clone()])
    }

    /// The heads of all requests so far.
    pub fn seen(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads up to the empty line after the headers, and the body that `content-length` announces.
async fn head(stream: &mut TlsStream<TcpStream>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            break bytes.len();
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.unwrap_or_default();
    while bytes.len() < end + length && stream.read_buf(&mut bytes).await? > 0 {}
    Ok(head)
}

/// Gives a token with the number of the credential.
#[derive(Debug)]
struct Fixed(usize);

#[async_trait::async_trait]
impl TokenCredential for Fixed {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let expires_on = SystemTime::now() + Duration::from_hours(1);
        Ok(AccessToken::new(Secret::new(format!("{TOKEN}-{}", self.0)), expires_on.into()))
    }
}
