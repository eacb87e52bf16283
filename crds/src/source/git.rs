//! A folder of a git repository as a manifest names it.

use super::bounds::{all_worded, folder, interval, object_name, one_field, worded};
use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A folder of a git repository.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Git {
    /// The address to clone from: `https://<host>/<path>`, `ssh://<user>@<host>/<path>` or `<user>@<host>:<path>`.
    #[schemars(length(min = 1, max = 1024), transform = address)]
    pub url: String,
    /// The branch, tag or commit. Exactly one of its fields.
    pub r#ref: GitReference,
    /// The folder whose files are taken. Default: the whole repository. `.amlignore`, else `.gitignore`, of the folder leaves files out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), transform = folder)]
    pub path: Option<String>,
    /// Patterns of `.gitignore` whose files are left out too. They come after those of the folder's own file, so that `!` takes a file
    /// back. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub ignore: Vec<String>,
    /// How often the server is asked what `ref` means. Default: `5m`; from `1m` to `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5), transform = interval)]
    pub interval: Option<String>,
    /// The Secret that signs in: with `username` and `password`, or with `bearerToken`, and the annotation `azureml.dev/hosts` for the hosts
    /// that may see it; over SSH with `identity` and `known_hosts`, and `password` where the key has one. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
}

/// A Secret of the same namespace.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// Its name.
    #[schemars(length(min = 1, max = 253), transform = object_name)]
    pub name: String,
}

/// What is taken of a repository.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = one_field)]
pub struct GitReference {
    /// The newest commit of a branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), transform = name)]
    pub branch: Option<String>,
    /// The commit of a tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), transform = name)]
    pub tag: Option<String>,
    /// The tag with the highest version in a range, such as `>=1.2.0, <2.0.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub semver: Option<String>,
    /// A commit: 40 hex digits in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 40, max = 40), transform = commit)]
    pub commit: Option<String>,
}

fn address(url: &mut Schema) {
    let https = r"https://[^/?#@\x00-\x20]+/[^?#@\x00-\x20]+";
    let user = r"[A-Za-z0-9_][A-Za-z0-9._-]*@";
    let ssh = format!(r"ssh://{user}[^/?#@\x00-\x20]+/[^?#\x00-\x20]+|{user}[A-Za-z0-9.-]+:[^?#\x00-\x20]+");
    let words = "https://<host>/<path> or ssh://<user>@<host>/<path>, without a password, ? or #; give the password or the key by secretRef";
    worded(url, words, &json!({"pattern": format!("^({https}|{ssh})$")}));
}

fn name(schema: &mut Schema) {
    let forms = [
        json!({"pattern": "^[^\\x00-\\x20~^:?*\\[\\\\\\x7f]+$"}),
        json!({"not": {"pattern": "^refs/|[.][.]"}}),
    ];
    all_worded(schema, "a short name such as main or v1.2, without refs/, blanks and ..", &forms);
}

fn commit(schema: &mut Schema) {
    worded(schema, "40 hex digits in lower case", &json!({"pattern": "^[0-9a-f]{40}$"}));
}
