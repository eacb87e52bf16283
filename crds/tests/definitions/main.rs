//! The definitions as a whole: every field is described and bounded, and all fit where one of others does.

mod texts;

use anyhow::{Context as _, Result, bail};
use kube::Resource as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// The schema of every version, by kind.
fn schemas() -> Result<Vec<(String, Value)>> {
    let mut schemas = Vec::new();
    for definition in azureml_crds::all()? {
        let value = serde_json::to_value(&definition)?;
        let schema = &value["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
        let kind = definition.spec.names.kind;
        schemas.push((format!("{kind}.spec"), schema["spec"].clone()));
        schemas.push((format!("{kind}.status"), schema["status"].clone()));
    }
    assert_eq!(schemas.len(), 2 * azureml_crds::kinds().len());
    Ok(schemas)
}

/// Every schema with its path, from the outside inwards.
fn walk<'a>(path: &str, schema: &'a Value, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, visit);
    }
    for (mark, key) in [("[]", "items"), ("{}", "additionalProperties")] {
        if schema[key].is_object() {
            walk(&format!("{path}{mark}"), &schema[key], visit);
        }
    }
}

/// What is wrong with the fields of all definitions.
fn complaints(wrong: impl Fn(&str, &Value) -> bool) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (kind, schema) in schemas()? {
        walk(&kind, &schema, &mut |path, field| {
            if wrong(path, field) {
                found.push(path.to_owned());
            }
        });
    }
    Ok(found)
}

#[test]
fn every_field_is_described() -> Result<()> {
    // Items and values are described by what holds them.
    let is_field = |path: &str| !path.ends_with("[]") && !path.ends_with("{}");
    let found = complaints(|path, field| {
        is_field(path) && field["description"].as_str().unwrap_or_default().len() < 8
    })?;
    assert_eq!(found, [""; 0]);
    Ok(())
}

#[test]
fn everything_a_user_writes_is_bounded() -> Result<()> {
    let found = complaints(|path, field| {
        if !path.contains(".spec") {
            return false;
        }
        let is_bounded_text = ["maxLength", "enum", "format"].iter().any(|key| !field[key].is_null());
        match field["type"].as_str() {
            Some("string") => !is_bounded_text,
            Some("array") => field["maxItems"].is_null(),
            Some("object") => field["additionalProperties"].is_object() && field["maxProperties"].is_null(),
            // Nothing else keeps a number within the type that it is read as.
            Some("integer") => field["minimum"].is_null() || field["maximum"].is_null(),
            _ => false,
        }
    })?;
    assert_eq!(found, [""; 0]);
    Ok(())
}

#[test]
fn lists_say_how_they_merge() -> Result<()> {
    let found = complaints(|_, field| field["type"] == "array" && field["x-kubernetes-list-type"].is_null())?;
    assert_eq!(found, [""; 0]);
    Ok(())
}

/// As the API server takes them. One that is applied by kubectl stands once more in an annotation of its own.
#[test]
fn all_together_are_smaller_than_350_kb_and_each_fits_into_an_annotation() -> Result<()> {
    let mut all = 0;
    for definition in azureml_crds::all()? {
        let bytes = serde_json::to_vec(&definition)?.len();
        assert!(bytes < 256 << 10, "{}: {bytes} bytes", definition.spec.names.kind);
        all += bytes;
    }
    assert!(all < 350_000, "{all} bytes");
    Ok(())
}

/// Messages and descriptions have `${{…}}` in them, which Flux would take for variables of its own.
#[test]
fn every_definition_opts_out_of_substitution_by_flux() -> Result<()> {
    for definition in azureml_crds::all()? {
        let annotations = definition.metadata.annotations.unwrap_or_default();
        let said = annotations.get("kustomize.toolkit.fluxcd.io/substitute").map(String::as_str);
        assert_eq!(said, Some("disabled"), "{}", definition.spec.names.kind);
    }
    Ok(())
}

fn reads<K: DeserializeOwned>(text: &str) -> Result<()> {
    let object: Result<K, _> = serde_saphyr::from_str(text);
    object.map(drop).map_err(|error| anyhow::anyhow!("{error}"))
}

/// An object is read as the type of its kind.
fn read(kind: &str, text: &str) -> Result<()> {
    macro_rules! as_one_of {
        ($($many:ident: $kind:path,)*) => { $(if kind == <$kind>::kind(&()) { return reads::<$kind>(text); })* };
    }
    azureml_crds::for_each_kind!(as_one_of);
    bail!("{kind} is not a kind of ours")
}

/// The kinds of all objects in all examples; each is read as its type.
#[test]
fn every_example_is_what_its_kind_says() -> Result<()> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut kinds = Vec::new();
    for folder in std::fs::read_dir(examples)? {
        let folder = folder?.path();
        for file in std::fs::read_dir(&folder).into_iter().flatten() {
            let file = file?.path();
            if file.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&file)?;
            // Beside ours there are those that tell Argo CD of them.
            for document in text.split("\n---\n").filter(|text| text.contains("apiVersion: azureml.dev/")) {
                let kind =
                    document.lines().find_map(|line| line.strip_prefix("kind: ")).context("no kind")?;
                read(kind, document).with_context(|| file.display().to_string())?;
                kinds.push(kind.to_owned());
            }
        }
    }
    for kind in azureml_crds::kinds() {
        assert!(kinds.contains(&kind), "no example has an {kind}: {kinds:?}");
    }
    Ok(())
}

#[test]
fn a_kind_is_named_as_kubectl_names_it() {
    for word in ["MLSchedule", "mlschedule", "mlschedules", "mlsched", "MLSCHED"] {
        assert_eq!(azureml_crds::kind(word).as_deref(), Some("MLSchedule"), "{word}");
    }
    assert_eq!(azureml_crds::kind("mldata").as_deref(), Some("MLData"));
    assert_eq!(azureml_crds::kind("schedule"), None);
}
