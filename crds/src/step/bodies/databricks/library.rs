//! What is installed on a cluster of Databricks before a run.

use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};

/// A library; set exactly one field.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = exactly_one)]
pub struct Library {
    /// Package of PyPI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pypi: Option<Package>,
    /// Package of CRAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cran: Option<Package>,
    /// Package of Maven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maven: Option<Maven>,
    /// Address of a jar: a path of the workspace or of a volume, `dbfs:/…` or `abfss://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub jar: Option<String>,
    /// Address of a wheel, written like that of a jar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub whl: Option<String>,
    /// Path of a `requirements.txt` in the workspace or in a volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub requirements: Option<String>,
}

/// A library is one thing. A rule for each of many libraries would not fit the API server's budget, so the schema counts.
fn exactly_one(schema: &mut Schema) {
    schema.insert("minProperties".into(), 1.into());
    schema.insert("maxProperties".into(), 1.into());
}

/// A package of an index.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// Name of the package; an index may take a version, such as `simplejson==3.8.0`.
    #[schemars(length(min = 1, max = 255))]
    pub package: String,
    /// Address of the index. Default: Databricks', the public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^https://[^@]+$"))]
    pub repo: Option<String>,
}

/// A package of Maven.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Maven {
    /// Coordinates of the package, such as `org.jsoup:jsoup:1.7.2`.
    #[schemars(length(min = 1, max = 255))]
    pub coordinates: String,
    /// Address of the repository. Default: Maven Central and Spark Packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^https://[^@]+$"))]
    pub repo: Option<String>,
    /// Packages to leave out, such as `slf4j:slf4j`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub exclusions: Vec<String>,
}
