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
    /// Address to clone from: `https://<host>/<path>`, `ssh://<user>@<host>/<path>` or `<user>@<host>:<path>`.
    #[schemars(length(min = 1, max = 1024), transform = address)]
    pub url: String,
    /// Branch, tag, version range or commit; set exactly one.
    pub r#ref: GitReference,
    /// Folder whose files are taken, such as `src/train`. Default: the whole repository. Its `.amlignore`, else its `.gitignore`, leaves
    /// files out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), transform = folder)]
    pub path: Option<String>,
    /// More files to leave out, as patterns of `.gitignore`. Default: none. They follow the folder's own patterns, so `!<pattern>` takes
    /// files back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub ignore: Vec<String>,
    /// Interval between checks of what `ref` points to. Default: `5m`; from `1m` to `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5), transform = interval)]
    pub interval: Option<String>,
    /// Secret that signs in. Default: none. HTTPS takes `username` and `password`, or `bearerToken`, and sends them only to the hosts in
    /// the annotation `azureml.dev/hosts`. SSH takes `identity`, `known_hosts`, and `password` if the key has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
}

/// A Secret of the same namespace.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), transform = object_name)]
    pub name: String,
}

/// What is taken of a repository.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = one_field)]
pub struct GitReference {
    /// Branch, such as `main`: its newest commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), transform = name)]
    pub branch: Option<String>,
    /// Tag, such as `v1.2`: its commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), transform = name)]
    pub tag: Option<String>,
    /// Range of versions, such as `>=1.2.0, <2.0.0`: the tag with the highest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub semver: Option<String>,
    /// Commit: 40 hex digits in lower case.
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
