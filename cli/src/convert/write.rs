//! How objects are written: manifests, the kustomization, and a page that says what to do with them.
//!
//! In: objects. Out: files, name to bytes. The same objects give the same bytes.

use super::context::{Generated, Object, Options};
use super::out::{LINE, Map, Out};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde_saphyr::ser_options;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Label of a ConfigMap whose changes the operator sees at once.
const SOURCE: &str = "azureml.dev/source";

/// A tree as YAML that readers of YAML 1.1 and 1.2 read alike.
///
/// # Errors
/// When the tree cannot be expressed, with the reason.
pub fn yaml(out: &Out) -> Result<String, String> {
    let options = ser_options! { compact_list_indent: true, folded_wrap_chars: LINE };
    serde_saphyr::to_string_with_options(out, options)
        .map_err(|error| format!("cannot be written as YAML: {error}"))
}

/// The manifest of an object, without its comments.
#[must_use]
pub fn manifest(object: &Object, namespace: Option<&str>) -> Map {
    Map::new()
        .with("apiVersion", "azureml.dev/v1alpha1")
        .with("kind", object.kind)
        .with("metadata", metadata(&object.name, namespace))
        .with("spec", object.spec.clone())
}

fn metadata(name: &str, namespace: Option<&str>) -> Map {
    let mut metadata = Map::new().with("name", name);
    metadata.put_some("namespace", namespace);
    metadata
}

fn text(object: &Object, namespace: Option<&str>) -> Result<String, String> {
    let first = format!("# From {}.\n", object.from);
    let notes = object.notes.iter().fold(first, |text, note| format!("{text}# {note}\n"));
    Ok(format!("{notes}{}", yaml(&manifest(object, namespace).into())?))
}

/// All objects in one stream, for a pipe to `kubectl apply`.
///
/// # Errors
/// When an object cannot be expressed as YAML.
pub fn stream(objects: &[Object], generated: &[Generated], options: &Options) -> Result<String, String> {
    let namespace = options.namespace.as_deref();
    let mut parts = Vec::new();
    for map in generated {
        let data: BTreeMap<_, _> =
            map.files.iter().map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes))).collect();
        let metadata = metadata(&map.name, namespace).with("labels", Map::new().with(SOURCE, "true"));
        let object = Map::new().with("apiVersion", "v1").with("kind", "ConfigMap").with("metadata", metadata);
        parts.push(yaml(
            &object
                .with(
                    "binaryData",
                    data.into_iter().map(|(name, text)| (name, Out::from(text))).collect::<Map>(),
                )
                .into(),
        )?);
    }
    for object in objects {
        parts.push(text(object, namespace)?);
    }
    Ok(parts.join("---\n"))
}

/// The name of an object's file.
#[must_use]
pub fn file_name(object: &Object) -> String {
    format!("{}-{}.yaml", object.kind.to_lowercase(), object.name)
}

/// All files of the output.
///
/// # Errors
/// When an object cannot be expressed as YAML.
pub fn files(
    objects: &[Object],
    generated: &[Generated],
    options: &Options,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    for object in objects {
        files.insert(file_name(object), text(object, None)?.into_bytes());
    }
    for map in generated {
        for (name, bytes) in &map.files {
            files.insert(format!("{}/{name}", map.name), bytes.clone());
        }
    }
    files.insert("kustomization.yaml".to_owned(), kustomization(objects, generated, options)?.into_bytes());
    files.insert("README.md".to_owned(), readme(objects).into_bytes());
    Ok(files)
}

fn kustomization(objects: &[Object], generated: &[Generated], options: &Options) -> Result<String, String> {
    let mut all =
        Map::new().with("apiVersion", "kustomize.config.k8s.io/v1beta1").with("kind", "Kustomization");
    all.put_some("namespace", options.namespace.as_deref());
    all.put("resources", objects.iter().map(file_name).collect::<Vec<_>>());
    if !generated.is_empty() {
        let list: Vec<Map> = generated.iter().map(generator).collect();
        all.put("configMapGenerator", list);
    }
    yaml(&all.into())
}

/// A ConfigMap keeps its name: kustomize does not know where the kinds name it.
fn generator(map: &Generated) -> Map {
    let files: Vec<String> = map.files.keys().map(|name| format!("{}/{name}", map.name)).collect();
    let labels = Map::new().with(SOURCE, "true");
    let options = Map::new().with("disableNameSuffixHash", true).with("labels", labels);
    Map::new().with("name", map.name.as_str()).with("files", files).with("options", options)
}

fn readme(objects: &[Object]) -> String {
    let mut text = String::from(
        "# Manifests of az ml's files\n\nMade by `kubectl azureml convert`. Look at them, put them under version control, and apply them:\n\n\
         ```sh\nkubectl apply -k .\n```\n",
    );
    let pipelines: Vec<&Object> = objects.iter().filter(|object| object.kind == "MLPipeline").collect();
    if let Some(first) = pipelines.first() {
        let name = &first.name;
        let names: Vec<String> = pipelines.iter().map(|object| format!("`{}`", object.name)).collect();
        let _ = write!(
            text,
            "\nA job of az ml runs at once; a pipeline here runs when an MLRun, an MLSchedule or a caller of its endpoint asks for it. One run, now:\n\n\
             ```sh\nkubectl create -f - <<'EOF'\napiVersion: azureml.dev/v1alpha1\nkind: MLRun\nmetadata:\n  generateName: {name}-\nspec:\n  \
             pipelineRef:\n    name: {name}\nEOF\n```\n\nPipelines: {}.\n",
            names.join(", ")
        );
    }
    text
}
