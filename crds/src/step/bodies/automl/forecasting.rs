//! What time means in a table that is forecast.

use super::auto::AutoOr;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What time means in the table.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecasting {
    /// Column with the time, such as `date`.
    #[schemars(length(min = 1, max = 255))]
    pub time_column_name: String,
    /// Number of time steps to forecast, or `auto`. Default: `1` (Azure ML's). `frequency` sets the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast_horizon: Option<AutoOr>,
    /// Time step, as pandas names it, such as `D` or `W-SUN`. Default: found in the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub frequency: Option<String>,
    /// Columns that tell to which series a row belongs, such as `[store]`. Default: one series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub time_series_id_column_names: Vec<String>,
    /// Number of time steps back at which the target is a feature, or `auto`. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_lags: Option<AutoOr>,
    /// Number of past time steps over which the target is averaged as a feature, or `auto`. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_rolling_window_size: Option<AutoOr>,
    /// Number of time steps between the folds of cross-validation. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub cv_step_size: Option<i32>,
    /// Whether past values of numeric columns are features. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_lags: Option<Lags>,
    /// Number of time steps after which the series repeats, or `auto`. Default: `auto` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seasonality: Option<AutoOr>,
    /// What happens to series that are too short. Default: `auto` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_series_handling_config: Option<ShortSeries>,
    /// How season and trend are separated. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_stl: Option<Stl>,
    /// How several values of one time step become one. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_aggregate_function: Option<TargetAggregation>,
    /// Country or region whose holidays are features: two letters, such as `US`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 2), regex(pattern = r"^[A-Z]{2}$"))]
    pub country_or_region_for_holidays: Option<String>,
    /// Columns whose values are not known when a forecast is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub features_unknown_at_forecast_time: Vec<String>,
}

/// Whether numbers of the past are features.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum Lags {
    /// No.
    None,
    /// Where Azure ML finds that they help.
    Auto,
}

/// What becomes of series that are too short.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum ShortSeries {
    /// Nothing.
    None,
    /// Azure ML chooses.
    Auto,
    /// They are made longer.
    Pad,
    /// They are left out.
    Drop,
}

/// How season and trend are taken apart.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum Stl {
    /// They are not.
    None,
    /// The season alone.
    Season,
    /// Both.
    SeasonTrend,
}

/// How several values of one step become one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TargetAggregation {
    None,
    Sum,
    Max,
    Min,
    Mean,
}
