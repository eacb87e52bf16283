//! Objects as JSON: of files, and those that kubectl prints.
//!
//! In: YAML or JSON, with lists. Out: objects of our kinds and ConfigMaps; what is of others is left out. Reads nothing itself.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The objects in a text.
///
/// # Errors
/// When it is no YAML.
pub fn objects(name: &str, text: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).with_context(|| name.to_owned())?;
    Ok(documents.into_iter().flat_map(flat).filter(is_wanted).collect())
}

/// An object, or those of a list.
fn flat(object: Value) -> Vec<Value> {
    let is_list = object["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if !is_list {
        return vec![object];
    }
    object["items"].as_array().cloned().unwrap_or_default().into_iter().flat_map(flat).collect()
}

fn is_wanted(object: &Value) -> bool {
    let of = object["apiVersion"].as_str().unwrap_or_default();
    of.split('/').next() == Some(azureml_crds::GROUP)
        || object["kind"] == "ConfigMap"
        || object["kind"] == "Namespace"
}

/// The namespace of an object; the given one where it names none.
#[must_use]
pub fn namespace_of(object: &Value, namespace: &str) -> String {
    let own = object["metadata"]["namespace"].as_str().filter(|own| !own.is_empty());
    own.unwrap_or(namespace).to_owned()
}

/// Adds an object to others. Where one of its name is there, that one gets its spec, as an apply would give it, and keeps its status.
pub fn put(all: &mut Vec<Value>, namespace: &str, object: Value) {
    let place = |object: &Value| {
        (object["kind"].clone(), namespace_of(object, namespace), object["metadata"]["name"].clone())
    };
    let Some(known) = all.iter_mut().find(|known| place(known) == place(&object)) else {
        all.push(object);
        return;
    };
    let is_new = known["spec"] != object["spec"];
    for (part, value) in object.as_object().into_iter().flatten() {
        if part != "metadata" && part != "status" {
            known[part.as_str()] = value.clone();
        }
    }
    for part in ["annotations", "labels"] {
        forget(&mut known["metadata"], part, &object["metadata"][part]);
        if let Value::Object(more) = &object["metadata"][part] {
            json_patch::merge(&mut known["metadata"][part], &Value::Object(more.clone()));
        }
    }
    if is_new {
        let generation = known["metadata"]["generation"].as_i64().unwrap_or(0);
        known["metadata"]["generation"] = json!(generation + 1);
    }
}

/// Takes out of annotations or labels what the last apply wrote and this one lacks, as an apply does.
fn forget(meta: &mut Value, part: &str, new: &Value) {
    let last = meta["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].as_str();
    let last: Value = last.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let Some(known) = meta[part].as_object_mut() else { return };
    for key in last["metadata"][part].as_object().into_iter().flatten().map(|(key, _)| key) {
        if new[key.as_str()].is_null() {
            known.remove(key);
        }
    }
}

/// All kinds that a plan looks at, as kubectl takes them.
#[must_use]
pub fn resources() -> String {
    let ours = azureml_crds::kinds().into_iter().filter_map(|kind| azureml_crds::plural(&kind));
    ours.map(|plural| format!("{plural}.{}", azureml_crds::GROUP)).collect::<Vec<_>>().join(",")
}

/// Whether an object is meant by KIND/NAME, as kubectl takes it: the kind in any case, one or many, or short.
#[must_use]
pub fn is_meant(named: &str, kind: &str, name: &str) -> bool {
    let Some((of, named)) = named.split_once('/') else { return false };
    let of = of.split('.').next().unwrap_or_default();
    named == name && azureml_crds::kind(of).is_some_and(|of| of == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_opened_and_others_are_left_out() {
        let text = "kind: Service\napiVersion: v1\n---\nkind: List\napiVersion: v1\nitems:\n\
                    - {kind: MLRun, apiVersion: azureml.dev/v1alpha1, metadata: {name: a}}\n\
                    - {kind: ConfigMap, apiVersion: v1, metadata: {name: b}}\n";
        let found = objects("x", text).unwrap();
        assert_eq!(found.iter().map(|one| one["metadata"]["name"].clone()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(objects("x", "a: [").is_err());
    }

    #[test]
    fn a_file_gives_its_spec_and_leaves_the_status() {
        let object = |spec: i64| json!({"kind": "MLRun", "metadata": {"name": "a"}, "spec": spec});
        let mut known = object(1);
        let last = json!({"metadata": {"annotations": {"azureml.dev/paused": "true"}}}).to_string();
        let written = json!({"azureml.dev/paused": "true", "by": "hand", "kubectl.kubernetes.io/last-applied-configuration": last});
        known["metadata"] = json!({"name": "a", "namespace": "n", "generation": 4, "labels": {"a": "b"}, "annotations": written});
        known["status"] = json!("kept");
        let mut all = vec![known.clone()];
        put(&mut all, "n", object(1));
        assert_eq!(all[0]["metadata"]["annotations"]["by"], "hand");
        assert!(all[0]["metadata"]["annotations"]["azureml.dev/paused"].is_null(), "{all:?}");
        known["metadata"]["annotations"].as_object_mut().unwrap().remove("azureml.dev/paused");
        assert_eq!(all, [known]);
        put(&mut all, "n", object(2));
        assert_eq!(
            (&all[0]["spec"], &all[0]["metadata"]["generation"], &all[0]["status"]),
            (&json!(2), &json!(5), &json!("kept"))
        );
        put(&mut all, "other", object(2));
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn an_object_is_named_as_kubectl_names_it() {
        for named in ["mlrun/a", "MLRun/a", "mlruns/a", "mlruns.azureml.dev/a", "MLRUN/a"] {
            assert!(is_meant(named, "MLRun", "a"), "{named}");
        }
        assert!(is_meant("mlsched/a", "MLSchedule", "a"));
        for named in ["mlrun/b", "mlpipeline/a", "a", ""] {
            assert!(!is_meant(named, "MLRun", "a"), "{named}");
        }
    }
}
