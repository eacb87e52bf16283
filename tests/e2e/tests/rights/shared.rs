//! A workspace that objects of another namespace use for as long as its labels say so, which the real API server keeps and tells.

use anyhow::Result;
use azureml_e2e::Scene;
use azureml_e2e::kubectl::kubectl;
use serde_json::json;

/// A namespace gets the label, its data is registered; without the label that is said, and the object goes as it came.
pub async fn by_labels(scene: &Scene) -> Result<()> {
    let guests = format!("{}-guests", scene.namespace);
    let allowed = json!({"from": "Selector", "selector": {"matchLabels": {"ml": "shared"}}});
    let patch = json!({"spec": {"allowedNamespaces": allowed}}).to_string();
    let of = json!({"name": "team-a", "namespace": scene.namespace});
    let spec = json!({"workspaceRef": of, "type": "uri_file", "path": "https://example.com/prices.csv"});
    let data = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLData", "metadata": {"name": "guest"}, "spec": spec});
    scene.kubectl(&["create", "namespace", &guests]).await?;
    scene.kubectl(&["patch", "mlworkspace", "team-a", "--type=merge", "-p", &patch]).await?;
    let (here, data) = (guests.clone(), data.to_string());
    let steps = move || -> Result<()> {
        let says = |reason: &str| {
            let wanted =
                format!(r#"--for=jsonpath={{.status.conditions[?(@.type=="Ready")].reason}}={reason}"#);
            kubectl(&here, &["wait", &wanted, "mldata/guest", "--timeout=60s"], None)
        };
        kubectl(&here, &["apply", "-f", "-"], Some(&data))?;
        says("ReferenceNotPermitted")?;
        kubectl(&here, &["label", "namespace", &here, "ml=shared"], None)?;
        says("Succeeded")?;
        kubectl(&here, &["label", "namespace", &here, "ml-"], None)?;
        says("ReferenceNotPermitted")?;
        kubectl(&here, &["delete", "mldata", "guest", "--timeout=60s"], None)?;
        kubectl(&here, &["delete", "namespace", &here, "--wait=false"], None).map(drop)
    };
    tokio::task::spawn_blocking(steps).await?
}
