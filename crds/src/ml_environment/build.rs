//! `build` of MLEnvironment: a Dockerfile, its context, the service that builds it, and what must be in the image.

use crate::files::Files;
use crate::source::{Source, bound_files, folder, without_asset};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How an image is built.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::exactly_one("build", &["dockerfile", "dockerfilePath"]),
    validation = Rule::new("!(has(self.files) && has(self.context))")
        .message("build: set one of files, context, and not both"),
    validation = Rule::new("!has(self.dockerfilePath) || has(self.files) || has(self.context)")
        .message("build.dockerfilePath: names a file of the context; set files or context, or write the text in dockerfile"),
)]
pub struct Build {
    /// Text of the Dockerfile. It replaces a file `Dockerfile` of the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65_536))]
    #[x_kube(validation = Rule::new("self.matches('(?im)^[\u{feff} \\\\t]*from[ \\\\t]+[^ \\\\t\\\\r\\\\n]')")
        .message("build.dockerfile: there is no FROM line; begin with FROM <image>"))]
    pub dockerfile: Option<String>,
    /// Path of the Dockerfile in the context, such as `docker/Dockerfile`; the file has at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), transform = folder)]
    pub dockerfile_path: Option<String>,
    /// Small build context written here, for `COPY` and `ADD`: relative path to content. At most 50 files of 64 KiB each, 256 KiB together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = bound_files)]
    #[x_kube(validation = crate::rules::file_names(), validation = crate::rules::file_sizes())]
    pub files: Option<Files>,
    /// Build context from a source, for `COPY` and `ADD`. Default: none. `.dockerignore` leaves files out, as in Docker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = without_asset)]
    pub context: Option<Source>,
    /// Build arguments: name to value. They are public, since the image's history shows them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_environment::build::bound_args)]
    #[x_kube(validation = Rule::new("self.all(k, k.matches('^[A-Za-z_][A-Za-z0-9_]*$'))")
        .message("build.args: a name has letters, digits and _ only, and does not start with a digit"),
        validation = crate::rules::yaml_keys("build.args"))]
    pub args: BTreeMap<String, String>,
    /// Stage of the Dockerfile that becomes the image, such as `runtime`. Default: the last one. With `verify`, all stages are built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z][a-z0-9._-]*$')")
        .message("build.target: write the name of a stage in lower case, as in FROM <image> AS <name>; numbers name none"))]
    pub target: Option<String>,
    /// Platform of the image. Default: `linux/amd64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Service that builds the image. Default: `acr: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<Builder>,
    /// What must be in the image; otherwise the build fails. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

/// Bounds for a map of build arguments.
pub(super) fn bound_args(schema: &mut schemars::Schema) {
    schema.insert("maxProperties".into(), 100.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 4096.into();
    }
}

/// What an image runs on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum Platform {
    /// x86, 64 bits.
    #[serde(rename = "linux/amd64")]
    LinuxAmd64,
    /// Arm, 64 bits.
    #[serde(rename = "linux/arm64")]
    LinuxArm64,
}

/// The service that builds an image.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// ACR Tasks of the registry.
    pub acr: AcrBuilder,
}

/// ACR Tasks.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AcrBuilder {
    /// Number of CPUs of the build machine. Default: `2` (ACR's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub cpu: Option<i32>,
    /// Maximum time of a build, such as `90m`. Default: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("builder.acr.timeout", "5m", "8h"))]
    pub timeout: Option<String>,
    /// Agent pool that builds, for a registry in a private network. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9-]{3,20}$')")
        .message("builder.acr.agentPool: use 3 to 20 letters, digits and -"))]
    pub agent_pool: Option<String>,
}

/// What must be in an image.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    /// R packages that the build must load, such as `dplyr`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(max = 100)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::each(
        "verify.rPackages", "^[A-Za-z][A-Za-z0-9.]*$", "write the name of the package, without a version",
    ))]
    pub r_packages: Vec<String>,
    /// Python modules that the build must import, such as `sklearn.ensemble`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(max = 100)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::each(
        "verify.pythonPackages", "^[A-Za-z_][A-Za-z0-9_.]*$", "write the module as it is imported, without a version",
    ))]
    pub python_packages: Vec<String>,
    /// Program and arguments that must exit with 0, such as `[python, -V]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub command: Vec<String>,
}
