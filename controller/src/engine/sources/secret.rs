//! The Secret of a source: how to sign in at one host.
//!
//! In: the name of a Secret, a host. Out: a login, or what is missing. A Secret says itself which hosts may see it: somebody who may name
//! it need not be somebody who may read it.

use crate::engine::Context;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_source::{Login, SshKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The annotation of a Secret that names the hosts that may see it, separated by commas.
pub const HOSTS: &str = "azureml.dev/hosts";

/// The longest user name, password or token.
const LONGEST: usize = 16_384;

/// How to sign in at a host.
pub(super) async fn login(
    ctx: &Context,
    (field, namespace, name): (&str, &str, &str),
    host: &str,
) -> Result<Login, Wait> {
    // A Secret may have 1 MiB: few are in memory at once.
    let _few = ctx.secrets.reads.permit(namespace).await;
    let api: Api<Secret> = Api::namespaced(ctx.kube.clone(), namespace);
    let secret = api.get_opt(name).await.map_err(|error| {
        let message = format!("{field}: failed to read Secret {name}: {error}");
        Wait::new(Reason::SECRET_UNREADABLE, message).unwatched()
    })?;
    let secret = secret.ok_or_else(|| {
        let message = format!("{field}: there is no Secret {name} in this namespace; create it, for git with username and password, bearerToken, or identity and known_hosts; for a registry as kubernetes.io/dockerconfigjson");
        Wait::new(Reason::SECRET_NOT_FOUND, message).unwatched()
    })?;
    read(&secret, host).map_err(|fault| {
        let message = format!("{field}: Secret {name} {fault}");
        Wait::stalled(Reason::SECRET_INCOMPLETE, message).unwatched()
    })
}

/// The key of a Secret of the type `kubernetes.io/dockerconfigjson`.
const REGISTRIES: &str = ".dockerconfigjson";

/// The login that a Secret holds for a host.
fn read(secret: &Secret, host: &str) -> Result<Login, String> {
    let text = |key: &str| text(secret, key);
    // What names its hosts itself needs no annotation: known hosts, and passwords of registries.
    if let Some(private) = text("identity")? {
        let known_hosts =
            text("known_hosts")?.ok_or("has no known_hosts; add what ssh-keyscan prints for the host")?;
        let passphrase = text("password")?.map(SecretString::from);
        return Ok(Login::Key(SshKey { private: SecretString::from(private), passphrase, known_hosts }));
    }
    if let Some(registries) = text(REGISTRIES)? {
        return registry(&registries, host);
    }
    let hosts = secret.metadata.annotations.as_ref().and_then(|all| all.get(HOSTS));
    let hosts = hosts.map(String::as_str).unwrap_or_default();
    if !hosts.split(',').any(|one| one.trim().eq_ignore_ascii_case(host)) {
        return Err(format!("is not for {host}; name the host in its annotation {HOSTS}"));
    }
    if let Some(token) = text("bearerToken")? {
        return Ok(Login::Bearer(SecretString::from(token)));
    }
    match (text("username")?, text("password")?) {
        (Some(name), Some(password)) => Ok(Login::Basic(name, SecretString::from(password))),
        _ => Err("has neither bearerToken nor username and password; add them".to_owned()),
    }
}

/// A value of a Secret, where it is there.
fn text(secret: &Secret, key: &str) -> Result<Option<String>, String> {
    let Some(bytes) = secret.data.as_ref().and_then(|data| data.get(key)) else { return Ok(None) };
    let text = String::from_utf8(bytes.0.clone()).ok().map(|text| text.trim().to_owned());
    let text = text.filter(|text| !text.is_empty() && text.len() <= LONGEST);
    text.map(Some).ok_or_else(|| format!("has no text of at most {LONGEST} bytes in {key}; write it again"))
}

/// What a file of Docker's credentials has for a registry.
#[derive(Deserialize)]
struct Registries {
    auths: BTreeMap<String, Auth>,
}

#[derive(Deserialize)]
struct Auth {
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "auth")]
    both: Option<String>,
}

/// The login at a registry that Docker's credentials hold. Docker Hub has a name of its own there.
fn registry(text: &str, host: &str) -> Result<Login, String> {
    let wrong = |_| {
        format!(
            "has no JSON of Docker's credentials in {REGISTRIES}; make it with kubectl create secret docker-registry"
        )
    };
    let Registries { auths } = serde_json::from_str(text).map_err(wrong)?;
    let is_it = |name: &str| {
        let name = name.trim_start_matches("https://").split('/').next().unwrap_or_default();
        name.eq_ignore_ascii_case(host) || host == "docker.io" && name == "index.docker.io"
    };
    let auth = auths.into_iter().find_map(|(name, auth)| is_it(&name).then_some(auth));
    let Auth { username, password, both } =
        auth.ok_or_else(|| format!("has no credentials for {host} in {REGISTRIES}; add them"))?;
    let whole =
        both.and_then(|auth| BASE64_STANDARD.decode(auth).ok()).and_then(|auth| String::from_utf8(auth).ok());
    let parts = whole.as_deref().and_then(|whole| whole.split_once(':'));
    let parts = parts.map(|(name, password)| (name.to_owned(), password.to_owned()));
    match username.zip(password).or(parts) {
        Some((name, password)) => Ok(Login::Basic(name, SecretString::from(password))),
        None => {
            Err(format!("has neither username and password nor auth for {host} in {REGISTRIES}; add them"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(hosts: &str, data: &serde_json::Value) -> Secret {
        let secret = json!({"metadata": {"annotations": {HOSTS: hosts}}, "data": data});
        serde_json::from_value(secret).unwrap()
    }

    #[test]
    fn a_secret_is_for_the_hosts_that_it_names() {
        let data = json!({"username": "Z2l0", "password": "cHc="});
        let named = secret("github.com, git.corp.example:8443", &data);
        assert!(matches!(read(&named, "GitHub.com"), Ok(Login::Basic(name, _)) if name == "git"));
        assert!(read(&named, "git.corp.example:8443").is_ok());
        for host in ["git.corp.example", "evil.example", ""] {
            assert!(read(&named, host).unwrap_err().contains(HOSTS), "{host}");
        }
        assert!(read(&secret("", &data), "github.com").is_err());
        let token = secret("github.com", &json!({"bearerToken": "dA=="}));
        assert!(matches!(read(&token, "github.com"), Ok(Login::Bearer(_))));
        assert!(read(&secret("github.com", &json!({"username": "Z2l0"})), "github.com").is_err());
    }

    #[test]
    fn credentials_of_docker_and_keys_of_ssh_name_their_hosts_themselves() {
        let encoded = |text: &str| BASE64_STANDARD.encode(text);
        let docker = r#"{"auths": {"ghcr.io": {"auth": "bWU6cHc="}, "https://index.docker.io/v1/": {"username": "a", "password": "b"}}}"#;
        let docker = secret("", &json!({REGISTRIES: encoded(docker)}));
        assert!(matches!(read(&docker, "ghcr.io"), Ok(Login::Basic(name, _)) if name == "me"));
        assert!(matches!(read(&docker, "docker.io"), Ok(Login::Basic(name, _)) if name == "a"));
        assert!(read(&docker, "evil.example").unwrap_err().contains("no credentials for evil.example"));
        let key = secret("", &json!({"identity": encoded("key"), "known_hosts": encoded("h ssh-ed25519 A")}));
        assert!(matches!(read(&key, "git.example"), Ok(Login::Key(_))));
        let lacking = secret("", &json!({"identity": encoded("key")}));
        assert!(read(&lacking, "git.example").unwrap_err().contains("known_hosts"));
    }
}
