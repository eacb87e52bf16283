//! A Git server on loopback, and repositories in it: Git's own `http-backend` behind a small HTTP server.
//!
//! In: files. Out: commits that Flux and Argo CD fetch over HTTP. May not listen anywhere but on 127.0.0.1.

use anyhow::{Context as _, Result, bail, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What a fetch may send: it names commits, and no more.
const LARGEST: usize = 16 << 20;

/// A Git server with one repository.
pub struct Repository {
    /// Where it is fetched from.
    pub url: String,
    /// The port of that.
    pub port: u16,
    folder: TempDir,
    server: JoinHandle<()>,
}

impl Drop for Repository {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Repository {
    /// Makes an empty repository, and serves it.
    ///
    /// # Errors
    /// When Git is missing, or no port is free.
    pub async fn serve() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("work"))?;
        git(folder.path(), &["init", "--quiet", "--bare", "--initial-branch=main", "served/ml.git"])?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}/ml.git");
        let router = Router::new().fallback(answer).with_state(folder.path().join("served"));
        // Ends with the repository, and says nothing until then.
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { url, port, folder, server })
    }

    /// Where a file of the next commit is.
    #[must_use]
    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join("work").join(path)
    }

    /// Writes a file of the next commit.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, content: &str) -> Result<()> {
        let file = self.file(path);
        std::fs::create_dir_all(file.parent().unwrap_or(&file))?;
        std::fs::write(&file, content).with_context(|| format!("failed to write {path}"))
    }

    /// Copies a folder of the project, with those in it, into the next commit, under the same name.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn copy(&self, folder: &str) -> Result<()> {
        for entry in std::fs::read_dir(crate::root().join(folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                self.copy(&format!("{folder}/{name}"))?;
                continue;
            }
            self.write(&format!("{folder}/{name}"), &std::fs::read_to_string(entry.path())?)?;
        }
        Ok(())
    }

    /// Replaces a part of a file in the next commit.
    ///
    /// # Errors
    /// When the file has no such part.
    pub fn replace(&self, path: &str, part: &str, by: &str) -> Result<()> {
        let content = std::fs::read_to_string(self.file(path))?;
        ensure!(content.contains(part), "{path} has no {part:?}");
        self.write(path, &content.replacen(part, by, 1))
    }

    /// Moves a file in the next commit.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.file(from), self.file(to));
        std::fs::create_dir_all(to.parent().unwrap_or(&to))?;
        std::fs::rename(&from, to).with_context(|| format!("failed to move {}", from.display()))
    }

    /// Removes a file from the next commit.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn remove(&self, path: &str) -> Result<()> {
        std::fs::remove_file(self.file(path)).with_context(|| format!("failed to remove {path}"))
    }

    /// Commits all files, and gives the revision in the words of Flux: `main@sha1:…`.
    ///
    /// # Errors
    /// When nothing has changed.
    pub fn commit(&self, message: &str) -> Result<String> {
        let folder = self.folder.path();
        let here = ["--git-dir=served/ml.git", "--work-tree=work"];
        let run = |arguments: &[&str]| git(folder, &[&here[..], arguments].concat());
        run(&["add", "--all"])?;
        run(&["commit", "--quiet", "--message", message])?;
        Ok(format!("main@sha1:{}", run(&["rev-parse", "HEAD"])?.trim()))
    }
}

/// Git, with nobody's settings.
fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]).args(arguments);
    let output = git.output().context("failed to start git")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn answer(State(root): State<PathBuf>, request: Request) -> Response {
    match backend(root, request).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = Response::new(Body::from(format!("{error:#}")));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// Hands a request to Git as a web server does by CGI.
async fn backend(root: PathBuf, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await?;
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut command = Command::new("git");
    command.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    command.env("REQUEST_METHOD", parts.method.as_str()).env("PATH_INFO", parts.uri.path());
    command
        .env("QUERY_STRING", parts.uri.query().unwrap_or(""))
        .env("CONTENT_LENGTH", body.len().to_string());
    command.env("CONTENT_TYPE", text(header::CONTENT_TYPE));
    command.env("HTTP_CONTENT_ENCODING", text(header::CONTENT_ENCODING));
    command.env("GIT_PROTOCOL", text(HeaderName::from_static("git-protocol")));
    let output = tokio::task::spawn_blocking(move || {
        let mut git = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        if let Some(mut input) = git.stdin.take() {
            input.write_all(&body)?;
        }
        git.wait_with_output()
    });
    response(&output.await??.stdout)
}

/// The answer of a CGI program: headers, an empty line, a body.
fn response(answer: &[u8]) -> Result<Response> {
    let end =
        answer.windows(4).position(|four| four == b"\r\n\r\n").context("git answers without headers")?;
    let mut response = Response::builder();
    for line in std::str::from_utf8(&answer[..end])?.lines() {
        let (name, value) = line.split_once(": ").context("git answers with a strange header")?;
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap_or_default()),
            _ => response.header(name, value),
        };
    }
    Ok(response.body(Body::from(answer[end + 4..].to_vec()))?)
}
