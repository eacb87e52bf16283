//! A server of git on loopback: the program `git http-backend` behind TLS, and the repository that it serves.
//!
//! In: what to commit. Out: an address, and ids as git itself tells them.

#![allow(dead_code, reason = "each test file uses a part of it")]

use anyhow::{Context as _, Result, ensure};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use azureml_plan::tree::Bounds;
use azureml_source::git::{Login, Remote};
use azureml_source::{Net, Store};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The only password that the server takes, for the user `reader`, where it wants one.
pub const PASSWORD: &str = "correct-horse";

/// A repository and its server, which ends with the test.
pub struct Server {
    folder: TempDir,
    address: String,
    http: reqwest::Client,
}

impl Server {
    /// Serves an empty repository. It asks for a password where the address begins with `/private`.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("disk"))?;
        let router = axum::Router::new().fallback(backend).with_state(folder.path().to_owned());
        let (address, http) = serve(router).await?;
        let server = Self { folder, address, http };
        server.git(&["init", "--quiet", "--initial-branch=main"])?;
        server.git(&["config", "uploadpack.allowFilter", "true"])?;
        Ok(server)
    }

    /// The repository's folder.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The repository as a reader has it.
    pub fn remote(&self) -> Result<Remote> {
        self.remote_at("work", Login::Anonymous)
    }

    /// The same where a password is needed.
    pub fn private(&self, password: &str) -> Result<Remote> {
        self.remote_at("private/work", Login::Basic("reader".to_owned(), SecretString::from(password)))
    }

    /// The address to clone from.
    pub fn url(&self) -> String {
        format!("{}/work", self.address)
    }

    /// The way to it.
    pub fn net(&self) -> Net {
        net(self.http.clone())
    }

    /// A repository at a path.
    pub fn remote_at(&self, path: &str, login: Login) -> Result<Remote> {
        Ok(Remote::new(self.http.clone(), &format!("{}/{path}", self.address), login, true, 64 << 20)?)
    }

    /// A store beside the repository.
    pub fn store(&self, bounds: Bounds) -> Store {
        Store::new(self.folder.path().join("disk"), 64 << 20, bounds)
    }

    /// Writes a file into the working tree.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.work().join(path);
        std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        Ok(std::fs::write(path, content)?)
    }

    /// Commits everything; the id.
    pub fn commit(&self) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"])?;
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the repository; what it prints.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        std::fs::create_dir_all(self.work())?;
        let mut command = git();
        let output = command.current_dir(self.work()).args(arguments).output()?;
        ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

/// Serves on loopback; the address, and a client that knows its certificate.
pub async fn serve(router: axum::Router) -> Result<(String, reqwest::Client)> {
    let (address, http) = serve_as(router, &[]).await?;
    Ok((format!("https://{address}"), http))
}

/// The same, where the client takes these names for loopback; the address without a scheme.
pub async fn serve_as(router: axum::Router, names: &[&str]) -> Result<(SocketAddr, reqwest::Client)> {
    let key = Key::new(names)?;
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.0.signing_key.serialize_der()));
    let tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![key.0.cert.der().clone()], secret)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = TlsListener { listener, tls: TlsAcceptor::from(Arc::new(tls)) };
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = names.iter().fold(key.client()?, |client, name| client.resolve(name, address));
    Ok((address, client.build()?))
}

/// The way to servers on loopback.
pub fn net(http: reqwest::Client) -> Net {
    Net::new(Arc::new(http), true, 64 << 20)
}

/// A certificate for loopback and for names.
pub struct Key(rcgen::CertifiedKey<rcgen::KeyPair>);

impl Key {
    /// Makes one.
    pub fn new(names: &[&str]) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let names = ["127.0.0.1"].iter().chain(names).map(ToString::to_string).collect::<Vec<_>>();
        Ok(Self(rcgen::generate_simple_self_signed(names)?))
    }

    /// The certificate and the key, as a program reads them.
    pub fn pem(&self) -> (String, String) {
        (self.0.cert.pem(), self.0.signing_key.serialize_pem())
    }

    /// A client that knows the certificate.
    pub fn client(&self) -> Result<reqwest::ClientBuilder> {
        let certificate = reqwest::Certificate::from_pem(self.0.cert.pem().as_bytes())?;
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).https_only(true);
        Ok(builder.tls_certs_merge([certificate]))
    }
}

/// Git without anybody's configuration.
fn git() -> Command {
    let mut command = Command::new("git");
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@b.invalid"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@b.invalid"),
    ] {
        command.env(name, value);
    }
    command
}

/// Passes a request on to git by the rules of CGI.
async fn backend(State(folder): State<PathBuf>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if path.starts_with("/moved") {
        return status(StatusCode::MOVED_PERMANENTLY, Some("https://elsewhere.invalid/work"));
    }
    if path.starts_with("/private") && !is_reader(&head.headers) {
        return status(StatusCode::UNAUTHORIZED, None);
    }
    // A server that knows no newer version looks at no header that asks for one.
    let is_older = path.starts_with("/older");
    let mut head = head;
    if is_older {
        head.headers.remove("git-protocol");
    }
    let path = head.uri.path().trim_start_matches("/private").trim_start_matches("/older");
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    run(&folder, (&head.method, path, query), &head.headers, body)
        .await
        .unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR, None))
}

fn is_reader(headers: &HeaderMap) -> bool {
    // `reader:correct-horse` in Base64.
    headers.get(header::AUTHORIZATION).is_some_and(|value| value == "Basic cmVhZGVyOmNvcnJlY3QtaG9yc2U=")
}

fn status(status: StatusCode, location: Option<&str>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    if let Some(location) = location {
        response = response.header(header::LOCATION, location);
    }
    response.body(Body::empty()).unwrap_or_default()
}

async fn run(
    folder: &Path,
    (method, path, query): (&Method, &str, &str),
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response<Body>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut command = tokio::process::Command::from(git());
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method.as_str())
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", text("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("GIT_PROTOCOL", text("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().context("no input")?;
    let write = async move {
        stdin.write_all(&body).await?;
        stdin.shutdown().await
    };
    let (_, output) = tokio::join!(write, child.wait_with_output());
    let output = output?.stdout;
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").context("no head")?;
    let mut response = Response::builder();
    for line in std::str::from_utf8(&output[..end])?.lines() {
        let (name, value) = line.split_once(": ").context("no header")?;
        if name == "Status" {
            response = response.status(value[..3].parse::<u16>()?);
        } else {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Body::from(output[end + 4..].to_vec()))?)
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
