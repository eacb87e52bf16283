//! `packages` of MLEnvironment: names of packages, of which a Dockerfile is made. No name can be an option or leave its place in a line.

use super::build::{Builder, Verify};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What `base: r` names: R 4.4.2 on Ubuntu. Documented at <https://rocker-project.org/images/versioned/r-ver.html>.
pub const BASE_R: &str = "rocker/r-ver:4.4.2";
/// What `base: python` names: Azure ML's base image of 1 September 2026, which has conda. Documented at
/// <https://github.com/Azure/AzureML-Containers>.
pub const BASE_PYTHON: &str = "mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04:20260901.v1";

/// Packages on an image, without a Dockerfile.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.r) && self.r.size() > 0, has(self.pip) && self.pip.size() > 0, has(self.conda) && self.conda.size() > 0, has(self.apt) && self.apt.size() > 0].exists(x, x)")
        .message("packages: name at least one package in r, pip, conda or apt; for none, use image"),
    validation = Rule::new("(has(self.r) && self.r.size() > 0) == has(self.snapshot)")
        .message("packages.snapshot: it is the day of CRAN for packages.r; set both or neither"),
    validation = Rule::new("self.base != 'r' || !has(self.conda) || self.conda.size() == 0")
        .message("packages.conda: base r has no conda; use pip, or a base that has conda"),
    validation = Rule::new("self.base != 'python' || !has(self.r) || self.r.size() == 0")
        .message("packages.r: base python has no R; use base r, or an image with R"),
)]
pub struct Packages {
    /// Base image: `r` (`rocker/r-ver:4.4.2`), `python` (`mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04:20260901.v1`), or any image of
    /// Debian or Ubuntu.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = crate::rules::image("packages.base"))]
    pub base: String,
    /// R packages, such as `dplyr` or `dplyr@1.1.4`, from CRAN as it was on the day `snapshot`. The build loads each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(max = 100)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::each(
        "packages.r", "^[A-Za-z][A-Za-z0-9.]*[A-Za-z0-9](@[0-9]+([.-][0-9]+)+)?$", "write name or name@version, such as dplyr@1.1.4",
    ))]
    pub r: Vec<String>,
    /// Day of CRAN for the packages in `r`, such as `2026-11-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(validation = Rule::new("self.matches('^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')")
        .message("packages.snapshot: write a day such as 2026-11-01"))]
    pub snapshot: Option<String>,
    /// Python packages as requirements of pip, such as `scikit-learn==1.5.2`. If they carry `--hash=sha256:…`, pip runs with
    /// `--require-hashes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(max = 1536)))]
    #[x_kube(
        merge_strategy = ListMerge::Atomic,
        validation = crate::rules::each(
            "packages.pip",
            "^[A-Za-z0-9][A-Za-z0-9._-]*(\\\\[[A-Za-z0-9._,-]+\\\\])?( ?[=~!<>][=~!<>A-Za-z0-9.*+_, ]*)?( --hash=sha256:[0-9a-f]{64})*$",
            "write a name, extras, versions and hashes, such as scikit-learn==1.5.2; for addresses, options and markers use conda or build",
        ),
        validation = Rule::new("!self.exists(x, x.contains(' --hash=')) || self.all(x, x.contains('==') && x.contains(' --hash='))")
            .message("packages.pip: one requirement has a hash, so that pip wants == and a hash of every one; add them, or remove all hashes"),
    )]
    pub pip: Vec<String>,
    /// Conda packages, such as `python=3.11`, from conda-forge or as `channel::name`. They and `pip` form an environment of their own, with
    /// Python 3.12 unless the list names another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(max = 200)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::each(
        "packages.conda",
        "^([A-Za-z0-9][A-Za-z0-9._-]*::)?[a-z0-9_][a-z0-9._-]*( ?(==?|~=|!=|<=?|>=?) ?[A-Za-z0-9][A-Za-z0-9.*+!_-]*(,(==?|~=|!=|<=?|>=?)?[A-Za-z0-9][A-Za-z0-9.*+!_-]*)*(=[A-Za-z0-9_.*]+)?)?$",
        "write a name in lower case with a version, such as lightgbm=4.5 or pytorch::pytorch",
    ))]
    pub conda: Vec<String>,
    /// Packages of the distribution, such as `libgdal-dev` or `name=version`. They are installed first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(max = 200)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::each(
        "packages.apt", "^[a-z0-9][a-z0-9.+-]*[a-z0-9+](=[0-9][A-Za-z0-9.+~:-]*)?$", "write name or name=version, such as libgdal-dev",
    ))]
    pub apt: Vec<String>,
    /// Mirrors to use instead of the public servers. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrors: Option<Mirrors>,
    /// Service that builds the image. Default: `acr: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<Builder>,
    /// What else must be in the image; otherwise the build fails. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

/// Where packages come from. The addresses are public in the image's history. The distribution's own are those of the base.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mirrors {
    /// Address of CRAN by day, as Posit Package Manager serves it. Default: `https://packagemanager.posit.co/cran`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = crate::rules::mirror("packages.mirrors.cran"))]
    pub cran: Option<String>,
    /// Address of the index of Python packages. Default: `https://pypi.org/simple` (pip's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = crate::rules::mirror("packages.mirrors.pypi"))]
    pub pypi: Option<String>,
    /// Name or address of the channel of conda packages. Default: `conda-forge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = crate::rules::mirror("packages.mirrors.conda"))]
    pub conda: Option<String>,
}
