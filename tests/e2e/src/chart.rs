//! The chart as Helm renders it: what the operator is started with, and what its account may do.
//! In: values. Out: objects. Installs nothing.

use crate::cluster;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// Runs Helm on the release `azureml-operator`, in the root of the project.
///
/// # Errors
/// With what it prints to standard error, when it fails.
pub fn helm(namespace: &str, arguments: &[&str]) -> Result<String> {
    let mut helm: Command = cluster::shared().helm()?;
    helm.args(arguments).args(["--namespace", namespace]).current_dir(crate::root());
    let output = helm.output().context("failed to start helm")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "helm {}: {said}", arguments.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

/// The objects that a release of the chart has with these values.
///
/// # Errors
/// When Helm refuses the values.
pub fn rendered(namespace: &str, values: &[&str]) -> Result<Vec<Value>> {
    let command = ["template", "azureml-operator", "charts/azureml-operator"];
    let text = helm(namespace, &[&command, values].concat())?;
    let objects: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    Ok(objects.into_iter().filter(Value::is_object).collect())
}

/// The object of a kind, where there is one.
///
/// # Errors
/// When there is none.
pub fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Result<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind).with_context(|| format!("the chart has no {kind}"))
}

/// The arguments of the controller but for `run --config FILE`.
///
/// # Errors
/// When the chart has no Deployment, or it begins with something else.
pub fn arguments(objects: &[Value]) -> Result<Vec<String>> {
    let arguments = &of_kind(objects, "Deployment")?["spec"]["template"]["spec"]["containers"][0]["args"];
    let arguments: Vec<String> = serde_json::from_value(arguments.clone())?;
    ensure!(arguments.starts_with(&["run".into(), "--config".into()]), "{arguments:?}");
    Ok(arguments.into_iter().skip(3).collect())
}

/// One thing that one role allows: `Role azureml-operator: update leases.coordination.k8s.io azureml-operator`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// `Role` or `ClusterRole`, with its name.
    pub role: String,
    /// The verb.
    pub verb: String,
    /// The resource with its group, and its subresource.
    pub resource: String,
    /// The name of the object, where the role names it.
    pub name: Option<String>,
}

/// What the roles that are bound to the controller's account allow.
///
/// # Errors
/// When a binding names a role that is not there.
pub fn rights(objects: &[Value]) -> Result<BTreeSet<Right>> {
    let account = &of_kind(objects, "ServiceAccount")?["metadata"]["name"];
    let binds = |object: &&Value| {
        object["subjects"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == *account))
    };
    let mut rights = BTreeSet::new();
    for binding in objects.iter().filter(binds) {
        let (kind, name) = (&binding["roleRef"]["kind"], &binding["roleRef"]["name"]);
        let is_it = |object: &&Value| object["kind"] == *kind && object["metadata"]["name"] == *name;
        let role = objects.iter().find(is_it).with_context(|| format!("there is no {kind} {name}"))?;
        let bound = format!("{} {}", text(kind), text(name));
        for rule in role["rules"].as_array().into_iter().flatten() {
            rights.extend(allowed(&bound, rule));
        }
    }
    Ok(rights)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(rule: &Value, key: &str) -> Vec<String> {
    rule[key].as_array().into_iter().flatten().map(|one| text(one).to_owned()).collect()
}

fn allowed(by: &str, rule: &Value) -> Vec<Right> {
    let names = list(rule, "resourceNames");
    let names: Vec<Option<String>> =
        if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
    let mut rights = Vec::new();
    for group in list(rule, "apiGroups") {
        for resource in list(rule, "resources") {
            for verb in list(rule, "verbs") {
                rights.extend(names.iter().map(|name| Right {
                    role: by.to_owned(),
                    verb: verb.clone(),
                    resource: full(&group, &resource),
                    name: name.clone(),
                }));
            }
        }
    }
    rights
}

/// `mlruns/status` of `azureml.dev` as `mlruns.azureml.dev/status`.
#[must_use]
pub fn full(group: &str, resource: &str) -> String {
    let (name, sub) = resource.split_once('/').map_or((resource, None), |(name, sub)| (name, Some(sub)));
    let dot = if group.is_empty() { String::new() } else { format!(".{group}") };
    let sub = sub.map(|sub| format!("/{sub}")).unwrap_or_default();
    format!("{name}{dot}{sub}")
}
