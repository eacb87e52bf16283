//! Environments become MLEnvironments that are paused: the versions that exist stay in use.
//!
//! In: the newest version of an environment. Out: an object, or why there is none. A version here is named by its content, so that none that
//! exists can be taken over.

use super::draft::Draft;
use super::object::Object;
use super::shown::{READS, asset, said, user_tags};
use crate::convert::environment::image_name;
use crate::convert::out::{Map, Out};
use crate::convert::write::yaml;
use serde_json::Value;

const PLACE: &str = "name it in a step as environment: {id: \"azureml:<name>@latest\"}";

/// Makes the MLEnvironment of an environment's newest version.
pub fn environment(draft: &mut Draft<'_>, body: &Value) {
    let id = body["id"].as_str().unwrap_or_default();
    let (properties, name) = (&body["properties"], asset(id));
    let (version, reference) = (body["name"].as_str().unwrap_or_default(), draft.reference(id));
    if is_no_object(draft, &name, properties) {
        return;
    }
    let mut spec = draft.spec();
    let renamed = draft.put_azure_name(&mut spec, &name, (1, 255, "-_"));
    if let Err((why, way)) = image(properties, &mut spec) {
        return draft.leave(
            "environment",
            &format!("{name}:{version}"),
            &why,
            &way.replace("<reference>", &reference),
        );
    }
    spec.put_some("description", said(&properties["description"]));
    spec.put_full("tags", user_tags(&properties["tags"]));
    let mut notes = vec![format!(
        "Version {version} stays in use as environment: {{id: \"{reference}\"}}. {READS}\n\
         Without the annotation azureml.dev/paused the operator makes a version of its own, named by its content; steps name it as\n\
         environment: {{ref: <name>}}. Where the name in Azure is the same, {name}@latest is then that version."
    )];
    notes.extend(renamed);
    let object = Object {
        folder: "environments",
        kind: "MLEnvironment",
        name: String::new(),
        notes,
        is_paused: true,
        spec,
    };
    draft.keep(&name, object);
}

/// Whether an environment becomes no object, whatever it is made of; then that is said.
fn is_no_object(draft: &mut Draft<'_>, name: &str, properties: &Value) -> bool {
    let small = name.to_ascii_lowercase();
    if properties["isAnonymous"] == true || small.contains("anonymous") {
        let way = "nothing: the components that use it name it by its id";
        draft.leave("environment", name, "it has no name of its own", way);
        return true;
    }
    if properties["environmentType"] == "Curated" || small.starts_with("azureml-") {
        draft.leave("environment", name, "it is Microsoft's", PLACE);
        return true;
    }
    draft.is_owned("environment", name, &properties["tags"])
}

/// What the image is made of.
fn image(properties: &Value, spec: &mut Map) -> Result<(), (String, String)> {
    let keep = "name it in steps as environment: {id: \"<reference>\"}";
    if properties["build"].is_object() {
        let uri = said(&properties["build"]["contextUri"]).unwrap_or_default();
        let place = uri.split('?').next().unwrap_or_default();
        let why = format!("its image is built from a folder in storage: {place}");
        let way = format!(
            "download the folder, put it under version control, and write build: {{context: {{git: …}}}}; until then {keep}"
        );
        return Err((why, way));
    }
    let Some(image) = said(&properties["image"]) else {
        return Err(("Azure shows no image of it".to_owned(), keep.to_owned()));
    };
    if said(&properties["osType"]).is_some_and(|system| !system.eq_ignore_ascii_case("Linux")) {
        return Err(("its image is of Windows; steps run on Linux".to_owned(), keep.to_owned()));
    }
    let Some(conda) = said(&properties["condaFile"]) else {
        spec.put("image", whole(image));
        return Ok(());
    };
    let file = conda_file(conda);
    let builder = Map::new().with("azureml", Map::new());
    spec.put(
        "conda",
        Map::new().with("image", whole(image)).with("file", file).with("builder", Out::Map(builder)),
    );
    Ok(())
}

/// The name of an image with its registry.
fn whole(image: &str) -> Out {
    let name = image_name(image);
    if let Out::Noted(name, _) = name { name.noted("Azure leaves the registry out") } else { name }
}

/// Azure shows a conda file as JSON; people write YAML.
fn conda_file(text: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    yaml(&tree(&value)).unwrap_or_else(|_| text.to_owned())
}

fn tree(value: &Value) -> Out {
    match value {
        Value::Null => Out::Map(Map::new()),
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => number.clone().into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => Out::List(items.iter().map(tree).collect()),
        Value::Object(fields) => {
            Out::Map(fields.iter().map(|(key, value)| (key.clone(), tree(value))).collect())
        }
    }
}
