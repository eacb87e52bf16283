//! The real registry of Debian's package docker-registry, on loopback behind TLS.
//!
//! In: artifacts to push. Out: an address to pull from. It ends with the test.

#![allow(dead_code, reason = "each test file uses a part of it")]

use crate::server::{Key, client, net};
use anyhow::{Context as _, Result, ensure};
use azureml_plan::tree::Bounds;
use azureml_source::{Net, Store};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The only user, and the password.
pub const USER: &str = "reader";
/// The password of the user.
pub const PASSWORD: &str = "correct-horse";

/// `reader:correct-horse` by bcrypt, as registries want it.
const HASHED: &str = "reader:$2b$04$abcdefghijklmnopqrstuuPoaPXzWjiVz4HaNq2LJXksWbO79E.S6\n";

/// A running registry.
pub struct Registry {
    /// `127.0.0.1:<port>`.
    pub address: String,
    pub http: Client,
    folder: TempDir,
    child: Child,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// A registry that wants a password or none; nothing where the package is not installed.
    pub fn start(is_private: bool) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let key = Key::new(&[])?;
        let (certificate, secret) = key.pem();
        for (name, text) in [("crt", certificate.as_str()), ("key", secret.as_str()), ("users", HASHED)] {
            std::fs::write(path(name), text)?;
        }
        std::fs::create_dir(path("disk"))?;
        let mut settings = json!({
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": path("data")}},
            "http": {"addr": "127.0.0.1:0", "tls": {"certificate": path("crt"), "key": path("key")}},
        });
        if is_private {
            settings["auth"] = json!({"htpasswd": {"realm": "r", "path": path("users")}});
        }
        std::fs::write(path("settings"), settings.to_string())?;
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(path("settings")).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            ensure!(std::env::var_os("CI").is_none(), "install Debian's package docker-registry");
            eprintln!("skipped: Debian's package docker-registry is not installed");
            return Ok(None);
        };
        let log = BufReader::new(child.stderr.take().context("no log")?);
        let mut lines = log.lines();
        let said = lines.by_ref().find_map(|line| {
            let (_, place) =
                line.ok()?.split_once("listening on ").map(|(a, b)| (a.to_owned(), b.to_owned()))?;
            place.split(',').next().map(str::to_owned)
        });
        // A log that nobody reads would stop the registry.
        std::thread::spawn(move || lines.for_each(drop));
        let address = said.context("the registry ended early")?;
        Ok(Some(Self { address, http: client(&key.pem().0)?.build()?, folder, child }))
    }

    /// The way to it.
    pub fn net(&self) -> Net {
        net(self.http.clone())
    }

    /// A store beside it.
    pub fn store(&self) -> Store {
        Store::new(self.folder.path().join("disk"), 64 << 20, Bounds::default())
    }

    /// Pushes a blob; its descriptor.
    pub async fn blob(&self, kind: &str, bytes: &[u8], annotations: Value) -> Result<Value> {
        let answer = self.ask(Method::POST, "/v2/code/blobs/uploads/", ("", Vec::new())).await?;
        let place = answer.headers().get("location").context("no place")?.to_str()?;
        let place = place.trim_start_matches(&format!("https://{}", self.address)).to_owned();
        let digest = digest(bytes);
        let kind_of_bytes = "application/octet-stream";
        self.ask(Method::PUT, &format!("{place}&digest={digest}"), (kind_of_bytes, bytes.to_vec())).await?;
        Ok(json!({"mediaType": kind, "digest": digest, "size": bytes.len(), "annotations": annotations}))
    }

    /// Pushes the manifest of an artifact; its descriptor.
    pub async fn artifact(&self, tag: &str, config: &str, layers: &[Value]) -> Result<Value> {
        let config = self.blob(config, b"{}", json!({})).await?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config,
            "layers": layers,
            "annotations": {"org.opencontainers.image.revision": "main@sha1:1"},
        });
        self.manifest(tag, &manifest).await
    }

    /// Pushes a manifest or an index; its descriptor.
    pub async fn manifest(&self, tag: &str, manifest: &Value) -> Result<Value> {
        let kind = manifest["mediaType"].as_str().context("no type")?;
        let bytes = manifest.to_string().into_bytes();
        self.ask(Method::PUT, &format!("/v2/code/manifests/{tag}"), (kind, bytes.clone())).await?;
        Ok(json!({"mediaType": kind, "digest": digest(&bytes), "size": bytes.len()}))
    }

    async fn ask(&self, method: Method, path: &str, (kind, body): (&str, Vec<u8>)) -> Result<Response> {
        let request = self.http.request(method, format!("https://{}{path}", self.address));
        let request = request.basic_auth(USER, Some(PASSWORD)).header("content-type", kind).body(body);
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "{path}: {}", answer.text().await?);
        Ok(answer)
    }
}

/// A digest as registries write it.
pub fn digest(bytes: &[u8]) -> String {
    let hex = Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("sha256:{hex}")
}
