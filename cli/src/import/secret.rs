//! Secrets that Azure shows in plain text: addresses with a signature, a password or a token, and variables whose names say so.
//!
//! In: texts of a workspace. Out: whether one belongs into no file. Decides nothing, and keeps nothing. What looks like no secret is not found.

use crate::convert::out::Out;
use regex::Regex;
use std::sync::LazyLock;

/// Why a text is left out.
pub const WHY: &str = "has a signature, a password or a token in it, which belongs into no file";
/// What to do with it.
pub const WAY: &str = "keep the secret in the workspace's Key Vault, and read it in the step (\"Secrets in a step\" of the documentation); make a version without it \
                       in Azure, import again, and renew the secret";

/// Parts of the names of variables that hold secrets.
const NAMES: [&str; 9] = [
    "KEY",
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "CONNECTION_STRING",
    "CONNECTIONSTRING",
    "_PAT",
];

/// What secrets look like anywhere in a text: a shared access signature, keys and passwords of connection strings, tokens of GitHub, private keys.
static ANYWHERE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?:^|[^a-z0-9_])sig=[^\s&]",
        r"|(?:account|sharedaccess)key\s*=|sharedaccesssignature\s*=|(?:^|[;\s])(?:password|pwd)\s*=",
        r"|\bgh[pousr]_[a-z0-9]{16}|\bgithub_pat_|private key-----"
    ))
    .ok()
});

/// An address: its scheme, what stands before its host, its path, its query.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)([a-z][a-z0-9+.-]*)://(?:([^\s/?#"'<>@]*(?:@[^\s/?#"'<>@]*)*)@)?([^\s?#"'<>]*)(?:\?([^\s#"'<>]*))?"#).ok()
});

/// Keys of a query that hold a secret.
const QUERY: [&str; 15] = [
    "sig",
    "signature",
    "x-amz-signature",
    "x-goog-signature",
    "x-amz-security-token",
    "token",
    "access_token",
    "sas",
    "key",
    "api_key",
    "apikey",
    "code",
    "password",
    "secret",
    "client_secret",
];

/// Whether any part of a text is a secret, as a shared access signature is one.
#[must_use]
pub fn has_secret(text: &str) -> bool {
    let (Some(anywhere), Some(address)) = (ANYWHERE.as_ref(), ADDRESS.as_ref()) else { return true };
    anywhere.is_match(text)
        || address.captures_iter(text).any(|found| {
            let part = |number| found.get(number).map_or("", |part| part.as_str());
            is_signed(part(4)) || is_user_secret(part(1), part(2)) || has_token(part(3))
        })
}

/// Whether a query has a secret.
fn is_signed(query: &str) -> bool {
    let keys = query.split(['&', ';']).filter_map(|part| part.split_once('='));
    keys.filter(|(_, value)| !value.is_empty())
        .any(|(key, _)| QUERY.contains(&key.to_ascii_lowercase().as_str()))
}

/// Whether what stands before a host is a secret. It is the container's name in storage, and a user's in SSH; `${NAME}` is a variable.
fn is_user_secret(scheme: &str, user: &str) -> bool {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let scheme = scheme.to_ascii_lowercase();
    let is_name = ["abfs", "abfss", "wasb", "wasbs", "sftp"].contains(&scheme.as_str())
        || scheme.ends_with("ssh")
        || name == "git";
    let secret = match password {
        "" if is_name => "",
        "" => name,
        password => password,
    };
    let is_variable = secret.starts_with("${") && secret.ends_with('}');
    !secret.is_empty() && !is_variable
}

/// Whether a path has a token of a channel of conda: `<host>/t/<token>/<channel>`.
fn has_token(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    parts.next() == Some("t")
        && parts.next().is_some_and(|token| !token.is_empty() && !token.starts_with('$'))
}

/// Whether a variable holds a secret, by its name or by its value.
#[must_use]
pub fn is_variable(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    NAMES.iter().any(|part| name.contains(part)) || has_secret(value)
}

/// Where a tree has a secret, as a path below it.
#[must_use]
pub fn place(tree: &Out) -> Option<String> {
    let below = |key: &str, value: &Out| {
        let rest = place(value)?;
        Some(if rest.is_empty() { key.to_owned() } else { format!("{key}.{rest}") })
    };
    match tree {
        Out::Text(text) => has_secret(text).then(String::new),
        Out::Number(_) | Out::Boolean(_) => None,
        Out::List(items) => {
            items.iter().enumerate().find_map(|(number, item)| below(&number.to_string(), item))
        }
        // A key that is a secret is not named.
        Out::Map(map) => map.clone().into_iter().find_map(|(key, value)| {
            if has_secret(&key) { Some(String::new()) } else { below(&key, &value) }
        }),
        Out::Noted(value, _) => place(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_wherever_they_stand_in_a_text() {
        for text in [
            "https://a.blob.core.windows.net/c/b?sv=1&sig=x",
            "read https://a.blob.core.windows.net/c?SIG=x, then stop",
            "?sv=2022-11-02&sig=x",
            "- --extra-index-url https://user:PAT@pkgs.dev.azure.com/o/_packaging/f/pypi/simple",
            "--index-url=https://TOKEN@host/simple --pre",
            "git+https://TOKEN@github.com/o/r",
            "https://git:TOKEN@github.com/o/r",
            "https://a@b:TOKEN@host/x",
            "https://conda.anaconda.org/t/ab-12/channel",
            "https://f.azurewebsites.net/api?code=x",
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=x==;EndpointSuffix=core.windows.net",
            "Server=s;User=u;Password=x",
            "abfss://container:x@a.dfs.core.windows.net/p",
            "ghp_0123456789abcdef0123",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert!(has_secret(text), "{text}");
        }
    }

    #[test]
    fn what_is_none_stays() {
        for text in [
            "https://example.org/a@b?version=1&design=2",
            "abfss://container@a.dfs.core.windows.net/p",
            "git+ssh://git@github.com/o/r",
            "https://git@github.com/o/r",
            "https://${PAT}@host/simple and https://user:${PAT}@host",
            "azureml:prices@latest",
            "azureml://datastores/d/paths/a?b",
            "docker.io/a/b@sha256:00",
            "somebody@example.org",
            "a design=1, tokens=3",
        ] {
            assert!(!has_secret(text), "{text}");
        }
    }

    #[test]
    fn variables_are_told_by_name_or_value() {
        for name in ["DB_PASSWORD", "api-key", "Hf_Token", "AZURE_STORAGE_CONNECTION_STRING", "client_secret"]
        {
            assert!(is_variable(name, "x"), "{name}");
        }
        assert!(is_variable("FEED", "https://x@host/") && !is_variable("LEVEL", "010"));
    }
}
