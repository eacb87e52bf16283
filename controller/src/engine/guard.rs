//! Deserializes each object of a list or watch by itself, so that one malformed object does not fail the whole list.
//!
//! In: the text of one item or event. Out: the object, or its name and the cause. Keeps no text, and puts none into the cause.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An object, or what is known of one that cannot be read.
///
/// kube's `DeserializeGuard` reads the value first, and fails for the whole list where it nests deeper than `serde_json`'s limit
/// (128); a raw value has no such limit.
#[derive(Clone, Debug)]
pub struct Guarded<K>(pub Result<K, Unreadable>);

/// An object that cannot be read.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Its name, namespace and version.
    pub metadata: ObjectMeta,
    /// Why: a place and a kind of value, never the value.
    pub cause: String,
    /// What to do.
    pub remedy: &'static str,
}

/// The part of any object by which it is found again.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    metadata: Identity,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Identity {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Guarded<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str::<K>(raw.get()).map_err(|error| Unreadable::of(raw.get(), &error))))
    }
}

impl Unreadable {
    fn of(text: &str, error: &serde_json::Error) -> Self {
        let Identity { name, namespace, uid, resource_version } =
            serde_json::from_str::<Found>(text).unwrap_or_default().metadata;
        let metadata = ObjectMeta { name, namespace, uid, resource_version, ..ObjectMeta::default() };
        let place = format!("line {} column {}", error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Data => "a value of another type than its schema has",
            serde_json::error::Category::Syntax => "values that nest too deep, or no JSON",
            serde_json::error::Category::Eof | serde_json::error::Category::Io => "an end too soon",
        };
        let remedy = "write it as its schema says, or update the operator";
        Self { metadata, cause: format!("{what}, at {place}"), remedy }
    }
}

impl<K: Resource> Resource for Guarded<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(of: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(of)
    }

    fn group(of: &Self::DynamicType) -> Cow<'_, str> {
        K::group(of)
    }

    fn version(of: &Self::DynamicType) -> Cow<'_, str> {
        K::version(of)
    }

    fn plural(of: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(of)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|unreadable| &unreadable.metadata, K::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.as_mut().map_or_else(|unreadable| &mut unreadable.metadata, K::meta_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_crds::MLRun;
    use kube::core::{ObjectList, WatchEvent};

    const GOOD: &str = r#"{"metadata":{"name":"good","namespace":"n"},"spec":{"pipelineRef":{"name":"p"}}}"#;

    fn run(name: &str, inputs: &str) -> String {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"n","uid":"u"}},"spec":{{"pipelineRef":{{"name":"p"}},"inputs":{inputs}}}}}"#
        )
    }

    #[test]
    fn an_object_that_cannot_be_read_hides_no_other_and_says_its_name() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500));
        let bad =
            [run("deep", &deep), run("wrong", "7"), run("odd", "null").replace("{\"name\":\"p\"}", "[]")];
        let list = format!(
            r#"{{"apiVersion":"azureml.dev/v1alpha1","kind":"MLRunList","metadata":{{}},"items":[{},{GOOD}]}}"#,
            bad.join(",")
        );
        let list: ObjectList<Guarded<MLRun>> = serde_json::from_str(&list).unwrap();
        let read: Vec<(&str, bool)> =
            list.items.iter().map(|item| (item.meta().name.as_deref().unwrap(), item.0.is_ok())).collect();
        assert_eq!(read, [("deep", false), ("wrong", false), ("odd", false), ("good", true)]);
        for item in &list.items {
            if let Err(unreadable) = &item.0 {
                assert_eq!(unreadable.metadata.uid.as_deref(), Some("u"));
                assert!(!unreadable.cause.contains('['), "{}", unreadable.cause);
            }
        }
    }

    #[test]
    fn an_event_of_such_an_object_is_an_event() {
        let deep = run("deep", &format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500)));
        let event = format!(r#"{{"type":"ADDED","object":{deep}}}"#);
        let event: WatchEvent<Guarded<MLRun>> = serde_json::from_str(&event).unwrap();
        assert!(
            matches!(event, WatchEvent::Added(Guarded(Err(found))) if found.metadata.name.as_deref() == Some("deep"))
        );
    }
}
