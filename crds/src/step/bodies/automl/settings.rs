//! How a search goes: its limits, the models that it tries, and how columns become features.

use crate::step::bodies::sweep::{EarlyTermination, SamplingType};
use crate::values::Scalar;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Number, json};
use std::collections::BTreeMap;

/// How many trials, and how long.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoMlLimits {
    /// Maximum time of the search, in minutes. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub timeout_minutes: Option<i32>,
    /// Maximum time of a trial, in minutes. Default: Azure ML's. For tables and text only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub trial_timeout_minutes: Option<i32>,
    /// Maximum number of trials. Default: `1` for text and images, else Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_trials: Option<i32>,
    /// Maximum number of trials at a time. Default: `1` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_concurrent_trials: Option<i32>,
    /// Maximum number of cores of a trial; `-1` is all. Default: `-1` (Azure ML's). For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 1000))]
    pub max_cores_per_trial: Option<i32>,
    /// Maximum number of nodes of the search. Default: `1` (Azure ML's). For tables and text only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_nodes: Option<i32>,
    /// Whether the search ends when models get no better. Default: `true` (Azure ML's). For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_early_termination: Option<bool>,
    /// Score at which a model is good enough and the search ends, such as `0.95`. For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = bound_score)]
    pub exit_score: Option<Number>,
}

/// Bounds for a score.
fn bound_score(schema: &mut Schema) {
    schema.insert("minimum".into(), json!(-1e12));
    schema.insert("maximum".into(), json!(1e12));
}

/// Which models are tried.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Training {
    /// The only algorithms to try, by their names in the CLI, such as `light_gbm`. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30), inner(length(min = 1, max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub allowed_training_algorithms: Vec<String>,
    /// Algorithms not to try, by their names in the CLI. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30), inner(length(min = 1, max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub blocked_training_algorithms: Vec<String>,
    /// Whether to try neural networks. Default: `false` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_dnn_training: Option<bool>,
    /// Whether to explain the best model. Default: `true` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_model_explainability: Option<bool>,
    /// Whether models can be exported as ONNX. Default: `false` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_onnx_compatible_models: Option<bool>,
    /// Whether to try a stack of models. Default: `true` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_stack_ensemble: Option<bool>,
    /// Whether to try a vote of models. Default: `true` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_vote_ensemble: Option<bool>,
    /// Maximum time for fetching the models of a stack or vote, in minutes. Default: `5` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub ensemble_model_download_timeout_minutes: Option<i32>,
    /// How the models of a stack are weighed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_ensemble_settings: Option<StackEnsemble>,
    /// Whether a model is trained on several nodes. Default: `auto` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_mode: Option<TrainingMode>,
}

/// How the models of a stack are weighed.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StackEnsemble {
    /// Model that weighs the others.
    pub stack_meta_learner_type: Learner,
    /// Part of the training data that this model learns from, between 0 and 1. Default: `0.2` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::auto::bound_part)]
    pub stack_meta_learner_train_percentage: Option<Number>,
}

/// Models that weigh others.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Learner {
    LogisticRegression,
    LogisticRegressionCv,
    LightGbmClassifier,
    ElasticNet,
    ElasticNetCv,
    LightGbmRegressor,
    LinearRegression,
}

/// Whether a model is trained on several nodes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum TrainingMode {
    /// Azure ML chooses.
    Auto,
    /// On several.
    Distributed,
    /// On one.
    NonDistributed,
}

/// How columns become features.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Featurization {
    /// Choice of the features: by Azure ML (`auto`), by the other fields (`custom`), or none (`off`). Default: `auto` (Azure ML's). For
    /// tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FeaturizationMode>,
    /// Language of the texts: three letters of ISO 639-3, such as `eng`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), regex(pattern = r"^[a-z_]+$"))]
    pub dataset_language: Option<String>,
    /// Transformers not to use, by their names in the CLI, such as `word_embedding`. For tables only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30), inner(length(min = 1, max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub blocked_transformers: Vec<String>,
    /// Types of columns that Azure ML would guess wrong: column to `Numeric`, `DateTime`, `Categorical` or `Text`. For tables only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = bound_columns)]
    pub column_name_and_types: BTreeMap<String, String>,
    /// Parameters of the transformers `imputer`, `tf_idf` and `hash_one_hot_encoder`: name to a list of columns and parameters. For tables
    /// only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = bound_transformers)]
    pub transformer_params: BTreeMap<String, Vec<Transformer>>,
    /// Whether neural networks make features. Default: `false` (Azure ML's). For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_dnn_featurization: Option<bool>,
}

/// By whose choice columns become features.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum FeaturizationMode {
    /// Azure ML's.
    Auto,
    /// That of the other fields.
    Custom,
    /// Nothing is done.
    Off,
}

/// Parameters of a transformer for some columns.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transformer {
    /// Columns to transform. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub fields: Vec<String>,
    /// Parameters of the transformer, by its own names, such as `strategy: median`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::bounds::at_most_50)]
    pub parameters: BTreeMap<String, Scalar>,
}

/// Bounds for the types of columns.
fn bound_columns(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 1000.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 64.into();
    }
}

/// Bounds for the parameters of transformers.
fn bound_transformers(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 3.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxItems"] = 50.into();
        values["x-kubernetes-list-type"] = "atomic".into();
    }
}

/// How values of the search space are chosen.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoMlSweep {
    /// Name of the algorithm.
    pub sampling_algorithm: SamplingType,
    /// When trials that do badly are ended. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_termination: Option<EarlyTermination>,
}
