//! What GitOps tools are asked: every state that an object can be in, what they should say of it, and the health scripts
//! of the example for Argo CD. In: files of the project. Out: plain data.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::path::Path;

/// A state that an object of a kind can be in.
#[derive(Clone, Debug)]
pub struct State {
    /// The kind.
    pub kind: String,
    /// All kinds that can be in it.
    pub kinds: Vec<String>,
    /// In words.
    pub situation: String,
    /// What is meant: `New`, `Ready`, `Working`, `Stalled`, `Paused` or `Leaving`.
    pub meant: String,
    /// An object in it.
    pub object: Value,
}

/// The states, as the plans' tests keep them, once for each kind that can be in them.
///
/// # Errors
/// When the snapshot is not there, or is none.
pub fn states() -> Result<Vec<State>> {
    let file = "controller/plan/tests/plans/situations/snapshots/plans__situations__states__the_states_are_these.snap";
    let text = read(file)?;
    // A header, a line of dashes, JSON.
    let json = text.splitn(3, "---\n").nth(2).context("the snapshot has no header")?;
    let kept: Vec<Value> = serde_json::from_str(json)?;
    Ok(kept.iter().flat_map(of_each_kind).collect())
}

fn of_each_kind(kept: &Value) -> Vec<State> {
    let text = |field: &str| kept[field].as_str().unwrap_or_default().to_owned();
    let kinds = kept["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let kinds: Vec<String> = kinds.map(str::to_owned).collect();
    let of = |kind: &String| {
        let mut object = kept["object"].clone();
        object["apiVersion"] = json!("azureml.dev/v1alpha1");
        object["kind"] = json!(kind);
        object["metadata"]["name"] = json!("x");
        object["metadata"]["namespace"] = json!("team-a");
        object["spec"] = json!({});
        let (situation, meant) = (text("situation"), text("meant"));
        State { kind: kind.clone(), kinds: kinds.clone(), situation, meant, object }
    };
    kinds.iter().map(of).collect()
}

impl State {
    /// What kstatus should say of it, and Argo CD.
    #[must_use]
    pub fn expected(&self) -> (&'static str, &'static str) {
        let conditions = self.object["status"]["conditions"].as_array();
        let has = |r#type: &str, status: &str| {
            conditions.into_iter().flatten().any(|it| it["type"] == r#type && it["status"] == status)
        };
        match self.meant.as_str() {
            "Leaving" => ("Terminating", "Progressing"),
            "New" | "Working" => ("InProgress", "Progressing"),
            "Stalled" => ("Failed", "Degraded"),
            "Paused" if has("Ready", "True") => ("Current", "Suspended"),
            "Paused" => ("InProgress", "Suspended"),
            // As a Job of Kubernetes: current once it is at work, progressing until its end.
            "Ready" if has("Succeeded", "Unknown") => ("Current", "Progressing"),
            "Ready" => ("Current", "Healthy"),
            // No tool says this, so the test fails.
            _ => ("no meaning of a state", ""),
        }
    }
}

/// What the example for Argo CD puts into `argocd-cm`: the health scripts.
///
/// # Errors
/// When the example is not there.
pub fn scripts() -> Result<Value> {
    let values: Value = serde_saphyr::from_str(&read("examples/argo-cd/values.yaml")?)?;
    Ok(values["configs"]["cm"].clone())
}

/// The key of a kind's health script.
#[must_use]
pub fn key(kind: &str) -> String {
    format!("resource.customizations.health.azureml.dev_{kind}")
}

fn read(file: impl AsRef<Path>) -> Result<String> {
    let file = file.as_ref();
    std::fs::read_to_string(crate::root().join(file)).with_context(|| file.display().to_string())
}
