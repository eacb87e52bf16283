//! A server of git on loopback: the program `git http-backend` behind TLS, and the repository that it serves. The tests of
//! `azureml-source` use this file too.
//!
//! In: what to commit. Out: an address, its certificate, ids as git itself tells them, and what was asked. Listens on 127.0.0.1 alone.

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The only password that the server takes, for the user `reader`, where it wants one.
pub const PASSWORD: &str = "correct-horse";

/// Path, and whether somebody signed in.
type Asked = Arc<Mutex<Vec<(String, bool)>>>;

/// A repository and its server.
pub struct GitServer {
    folder: TempDir,
    address: String,
    certificate: String,
    asked: Asked,
}

impl GitServer {
    /// Serves an empty repository. It asks for a password where the address begins with `/private`.
    ///
    /// # Errors
    /// When git is missing, or no port is free.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let asked = Asked::default();
        let state = (folder.path().to_owned(), asked.clone());
        let (address, certificate) = serve(Router::new().fallback(answer).with_state(state)).await?;
        std::fs::write(folder.path().join("ca.pem"), &certificate)?;
        let server = Self { folder, address, certificate, asked };
        server.git(&["init", "--quiet", "--initial-branch=main"])?;
        server.git(&["config", "uploadpack.allowFilter", "true"])?;
        Ok(server)
    }

    /// A folder that goes with the server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The repository's folder.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The address of a path; the repository is `work`, and `private/work` where a password is needed.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.address)
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.address.trim_start_matches("https://")
    }

    /// Its certificate, as PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A file with its certificate.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// How often it was asked, and how often by somebody who signed in.
    #[must_use]
    pub fn asked(&self) -> (usize, usize) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        (asked.len(), asked.iter().filter(|(_, is_signed_in)| *is_signed_in).count())
    }

    /// Writes a file into the working tree.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.work().join(path);
        std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        Ok(std::fs::write(path, content)?)
    }

    /// Commits everything; the id.
    ///
    /// # Errors
    /// When git refuses.
    pub fn commit(&self) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"])?;
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the repository; what it prints.
    ///
    /// # Errors
    /// When git refuses.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        std::fs::create_dir_all(self.work())?;
        let output = git().current_dir(self.work()).args(arguments).output()?;
        ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

/// Serves on loopback; the address, and its certificate as PEM.
///
/// # Errors
/// When no port is free.
pub async fn serve(router: Router) -> Result<(String, String)> {
    let key = Key::new(&[])?;
    let address = serve_by(router, &key).await?;
    Ok((format!("https://{address}"), key.0.cert.pem()))
}

/// Serves on loopback with a certificate; host and port.
///
/// # Errors
/// When no port is free.
pub async fn serve_by(router: Router, key: &Key) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = TlsListener { listener, tls: TlsAcceptor::from(Arc::new(key.tls()?)) };
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// A certificate for loopback and for names.
pub struct Key(rcgen::CertifiedKey<rcgen::KeyPair>);

impl Key {
    /// Makes one.
    ///
    /// # Errors
    /// When a name is none.
    pub fn new(names: &[&str]) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let names = ["127.0.0.1"].iter().chain(names).map(ToString::to_string).collect::<Vec<_>>();
        Ok(Self(rcgen::generate_simple_self_signed(names)?))
    }

    /// The certificate and the key, as a program reads them.
    #[must_use]
    pub fn pem(&self) -> (String, String) {
        (self.0.cert.pem(), self.0.signing_key.serialize_pem())
    }

    fn tls(&self) -> Result<ServerConfig> {
        let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.0.signing_key.serialize_der()));
        let builder = ServerConfig::builder().with_no_client_auth();
        Ok(builder.with_single_cert(vec![self.0.cert.der().clone()], secret)?)
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
async fn answer(State((folder, asked)): State<(PathBuf, Asked)>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let is_signed_in = head.headers.contains_key(header::AUTHORIZATION);
    asked.lock().unwrap_or_else(PoisonError::into_inner).push((path.to_owned(), is_signed_in));
    if path.starts_with("/moved") {
        return status(StatusCode::MOVED_PERMANENTLY, Some("https://elsewhere.invalid/work"));
    }
    if path.starts_with("/private") && !is_reader(&head.headers) {
        return status(StatusCode::UNAUTHORIZED, None);
    }
    // A server that knows no newer version looks at no header that asks for one.
    let is_older = path.starts_with("/older");
    let path = path.trim_start_matches("/private").trim_start_matches("/older").to_owned();
    let mut head = head;
    if is_older {
        head.headers.remove("git-protocol");
    }
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    run(&folder, (&head.method, &path, query), &head.headers, body)
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
    let (head, body) = (&output[..end], &output[end + 4..]);
    let mut response = Response::builder();
    for line in std::str::from_utf8(head)?.lines() {
        let (name, value) = line.split_once(": ").context("no header")?;
        if name == "Status" {
            response = response.status(value.split(' ').next().unwrap_or_default());
        } else {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Body::from(body.to_vec()))?)
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
