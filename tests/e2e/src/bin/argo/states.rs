//! Every state in the hands of Argo CD's own program: `argocd admin settings resource-overrides health`.

use anyhow::{Context as _, Result, ensure};
use azureml_e2e::gitops::{scripts, states};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::Command;

/// Judges each state once, and says in a sentence how many there are.
pub fn judge() -> Result<String> {
    let argocd = azureml_control_plane::argo::build()?.join("bin/argocd");
    let folder = tempfile::tempdir()?;
    let (map, object) = (folder.path().join("argocd-cm.yaml"), folder.path().join("object.yaml"));
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd",
        "labels": {"app.kubernetes.io/part-of": "argocd"}}, "data": scripts()?});
    std::fs::write(&map, settings.to_string())?;
    let (mut told, mut wrong, mut count) = (BTreeSet::new(), Vec::new(), 0);
    for state in states()? {
        if state.kinds.len() > 1 && !told.insert(state.situation.clone()) {
            continue;
        }
        std::fs::write(&object, state.object.to_string())?;
        let mut command = Command::new(&argocd);
        command.args(["admin", "settings", "resource-overrides", "health"]).arg(&object);
        command
            .arg("--argocd-cm-path")
            .arg(&map)
            .env("HOME", folder.path())
            .env("ARGOCD_BINARY_NAME", "argocd");
        let output = command.output().context("failed to start argocd")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let health = said.lines().find_map(|line| line.strip_prefix("STATUS: ")).unwrap_or_default();
        let (_, expected) = state.expected();
        if health != expected {
            let error = String::from_utf8_lossy(&output.stderr);
            wrong.push(format!("{} {}: {said}{error}, not {expected}", state.kind, state.situation));
        }
        count += 1;
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(format!(
        "`argocd admin settings resource-overrides health` said of {count} states (those of [the table](kstatus.md), one \
         kind for those of every kind) what the table says."
    ))
}
