//! A search for the best model by Azure ML itself. Spelling: the automl job of the Azure ML CLI v2 in a pipeline, in camelCase.
//!
//! In: nothing. Out: types of the schema. Which of the fields a task has is decided in `plan`.

mod auto;
mod forecasting;
mod settings;

pub use self::auto::AutoOr;
use self::auto::bound_part;
pub use self::forecasting::{Forecasting, Lags, ShortSeries, Stl, TargetAggregation};
pub use self::settings::{
    AutoMlLimits, AutoMlSweep, Featurization, FeaturizationMode, Learner, StackEnsemble, Training,
    TrainingMode, Transformer,
};
use crate::step::bodies::sweep::Space;
use crate::values::Scalar;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use std::collections::BTreeMap;

/// A search for the best model. Azure ML has the code and the environment.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoMl {
    /// Task of the model.
    pub task: AutoMlTask,
    /// Metric by which the best model is chosen. Default: `accuracy` for classification, `iou` for images with several labels,
    /// `mean_average_precision` for objects in images, `normalized_root_mean_squared_error` for regression and forecasting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub primary_metric: Option<String>,
    /// Column to predict, such as `price`. Every task but `text_ner` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub target_column_name: Option<String>,
    /// Table to learn from, an mltable: `${{parent.inputs.<input>}}` or `${{parent.jobs.<step>.outputs.<output>}}`.
    #[schemars(transform = bound_binding)]
    pub training_data: String,
    /// Table to choose the best model with, written like `trainingData`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = bound_binding)]
    pub validation_data: Option<String>,
    /// Part of the training data to keep for validation, such as `0.2`, if there is no `validationData`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = bound_part)]
    pub validation_data_size: Option<Number>,
    /// Table to test the best model with, written like `trainingData`. For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = bound_binding)]
    pub test_data: Option<String>,
    /// Part of the training data to keep for the test, such as `0.1`, if there is no `testData`. For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = bound_part)]
    pub test_data_size: Option<Number>,
    /// Number of folds of cross-validation, or `auto`. For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_cross_validations: Option<AutoOr>,
    /// Columns that define the folds of cross-validation. For tables only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub cv_split_column_names: Vec<String>,
    /// Column with the weight of each row. For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub weight_column_name: Option<String>,
    /// Label that counts as positive in metrics of two labels. For `classification` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub positive_label: Option<String>,
    /// Level of the logs. Default: `info` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_verbosity: Option<Verbosity>,
    /// Number of trials and their time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<AutoMlLimits>,
    /// Models to try. For tables only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// How columns become features. For tables and text only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub featurization: Option<Featurization>,
    /// What time means in the table. For `forecasting` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecasting: Option<Forecasting>,
    /// Parameters of the model in all trials, by their names in the CLI, in camelCase. For text and images only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::bounds::at_most_50)]
    pub training_parameters: BTreeMap<String, Scalar>,
    /// How values of `searchSpace` are chosen. For text and images only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<AutoMlSweep>,
    /// Parameters that the trials vary: a list of spaces, each parameter to values. For text and images only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), transform = bound_spaces)]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub search_space: Vec<BTreeMap<String, Space>>,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum AutoMlTask {
    /// Labels of rows.
    Classification,
    /// Numbers of rows.
    Regression,
    /// Numbers of times to come.
    Forecasting,
    /// Labels of texts.
    TextClassification,
    /// Several labels of each text.
    TextClassificationMultilabel,
    /// Names in texts.
    TextNer,
    /// Labels of images.
    ImageClassification,
    /// Several labels of each image.
    ImageClassificationMultilabel,
    /// Objects in images, with the boxes around them.
    ImageObjectDetection,
    /// Objects in images, with their outlines.
    ImageInstanceSegmentation,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum Verbosity {
    /// Nothing is said.
    NotSet,
    /// Everything.
    Debug,
    /// The course of things.
    Info,
    /// What may be wrong.
    Warning,
    /// What is wrong.
    Error,
    /// What ends the search.
    Critical,
}

/// Bounds for a binding to a table.
fn bound_binding(schema: &mut Schema) {
    let binding =
        r"^[$][{][{]parent[.](inputs[.][A-Za-z0-9_]+|jobs[.][a-z0-9_]+[.]outputs[.][A-Za-z0-9_]+)[}][}]$";
    schema.insert("pattern".into(), binding.into());
    schema.insert("minLength".into(), 1.into());
    schema.insert("maxLength".into(), 255.into());
}

/// Bounds for the spaces of a search.
fn bound_spaces(schema: &mut Schema) {
    if let Some(items) = schema.get_mut("items") {
        items["minProperties"] = 1.into();
        items["maxProperties"] = 50.into();
    }
}
