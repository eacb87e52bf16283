//! A search for the best model: a node without a component, which Azure ML runs itself.
//!
//! In: a step, what it resolves to. Out: its node. Spelling: as the SDK 1.35.2 writes it, the CLI's keys; values that the trials of
//! images vary are texts there, `choice(1,2)`, and those of texts are objects.

use crate::component::node::{begin, outputs, said};
use crate::component::resolved::Resolved;
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::step::{AutoMl, AutoMlTask, Identity, IdentityType, Space, SpaceType, Step};
use azureml_crds::values::Scalar;
use serde_json::{Map, Number, Value, json};
use std::collections::BTreeMap;

/// The node.
pub(crate) fn node(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    automl: &AutoMl,
) -> Result<Value, InvalidSpec> {
    let nowhere = Resolved { compute: None, ..resolved.clone() };
    let mut node = begin(pipeline, step, &nowhere, "automl")?;
    if let (Some(node), Value::Object(said)) = (node.as_object_mut(), spelled(&json!(automl))) {
        node.extend(said);
    }
    node["primary_metric"] = json!(automl.primary_metric.as_deref().unwrap_or_else(|| metric(automl.task)));
    if is_of_images(automl.task) && !automl.search_space.is_empty() {
        node["search_space"] = automl.search_space.iter().map(texts).collect();
    }
    let outputs = outputs(pipeline, step)?;
    if !outputs.is_empty() {
        node["outputs"] = Value::Object(outputs);
    }
    // Not `computeId`, as all other nodes have it.
    if let Some(compute) = &resolved.compute {
        node["compute"] = json!(format!("azureml:{compute}"));
    }
    if !step.environment_variables.is_empty() {
        node["environment_variables"] = json!(step.environment_variables);
    }
    if let Some(identity) = &step.identity {
        node["identity"] = self::identity(identity);
    }
    Ok(node)
}

/// What the CLI sends where nothing is said.
fn metric(task: AutoMlTask) -> &'static str {
    match task {
        AutoMlTask::Classification
        | AutoMlTask::TextClassification
        | AutoMlTask::TextClassificationMultilabel
        | AutoMlTask::TextNer
        | AutoMlTask::ImageClassification => "accuracy",
        AutoMlTask::Regression | AutoMlTask::Forecasting => "normalized_root_mean_squared_error",
        AutoMlTask::ImageClassificationMultilabel => "iou",
        AutoMlTask::ImageObjectDetection | AutoMlTask::ImageInstanceSegmentation => "mean_average_precision",
    }
}

fn is_of_images(task: AutoMlTask) -> bool {
    match task {
        AutoMlTask::ImageClassification
        | AutoMlTask::ImageClassificationMultilabel
        | AutoMlTask::ImageObjectDetection
        | AutoMlTask::ImageInstanceSegmentation => true,
        AutoMlTask::Classification
        | AutoMlTask::Regression
        | AutoMlTask::Forecasting
        | AutoMlTask::TextClassification
        | AutoMlTask::TextClassificationMultilabel
        | AutoMlTask::TextNer => false,
    }
}

/// Maps whose keys are the user's, or those of a transformer.
const NAMED: [&str; 2] = ["columnNameAndTypes", "parameters"];

/// A tree with its keys as the CLI spells them.
fn spelled(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let each = fields.iter().map(|(key, value)| {
                let value = if NAMED.contains(&key.as_str()) { value.clone() } else { spelled(value) };
                (snake(key), value)
            });
            Value::Object(each.collect())
        }
        Value::Array(items) => items.iter().map(spelled).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// A key as the CLI spells it.
pub(crate) fn snake(key: &str) -> String {
    key.chars().fold(String::new(), |mut text, one| {
        if one.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(one.to_ascii_lowercase());
        text
    })
}

fn texts(space: &BTreeMap<String, Space>) -> Value {
    let each: Map<String, Value> =
        space.iter().map(|(name, space)| (snake(name), json!(text(space)))).collect();
    Value::Object(each)
}

/// Values as a text: `choice('a',1)`, `uniform(0.1,1)`.
fn text(space: &Space) -> String {
    let Space { r#type, values, min_value, max_value, mu, sigma, q, upper } = space;
    let upper = upper.map(Number::from);
    let numbers = [min_value, max_value, mu, sigma, q, &upper].into_iter().flatten().map(plain);
    let values = values.iter().map(|Scalar(value)| match value {
        Value::String(text) => format!("'{text}'"),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => plain(number),
        Value::Null | Value::Array(_) | Value::Object(_) => value.to_string(),
    });
    let all: Vec<String> = values.chain(numbers).collect();
    let name = match r#type {
        SpaceType::Choice => "choice",
        SpaceType::Randint => "randint",
        SpaceType::Uniform => "uniform",
        SpaceType::QUniform => "quniform",
        SpaceType::LogUniform => "loguniform",
        SpaceType::QLogUniform => "qloguniform",
        SpaceType::Normal => "normal",
        SpaceType::QNormal => "qnormal",
        SpaceType::LogNormal => "lognormal",
        SpaceType::QLogNormal => "qlognormal",
    };
    format!("{name}({})", all.join(","))
}

/// A number without an exponent.
fn plain(number: &Number) -> String {
    match number.as_f64() {
        Some(decimal) if number.is_f64() => format!("{decimal}"),
        _ => number.to_string(),
    }
}

/// As the CLI's schema has it, unlike other nodes.
fn identity(Identity { r#type, client_id }: &Identity) -> Value {
    let word = match r#type {
        IdentityType::Managed => "managed_identity",
        IdentityType::AmlToken => "aml_token",
    };
    said(json!({"type": word, "client_id": client_id}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_images_are_texts() {
        for (space, words) in [
            (json!({"type": "choice", "values": ["a", 1, 0.00001, true]}), "choice('a',1,0.00001,True)"),
            (json!({"type": "uniform", "minValue": 0.1, "maxValue": 1}), "uniform(0.1,1)"),
            (json!({"type": "quniform", "minValue": 1, "maxValue": 9, "q": 2}), "quniform(1,9,2)"),
            (json!({"type": "qnormal", "mu": 1, "sigma": 2, "q": 0.5}), "qnormal(1,2,0.5)"),
            (json!({"type": "randint", "upper": 7}), "randint(7)"),
        ] {
            assert_eq!(text(&serde_json::from_value(space).unwrap()), words);
        }
    }

    #[test]
    fn keys_of_the_user_stay() {
        let said = json!({"nCrossValidations": 5, "featurization": {"columnNameAndTypes": {"totalSum": "Numeric"},
            "transformerParams": {"imputer": [{"fields": ["aB"], "parameters": {"fillValue": 1}}]}}});
        let sent = json!({"n_cross_validations": 5, "featurization": {"column_name_and_types": {"totalSum": "Numeric"},
            "transformer_params": {"imputer": [{"fields": ["aB"], "parameters": {"fillValue": 1}}]}}});
        assert_eq!(spelled(&said), sent);
    }
}
