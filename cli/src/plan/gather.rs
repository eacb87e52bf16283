//! What is planned: objects of a cluster, and over them those of files.
//!
//! In: objects as JSON, each of a file with its name. Out: a folder, and what cannot be planned with the reason. One bad object stops no other.

use super::folder::Folder;
use super::report::Planned;
use super::told::Told;
use crate::objects::{namespace_of, put};
use azureml_check::Definitions;
use azureml_plan::reasons::Reason;
use serde_json::{Value, json};

/// What is planned, and what cannot be.
#[derive(Default)]
pub struct Gathered {
    /// The objects.
    pub folder: Folder,
    /// What is wrong with others.
    pub refused: Vec<Planned>,
}

/// Gathers objects; those without a namespace are in the given one.
#[must_use]
pub fn gather(
    definitions: &Definitions,
    namespace: &str,
    cluster: Vec<Value>,
    files: Vec<(String, Value)>,
) -> Gathered {
    let mut gathered = Gathered::default();
    let mut all = cluster;
    for (file, object) in files {
        let object = as_applied(object);
        if let Some(message) = faults(definitions, namespace, &all, &object) {
            gathered.refused.push(refused(&object, namespace, &format!("{file}: {message}")));
        } else {
            put(&mut all, namespace, object);
        }
    }
    for object in &all {
        if let Err(error) = gathered.folder.add(namespace, object) {
            gathered.refused.push(refused(object, namespace, &format!("{error:#}")));
        }
    }
    gathered
}

/// A file that cannot be read at all.
#[must_use]
pub fn unreadable(file: &str, cause: &anyhow::Error) -> Planned {
    let object = json!({"kind": "File", "metadata": {"name": file}});
    refused(&object, "", &format!("{cause:#}"))
}

fn refused(object: &Value, namespace: &str, message: &str) -> Planned {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Planned {
        kind: text(&object["kind"]),
        namespace: namespace_of(object, namespace),
        name: text(&object["metadata"]["name"]),
        told: Told::refused(Reason::INVALID_SPEC, message.to_owned()),
        requests: Vec::new(),
    }
}

/// An object as an apply sends it: what only the API server says is left out, and a name that it would make has a stand-in.
fn as_applied(mut object: Value) -> Value {
    if let Some(whole) = object.as_object_mut() {
        whole.remove("status");
    }
    let generated = object["metadata"]["generateName"].as_str().map(|begin| format!("{begin}new"));
    if let Some(meta) = object["metadata"].as_object_mut() {
        for name in ["uid", "generation", "resourceVersion", "creationTimestamp", "deletionTimestamp"] {
            meta.remove(name);
        }
        if let Some(name) = generated {
            meta.entry("name").or_insert_with(|| name.into());
        }
    }
    object
}

/// What the API server would say, or a plan without asking Azure.
fn faults(definitions: &Definitions, namespace: &str, all: &[Value], object: &Value) -> Option<String> {
    let (version, kind) = (object["apiVersion"].as_str()?, object["kind"].as_str().unwrap_or_default());
    if !version.starts_with(azureml_crds::GROUP) {
        return None;
    }
    if version != format!("{}/v1alpha1", azureml_crds::GROUP) {
        return Some(format!("{version} is not served; write {}/v1alpha1", azureml_crds::GROUP));
    }
    if object["metadata"]["name"].as_str().is_none_or(str::is_empty) {
        return Some("it has no metadata.name; add it".to_owned());
    }
    let place =
        |one: &Value| (one["kind"].clone(), namespace_of(one, namespace), one["metadata"]["name"].clone());
    let before = all.iter().find(|one| place(one) == place(object)).map(|one| &one["spec"]);
    let faults = definitions.check(kind, &object["spec"], before);
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compute(name: &str, spec: &Value) -> Value {
        json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute", "metadata": {"name": name}, "spec": spec})
    }

    #[test]
    fn one_bad_object_stops_no_other() {
        let definitions = Definitions::read().unwrap();
        let good = json!({"workspaceRef": {"name": "w"}, "vmSize": "Standard_DS3_v2", "scale": {"max": 1}});
        let of_another_kind = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLPipline", "metadata": {"name": "p"}, "spec": {}});
        let mut of_another_version = compute("v", &good);
        of_another_version["apiVersion"] = json!("azureml.dev/v9");
        let mut generated = compute("", &good);
        generated["metadata"] = json!({"generateName": "g-", "uid": "another's"});
        let nameless = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute", "spec": good});
        let files = [
            compute("good", &good),
            compute("bad", &json!({"vmSize": 3})),
            of_another_kind,
            of_another_version,
            generated,
            nameless,
        ];
        let files = files.into_iter().map(|object| ("f.yaml".to_owned(), object)).collect();
        let Gathered { folder, refused } = gather(&definitions, "n", Vec::new(), files);
        let names: Vec<&str> = refused.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["bad", "p", "v", ""], "{refused:?}");
        assert!(refused.iter().all(|one| one.told.message.starts_with("f.yaml: ") && one.is_failed()));
        let computes: Vec<_> = crate::plan::pass::keys(&folder.computes);
        assert_eq!(computes, [("n".to_owned(), "g-new".to_owned()), ("n".to_owned(), "good".to_owned())]);
    }
}
