//! What an object says of itself: its conditions, and the wait for one. For all end-to-end tests.
//!
//! In: objects as the API server has them. Out: conditions. Changes nothing.

use crate::Scene;
use crate::scene::Object;
use anyhow::Result;
use serde_json::Value;

/// A condition of an object; null when it has none of this type.
#[must_use]
pub fn condition<'a>(object: &'a Value, r#type: &str) -> &'a Value {
    let all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.into_iter().find(|condition| condition["type"] == r#type).unwrap_or(&Value::Null)
}

/// Waits until an object says `Ready` with this status and reason for the spec that it has now, and shows it.
///
/// # Errors
/// When it does not in time.
pub async fn says<K: Object>(scene: &Scene, name: &str, status: &str, reason: &str) -> Result<Value> {
    let is_so = |object: &K| {
        let object = serde_json::to_value(object).unwrap_or_default();
        let ready = condition(&object, "Ready");
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && ready["status"] == status
            && ready["reason"] == reason
    };
    let object = scene.wait::<K>(name, &format!("Ready={status} {reason}"), is_so).await?;
    Ok(serde_json::to_value(object)?)
}

/// Waits until an object is ready.
///
/// # Errors
/// As [`says`].
pub async fn ready<K: Object>(scene: &Scene, name: &str) -> Result<Value> {
    says::<K>(scene, name, "True", "Succeeded").await
}

/// An object as one document of a YAML stream.
#[must_use]
pub fn manifest(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\n{{apiVersion: azureml.dev/v1alpha1, kind: {kind}, metadata: {{name: {name}}}, spec: {{{spec}}}}}\n"
    )
}
