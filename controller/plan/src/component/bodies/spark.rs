//! A Spark program: its component, its node, and what is wrong with where it runs and how it sees data.

use crate::component::node::{begin, identity, said};
use crate::component::ports;
use crate::component::registered::prefixed;
use crate::component::resolved::Resolved;
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::step::{Entry, Spark, Step};
use azureml_crds::values::{InputMode, OutputMode};
use serde_json::{Map, Value, json};

const SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/sparkComponent.schema.json";

/// What the component says beside what all say.
pub(crate) fn component(spark: &Spark, environment: Option<&str>) -> Value {
    let mut component = program(spark);
    component["$schema"] = json!(SCHEMA);
    component["type"] = json!("spark");
    component["entry"] = json!({"file": spark.entry.file});
    if let Some(environment) = prefixed(environment) {
        component["environment"] = json!(environment);
    }
    component
}

/// What component and node say of the program.
fn program(spark: &Spark) -> Value {
    // The two write the entry in their own ways; the version is the node's.
    let Spark { entry: _, runtime_version: _, args, conf, py_files, jars, files, archives } = spark;
    let list = |files: &Vec<String>| (!files.is_empty()).then(|| json!(files));
    said(json!({
        "args": args, "conf": conf, "py_files": list(py_files), "jars": list(jars), "files": list(files),
        "archives": list(archives),
    }))
}

/// Spark sees data by its address alone, so a component says so of each input and output that is data.
pub(crate) fn direct(ports: &mut Map<String, Value>) {
    let is_data = |port: &Value| port["type"].as_str().is_some_and(is_data);
    for port in ports.values_mut().filter(|port| is_data(port)) {
        port["mode"] = json!("direct");
    }
}

fn is_data(r#type: &str) -> bool {
    !["string", "integer", "number", "boolean"].contains(&r#type)
}

/// The step with the mode of all its data. An output that is bound to the pipeline's has the mode of that.
pub(crate) fn by_address(pipeline: &MLPipeline, step: &Step) -> Result<Step, InvalidSpec> {
    let mut direct = step.clone();
    for (name, value) in &step.inputs {
        if ports::input(pipeline, step, name, value)?["type"].as_str().is_some_and(is_data) {
            direct.input_modes.insert(name.clone(), InputMode::Direct);
        }
    }
    direct.data.values_mut().for_each(|data| data.mode = Some(InputMode::Direct));
    let is_bound = |path: &Option<String>| path.as_ref().is_some_and(|path| path.starts_with("${{"));
    for output in direct.outputs.values_mut().filter(|output| !is_bound(&output.path)) {
        output.mode = Some(OutputMode::Direct);
    }
    Ok(direct)
}

/// The node. Serverless Spark is named by its size and version, and by no compute.
pub(crate) fn node(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    (spark, id): (&Spark, &str),
) -> Result<Value, InvalidSpec> {
    let size = resolved.instance_type.clone();
    let on = Resolved {
        compute: resolved.compute.clone().filter(|_| size.is_none()),
        instance_type: None,
        ..resolved.clone()
    };
    let mut node = begin(pipeline, &by_address(pipeline, step)?, &on, "spark")?;
    if let (Some(node), Value::Object(program)) = (node.as_object_mut(), program(spark)) {
        node.extend(program);
    }
    let Entry { file } = &spark.entry;
    node["componentId"] = json!(id);
    node["entry"] = json!({"file": file, "spark_job_entry_type": "SparkJobPythonEntry"});
    if let Some(size) = size {
        node["resources"] =
            said(json!({"instance_type": size.to_lowercase(), "runtime_version": spark.runtime_version}));
    }
    if let Some(identity) = &step.identity {
        node["identity"] = self::identity(identity);
    }
    Ok(node)
}

/// What is wrong with a Spark program.
pub(crate) fn faults(step: &Step) -> Vec<InvalidSpec> {
    let Some(spark) = &step.spark else { return Vec::new() };
    let at = |field: String, words: &str| InvalidSpec::new(format!("steps.{}.{field}", step.name), words);
    let compute = step.compute.as_ref();
    let serverless = compute.and_then(|compute| compute.serverless.as_ref());
    let of_place = match (compute, serverless.map(|serverless| &serverless.instance_type)) {
        (None, _) | (_, Some(None)) => Some(at(
            "compute".into(),
            "Spark runs on a size of its own, not on defaults.compute; write compute.serverless.instanceType, or compute.name of an attached pool",
        )),
        (_, Some(Some(_))) if spark.runtime_version.is_none() => Some(at(
            "spark.runtimeVersion".into(),
            "serverless Spark needs a version, such as \"3.4\"; set it",
        )),
        (_, None) if spark.runtime_version.is_some() => Some(at(
            "spark.runtimeVersion".into(),
            "an attached pool has its own version; remove it, or use compute.serverless",
        )),
        _ => None,
    };
    let words = "Spark reads and writes data by its address; write Direct, or remove the mode";
    let given = step.input_modes.iter().map(|(name, mode)| (format!("inputModes.{name}"), *mode));
    let data = step.data.iter().filter_map(|(name, data)| Some((format!("data.{name}.mode"), data.mode?)));
    let inputs = given.chain(data).filter(|(_, mode)| *mode != InputMode::Direct).map(|(field, _)| field);
    let outputs =
        step.outputs.iter().filter(|(_, output)| output.mode.is_some_and(|mode| mode != OutputMode::Direct));
    let outputs = outputs.map(|(name, _)| format!("outputs.{name}.mode"));
    let lists = [
        ("pyFiles", &spark.py_files),
        ("jars", &spark.jars),
        ("files", &spark.files),
        ("archives", &spark.archives),
    ];
    let is_bound = |text: &str| text.contains("${{");
    let of_lists =
        lists.into_iter().filter(|(_, list)| list.iter().any(|text| is_bound(text))).map(|(field, _)| field);
    let of_conf = spark.conf.values().any(|value| value.0.as_str().is_some_and(is_bound)).then_some("conf");
    let bound = of_lists
        .chain(of_conf)
        .map(|field| at(format!("spark.{field}"), "write it without ${{; only args takes values of inputs"));
    of_place.into_iter().chain(inputs.chain(outputs).map(|field| at(field, words))).chain(bound).collect()
}
