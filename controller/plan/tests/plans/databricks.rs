//! A step on Databricks among others: what is wrong with one, its node, and what changes its version.

use crate::requests::{pipeline_of, pipeline_refs};
use anyhow::{Context as _, Result};
use azureml_plan::Decide as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const RUN: &str =
    "workspaceUrl: 'https://adb-1.2.azuredatabricks.net', notebook: {path: /a}, cluster: {existing: a}";

fn spec(pipeline: &str, step: &str, run: &str) -> String {
    format!(
        "{{workspaceRef: {{name: prod}}, azureName: bridged, {pipeline} \
         defaults: {{compute: {{name: cpu-cluster}}, environment: {{id: 'azureml:e:1'}}, code: {{files: {{a.py: x}}}}}}, \
         steps: [{{name: a, {step} databricks: {{{RUN}, {run}}}}}]}}"
    )
}

fn faults(pipeline: &str, step: &str, run: &str) -> Result<Vec<String>> {
    let faults = azureml_plan::component::check(&pipeline_of(&spec(pipeline, step, run))?, &BTreeMap::new());
    Ok(faults.iter().map(ToString::to_string).collect())
}

#[test]
fn databricks_sees_data_by_its_address() -> Result<()> {
    let outputs = "outputs: {w: {type: uri_folder}, d: {type: uri_folder, mode: Direct}},";
    for (step, words) in [
        (
            "data: {d: {type: uri_folder, path: 'https://a/b', mode: Download}},",
            Some("steps.a.data.d.mode: Databricks reads and writes data by its address"),
        ),
        ("outputs: {o: {mode: Upload}},", Some("steps.a.outputs.o.mode: Databricks")),
        (
            "outputs: {w: {path: '${{parent.outputs.w}}'}},",
            Some("write mode: Direct at outputs.w of the pipeline"),
        ),
        ("outputs: {d: {path: '${{parent.outputs.d}}'}, o: {mode: Direct}},", None),
    ] {
        let said = faults(outputs, step, "")?;
        let is_said = words.map_or(said.is_empty(), |words| said.len() == 1 && said[0].contains(words));
        assert!(is_said, "{step}: {said:?}");
    }
    Ok(())
}

#[test]
fn a_run_uses_what_the_step_has_where_values_are_taken() -> Result<()> {
    let inputs = "inputs: {rate: {type: number, optional: true}},";
    let step = "inputs: {rate: '${{parent.inputs.rate}}', n: 1},";
    for (run, words) in [
        ("parameters: {a: '${{inputs.none}}'}", Some("it uses ${{inputs.none}}")),
        ("parameters: {a: '${{outputs.none}}'}", Some("it uses ${{outputs.none}}")),
        ("parameters: {a: '${{inputs.rate}}'}", Some("the command uses rate, an optional input")),
        ("libraries: [{jar: '/${{inputs.n}}.jar'}]", Some("only parameters and args take values")),
        ("parameters: {a: 'x $[[${{inputs.rate}}]]'}", Some("write the whole value as a group")),
        ("parameters: {a: '$[[${{inputs.rate}}]]', b: '${{inputs.n}} {{job.run_id}}'}", None),
    ] {
        let said = faults(inputs, step, run)?;
        let is_said = words.map_or(said.is_empty(), |words| said.len() == 1 && said[0].contains(words));
        assert!(is_said, "{run}: {said:?}");
    }
    Ok(())
}

/// The node and the component of the step.
fn registered(spec: &str) -> Result<(Value, Value, String)> {
    let wanted = pipeline_of(spec)?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    assert_eq!(wanted.codes().len(), 0, "the code of all is not that of a run on Databricks");
    let node = wanted.body["properties"]["componentSpec"]["jobs"]["a"].clone();
    let own = wanted.steps.first().and_then(|step| step.own()).context("no component")?;
    Ok((node, own.body["properties"]["componentSpec"].clone(), own.id.to_string()))
}

#[test]
fn its_node_is_that_of_a_command_with_addresses() -> Result<()> {
    let pipeline = "inputs: {raw: {type: uri_folder}}, outputs: {w: {type: uri_folder, mode: Direct}},";
    let step = "inputs: {raw: '${{parent.inputs.raw}}', n: 1}, timeout: 2h, identity: {type: Managed}, environmentVariables: {A: b}, \
                data: {d: {type: uri_file, path: 'https://a/b'}}, outputs: {w: {path: '${{parent.outputs.w}}'}, o: {}},";
    let run = "parameters: {raw: '${{inputs.raw}}', out: '${{outputs.w}}'}";
    let (mut node, component, id) = registered(&spec(pipeline, step, run))?;
    let object = node.as_object_mut().context("no node")?;
    assert_eq!(object.remove("componentId"), Some(json!(id)));
    let literal = |value: &str| json!({"job_input_type": "literal", "value": value});
    let mut raw = literal("${{parent.inputs.raw}}");
    raw["mode"] = json!("Direct");
    assert_eq!(
        node,
        json!({
            "type": "command", "name": "a",
            "inputs": {"raw": raw, "n": literal("1"), "d": {"job_input_type": "uri_file", "uri": "https://a/b", "mode": "Direct"}},
            "outputs": {"w": {"type": "literal", "value": "${{parent.outputs.w}}"}, "o": {"job_output_type": "uri_folder", "mode": "Direct"}},
            "environment_variables": {"A": "b"}, "identity": {"identity_type": "Managed"},
            "limits": {"job_limits_type": "Command", "timeout": "PT2H"},
        })
    );
    assert_eq!(component["type"], "command");
    assert_eq!(component["code"], Value::Null);
    let command = component["command"].as_str().context("no command")?;
    assert!(command.contains("exec python3 -I -c"), "{command}");
    assert!(command.ends_with("# values:\n=${{inputs.raw}}\n=${{outputs.w}}\nend"), "{command}");
    Ok(())
}

#[test]
fn what_the_user_wrote_decides_the_version() -> Result<()> {
    let id = |step: &str, run: &str| Ok::<_, anyhow::Error>(registered(&spec("", step, run))?.2);
    let first = id("", "parameters: {a: b}")?;
    assert_eq!(id("environmentVariables: {A: b},", "parameters: {a: b}")?, first, "the node has them");
    for (step, run) in [
        ("", "parameters: {a: c}"),
        ("", "parameters: {a: b}, timeout: 1h"),
        ("timeout: 1h,", "parameters: {a: b}"),
        ("", "parameters: {a: b}, tokenSecret: t"),
        ("identity: {type: Managed, clientId: 00000000-0000-0000-0000-000000000001},", "parameters: {a: b}"),
    ] {
        assert_ne!(id(step, run)?, first, "{step} {run}");
    }
    Ok(())
}
