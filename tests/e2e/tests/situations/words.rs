//! Values that reach a command outside of single quotes: only plain words do, wherever they come from.

use super::{accepted, compute, manifest, message, patch, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLPipeline, MLRun, MLSchedule};
use azureml_e2e::{Scene, Setting};
use serde_json::json;

/// A value that runs a second command where nothing quotes it.
const HOSTILE: &str = "a; echo x";

fn pipeline(name: &str, default: &str, literal: &str, command: &str) -> String {
    let spec = format!(
        "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}}}, \
         inputs: {{who: {{type: string, default: '{default}'}}}}, steps: [{{name: only, command: {command:?}, \
         inputs: {{who: '${{{{parent.inputs.who}}}}', what: '{literal}'}}}}]"
    );
    manifest("MLPipeline", name, &spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_quotes_is_a_plain_word_or_refused() -> Result<()> {
    let scene = Scene::set("words", Setting::default()).await?;
    let operator = scene.operator().await?;
    let (bare, quoted) =
        ("echo ${{inputs.who}} ${{inputs.what}}", "echo '${{inputs.who}}' '${{inputs.what}}'");
    let environment =
        manifest("MLEnvironment", "image", "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'");
    let pipelines = [
        pipeline("plain", "night", "day", bare),
        pipeline("default", HOSTILE, "day", bare),
        pipeline("literal", "night", HOSTILE, bare),
        pipeline("quoted", HOSTILE, HOSTILE, quoted),
    ];
    scene.apply_objects(&([workspace(""), compute(""), environment].concat() + &pipelines.concat())).await?;
    let plain = ready::<MLPipeline>(&scene, "plain").await?;
    ensure!(plain["status"]["current"]["bareInputs"] == json!(["who"]), "{plain}");
    let quoted = ready::<MLPipeline>(&scene, "quoted").await?;
    ensure!(quoted["status"]["current"]["bareInputs"].is_null(), "{quoted}");
    for (name, field) in [("default", "inputs.who"), ("literal", "steps.only.inputs.what")] {
        let refused = says::<MLPipeline>(&scene, name, "False", "InvalidSpec").await?;
        let text = message(&refused, "Ready");
        ensure!(text.starts_with(field) && text.contains("'${{inputs.name}}'"), "{text}");
    }
    let spec = format!("pipelineRef: {{name: plain}}, inputs: {{who: '{HOSTILE}'}}");
    scene.apply_objects(&manifest("MLRun", "hostile", &spec)).await?;
    let refused = says::<MLRun>(&scene, "hostile", "False", "InvalidInputs").await?;
    ensure!(message(&refused, "Ready").contains("with single quotes in the command"), "{refused}");
    scene.apply_objects(&manifest("MLSchedule", "hostile", &format!("{spec}, cron: '0 3 * * *'"))).await?;
    says::<MLSchedule>(&scene, "hostile", "False", "InvalidInputs").await?;
    patch(&scene, "mlschedule/hostile", &json!({"spec": {"inputs": {"who": "tonight"}}})).await?;
    ready::<MLSchedule>(&scene, "hostile").await?;
    assert_eq!(accepted(&scene, "PUT workspaces/jobs"), 0, "{}", scene.requests_shown(20));
    scene.check_contract()?;
    operator.stop()
}
