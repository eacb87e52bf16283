//! Files of an artifact in a registry, and of an archive at an address, as a manifest names them.

use super::bounds::{folder, interval, worded};
use super::git::SecretReference;
use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// An artifact in a registry, as `flux push artifact`, `oras push` and builders of images make it.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Oci {
    /// Address of the artifact: `<registry>/<name>:<tag>` or `<registry>/<name>@sha256:<64 hex digits>`.
    #[schemars(length(min = 1, max = 512), transform = image)]
    pub image: String,
    /// Folder whose files are taken. Default: the whole artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), transform = folder)]
    pub path: Option<String>,
    /// Files to leave out, as patterns of `.gitignore`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub ignore: Vec<String>,
    /// Interval between checks of what the tag points to. Default: `5m`; from `1m` to `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5), transform = interval)]
    pub interval: Option<String>,
    /// Secret that signs in: type `kubernetes.io/dockerconfigjson`, or as for `git`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
}

/// An archive at an address: tar, tar.gz or zip.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Http {
    /// Address: `https://<host>/<path>`.
    #[schemars(length(min = 1, max = 1024), transform = address)]
    pub url: String,
    /// SHA-256 of the archive: 64 hex digits. Another archive is refused.
    #[schemars(length(min = 64, max = 64), transform = sha256)]
    pub sha256: String,
    /// Folder whose files are taken. Default: the whole archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), transform = folder)]
    pub path: Option<String>,
    /// Files to leave out, as patterns of `.gitignore`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub ignore: Vec<String>,
    /// Secret that signs in, as for `git` over HTTPS. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
}

fn image(image: &mut Schema) {
    let form = json!({"pattern": "^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$"});
    worded(
        image,
        "<registry>/<name>:<tag> or <registry>/<name>@sha256:<64 hex digits>, in lower case",
        &form,
    );
}

fn address(url: &mut Schema) {
    let form = json!({"pattern": "^https://[^/?#@\\x00-\\x20]+/[^#\\x00-\\x20]*$"});
    worded(url, "https://<host>/<path>, without a password; give the password by secretRef", &form);
}

fn sha256(hash: &mut Schema) {
    worded(hash, "the 64 hex digits that sha256sum prints", &json!({"pattern": "^[0-9a-f]{64}$"}));
}
