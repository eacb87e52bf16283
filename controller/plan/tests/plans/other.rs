//! Steps whose node says everything, and order without data.

use crate::requests::{pipeline_of, pipeline_refs};
use anyhow::{Context as _, Result};
use azureml_client::ArmId;
use azureml_plan::Decide as _;
use azureml_plan::grants::{Asker, Grant, Rights};
use azureml_plan::reasons::Reason;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The spec of a pipeline with steps, which are YAML.
fn spec(steps: &str) -> String {
    format!(
        "{{workspaceRef: {{name: prod}}, inputs: {{table: {{type: mltable}}, folder: {{type: uri_folder}}, perhaps: {{type: mltable, optional: true}}}},
          defaults: {{compute: {{name: c}}, environment: {{id: 'azureml:e:1'}}}}, steps: [{steps}]}}"
    )
}

/// What is wrong with a pipeline of these steps.
fn faults(steps: &str) -> Result<Vec<String>> {
    let faults = azureml_plan::component::check(&pipeline_of(&spec(steps))?, &BTreeMap::new());
    Ok(faults.iter().map(ToString::to_string).collect())
}

/// The nodes of a pipeline of these steps.
fn nodes(steps: &str) -> Result<Value> {
    let wanted = pipeline_of(&spec(steps))?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    Ok(wanted.body["properties"]["componentSpec"]["jobs"].clone())
}

/// Searches, and what is said of them.
const SEARCHES: &[(&str, Option<&str>)] = &[
    ("task: regression, targetColumnName: p", None),
    ("task: text_ner", None),
    ("task: regression", Some("steps.a.automl.targetColumnName: name the column")),
    (
        "task: regression, targetColumnName: p, validationDataSize: 1",
        Some("steps.a.automl.validationDataSize: write a part"),
    ),
    ("task: regression, targetColumnName: p, testDataSize: 0.5", None),
    (
        "task: text_ner, training: {}",
        Some("steps.a.automl.training: a search of task text_ner does not have it"),
    ),
    ("task: text_ner, featurization: {mode: auto}", Some("steps.a.automl.featurization.mode: ")),
    (
        "task: image_classification, targetColumnName: p, limits: {maxNodes: 2}",
        Some("steps.a.automl.limits.maxNodes: "),
    ),
    ("task: regression, targetColumnName: p, positiveLabel: a", Some("steps.a.automl.positiveLabel: ")),
    (
        "task: regression, targetColumnName: p, primaryMetric: accuracy",
        Some("steps.a.automl.primaryMetric: \"accuracy\" is none"),
    ),
    (
        "task: regression, targetColumnName: p, training: {allowedTrainingAlgorithms: [prophet]}",
        Some("steps.a.automl.training.allowedTrainingAlgorithms: \"prophet\""),
    ),
    ("task: forecasting, targetColumnName: p, training: {allowedTrainingAlgorithms: [prophet]}", None),
    (
        "task: text_ner, trainingParameters: {imageSize: 5}",
        Some("steps.a.automl.trainingParameters: \"image_size\" is none"),
    ),
    (
        "task: text_ner, searchSpace: [{modelName: {type: choice}}]",
        Some("steps.a.automl.searchSpace.modelName: this type takes values"),
    ),
    (
        "task: text_ner, searchSpace: [{modelName: {type: choice, values: ['a,b']}}]",
        Some("steps.a.automl.searchSpace.modelName: write values without quotes"),
    ),
    (
        "task: text_ner, sweep: {samplingAlgorithm: grid, earlyTermination: {type: bandit}}",
        Some("steps.a.automl.sweep.earlyTermination: bandit takes"),
    ),
    (
        "task: regression, targetColumnName: p, featurization: {transformerParams: {scaler: []}}",
        Some("steps.a.automl.featurization.transformerParams: \"scaler\""),
    ),
    (
        "task: regression, targetColumnName: p, featurization: {columnNameAndTypes: {'true': Text}}",
        Some("YAML reads the names"),
    ),
    (
        "task: text_ner, validationData: '${{parent.inputs.folder}}'",
        Some("steps.a.automl.validationData: a search reads an mltable"),
    ),
    (
        "task: text_ner, validationData: '${{parent.inputs.perhaps}}'",
        Some("steps.a.automl.validationData: a search needs it in each run"),
    ),
    (
        "task: text_ner, validationData: '${{parent.inputs.none}}'",
        Some("steps.a.automl.validationData: spec.inputs has no such input"),
    ),
];

#[test]
fn a_search_has_what_its_task_has() -> Result<()> {
    let step = |search: &str| {
        format!("{{name: a, automl: {{trainingData: '${{{{parent.inputs.table}}}}', {search}}}}}")
    };
    for (search, words) in SEARCHES {
        let said = faults(&step(search))?;
        let is_said = words.map_or(said.is_empty(), |words| said.len() == 1 && said[0].contains(words));
        assert!(is_said, "{search}: {said:?}");
    }
    Ok(())
}

#[test]
fn a_search_after_a_step_reads_what_it_wrote() -> Result<()> {
    let steps = "{name: prepare, command: x, outputs: {o: {type: mltable}}},
        {name: a, compute: {serverless: {instanceType: Standard_DS3_v2}}, identity: {type: Managed}, automl: {task: text_ner, trainingData: '${{parent.jobs.prepare.outputs.o}}'}}";
    let pipeline = pipeline_of(&spec(steps))?;
    let node = nodes(steps)?["a"].clone();
    assert_eq!(node["training_data"], "${{parent.jobs.prepare.outputs.o}}");
    assert_eq!(node["identity"], json!({"type": "managed_identity"}));
    assert_eq!(node["resources"], json!({"instance_type": "Standard_DS3_v2"}));
    assert!(
        node["compute"].as_str().is_some_and(
            |id| id.starts_with("azureml:/subscriptions/") && id.ends_with("/computes/serverless")
        )
    );
    assert_eq!((node.get("computeId"), node.get("componentId")), (None, None));
    let chart = azureml_plan::graph::mermaid(&pipeline.spec.steps);
    assert!(chart.contains("  prepare -->|o| a\n"), "{chart}");
    Ok(())
}

#[test]
fn a_raw_node_is_sent_as_it_stands_beside_what_the_step_says() -> Result<()> {
    let steps = "{name: a, inputs: {f: '${{parent.inputs.folder}}'}, outputs: {o: {type: uri_file}}, identity: {type: AMLToken}, environmentVariables: {A: b},
        raw: {type: data_transfer, task: copy_data, more: {at: '${{parent.inputs.folder}}', list: [1, null, 'in ${{inputs.f}} ${{outputs.o}}']}}}";
    let expected = json!({
        "type": "data_transfer", "name": "a", "task": "copy_data", "environment_variables": {"A": "b"},
        "inputs": {"f": {"job_input_type": "literal", "value": "${{parent.inputs.folder}}"}},
        "outputs": {"o": {"job_output_type": "uri_file"}}, "identity": {"identity_type": "AMLToken"},
        "more": {"at": "${{parent.inputs.folder}}", "list": [1, null, "in ${{inputs.f}} ${{outputs.o}}"]},
    });
    assert_eq!(nodes(steps)?["a"], expected);
    assert_eq!(faults(steps)?, [""; 0]);
    Ok(())
}

#[test]
fn a_raw_node_does_not_say_what_the_step_says_nor_bind_to_nothing() -> Result<()> {
    for (raw, words) in [
        ("computeId: x", "steps.a.raw.computeId: write it at the step, as compute"),
        ("inputs: {}", "steps.a.raw.inputs: write it at the step"),
        ("at: '${{parent.inputs.none}}'", "steps.a.raw.at: spec.inputs has no such input"),
        ("at: {b: ['${{parent.jobs.b.outputs.o}}']}", "steps.a.raw.at.b: no step lists such an output"),
        ("at: '${{inputs.none}}'", "steps.a.raw.at: ${{inputs.none}} is neither"),
        ("at: 'x ${{parent.inputs.folder}}'", "steps.a.raw.at: ${{parent.inputs.folder}} is neither"),
        ("at: {identity_type: UserIdentity}", "steps.a.raw.at.identity_type: a node does not say"),
        ("trial: {Identity: {type: user_identity}}", "steps.a.raw.trial.Identity: a node does not say"),
    ] {
        let said = faults(&format!("{{name: a, raw: {{type: x, {raw}}}}}"))?;
        assert!(said.len() == 1 && said[0].starts_with(words), "{raw}: {said:?}");
    }
    let large = faults(&format!("{{name: a, raw: {{type: x, text: {}}}}}", "x".repeat(16 * 1024)))?;
    assert!(large.len() == 1 && large[0].contains("16384 are the most"), "{large:?}");
    Ok(())
}

#[test]
fn a_raw_node_names_what_is_granted_alone() -> Result<()> {
    let mut refs = pipeline_refs();
    let asker =
        Asker { namespace: "team-a".into(), client: None, cloud: "public".into(), is_default_cloud: true };
    let grant: Grant =
        serde_json::from_value(json!({"namespaces": ["team-a"], "workspaces": [refs.workspace.id.name()]}))?;
    refs.workspace.rights =
        Rights::granted(&[grant], asker, refs.workspace.id.clone()).map_err(anyhow::Error::msg)?;
    let own = refs.workspace.id.child("components", "x").child("versions", "1").to_string();
    let other =
        ArmId::workspace("s", "g", "other").child("components", "x").child("versions", "1").to_string();
    let secret =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
    for (text, is_granted) in [
        (own.as_str(), true),
        ("azureml:x:1", true),
        ("azureml://registries/r/components/x/versions/1", true),
        (other.as_str(), false),
        (secret, false),
        ("--in azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/d/paths/p", false),
    ] {
        for raw in
            [format!("at: '{text}'"), format!("at: {{b: [{{c: '{text}'}}]}}"), format!("at: {{'{text}': x}}")]
        {
            let pipeline = pipeline_of(&spec(&format!("{{name: a, raw: {{type: x, {raw}}}}}")))?;
            let wanted = pipeline.wanted(&refs);
            assert_eq!(wanted.is_ok(), is_granted, "{raw}: {wanted:?}");
            let reason = wanted.err().map(|wrong| wrong.reason);
            let expected = [None, Some(Reason::WORKSPACE_NOT_GRANTED), Some(Reason::INVALID_SPEC)];
            assert!(expected.contains(&reason), "{reason:?}");
        }
    }
    Ok(())
}

#[test]
fn an_optional_table_is_none_that_a_parallel_step_cuts() -> Result<()> {
    let step = "{name: a, code: {files: {s.py: x}}, inputs: {d: '${{parent.inputs.perhaps}}'}, parallel: {inputData: '${{inputs.d}}', task: {entryScript: s.py}}}";
    let said = faults(step)?;
    assert!(said.len() == 1 && said[0].contains("the command uses d, an optional input"), "{said:?}");
    Ok(())
}

#[test]
fn order_without_data_is_the_address_of_an_output() -> Result<()> {
    let steps = "{name: clean, command: x}, {name: load, command: x, outputs: {b: {type: uri_file}, a: {}}}, {name: reads, command: 'x ${{inputs.i}}', inputs: {i: '${{parent.jobs.load.outputs.b}}'}, after: [load]},
        {name: train, python: {script: t.py}, code: {files: {t.py: x}}, after: [clean, load]}";
    let jobs = nodes(steps)?;
    let address = |text: &str| json!({"job_input_type": "literal", "value": text, "mode": "Direct"});
    let expected = json!({
        "after_clean": address("${{parent.jobs.clean.outputs.done}}"), "after_load": address("${{parent.jobs.load.outputs.a}}"),
    });
    assert_eq!(jobs["train"]["inputs"], expected);
    assert_eq!(
        jobs["reads"]["inputs"].as_object().map(serde_json::Map::len),
        Some(1),
        "data makes the order already"
    );
    let wanted = pipeline_of(&spec(steps))?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    let component = |name: &str| {
        let (_, own) = wanted.owned().find(|(step, _)| step.name == name).context("no step")?;
        Ok::<_, anyhow::Error>(own.body["properties"]["componentSpec"].clone())
    };
    assert_eq!(component("clean")?["outputs"], json!({"done": {"type": "uri_folder"}}));
    assert_eq!(
        component("train")?["inputs"],
        json!({"after_clean": {"type": "uri_folder"}, "after_load": {"type": "uri_folder"}})
    );
    let chart = azureml_plan::graph::mermaid(&pipeline_of(&spec(steps))?.spec.steps);
    assert!(chart.contains("  clean -.-> train\n") && chart.contains("  load -->|b| reads\n"), "{chart}");
    Ok(())
}

#[test]
fn an_order_that_cannot_be_is_refused() -> Result<()> {
    let good = "{name: a, command: x}";
    for (steps, words) in [
        (format!("{good}, {{name: b, command: x, after: [c]}}"), "steps.b.after: c: there is no such step"),
        (
            format!("{{name: b, command: x, after: [a]}}, {good}"),
            "steps.b.after: a: a step uses outputs of steps listed above",
        ),
        (
            format!("{good}, {{name: b, command: x, after: [b]}}"),
            "steps.b.after: b: a step uses outputs of steps listed above",
        ),
        (
            format!("{good}, {{name: b, component: 'azureml:x:1', after: [a]}}"),
            "steps.b.after: a: the order is an input of a component",
        ),
        (
            "{name: a, component: 'azureml:x:1'}, {name: b, command: x, after: [a]}".to_owned(),
            "steps.b.after: a: it has no output that could be waited for",
        ),
        (
            format!("{good}, {{name: b, command: x, inputs: {{after_a: 1}}, after: [a]}}"),
            "steps.b.after: a: the step has an input after_a",
        ),
    ] {
        let said = faults(&steps)?;
        assert!(said.len() == 1 && said[0].starts_with(words), "{steps}: {said:?}");
    }
    Ok(())
}
