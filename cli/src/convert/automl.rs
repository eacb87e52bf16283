//! An automl job becomes a search for the best model.
//!
//! In: the layers of a job, what steps share. Out: the field `automl`. A table that the job names in place becomes an input of the
//! pipeline: a search reads what is bound to it.

use super::context::Context;
use super::environment::tree;
use super::fields::Fields;
use super::frame::Frame;
use super::layers::Layers;
use super::out::{Map, Out};
use super::ports::Input;
use super::read::{Entry, Node, Value};
use super::running::{camel, spelled};

/// Keys of a search.
const KEYS: [&str; 16] = [
    "task",
    "primary_metric",
    "target_column_name",
    "validation_data_size",
    "test_data_size",
    "n_cross_validations",
    "cv_split_column_names",
    "weight_column_name",
    "log_verbosity",
    "limits",
    "training",
    "forecasting",
    "training_parameters",
    "sweep",
    "search_space",
    "positive_label",
];

/// The search of a job.
pub fn automl(ctx: &mut Context<'_>, frame: &mut Frame, step: &str, layers: &Layers<'_>) -> Map {
    let mut body = Map::new();
    for key in KEYS {
        if let Some((node, _)) = layers.node(key) {
            body.put(&camel(key), spelled(node, false));
        }
    }
    if let Some((node, path)) = layers.node("featurization") {
        body.put("featurization", featurization(ctx, node, &path));
    }
    for key in ["time_series_id_column_names", "features_unknown_at_forecast_time"] {
        one_to_list(&mut body, &camel(key));
    }
    single_values(ctx, &mut body, layers);
    for key in ["training_data", "validation_data", "test_data"] {
        if let Some((node, path)) = layers.node(key) {
            body.put_some(&camel(key), table(ctx, frame, (node, &path), &format!("{step}_{key}")));
        }
    }
    body
}

/// Names of columns and parameters of transformers stay as they are.
fn featurization(ctx: &mut Context<'_>, node: &Node, key: &str) -> Map {
    let fields = Fields::of(node, key, &mut ctx.findings);
    let mut body = Map::new();
    for key in ["mode", "dataset_language", "blocked_transformers", "enable_dnn_featurization"] {
        body.put_some(&camel(key), fields.node(key).map(|node| spelled(node, false)));
    }
    body.put_some("columnNameAndTypes", fields.node("column_name_and_types").map(|node| spelled(node, true)));
    body.put_some("transformerParams", fields.node("transformer_params").map(transformers));
    fields.finish(&[], &mut ctx.findings);
    body
}

/// Each transformer with what it does with which columns. Its parameters have its own names.
fn transformers(node: &Node) -> Out {
    let Value::Map(all) = &node.value else { return spelled(node, true) };
    let each = |node: &Node| match &node.value {
        Value::List(items) => Out::List(items.iter().map(transformer).collect()),
        Value::Map(_) | Value::Null | Value::Scalar(_) => spelled(node, false),
    };
    Out::Map(all.iter().map(|entry| (entry.key.clone(), each(&entry.node))).collect())
}

fn transformer(node: &Node) -> Out {
    let Value::Map(entries) = &node.value else { return spelled(node, false) };
    let part = |entry: &Entry| {
        let is_own = entry.key == "parameters";
        (camel(&entry.key), if is_own { tree(&entry.node) } else { spelled(&entry.node, false) })
    };
    Out::Map(entries.iter().map(part).collect())
}

/// The CLI takes one column without a list.
fn one_to_list(body: &mut Map, key: &str) {
    let Some(Out::Map(mut forecasting)) = body.get("forecasting").cloned() else { return };
    if let Some(Out::Text(one)) = forecasting.get(key).cloned() {
        forecasting.set(key, Out::List(vec![Out::Text(one)]));
        body.set("forecasting", forecasting);
    }
}

/// A value that does not vary is a choice of one.
fn single_values(ctx: &mut Context<'_>, body: &mut Map, layers: &Layers<'_>) {
    let (Some(Out::List(spaces)), Some((node, key))) =
        (body.get("searchSpace").cloned(), layers.node("search_space"))
    else {
        return;
    };
    let Value::List(nodes) = &node.value else { return };
    let mut all = Vec::new();
    for (space, node) in spaces.into_iter().zip(nodes) {
        let (Out::Map(mut space), Value::Map(entries)) = (space, &node.value) else { continue };
        for entry in entries.iter().filter(|entry| matches!(entry.node.value, Value::Scalar(_))) {
            let name = camel(&entry.key);
            if let Some(value) = space.take(&name) {
                let values = Out::List(vec![value]);
                space.put(&name, Map::new().with("type", "choice").with("values", values));
            }
            let message = "it does not vary, so it is a choice of one value";
            ctx.findings.note(&entry.place, &format!("{key}.{}", entry.key), message);
        }
        all.push(Out::Map(space));
    }
    body.set("searchSpace", Out::List(all));
}

/// The binding of a table.
fn table(ctx: &mut Context<'_>, frame: &mut Frame, (node, key): (&Node, &str), name: &str) -> Option<String> {
    if let Value::Scalar(scalar) = &node.value {
        return match frame.bound(&scalar.text, Some("mltable")) {
            Some(Ok(binding)) => Some(binding),
            Some(Err(message)) => {
                ctx.findings.fail(&node.place, key, &message);
                None
            }
            None => {
                let message = "write ${{parent.inputs.<input>}}, ${{parent.jobs.<job>.outputs.<output>}}, or type and path";
                ctx.findings.fail(&node.place, key, message);
                None
            }
        };
    }
    let fields = Fields::of(node, key, &mut ctx.findings);
    let kind = fields.text("type", &mut ctx.findings).unwrap_or_else(|| "mltable".to_owned());
    let path = fields.text("path", &mut ctx.findings)?;
    let place = fields.place_of("path").clone();
    fields.entry("mode");
    fields.finish(&[], &mut ctx.findings);
    let message =
        format!("a search reads what is bound to it: the table is the input {name} of the pipeline");
    ctx.findings.note(&place, key, &message);
    let input = Input::named(name, &place);
    frame.inputs.push(Input { kind: Some(kind), is_inferred: false, path: Some(path), ..input });
    Some(format!("${{{{parent.inputs.{name}}}}}"))
}

#[cfg(test)]
mod tests {
    use super::super::read::read;
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_of_transformers_have_their_own_names() {
        let text = "tf_idf:\n- fields: [a_b]\n  parameters: {fill_value: 0, strategy: constant}\n";
        let node = read("a.yml", text).unwrap();
        let each = json!([{"fields": ["a_b"], "parameters": {"fill_value": 0, "strategy": "constant"}}]);
        assert_eq!(transformers(&node).json(), json!({"tf_idf": each}));
    }
}
