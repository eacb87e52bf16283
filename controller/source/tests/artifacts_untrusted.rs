//! Registries that answer what they should not, and what they are told meanwhile: who gets the password, and who never does.
//!
//! In: answers byte by byte. Out: errors, and the requests as they came.

#![allow(clippy::unwrap_used, reason = "a test")]

mod docker;
mod packed;
mod server;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, header};
use azureml_plan::tree::Bounds;
use azureml_source::{Error, Found, Login, Means, Net, Origin, Store, Wanted};
use docker::{PASSWORD, USER, digest};
use packed::{gzip, tar};
use secrecy::SecretString;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const REGISTRY: &str = "registry.example";
const STORAGE: &str = "storage.example";

/// What is answered at a path: status, headers, bytes.
type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// A host that answers from a table, and remembers what it was asked.
#[derive(Clone, Default)]
struct Host {
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// Without this header a registry answers 401 with a challenge.
    wants: Arc<Mutex<Option<(String, String)>>>,
}

impl Host {
    fn answers(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// Every request as `host path authorization`.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// Holds an artifact of one layer; the digests of the manifest and of the layer.
    fn holds(&self, layer: &[u8]) -> (String, String) {
        let blob = digest(layer);
        let kind = "application/vnd.cncf.flux.content.v1.tar+gzip";
        let layers = json!([{"mediaType": kind, "digest": blob, "size": layer.len()}]);
        let manifest = json!({"schemaVersion": 2, "layers": layers}).to_string().into_bytes();
        let named = digest(&manifest);
        let head = vec![("docker-content-digest", named.clone())];
        self.answers("/v2/code/manifests/v1", (200, head, manifest.clone()));
        self.answers(&format!("/v2/code/manifests/{named}"), (200, vec![], manifest));
        self.answers(&format!("/v2/code/blobs/{blob}"), (200, vec![], layer.to_vec()));
        (named, blob)
    }
}

async fn answer(State(host): State<Host>, request: Request) -> Response<Body> {
    let text = |name| request.headers().get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
    let name = text(header::HOST).split(':').next().unwrap().to_owned();
    let (path, authorization) = (request.uri().path().to_owned(), text(header::AUTHORIZATION));
    host.asked.lock().unwrap().push(format!("{name} {path} {authorization}"));
    let mut response = Response::builder();
    if let Some((wanted, challenge)) = &*host.wants.lock().unwrap()
        && path.starts_with("/v2/")
        && authorization != *wanted
    {
        return response.status(401).header("www-authenticate", challenge).body(Body::empty()).unwrap();
    }
    let found = host.answers.lock().unwrap().get(&path).cloned();
    let (status, headers, bytes) = found.unwrap_or((404, vec![], vec![]));
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.status(status).body(Body::from(bytes)).unwrap()
}

/// A registry, its storage under another name, and a reader.
struct Stage {
    host: Host,
    net: Net,
    port: u16,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        let host = Host::default();
        let router = axum::Router::new().fallback(answer).with_state(host.clone());
        let (address, http) = server::serve_as(router, &[REGISTRY, STORAGE]).await.unwrap();
        // Names lead where the client says, so that a literal address is all that is refused.
        let net = Net::new(Arc::new(http), false, 1 << 20);
        Self { host, net, port: address.port(), folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str, path: &str) -> String {
        format!("https://{name}:{}{path}", self.port)
    }

    async fn fetch(&self, login: &Login) -> Result<Found, Error> {
        let image = format!("{REGISTRY}:{}/code:v1", self.port);
        let wanted = Wanted { origin: Origin::Oci { image }, path: String::new(), ignore: vec![] };
        let bounds = Bounds { bytes: 64 << 10, files: 10 };
        let store = Store::new(self.folder.path().to_owned(), 1 << 20, bounds);
        let revision = wanted.origin.revision(login, &self.net).await?;
        let means = Means { login, net: &self.net, store: &store };
        let found = wanted.fetch(&revision, None, means).await;
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), 0, "nothing is left on disk");
        found
    }

    async fn refused(&self) -> String {
        self.fetch(&Login::Anonymous).await.unwrap_err().to_string()
    }
}

fn basic() -> Login {
    Login::Basic(USER.to_owned(), SecretString::from(PASSWORD))
}

fn layer() -> Vec<u8> {
    gzip(&tar(&[("a", b"1")]))
}

#[tokio::test]
async fn a_password_goes_to_the_registry_and_its_realm_and_never_to_storage() {
    let stage = Stage::new().await;
    let (_, blob) = stage.host.holds(&layer());
    let moved = vec![("location", stage.at(STORAGE, "/bytes?signature=s"))];
    stage.host.answers(&format!("/v2/code/blobs/{blob}"), (307, moved, vec![]));
    stage.host.answers("/bytes", (200, vec![], layer()));
    stage.host.answers("/token", (200, vec![], br#"{"access_token": "t"}"#.to_vec()));
    let challenge = format!(
        r#"Bearer realm="{}",service="s",scope="repository:code:pull""#,
        stage.at(REGISTRY, "/token")
    );
    *stage.host.wants.lock().unwrap() = Some(("Bearer t".to_owned(), challenge));
    assert!(stage.fetch(&basic()).await.unwrap().files.is_some());
    let asked = stage.host.asked();
    let password = "Basic cmVhZGVyOmNvcnJlY3QtaG9yc2U=";
    for request in &asked {
        let (place, authorization) = request.split_at(request.rfind(" B").unwrap_or(request.len() - 2));
        let expected = match place {
            place if place.ends_with("/token") => password,
            place if place.starts_with(STORAGE) => "-",
            _ if authorization.trim() == "-" => "-",
            _ => "Bearer t",
        };
        assert_eq!(authorization.trim(), expected, "{request}");
    }
    assert!(asked.iter().any(|request| request == &format!("{STORAGE} /bytes -")), "{asked:?}");
}

#[tokio::test]
async fn realms_and_storage_that_may_not_be_asked_are_refused() {
    let stage = Stage::new().await;
    let (_, blob) = stage.host.holds(&layer());
    for (place, word) in [
        ("http://storage.example/a", "not https"),
        ("https://169.254.169.254/a", "private"),
        ("https://a:b@storage.example/a", "password"),
        ("https://[", "no address"),
        ("", "more than 5 times"),
    ] {
        let moved = vec![("location", place.to_owned())];
        stage.host.answers(&format!("/v2/code/blobs/{blob}"), (307, moved, vec![]));
        let refused = stage.refused().await;
        assert!(refused.contains(word), "{place}: {refused}");
    }
    let again = vec![("location", stage.at(REGISTRY, &format!("/v2/code/blobs/{blob}")))];
    stage.host.answers(&format!("/v2/code/blobs/{blob}"), (307, again, vec![]));
    assert!(stage.refused().await.contains("more than 5 times"));
    for (realm, word) in [
        ("http://registry.example/token", "not https"),
        ("https://10.0.0.1/token", "private"),
        ("x", "no URL"),
    ] {
        *stage.host.wants.lock().unwrap() =
            Some(("Bearer t".to_owned(), format!(r#"Bearer realm="{realm}""#)));
        stage.host.asked();
        let refused = stage.fetch(&basic()).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{realm}: {refused}");
        assert!(stage.host.asked().iter().all(|request| request.ends_with(" -")), "no password was sent");
    }
}

#[tokio::test]
async fn bytes_that_are_not_those_of_their_digest_are_refused() {
    let stage = Stage::new().await;
    let (named, blob) = stage.host.holds(&layer());
    let mut other = layer();
    *other.last_mut().unwrap() ^= 1;
    stage.host.answers(&format!("/v2/code/blobs/{blob}"), (200, vec![], other));
    assert!(stage.refused().await.contains(&format!("other bytes than {blob}")));
    stage.host.answers(&format!("/v2/code/blobs/{blob}"), (200, vec![], vec![0; 10 << 10]));
    assert!(stage.refused().await.contains("more than"), "more bytes than the manifest says");
    stage.host.answers(&format!("/v2/code/manifests/{named}"), (200, vec![], b"{}".to_vec()));
    assert!(stage.refused().await.contains(&format!("other bytes than {named}")));
}

#[tokio::test]
async fn a_registry_without_the_header_for_digests_is_read_as_well() {
    let stage = Stage::new().await;
    let (named, _) = stage.host.holds(&layer());
    let manifest = stage.host.answers.lock().unwrap()[&format!("/v2/code/manifests/{named}")].clone();
    stage.host.answers("/v2/code/manifests/v1", manifest);
    assert!(stage.fetch(&Login::Anonymous).await.unwrap().content.starts_with(&named));
    stage.host.answers(
        "/v2/code/manifests/v1",
        (200, vec![("docker-content-digest", "sha256:../..".to_owned())], vec![]),
    );
    assert!(stage.refused().await.contains("no image"), "a digest that is none is computed");
}

#[tokio::test]
async fn manifests_and_layers_that_are_too_much_end() {
    let stage = Stage::new().await;
    let evil = |digest: &str, size: u64| {
        json!({"layers": [{"mediaType": "x.tar", "digest": digest, "size": size}]}).to_string().into_bytes()
    };
    let nothing = digest(b"");
    for (manifest, word) in [
        (vec![b' '; 5 << 20], "more than 4194304 bytes"),
        (evil(&nothing, 1 << 40), "choose a smaller source"),
        (evil("sha256:../../../../etc", 1), "no sha256"),
        (evil("sha512:00", 1), "no sha256"),
        (br#"{"layers": [{"digest": 1}]}"#.to_vec(), "cannot be read"),
    ] {
        let named = digest(&manifest);
        stage
            .host
            .answers("/v2/code/manifests/v1", (200, vec![("docker-content-digest", named.clone())], vec![]));
        stage.host.answers(&format!("/v2/code/manifests/{named}"), (200, vec![], manifest));
        let refused = stage.refused().await;
        assert!(refused.contains(word), "{word}: {refused}");
    }
    stage.host.holds(&gzip(&tar(&[("beside/zeros", &vec![0; 8 << 20])])));
    assert!(stage.refused().await.contains("beside/zeros the files are larger"));
    let (named, _) = stage.host.holds(&layer());
    stage.host.answers(&format!("/v2/code/manifests/{named}"), (503, vec![], vec![]));
    assert!(stage.refused().await.contains("status 503"));
}
