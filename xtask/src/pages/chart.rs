//! The README of the chart, as registries of charts show it: what it installs, how to begin, and a table of its values.
//! In: `values.yaml`, whose comments are the descriptions. Out: Markdown. Adds no value that the file does not have.

use std::fmt::Write as _;

/// What stands above the table.
const HEAD: &str = "<!-- Written by `cargo xtask crds` from values.yaml; changes belong there. -->

# azureml-operator

Azure Machine Learning as Kubernetes objects: a Dockerfile, R or Python steps and a cron line in Git become an image, a published
pipeline and a run every night. It is not Microsoft's product, and has not been released yet.

This chart installs the operator, its seven kinds (MLWorkspace, MLCompute, MLEnvironment, MLData, MLPipeline, MLSchedule, MLRun), its
rights, and roles for users. It needs Kubernetes 1.33 or newer, an Azure ML workspace that exists, and an identity in Azure.

```yaml
# values.yaml
image:
  repository: registry.example/azureml-operator
workloadIdentity:
  enabled: true
  clientId: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
  tenantId: 99999999-8888-7777-6666-555555555555
config:
  grants:
    - namespaces: [team-a]
      resourceGroups: [rg-ml]
      workspaces: [mlw-team-a]
```

`helm install azureml-operator charts/azureml-operator --namespace azureml-system --create-namespace --values values.yaml`

The book of the repository (`docs/src`) has the rest: how to install it step by step, by Helm, Flux or Argo CD, how to sign in, grants,
alerts with a runbook, and the security model. An upgrade upgrades the CRDs; `helm uninstall` leaves them, with every object.

## Values

| value | default | meaning |
|---|---|---|
";

/// The README.
pub fn readme(values: &str) -> String {
    let mut text = HEAD.to_owned();
    for Row { path, default, meaning } in rows(values) {
        let _ = writeln!(text, "| `{path}` | {default} | {} |", meaning.replace('|', "\\|"));
    }
    text
}

/// A value with its default and what its comment says.
struct Row {
    path: String,
    default: String,
    meaning: String,
}

/// Every key that has a comment or a default, by the indentation of its line.
fn rows(values: &str) -> Vec<Row> {
    let (mut rows, mut comment, mut above): (Vec<Row>, String, Vec<(usize, String)>) = Default::default();
    for line in values.lines() {
        let inner = line.trim_start();
        if let Some(said) = inner.strip_prefix('#') {
            format!("{comment} {}", said.trim()).trim().clone_into(&mut comment);
            continue;
        }
        let (indent, said) = (line.len() - inner.len(), std::mem::take(&mut comment));
        // Entries of lists belong to the value above.
        let Some((key, default)) = inner.split_once(':').filter(|_| !inner.starts_with('-')) else {
            continue;
        };
        above.retain(|(place, _)| *place < indent);
        let is_entry = rows.last().is_some_and(|row| row.default.is_empty()) && said.is_empty() && indent > 2;
        if !is_entry {
            let path: Vec<&str> = above.iter().map(|(_, key)| key.as_str()).chain([key]).collect();
            let default = default.trim();
            let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
            rows.push(Row { path: path.join("."), default, meaning: said });
        }
        above.push((indent, key.to_owned()));
    }
    rows.retain(|row| !row.default.is_empty() || !row.meaning.is_empty());
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_describes_the_value_below_it() {
        let values = "# The head.\n\n# How many.\nreplicas: 2\nimage:\n  # Where it is,\n  # as a name.\n  repository: a|b\n  tag: \"\"\nlist:\n  - key: 1\n    other: x\n";
        let shown: Vec<String> =
            rows(values).iter().map(|row| format!("{} {} {}", row.path, row.default, row.meaning)).collect();
        assert_eq!(
            shown,
            ["replicas `2` How many.", "image.repository `a|b` Where it is, as a name.", "image.tag `\"\"` "]
        );
    }
}
