//! Removing an image from the workspace's registry: by its tag, with a token of the registry's own.
//!
//! In: a registry, an image. Out: removed, or why not. Source: Azure Container Registry authentication; OCI distribution.

use crate::door::Door;
use crate::setup::Setup;
use anyhow::{Context as _, Result, ensure};
use azureml_client::registry::Mirror;
use http::Method;
use serde_json::Value;
use url::Url;

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json";

/// Removes `repository:tag`; one that is gone counts as removed.
///
/// # Errors
/// When the registry refuses.
pub async fn remove(door: &Door, setup: &Setup, login_server: &str, image: &str) -> Result<()> {
    let (repository, tag) = image.rsplit_once(':').with_context(|| format!("{image} has no tag"))?;
    let base = base(setup, login_server)?;
    let token = token(door, &base, login_server, repository).await?;
    let Some(digest) = digest(door, &base, (repository, tag), &token).await? else { return Ok(()) };
    let url = at(&base, &format!("/v2/{repository}/manifests/{digest}"));
    let answer = door.http_for(&url)?.request(Method::DELETE, url).bearer_auth(&token).send().await;
    let status = answer.map_err(reqwest::Error::without_url)?.status();
    ensure!(status.is_success() || status.as_u16() == 404, "the registry answered {status}");
    Ok(())
}

/// Where the registry is reached: at its own host, or at the mirror that the configuration names, if it is the cloud's.
fn base(setup: &Setup, login_server: &str) -> Result<Url> {
    let serves = |mirror: &&Mirror| {
        setup.cloud.trust(&mirror.endpoint).is_ok()
            && mirror.hosts.iter().any(|host| host == "*" || host == login_server)
    };
    let mirrors = setup.config.mirrors();
    let Some(mirror) = mirrors.iter().find(serves) else {
        return Ok(Url::parse(&format!("https://{login_server}/"))?);
    };
    let mut url = mirror.endpoint.clone();
    url.query_pairs_mut().append_pair("ns", login_server);
    Ok(url)
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url
}

async fn token(door: &Door, base: &Url, login_server: &str, repository: &str) -> Result<String> {
    let entra = door.registry_token().await?;
    let exchange =
        [("grant_type", "access_token"), ("service", login_server), ("access_token", entra.as_str())];
    let refresh = text(&post(door, at(base, "/oauth2/exchange"), &exchange).await?, "refresh_token")?;
    let scope = format!("repository:{repository}:pull,delete");
    let access = [
        ("grant_type", "refresh_token"),
        ("service", login_server),
        ("scope", scope.as_str()),
        ("refresh_token", refresh.as_str()),
    ];
    text(&post(door, at(base, "/oauth2/token"), &access).await?, "access_token")
}

async fn post(door: &Door, url: Url, form: &[(&str, &str)]) -> Result<Value> {
    let answer = door
        .http_for(&url)?
        .post(url.clone())
        .form(form)
        .send()
        .await
        .map_err(reqwest::Error::without_url)?;
    ensure!(answer.status().is_success(), "{} of the registry answered {}", url.path(), answer.status());
    Ok(answer.json().await?)
}

async fn digest(
    door: &Door,
    base: &Url,
    (repository, tag): (&str, &str),
    token: &str,
) -> Result<Option<String>> {
    let url = at(base, &format!("/v2/{repository}/manifests/{tag}"));
    let head = door.http_for(&url)?.head(url).header("accept", MANIFESTS).bearer_auth(token);
    let answer = head.send().await.map_err(reqwest::Error::without_url)?;
    if answer.status().as_u16() == 404 {
        return Ok(None);
    }
    ensure!(answer.status().is_success(), "the registry answered {}", answer.status());
    let digest = answer.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
    Ok(Some(digest.context("the registry names no digest")?.to_owned()))
}

fn text(value: &Value, key: &str) -> Result<String> {
    Ok(value[key].as_str().with_context(|| format!("the registry gives no {key}"))?.to_owned())
}
