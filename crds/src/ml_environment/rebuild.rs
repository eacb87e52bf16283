//! `rebuild` of MLEnvironment: when tags are looked up again, and what they meant.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Follows the images that an environment stands on. A tag that moved makes a new version.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rebuild {
    /// Whether to follow the tags of `image`, or of the images in `FROM` lines, which are then built by digest. Default: `true`. `false`
    /// keeps the digests that were found last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_base_image_update: Option<bool>,
    /// Interval between lookups, such as `12h`. Default: `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("rebuild.interval", "10m", "8760h"))]
    pub interval: Option<String>,
}

/// Where `interval` is absent.
const INTERVAL: &str = "24h";

impl Rebuild {
    /// Whether tags are followed.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on_base_image_update != Some(false)
    }

    /// How often tags are looked up: a duration such as `1h30m`.
    #[must_use]
    pub fn interval(&self) -> &str {
        self.interval.as_deref().unwrap_or(INTERVAL)
    }
}

/// Digest of a tag when it was looked up.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FollowedImage {
    /// Image as it is written, such as `r-base:4.4`.
    #[schemars(length(max = 1024))]
    pub image: String,
    /// Digest that the tag had.
    #[schemars(length(max = 71))]
    pub digest: String,
    /// When the tag was looked up.
    pub at: Time,
    /// Digest on which the version in force is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71))]
    pub in_force: Option<String>,
}
