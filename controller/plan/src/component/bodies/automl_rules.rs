//! What is wrong with a search for the best model: fields that its task does not have, names that Azure ML does not know, tables that
//! are none.
//!
//! In: a step. Out: everything that is wrong. Source of the names: the automl schemas of the Azure ML CLI v2 and the SDK 1.35.2.

use super::automl::snake;
use super::automl_words as words;
use super::sweep::{of_fields, of_policy};
use crate::component::ports;
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::step::{AutoMl, AutoMlLimits, AutoMlTask, Featurization, Space, Step};
use azureml_crds::values::Scalar;
use serde_json::{Number, Value};

/// What a task works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Table,
    Text,
    Images,
}

use On::{Images, Table, Text};

/// What is wrong.
pub(crate) fn faults(pipeline: &MLPipeline, step: &Step) -> Vec<InvalidSpec> {
    let Some(automl) = &step.automl else { return Vec::new() };
    let at = |field: &str, words: &str| InvalidSpec::new(format!("steps.{}.automl{field}", step.name), words);
    let task = snake(&format!("{:?}", automl.task)).trim_start_matches('_').to_owned();
    let of_task = of_task(automl).into_iter().map(|field| {
        at(
            &format!(".{field}"),
            &format!("a search of task {task} does not have it; remove it, or write another task"),
        )
    });
    let needs_target = automl.task != AutoMlTask::TextNer && automl.target_column_name.is_none();
    let target = needs_target.then(|| at(".targetColumnName", "name the column that is predicted"));
    let of_names = unknown(automl).into_iter().map(|(field, name, known)| {
        at(
            &format!(".{field}"),
            &format!("{name:?} is none that Azure ML knows here; write one of {}", known.join(", ")),
        )
    });
    let spaces = automl.search_space.iter().flatten();
    let of_spaces =
        spaces.filter_map(|(name, space)| Some(at(&format!(".searchSpace.{name}"), &of_space(space)?)));
    let policy = automl.sweep.as_ref().and_then(|sweep| of_policy(sweep.early_termination.as_ref()?));
    let policy = policy.map(|words| at(".sweep.earlyTermination", &words));
    let mut all: Vec<InvalidSpec> =
        of_task.chain(target).chain(of_names).chain(of_spaces).chain(policy).collect();
    let parts =
        parts(automl).map(|field| at(&format!(".{field}"), "write a part of the whole, between 0 and 1"));
    all.extend(parts);
    all.extend(changed(automl).map(|words| at(".featurization.columnNameAndTypes", words)));
    all.extend(tables(automl).filter_map(|(field, text)| table(pipeline, step, field, text)));
    all
}

/// Parts that are nothing, or the whole.
fn parts(automl: &AutoMl) -> impl Iterator<Item = &'static str> {
    let stack = automl.training.as_ref().and_then(|training| training.stack_ensemble_settings.as_ref());
    let all = [
        ("validationDataSize", automl.validation_data_size.as_ref()),
        ("testDataSize", automl.test_data_size.as_ref()),
        (
            "training.stackEnsembleSettings.stackMetaLearnerTrainPercentage",
            stack.and_then(|stack| stack.stack_meta_learner_train_percentage.as_ref()),
        ),
    ];
    let is_part = |number: &Number| number.as_f64().is_some_and(|part| part > 0.0 && part < 1.0);
    all.into_iter()
        .filter(move |(_, number)| number.is_some_and(|number| !is_part(number)))
        .map(|(field, _)| field)
}

/// What YAML has changed in the names of columns.
fn changed(automl: &AutoMl) -> Option<&'static str> {
    let columns = automl.featurization.as_ref().map(|featurization| &featurization.column_name_and_types)?;
    let is_changed = columns.keys().any(|name| ["true", "false"].contains(&name.as_str()));
    is_changed.then_some(
        "YAML reads the names y, yes, on, n, no and off as true or false; write the name of the column in quotes",
    )
}

/// The tables that a search reads, with their fields.
pub(crate) fn tables(automl: &AutoMl) -> impl Iterator<Item = (&'static str, &String)> {
    let AutoMl { training_data, validation_data, test_data, .. } = automl;
    let all = [
        ("trainingData", Some(training_data)),
        ("validationData", validation_data.as_ref()),
        ("testData", test_data.as_ref()),
    ];
    all.into_iter().filter_map(|(field, text)| Some((field, text?)))
}

/// A table is bound to a table that is always there.
fn table(pipeline: &MLPipeline, step: &Step, field: &str, text: &str) -> Option<InvalidSpec> {
    let field = format!("automl.{field}");
    let words = match ports::bound(pipeline, step, &field, text) {
        Err(wrong) => return Some(wrong),
        Ok(port) if port["optional"] == true => {
            "a search needs it in each run; remove optional from the pipeline's input".to_owned()
        }
        Ok(port) if port["type"] != "mltable" => {
            format!("a search reads an mltable, and {text} is {}; write type: mltable there", port["type"])
        }
        Ok(_) => return None,
    };
    Some(InvalidSpec::new(format!("steps.{}.{field}", step.name), words))
}

fn on(task: AutoMlTask) -> On {
    match task {
        AutoMlTask::Classification | AutoMlTask::Regression | AutoMlTask::Forecasting => Table,
        AutoMlTask::TextClassification | AutoMlTask::TextClassificationMultilabel | AutoMlTask::TextNer => {
            Text
        }
        AutoMlTask::ImageClassification
        | AutoMlTask::ImageClassificationMultilabel
        | AutoMlTask::ImageObjectDetection
        | AutoMlTask::ImageInstanceSegmentation => Images,
    }
}

/// The fields that are set, and what has them.
fn set(automl: &AutoMl) -> impl Iterator<Item = (&'static str, &'static [On])> {
    let AutoMl {
        // Every task has them.
        task: _,
        primary_metric: _,
        target_column_name: _,
        training_data: _,
        validation_data: _,
        log_verbosity: _,
        validation_data_size,
        test_data,
        test_data_size,
        n_cross_validations,
        cv_split_column_names,
        weight_column_name,
        // One task alone has them, or a part of them.
        positive_label: _,
        limits: _,
        forecasting: _,
        training,
        featurization,
        training_parameters,
        sweep,
        search_space,
    } = automl;
    let tables: &'static [On] = &[Table];
    let all = [
        ("validationDataSize", validation_data_size.is_some(), &[Table, Images] as &'static [On]),
        ("testData", test_data.is_some(), tables),
        ("testDataSize", test_data_size.is_some(), tables),
        ("nCrossValidations", n_cross_validations.is_some(), tables),
        ("cvSplitColumnNames", !cv_split_column_names.is_empty(), tables),
        ("weightColumnName", weight_column_name.is_some(), tables),
        ("training", training.is_some(), tables),
        ("featurization", featurization.is_some(), &[Table, Text]),
        ("trainingParameters", !training_parameters.is_empty(), &[Text, Images]),
        ("sweep", sweep.is_some(), &[Text, Images]),
        ("searchSpace", !search_space.is_empty(), &[Text, Images]),
    ];
    all.into_iter().filter(|(_, is_set, _)| *is_set).map(|(name, _, of)| (name, of))
}

/// The fields that are set, and that the task does not have.
fn of_task(automl: &AutoMl) -> Vec<String> {
    let AutoMl { task, positive_label, forecasting, limits, featurization, .. } = automl;
    let on = on(*task);
    let others = set(automl).filter(|(_, of)| !of.contains(&on)).map(|(name, _)| name);
    let single = [
        ("positiveLabel", positive_label.is_some() && *task != AutoMlTask::Classification),
        ("forecasting", forecasting.is_some() && *task != AutoMlTask::Forecasting),
    ];
    let single = single.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name);
    let names = others.chain(single).map(str::to_owned);
    names.chain(of_parts(limits.as_ref(), featurization.as_ref(), on)).collect()
}

/// The same, of limits and of how columns become features.
fn of_parts(limits: Option<&AutoMlLimits>, featurization: Option<&Featurization>, on: On) -> Vec<String> {
    let limits = limits.into_iter().flat_map(|limits| of_limits(limits, on));
    limits.chain(featurization.into_iter().filter(|_| on == Text).flat_map(of_featurization)).collect()
}

fn of_limits(limits: &AutoMlLimits, on: On) -> Vec<String> {
    let AutoMlLimits {
        // Every task has them.
        timeout_minutes: _,
        max_trials: _,
        max_concurrent_trials: _,
        trial_timeout_minutes,
        max_cores_per_trial,
        max_nodes,
        enable_early_termination,
        exit_score,
    } = limits;
    let all = [
        ("trialTimeoutMinutes", trial_timeout_minutes.is_some(), &[Table, Text] as &[On]),
        ("maxCoresPerTrial", max_cores_per_trial.is_some(), &[Table]),
        ("maxNodes", max_nodes.is_some(), &[Table, Text]),
        ("enableEarlyTermination", enable_early_termination.is_some(), &[Table]),
        ("exitScore", exit_score.is_some(), &[Table]),
    ];
    let others = all.into_iter().filter(|(_, is_set, of)| *is_set && !of.contains(&on));
    others.map(|(name, ..)| format!("limits.{name}")).collect()
}

/// Text has its language alone.
fn of_featurization(featurization: &Featurization) -> Vec<String> {
    let Featurization {
        dataset_language: _,
        mode,
        blocked_transformers,
        column_name_and_types,
        transformer_params,
        enable_dnn_featurization,
    } = featurization;
    let all = [
        ("mode", mode.is_some()),
        ("blockedTransformers", !blocked_transformers.is_empty()),
        ("columnNameAndTypes", !column_name_and_types.is_empty()),
        ("transformerParams", !transformer_params.is_empty()),
        ("enableDnnFeaturization", enable_dnn_featurization.is_some()),
    ];
    let set = all.into_iter().filter(|(_, is_set)| *is_set);
    set.map(|(name, _)| format!("featurization.{name}")).collect()
}

/// Names that Azure ML does not know: the field, the name, and those that it knows.
fn unknown(automl: &AutoMl) -> Vec<(String, String, Vec<&'static str>)> {
    let metrics = words::metrics(automl.task);
    let metric = automl.primary_metric.iter().map(|name| ("primaryMetric", name.clone(), metrics.to_vec()));
    let algorithms = words::algorithms(automl.task);
    let training = automl.training.iter().flat_map(|training| {
        let allowed = training.allowed_training_algorithms.iter();
        let allowed = allowed.map(|name| ("training.allowedTrainingAlgorithms", name));
        let blocked = training.blocked_training_algorithms.iter();
        allowed.chain(blocked.map(|name| ("training.blockedTrainingAlgorithms", name)))
    });
    let training = training.map(|(field, name)| (field, name.clone(), algorithms.to_vec()));
    let features = automl.featurization.iter().flat_map(|featurization| {
        let blocked = featurization.blocked_transformers.iter();
        let blocked = blocked
            .map(|name| ("featurization.blockedTransformers", name.clone(), words::TRANSFORMERS.to_vec()));
        let params = featurization.transformer_params.keys();
        blocked.chain(
            params.map(|name| {
                ("featurization.transformerParams", snake(name), words::WITH_PARAMETERS.to_vec())
            }),
        )
    });
    let (fixed, varied) = words::parameters(automl.task);
    let parameters =
        automl.training_parameters.keys().map(|name| ("trainingParameters", snake(name), fixed.clone()));
    let spaces = automl.search_space.iter().flat_map(|space| space.keys());
    let spaces = spaces.map(|name| ("searchSpace", snake(name), varied.clone()));
    let all = metric.chain(training).chain(features).chain(parameters).chain(spaces);
    let unknown = all.filter(|(_, name, known)| !known.contains(&name.as_str()));
    unknown.map(|(field, name, known)| (field.to_owned(), name, known)).collect()
}

/// A space has what its type takes, and texts that stay in their quotes.
fn of_space(space: &Space) -> Option<String> {
    let leaves = |Scalar(value): &Scalar| match value {
        Value::String(text) => text.contains(['\'', '"', ',', '(', ')', '\n']),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    };
    of_fields(space).or_else(|| {
        let leaves = space.values.iter().any(leaves);
        leaves.then(|| "write values without quotes, commas, parentheses and line breaks".to_owned())
    })
}
