//! The Secret of a source: how to sign in at one host.
//!
//! In: the name of a Secret, a host. Out: a login, or what is missing. A Secret says itself which hosts may see it: somebody who may name
//! it need not be somebody who may read it.

use crate::engine::Context;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_source::git::Login;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use secrecy::SecretString;

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
        let message = format!("{field}: there is no Secret {name} in this namespace; create it with bearerToken, or with username and password");
        Wait::new(Reason::SECRET_NOT_FOUND, message).unwatched()
    })?;
    read(&secret, host).map_err(|fault| {
        let message = format!("{field}: Secret {name} {fault}");
        Wait::stalled(Reason::SECRET_INCOMPLETE, message).unwatched()
    })
}

/// The login that a Secret holds for a host.
fn read(secret: &Secret, host: &str) -> Result<Login, String> {
    let hosts = secret.metadata.annotations.as_ref().and_then(|all| all.get(HOSTS));
    let hosts = hosts.map(String::as_str).unwrap_or_default();
    if !hosts.split(',').any(|one| one.trim().eq_ignore_ascii_case(host)) {
        return Err(format!("is not for {host}; name the host in its annotation {HOSTS}"));
    }
    let text = |key: &str| -> Result<Option<String>, String> {
        let Some(bytes) = secret.data.as_ref().and_then(|data| data.get(key)) else { return Ok(None) };
        let text = String::from_utf8(bytes.0.clone()).ok().map(|text| text.trim().to_owned());
        let text = text.filter(|text| !text.is_empty() && text.len() <= LONGEST);
        text.map(Some)
            .ok_or_else(|| format!("has no text of at most {LONGEST} bytes in {key}; write it again"))
    };
    if let Some(token) = text("bearerToken")? {
        return Ok(Login::Bearer(SecretString::from(token)));
    }
    match (text("username")?, text("password")?) {
        (Some(name), Some(password)) => Ok(Login::Basic(name, SecretString::from(password))),
        _ => Err("has neither bearerToken nor username and password; add them".to_owned()),
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
}
