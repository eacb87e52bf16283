//! What is installed on a cluster of Databricks before a run.

use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};

/// One library: exactly one of the fields. A rule for each of many libraries would not fit the API server's budget, so the schema counts.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = exactly_one)]
pub struct Library {
    /// A package of PyPI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pypi: Option<Package>,
    /// A package of CRAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cran: Option<Package>,
    /// A package of Maven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maven: Option<Maven>,
    /// A jar: a path of the workspace or of a volume, or `dbfs:/…` or `abfss://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub jar: Option<String>,
    /// A wheel, named as a jar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub whl: Option<String>,
    /// A `requirements.txt`: a path of the workspace or of a volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub requirements: Option<String>,
}

/// A library is one thing.
fn exactly_one(schema: &mut Schema) {
    schema.insert("minProperties".into(), 1.into());
    schema.insert("maxProperties".into(), 1.into());
}

/// A package of an index.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// Its name, with a version such as `simplejson==3.8.0` where the index takes one.
    #[schemars(length(min = 1, max = 255))]
    pub package: String,
    /// The index. Default: Databricks', which is the public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^https://[^@]+$"))]
    pub repo: Option<String>,
}

/// A package of Maven.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Maven {
    /// Its coordinates, such as `org.jsoup:jsoup:1.7.2`.
    #[schemars(length(min = 1, max = 255))]
    pub coordinates: String,
    /// The repository. Default: Maven Central and Spark Packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^https://[^@]+$"))]
    pub repo: Option<String>,
    /// Packages that are left out, such as `slf4j:slf4j`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub exclusions: Vec<String>,
}
