//! Artifacts in a real registry: what is pushed as Flux, ORAS and builders of images push it is what comes.
//!
//! In: artifacts made here, layer by layer. Out: trees as Azure would get them.

#![allow(clippy::unwrap_used, reason = "a test")]

mod docker;
mod packed;
mod server;

use anyhow::Result;
use azureml_source::{Error, Found, Kept, Login, Means, Origin, Wanted};
use docker::{PASSWORD, Registry, USER};
use packed::{gzip, link, tar};
use secrecy::SecretString;
use serde_json::json;
use server::Server;
use std::io::Read as _;
use std::sync::Arc;

const FLUX: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn wanted(registry: &Registry, image: &str, path: &str) -> Wanted {
    let origin = Origin::Oci { image: format!("{}/{image}", registry.address) };
    Wanted { origin, path: path.to_owned(), ignore: Vec::new() }
}

async fn fetched(
    registry: &Registry,
    wanted: &Wanted,
    login: &Login,
    known: Option<&str>,
) -> Result<(String, Found), Error> {
    let net = registry.net();
    let revision = wanted.origin.revision(login, &net).await?;
    let means = Means { login, net: &net, store: &registry.store() };
    let found = wanted.fetch(&revision, known, means).await?;
    Ok((revision, found))
}

async fn files(registry: &Registry, image: &str, path: &str) -> Result<Arc<Kept>, Error> {
    let (_, found) = fetched(registry, &wanted(registry, image, path), &Login::Anonymous, None).await?;
    Ok(found.files.unwrap())
}

fn names(kept: &Kept) -> Vec<&str> {
    kept.tree.0.keys().map(String::as_str).collect()
}

fn text(kept: &Kept, path: &str) -> String {
    let mut text = String::new();
    kept.open(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn an_artifact_of_flux_has_the_same_hash_as_the_same_files_in_git() -> Result<()> {
    let Some(registry) = Registry::start(false)? else { return Ok(()) };
    let packed = gzip(&tar(&[("src/b.py", b"print(1)\n"), ("src/sub/A.py", b"x\n"), ("README", b"r")]));
    let layer = registry.blob(FLUX, &packed, json!({})).await?;
    let config = "application/vnd.cncf.flux.config.v1+json";
    let pushed = registry.artifact("v1", config, &[layer]).await?;
    let digest = pushed["digest"].as_str().unwrap();
    let by_tag = wanted(&registry, "code:v1", "src");
    let (revision, found) = fetched(&registry, &by_tag, &Login::Anonymous, None).await?;
    assert_eq!(revision, digest);
    let kept = found.files.unwrap();
    assert_eq!(names(&kept), ["b.py", "sub/A.py"]);

    let git = Server::start().await?;
    git.write("src/b.py", "print(1)\n")?;
    git.write("src/sub/A.py", "x\n")?;
    git.commit()?;
    let origin = Origin::Git {
        url: git.url("work"),
        reference: azureml_source::git::Reference::Branch("main".to_owned()),
    };
    let in_git = Wanted { origin, ..by_tag.clone() };
    let (login, net) = (Login::Anonymous, git.net());
    let commit = in_git.origin.revision(&login, &net).await?;
    let store = registry.store();
    let from_git =
        in_git.fetch(&commit, None, Means { login: &login, net: &net, store: &store }).await?.files.unwrap();
    assert_eq!(from_git.hash, kept.hash, "one version from two sources");

    let again = fetched(&registry, &by_tag, &login, Some(&found.content)).await?.1;
    assert!(again.files.is_none(), "a known digest is not fetched");
    let pinned = wanted(&registry, &format!("code@{digest}"), "src");
    assert_eq!(fetched(&registry, &pinned, &login, None).await?.0, digest);

    let layer = registry.blob(FLUX, &gzip(&tar(&[("src/b.py", b"print(2)\n")])), json!({})).await?;
    registry.artifact("v1", config, &[layer]).await?;
    let (moved, found) = fetched(&registry, &by_tag, &login, Some(&found.content)).await?;
    assert!(moved != revision && found.files.unwrap().hash != kept.hash, "the tag has moved");
    Ok(())
}

#[tokio::test]
async fn files_and_folders_of_oras_have_the_names_of_their_titles() -> Result<()> {
    let Some(registry) = Registry::start(false)? else { return Ok(()) };
    let title = |name: &str| json!({"org.opencontainers.image.title": name});
    let mut folder = title("src");
    folder["io.deis.oras.content.unpack"] = json!("true");
    let layers = [
        registry.blob("application/vnd.oci.image.layer.v1.tar", b"print(1)\n", title("train.py")).await?,
        registry.blob("text/plain", b"n", title("docs/notes.txt")).await?,
        registry.blob(LAYER, &gzip(&tar(&[("src/run.sh", b"1")])), folder).await?,
        registry.blob("application/vnd.oci.empty.v1+json", b"{}", json!({})).await?,
    ];
    registry.artifact("v1", "application/vnd.oci.empty.v1+json", &layers).await?;
    let kept = files(&registry, "code:v1", "").await?;
    assert_eq!(names(&kept), ["docs/notes.txt", "src/run.sh", "train.py"]);
    assert_eq!(text(&kept, "train.py"), "print(1)\n");
    assert!(kept.tree.0["src/run.sh"].is_executable && !kept.tree.0["train.py"].is_executable);
    assert_eq!(names(&*files(&registry, "code:v1", "docs").await?), ["notes.txt"]);
    let refused = files(&registry, "code:v1", "lib").await.unwrap_err().to_string();
    assert!(refused.contains("no folder lib"), "{refused}");
    let evil = registry.blob("text/plain", b"1", title("../../evil")).await?;
    registry.artifact("evil", "application/vnd.oci.empty.v1+json", &[evil]).await?;
    let refused = files(&registry, "code:evil", "").await.unwrap_err().to_string();
    assert!(refused.contains("evil") && refused.contains("relative path"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn layers_of_an_image_lie_above_one_another() -> Result<()> {
    let Some(registry) = Registry::start(false)? else { return Ok(()) };
    let lower =
        [("app/a", b"1".as_slice()), ("app/b", b"1"), ("app/c/d", b"1"), ("app/e/f", b"1"), ("x", b"1")];
    let upper =
        [("app/a", b"2".as_slice()), ("app/.wh.b", b""), ("app/c/.wh..wh..opq", b""), ("app/e", b"2")];
    let mut layers = Vec::new();
    for files in [lower.as_slice(), &upper] {
        layers.push(registry.blob(LAYER, &gzip(&tar(files)), json!({})).await?);
    }
    let mut image = registry.artifact("amd64", "application/vnd.oci.image.config.v1+json", &layers).await?;
    image["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": [image]});
    registry.manifest("v1", &index).await?;
    let kept = files(&registry, "code:v1", "app").await?;
    assert_eq!(names(&kept), ["a", "e"]);
    assert_eq!(text(&kept, "a"), "2");
    let gone = registry.blob(LAYER, &gzip(&tar(&[(".wh.app", b"")])), json!({})).await?;
    registry.artifact("gone", "application/vnd.oci.image.config.v1+json", &[layers.remove(0), gone]).await?;
    assert!(files(&registry, "code:gone", "app").await?.tree.0.is_empty());
    let evil = registry.blob(LAYER, &gzip(&link("app/evil", "/etc/passwd")), json!({})).await?;
    registry.artifact("evil", "application/vnd.oci.image.config.v1+json", &[evil]).await?;
    let refused = files(&registry, "code:evil", "app").await.unwrap_err().to_string();
    assert!(refused.contains("evil leaves the folder"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_registry_that_wants_a_password_gets_the_one_of_the_secret() -> Result<()> {
    let Some(registry) = Registry::start(true)? else { return Ok(()) };
    let layer = registry.blob(FLUX, &gzip(&tar(&[("a", b"1")])), json!({})).await?;
    registry.artifact("v1", "application/vnd.cncf.flux.config.v1+json", &[layer]).await?;
    let wanted = wanted(&registry, "code:v1", "");
    let basic = |password: &str| Login::Basic(USER.to_owned(), SecretString::from(password));
    let (_, found) = fetched(&registry, &wanted, &basic(PASSWORD), None).await?;
    assert_eq!(names(&found.files.unwrap()), ["a"]);
    for login in [basic("wrong"), Login::Anonymous, Login::Bearer(SecretString::from("wrong"))] {
        let refused = fetched(&registry, &wanted, &login, None).await.unwrap_err();
        assert!(matches!(refused, Error::Denied(401)), "{refused}");
    }
    let origin = Origin::Oci { image: format!("{}/code:v9", registry.address) };
    let refused = origin.revision(&basic(PASSWORD), &registry.net()).await.unwrap_err().to_string();
    assert!(refused.contains("code:v9") && refused.contains("push it"), "{refused}");
    Ok(())
}
