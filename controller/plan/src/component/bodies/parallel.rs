//! A function over batches of data: its component, which says everything of it, and its node.

use crate::component::node::{begin, identity, said};
use crate::component::registered::prefixed;
use crate::component::resolved::Resolved;
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::step::{Parallel, RetrySettings, Step, Task};
use serde_json::{Value, json};

const SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/parallelComponent.schema.json";

/// What the component says beside what all say. The code is put into its task.
pub(crate) fn component(parallel: &Parallel, environment: Option<&str>) -> Value {
    let Parallel {
        task,
        input_data,
        mini_batch_size,
        partition_keys,
        max_concurrency_per_instance,
        error_threshold,
        mini_batch_error_threshold,
        retry_settings,
        logging_level,
    } = parallel;
    let Task { entry_script, program_arguments, append_row_to } = task;
    let task = said(json!({
        "type": "run_function", "entry_script": entry_script, "program_arguments": program_arguments,
        "append_row_to": append_row_to, "environment": prefixed(environment),
    }));
    let retries = retry_settings.as_ref().map(|RetrySettings { max_retries, timeout }| {
        said(json!({"max_retries": max_retries, "timeout": timeout}))
    });
    // The client writes a list as text.
    let keys = (!partition_keys.is_empty()).then(|| json!(partition_keys).to_string());
    said(json!({
        "$schema": SCHEMA, "type": "parallel", "task": task, "input_data": input_data,
        "mini_batch_size": mini_batch_size, "partition_keys": keys,
        "max_concurrency_per_instance": max_concurrency_per_instance, "error_threshold": error_threshold,
        "mini_batch_error_threshold": mini_batch_error_threshold, "retry_settings": retries,
        "logging_level": logging_level,
    }))
}

/// The node. What its component says is not repeated: the client does so for its own, and sends nothing of it for one that exists.
pub(crate) fn node(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    id: &str,
) -> Result<Value, InvalidSpec> {
    let mut node = begin(pipeline, step, resolved, "parallel")?;
    node["componentId"] = json!(id);
    if !step.environment_variables.is_empty() {
        node["environment_variables"] = json!(step.environment_variables);
    }
    if let Some(identity) = &step.identity {
        node["identity"] = self::identity(identity);
    }
    Ok(node)
}
