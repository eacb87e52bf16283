//! What a file of the CLI is.
//!
//! In: the tree of a file. Out: its kind, or why it is none that can be carried, with the way out.

use super::read::{Node, Value};

/// What a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A pipeline job or pipeline component.
    Pipeline,
    /// A job or component that runs by itself: command, sweep, spark, parallel or automl.
    Step(&'static str),
    /// An environment.
    Environment,
    /// An AmlCompute cluster.
    Compute,
    /// A data asset.
    Data,
    /// A schedule.
    Schedule,
    /// A batch endpoint.
    Endpoint,
    /// A deployment of a pipeline component.
    Deployment,
    /// Nothing that becomes an object: what it is, and the way out.
    Other(&'static str, &'static str),
}

const STEPS: [&str; 5] = ["command", "sweep", "spark", "parallel", "automl"];

const ONLINE: Kind = Kind::Other(
    "an online endpoint or deployment",
    "keep it with az ml: the operator publishes pipelines only",
);
const DATASTORE: Kind = Kind::Other(
    "a datastore",
    "keep it with az ml; pipelines name it as azureml://datastores/<name>/paths/…",
);
const CONNECTION: Kind = Kind::Other("a connection", "keep it with az ml: it belongs to the workspace");
const WORKSPACE: Kind = Kind::Other("a workspace", "write an MLWorkspace that names the one that exists");
const MONITOR: Kind =
    Kind::Other("a monitor", "keep it with az ml, or schedule a pipeline that computes the same");
const IMPORT: Kind = Kind::Other("an import of data", "import in a step of a pipeline, and schedule that");
const ATTACHED: Kind = Kind::Other(
    "a compute that is no AmlCompute cluster",
    "keep it with az ml; pipelines name it as compute: {name: <name>}",
);
const CONDA: Kind = Kind::Other("a conda file", "name the file of the environment or component that uses it");
const FLOW: Kind = Kind::Other("a prompt flow", "call the flow in a command step");
const MODEL: Kind = Kind::Other("a model", "keep it with az ml, or register it as an output of a pipeline");
const INPUTS: Kind =
    Kind::Other("a file of inputs for az ml batch-endpoint invoke", "write them as inputs of an MLRun");
const REGISTRY: Kind = Kind::Other("a registry", "keep it with az ml");
const SPEC: Kind =
    Kind::Other("no file of the CLI that is known", "name files with a $schema or type of az ml");

/// The last part of `$schema`: which kind of file it says.
const SCHEMAS: [(&str, Kind); 31] = [
    ("pipelinejob", Kind::Pipeline),
    ("pipelinecomponent", Kind::Pipeline),
    ("commandjob", Kind::Step("command")),
    ("commandcomponent", Kind::Step("command")),
    ("sweepjob", Kind::Step("sweep")),
    ("sparkjob", Kind::Step("spark")),
    ("sparkcomponent", Kind::Step("spark")),
    ("paralleljob", Kind::Step("parallel")),
    ("parallelcomponent", Kind::Step("parallel")),
    ("automljob", Kind::Step("automl")),
    ("environment", Kind::Environment),
    ("amlcompute", Kind::Compute),
    ("data", Kind::Data),
    ("dataimport", IMPORT),
    ("batchendpoint", Kind::Endpoint),
    ("pipelinecomponentbatchdeployment", Kind::Deployment),
    ("computeinstance", ATTACHED),
    ("vmcompute", ATTACHED),
    ("kubernetescompute", ATTACHED),
    ("synapsesparkcompute", ATTACHED),
    ("workspace", WORKSPACE),
    ("connection", CONNECTION),
    ("model", MODEL),
    ("managedonlineendpoint", ONLINE),
    ("managedonlinedeployment", ONLINE),
    ("kubernetesonlineendpoint", ONLINE),
    ("kubernetesonlinedeployment", ONLINE),
    (
        "modelbatchdeployment",
        Kind::Other("a batch deployment of a model", "score with a pipeline, and publish that"),
    ),
    ("run", FLOW),
    ("flow", FLOW),
    ("monitorschedule", MONITOR),
];

/// The kind of a file.
#[must_use]
pub fn kind(root: &Node) -> Kind {
    let Value::Map(entries) = &root.value else { return SPEC };
    let node = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node);
    let text = |key: &str| match node(key).map(|node| &node.value) {
        Some(Value::Scalar(scalar)) => scalar.text.trim().to_owned(),
        Some(Value::Null | Value::List(_) | Value::Map(_)) | None => String::new(),
    };
    let has = |key: &str| node(key).is_some();
    let schema = text("$schema");
    let schema = schema.rsplit('/').next().unwrap_or_default().to_lowercase();
    let schema = schema.trim_end_matches(".json").trim_end_matches(".schema");
    if schema == "schedule" || has("trigger") {
        return schedule(has("create_job"), has("import_data"));
    }
    if let Some((_, kind)) = SCHEMAS.iter().find(|(name, _)| *name == schema) {
        return *kind;
    }
    by_type(&text("type"), &has)
}

fn schedule(is_job: bool, is_import: bool) -> Kind {
    match (is_job, is_import) {
        (true, _) => Kind::Schedule,
        (false, true) => IMPORT,
        (false, false) => MONITOR,
    }
}

fn by_type(name: &str, has: &dyn Fn(&str) -> bool) -> Kind {
    match name {
        "pipeline" if has("endpoint_name") => Kind::Deployment,
        "pipeline" => Kind::Pipeline,
        "amlcompute" => Kind::Compute,
        "computeinstance" | "virtualmachine" | "synapsespark" | "kubernetes" => ATTACHED,
        "azure_blob" | "azure_file" | "azure_data_lake_gen1" | "azure_data_lake_gen2" | "one_lake" => {
            DATASTORE
        }
        "uri_file" | "uri_folder" | "mltable" if has("source") => IMPORT,
        "uri_file" | "uri_folder" | "mltable" => Kind::Data,
        "custom_model" | "mlflow_model" | "triton_model" => MODEL,
        _ if has("target") && has("credentials") => CONNECTION,
        _ if has("dependencies") => CONDA,
        _ if has("jobs") => Kind::Pipeline,
        _ if has("command") => Kind::Step("command"),
        _ if has("name") && (has("image") || has("build")) => Kind::Environment,
        _ if has("auth_mode") => Kind::Endpoint,
        _ if has("replication_locations") => REGISTRY,
        _ if has("managed_network") => WORKSPACE,
        _ if has("inputs") && !has("type") => INPUTS,
        other => STEPS.iter().find(|step| **step == other).map_or(SPEC, |step| Kind::Step(step)),
    }
}
