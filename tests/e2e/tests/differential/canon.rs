//! One form for what can be said in several ways: at a step or at its component, at a job or in its settings.
//!
//! In: trees without references. Out: the same, in the form that both sides come to. Every rule here has its reason, and none of
//! them makes two things equal that Azure would do differently.

use serde_json::{Value, json};

/// A job: the jobs of the component that it names are its own, its compute is the default of its steps, and a property that is a
/// tag is one, since ours are in both places.
pub fn job(mut job: Value) -> Value {
    let named = job.as_object_mut().and_then(|job| job.remove("componentId"));
    if let Some(jobs) = named.as_ref().and_then(|component| component.get("jobs")) {
        job["jobs"] = jobs.clone();
    }
    if let Some(compute) = job.as_object_mut().and_then(|job| job.remove("computeId"))
        && job["settings"].get("default_compute").is_none()
    {
        job["settings"]["default_compute"] = compute;
    }
    let tags = job["tags"].clone();
    if let Some(properties) = job["properties"].as_object_mut() {
        properties.retain(|name, value| tags.get(name) != Some(value));
    }
    job
}

/// The jobs of a pipeline of one step, whose name each side makes by itself.
pub fn only(jobs: &Value) -> Value {
    let mut step = jobs.as_object().and_then(|jobs| jobs.values().next()).cloned().unwrap_or_default();
    step["name"] = json!("step");
    json!({"step": step})
}

/// A component with what is said around it: defaults and bounds are the pipeline's, which gives every value, and how many nodes
/// run it is the step's.
pub fn declared(mut component: Value, pipeline: &Value, step: Option<&Value>) -> Value {
    for (name, says) in component["inputs"].as_object_mut().into_iter().flatten() {
        for (key, value) in pipeline[name.as_str()].as_object().into_iter().flatten() {
            says[key] = value.clone();
        }
    }
    for key in OF_BOTH {
        if let Some(value) = step.and_then(|step| step.get(key)) {
            component[key] = value.clone();
        }
    }
    if let Some(distribution) = component.get_mut("distribution") {
        spelled(distribution);
    }
    component
}

/// How a component and a step each write what distributes a program. No parameter servers is what no word of them means.
fn spelled(distribution: &mut Value) {
    let Some(said) = distribution.as_object_mut() else { return };
    if let Some(word) = said.remove("distribution_type").or_else(|| said.remove("type")) {
        said.insert("type".to_owned(), json!(word.as_str().unwrap_or_default().to_lowercase()));
    }
    if said.get("parameter_server_count") == Some(&json!(0)) {
        said.remove("parameter_server_count");
    }
}

/// What a component says for the steps that do not say it themselves.
const OF_BOTH: [&str; 2] = ["resources", "distribution"];

/// The modes of ports as a component writes them, and as a step does.
const MODES: [(&str, &str); 6] = [
    ("ro_mount", "ReadOnlyMount"),
    ("rw_mount", "ReadWriteMount"),
    ("download", "Download"),
    ("upload", "Upload"),
    ("direct", "Direct"),
    ("eval_mount", "EvalMount"),
];

/// A step, which says all that its component would say for it. Anything else stays as it is.
pub fn node(mut node: Value) -> Value {
    if let Some(compute) =
        node.get("default_compute").and_then(Value::as_str).filter(|text| !text.contains(':'))
    {
        node["default_compute"] = json!(format!("azureml:computes/{compute}"));
    }
    if node.get("type").is_none() || node.get("componentId").or_else(|| node.get("trial")).is_none() {
        return node;
    }
    let place = if node.get("trial").is_some() { "/trial/componentId" } else { "/componentId" };
    let Some(mut component) = node.pointer(place).filter(|component| component.is_object()).cloned() else {
        return node;
    };
    values(&mut node, &mut component);
    modes(&mut node, &mut component);
    repeated(&mut node, &component);
    for key in OF_BOTH {
        let said = component.as_object_mut().and_then(|component| component.remove(key));
        if let Some(said) = said.filter(|_| node.get(key).is_none()) {
            node[key] = said;
        }
    }
    if let Some(distribution) = node.get_mut("distribution") {
        spelled(distribution);
    }
    if let Some(kept) = node.pointer_mut(place) {
        *kept = component;
    }
    node
}

/// Defaults: a step gives the values that its component would take by itself, unless a sweep does. Bounds hold the values that people give, and a
/// step's are given already.
fn values(node: &mut Value, component: &mut Value) {
    for (name, says) in component["inputs"].as_object_mut().into_iter().flatten() {
        let Some(says) = says.as_object_mut() else { continue };
        if let Some(value) = says.remove("default")
            && node["inputs"].get(name).is_none()
            && node["search_space"].get(name).is_none()
        {
            node["inputs"][name] = json!({"job_input_type": "literal", "value": value});
        }
        for bound in ["min", "max", "enum"] {
            says.remove(bound);
        }
    }
}

/// What a step says once more of its own component: the type of an output, and for a parallel run everything.
fn repeated(node: &mut Value, component: &Value) {
    for (name, says) in node["outputs"].as_object_mut().into_iter().flatten() {
        if let Some(says) = says.as_object_mut()
            && says.get("job_output_type") == component["outputs"][name.as_str()].get("type")
        {
            says.remove("job_output_type");
        }
    }
    if node["type"] == "parallel"
        && let Some(said) = node.as_object_mut()
    {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        said.retain(|key, value| {
            ["type", "inputs", "outputs"].contains(&key.as_str())
                || component.get(key).is_none_or(|own| text(own) != text(value))
        });
    }
}

/// The mode that an output has where nobody says one. Source: the schemas of the CLI.
const USUAL: &str = "ReadWriteMount";

fn modes(node: &mut Value, component: &mut Value) {
    for ports in ["inputs", "outputs"] {
        for (name, says) in component[ports].as_object_mut().into_iter().flatten() {
            let mode = says.as_object_mut().and_then(|says| says.remove("mode"));
            let Some(mode) = mode.as_ref().and_then(Value::as_str) else { continue };
            let mode = MODES.iter().find(|(written, _)| *written == mode).map_or(mode, |(_, mode)| *mode);
            if node[ports][name.as_str()].get("mode").is_none() && (ports == "inputs" || mode != USUAL) {
                node[ports][name.as_str()]["mode"] = json!(mode);
            }
        }
    }
    for says in node["outputs"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        if says.get("mode").is_some_and(|mode| mode == USUAL)
            && let Some(says) = says.as_object_mut()
        {
            says.remove("mode");
        }
    }
}

/// An environment: what it is made of, whichever way it is written.
pub fn environment(body: &Value) -> Value {
    let mut properties = body["properties"].clone();
    if let Some(conda) = properties.get_mut("condaFile")
        && let Some(text) = conda.as_str()
        && let Ok(read) = serde_saphyr::from_str::<Value>(text)
    {
        *conda = read;
    }
    if let Some(image) = properties.get_mut("image") {
        *image = json!(image_name(image.as_str().unwrap_or_default()));
    }
    properties
}

/// An image without the registry and the folder that Docker adds.
fn image_name(image: &str) -> String {
    let short = image.strip_prefix("docker.io/").unwrap_or(image);
    short.strip_prefix("library/").unwrap_or(short).to_owned()
}
