//! Trials of a step's command, each with other values. Spelling: the sweep of the Azure ML CLI v2, in camelCase.

use crate::values::Scalar;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use std::collections::BTreeMap;

/// Trials of what the step runs, each with other values.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// Metric by which the best trial is chosen.
    pub objective: Objective,
    /// Values to try: name of an input to its values. A command reads each as `${{inputs.<name>}}`.
    #[schemars(transform = bound_space)]
    #[x_kube(validation = crate::rules::variable_names("sweep.searchSpace"), validation = crate::rules::yaml_keys("sweep.searchSpace"))]
    pub search_space: BTreeMap<String, Space>,
    /// How values are chosen.
    pub sampling_algorithm: Sampling,
    /// Number of trials and their time. The `timeout` of the step limits all trials together.
    pub limits: SweepLimits,
    /// When trials that do badly are ended. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_termination: Option<EarlyTermination>,
}

/// Bounds for a search space.
fn bound_space(schema: &mut Schema) {
    schema.insert("minProperties".into(), 1.into());
    crate::step::bounds::at_most_50(schema);
}

/// What the best trial is best at.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Objective {
    /// Whether the smallest or the largest value is the best.
    pub goal: Goal,
    /// Name of the metric, as the program logs it with MLflow, such as `rmse`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"[a-zA-Z0-9_]"))]
    pub primary_metric: String,
}

/// Goals of a sweep.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum Goal {
    /// The smallest value is the best.
    Minimize,
    /// The largest value is the best.
    Maximize,
}

/// The values of one input of the trials.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Space {
    /// Distribution of the values.
    pub r#type: SpaceType,
    /// Values of `choice`, such as `[16, 32]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub values: Vec<Scalar>,
    /// Smallest value, of `uniform`, `quniform`, `loguniform` and `qloguniform`; of the last two its logarithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_value: Option<Number>,
    /// Largest value, of the types with `minValue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_value: Option<Number>,
    /// Mean, of `normal`, `qnormal`, `lognormal` and `qlognormal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mu: Option<Number>,
    /// Standard deviation, of the types with `mu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<Number>,
    /// Step to which values are rounded, of the types that begin with `q`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<Number>,
    /// End of the whole numbers from 0, itself excluded, of `randint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub upper: Option<i64>,
}

/// Distributions of values.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[schemars(description = "")]
pub enum SpaceType {
    /// One of `values`.
    Choice,
    /// A whole number from 0 to below `upper`.
    Randint,
    /// Any number between two.
    Uniform,
    /// The same, rounded to a multiple of `q`.
    QUniform,
    /// A number whose logarithm is uniform.
    LogUniform,
    /// The same, rounded to a multiple of `q`.
    QLogUniform,
    /// A number of the normal distribution.
    Normal,
    /// The same, rounded to a multiple of `q`.
    QNormal,
    /// A number whose logarithm is normal.
    LogNormal,
    /// The same, rounded to a multiple of `q`.
    QLogNormal,
}

/// How values are chosen.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.type == 'random' || !has(self.seed) && !has(self.rule) && !has(self.logbase)")
    .message("sweep.samplingAlgorithm: seed, rule and logbase are for type random; remove them, or write type: random"))]
pub struct Sampling {
    /// Name of the algorithm.
    pub r#type: SamplingType,
    /// Seed of `random`, so that the same values are chosen again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub seed: Option<i32>,
    /// Sequence of `random`. Default: `random` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<SamplingRule>,
    /// Base of the logarithms of `random`: a number in quotes, such as `"10"`, or `e`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new("self.matches('^(e|[0-9]+([.][0-9]+)?)$')")
        .message("sweep.samplingAlgorithm.logbase: write a number in quotes, such as \"10\", or e"))]
    pub logbase: Option<String>,
}

/// Algorithms that choose values.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum SamplingType {
    /// By chance.
    Random,
    /// Every combination.
    Grid,
    /// By how earlier trials did.
    Bayesian,
}

/// Sequences of random sampling.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum SamplingRule {
    /// Pseudo-random numbers.
    Random,
    /// A sequence of Sobol, which covers the space evenly.
    Sobol,
}

/// How many trials, and how long.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepLimits {
    /// Maximum number of trials.
    #[schemars(range(min = 1, max = 1000))]
    pub max_total_trials: i32,
    /// Maximum number of trials at a time. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_concurrent_trials: Option<i32>,
    /// Maximum time of a trial, such as `30m`. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("sweep.limits.trialTimeout", "1m", "504h"))]
    pub trial_timeout: Option<String>,
}

/// When trials that do badly are ended.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlyTermination {
    /// Name of the policy.
    pub r#type: Policy,
    /// Number of reports of the metric from one evaluation of a trial to the next. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub evaluation_interval: Option<i32>,
    /// Number of reports of the metric before the first evaluation. Default: `0` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub delay_evaluation: Option<i32>,
    /// How much worse than the best a trial may be, as a ratio such as `0.1`. For `bandit` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_factor: Option<Number>,
    /// How much worse than the best a trial may be, as a difference such as `0.2`. For `bandit` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_amount: Option<Number>,
    /// Percentage of the trials to end at each evaluation. For `truncation_selection` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 99))]
    pub truncation_percentage: Option<i32>,
}

/// Policies that end trials.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum Policy {
    /// Ends a trial that is too far behind the best.
    Bandit,
    /// Ends a trial that is worse than the median of the averages of all.
    MedianStopping,
    /// Ends the worst trials.
    TruncationSelection,
}
