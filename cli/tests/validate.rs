//! `validate`: what is found, where, and in which form; and that the examples are sound.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn run(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-azureml"));
    Ok(command.args(arguments).current_dir(root().join("tests/files/validate")).output()?)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_fault_has_its_place_and_what_may_be_elsewhere_is_a_warning() -> Result<()> {
    let output = run(&["validate", "-f", "wrong.yaml"])?;
    ensure!(output.status.code() == Some(1), "{}", output.status);
    let text = said(&output);
    let lines: Vec<&str> = text.lines().collect();
    let begins = [
        "wrong.yaml:14:7: error: MLPipeline/iris: spec.steps[0].name: ",
        "wrong.yaml:22:18: warning: MLPipeline/sound: spec.workspaceRef.name: no file has MLWorkspace team-a",
        "wrong.yaml:26:15: warning: MLPipeline/sound: spec.defaults.compute.ref: no file has MLCompute cpu",
        "wrong.yaml:27:19: warning: MLPipeline/sound: spec.defaults.environment.ref: no file has MLEnvironment r-env",
        "wrong.yaml:39:12: error: MLRun/sound: spec.inputs.tree: the pipeline has no such input; it has trees",
    ];
    ensure!(lines.len() == begins.len(), "{text}");
    for (line, begin) in lines.iter().zip(begins) {
        ensure!(line.starts_with(begin), "{line}\nbegins not with\n{begin}");
    }
    Ok(())
}

#[test]
fn a_report_is_json_sarif_or_commands_of_a_workflow() -> Result<()> {
    let json: Value = serde_json::from_slice(&run(&["validate", "-f", "wrong.yaml", "-o", "json"])?.stdout)?;
    ensure!(json["objects"] == 3 && json["others"] == 1, "{json:#}");
    let first = &json["findings"][0];
    ensure!(
        first["line"] == 14 && first["severity"] == "error" && first["reason"] == "InvalidSpec",
        "{first:#}"
    );
    let sarif: Value =
        serde_json::from_slice(&run(&["validate", "-f", "wrong.yaml", "-o", "sarif"])?.stdout)?;
    let results = sarif["runs"][0]["results"].as_array().context("no results")?;
    ensure!(sarif["version"] == "2.1.0" && results.len() == 5, "{sarif:#}");
    let commands = said(&run(&["validate", "-f", "wrong.yaml", "-o", "github"])?);
    ensure!(
        commands.starts_with("::error file=wrong.yaml,line=14,col=7,title=MLPipeline/iris"),
        "{commands}"
    );
    Ok(())
}

#[test]
fn exit_codes_tell_faults_from_what_cannot_be_read() -> Result<()> {
    for (arguments, code) in [
        (["validate", "-f", "wrong.yaml"], 1),
        (["validate", "-f", "absent.yaml"], 2),
        (["validate", "--output", "json"], 2),
    ] {
        let output = run(&arguments)?;
        ensure!(output.status.code() == Some(code), "{arguments:?}: {}", output.status);
    }
    Ok(())
}

/// What is a beginning of its own, with names that others have too.
const ALONE: [&[&str]; 3] = [
    &["first", "runs/first.yaml"],
    &["onboarding/teams/team-blue", "onboarding/pipeline.yaml"],
    &["onboarding/teams/team-green", "onboarding/pipeline.yaml"],
];

#[test]
fn the_examples_are_sound() -> Result<()> {
    let examples = root().join("../examples");
    let mut together = Vec::new();
    for entry in std::fs::read_dir(&examples)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !ALONE.iter().any(|paths| paths[0].split('/').next() == Some(&name)) {
            together.push(name);
        }
    }
    let alone = ALONE.map(|paths| paths.iter().map(|path| (*path).to_owned()).collect());
    for paths in [together].into_iter().chain(alone) {
        let paths: Vec<String> = paths.iter().map(|path| examples.join(path).display().to_string()).collect();
        let named: Vec<&str> = paths.iter().flat_map(|path| ["-f", path.as_str()]).collect();
        let output = run(&[&["validate"], named.as_slice()].concat())?;
        ensure!(output.status.success(), "{}", said(&output));
        ensure!(!String::from_utf8_lossy(&output.stderr).starts_with("0 objects"), "no object was looked at");
    }
    Ok(())
}

#[test]
fn schemas_are_written_for_each_kind_and_for_all() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().to_str().context("not UTF-8")?;
    ensure!(run(&["schemas", "--output", path])?.status.success());
    let pipeline: Value = serde_json::from_slice(&std::fs::read(folder.path().join("mlpipeline.json"))?)?;
    let steps = &pipeline["properties"]["spec"]["properties"]["steps"];
    ensure!(pipeline["properties"]["kind"]["const"] == "MLPipeline", "{pipeline:#}");
    ensure!(steps["items"]["additionalProperties"] == false, "{steps:#}");
    let all: Value = serde_json::from_slice(&std::fs::read(folder.path().join("all.json"))?)?;
    ensure!(all["oneOf"].as_array().is_some_and(|each| each.len() >= 7), "{all:#}");
    Ok(())
}

const BARE: &str = r#"apiVersion: azureml.dev/v1alpha1
kind: MLPipeline
metadata: {name: said}
spec:
  workspaceRef: {name: team-a}
  inputs:
    word: {type: string}
  defaults:
    compute: {ref: cpu}
    environment: {ref: image}
  steps:
  - name: say
    command: echo ${{inputs.word}}
    inputs: {word: "${{parent.inputs.word}}"}
---
apiVersion: azureml.dev/v1alpha1
kind: MLRun
metadata: {name: now}
spec:
  pipelineRef: {name: said}
  inputs: {word: a b}
"#;

#[test]
fn a_value_that_a_shell_would_split_is_an_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bare.yaml");
    std::fs::write(&file, BARE)?;
    let text = said(&run(&["validate", "-f", &file.to_string_lossy()])?);
    let begin = "error: MLRun/now: spec.inputs.word: ";
    ensure!(text.lines().any(|line| line.contains(begin) && line.contains("single quotes")), "{text}");
    Ok(())
}

#[test]
fn a_schedule_is_warned_of_runs_that_differ_in_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("nightly.yaml");
    let (pipeline, _) = BARE.split_once("---").context("one document")?;
    let pipeline = pipeline.replace("{type: string}", "{type: string, default: hello}");
    let nightly = |pipeline: &str, inputs: &str| -> Result<String> {
        let schedule = format!(
            "---\napiVersion: azureml.dev/v1alpha1\nkind: MLSchedule\nmetadata: {{name: nightly}}\nspec:\n  pipelineRef: {{name: said}}\n  cron: 0 3 * * *\n{inputs}"
        );
        std::fs::write(&file, format!("{pipeline}{schedule}"))?;
        Ok(said(&run(&["validate", "-f", &file.to_string_lossy()])?))
    };
    let warning = "warning: MLSchedule/nightly: spec.pipelineRef.name: set defaults.forceRerun: true";
    for inputs in ["", "  inputs: {word: bye}\n"] {
        let text = nightly(&pipeline, inputs)?;
        ensure!(text.contains(warning), "{text}");
    }
    let forced = pipeline.replace("  defaults:\n", "  defaults:\n    forceRerun: true\n");
    let changing = pipeline.replace("- name: say\n", "- name: say\n    deterministic: false\n");
    let with_label = pipeline.replace(
        "  inputs:\n    word",
        "  inputs:\n    prices: {type: uri_file, path: 'azureml:prices@latest'}\n    word",
    );
    for pipeline in [&forced, &changing, &with_label] {
        let text = nightly(pipeline, "")?;
        ensure!(!text.contains("forceRerun") && !text.contains("error:"), "{pipeline}{text}");
    }
    let text = nightly(&pipeline, "  inputs: {word: '${{creation_context.trigger_time}}'}\n")?;
    ensure!(!text.contains("forceRerun"), "{text}");
    Ok(())
}

#[test]
fn a_workspace_that_does_not_allow_a_namespace_is_an_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shared.yaml");
    let found = |allowed: &str| -> Result<String> {
        let text = format!(
            "apiVersion: azureml.dev/v1alpha1\nkind: MLWorkspace\nmetadata: {{name: w, namespace: platform}}\nspec:\n  subscriptionId: 11111111-2222-3333-4444-555555555555\n  resourceGroup: rg\n  workspaceName: mlw\n{allowed}---\napiVersion: azureml.dev/v1alpha1\nkind: MLData\nmetadata: {{name: d, namespace: team-b}}\nspec: {{workspaceRef: {{name: w, namespace: platform}}, type: uri_file, path: 'https://example.com/x'}}\n"
        );
        std::fs::write(&file, text)?;
        Ok(said(&run(&["validate", "-f", &file.to_string_lossy()])?))
    };
    let by_label = |label: &str| {
        format!("  allowedNamespaces: {{from: Selector, selector: {{matchLabels: {{{label}: team-b}}}}}}\n")
    };
    let none = found("")?;
    ensure!(
        none.contains("error: MLData/d: spec.workspaceRef.name: allow the namespace team-b in spec.allowedNamespaces of MLWorkspace/w"),
        "{none}"
    );
    for allowed in ["  allowedNamespaces: {from: All}\n", &by_label("kubernetes.io/metadata.name")] {
        ensure!(found(allowed)?.is_empty(), "{allowed}");
    }
    let perhaps = found(&by_label("team"))?;
    ensure!(
        perhaps.contains("warning: MLData/d: spec.workspaceRef.name: the labels of the namespace team-b"),
        "{perhaps}"
    );
    Ok(())
}
