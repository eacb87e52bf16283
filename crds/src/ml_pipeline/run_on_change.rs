//! A run for each new version of an MLPipeline.
//!
//! In: nothing. Out: the type of a field. When the run is made is decided in `azureml-plan`.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The MLRun that is made for each new version.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunOnChange {
    /// Values for the pipeline's inputs, such as `{trees: 500}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::ml_run::scalars")]
    pub inputs: Option<BTreeMap<String, Value>>,
    /// Time to keep the MLRun after it ends, such as `72h`. Default: as long as the MLPipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("ttlAfterFinished", "1s", "87600h"))]
    pub ttl_after_finished: Option<String>,
}
