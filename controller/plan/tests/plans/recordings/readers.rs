//! Recorded answers as the readers of their resources see them. In: a body. Out: in a few words, what is decided.

use crate::support::{ask, id, object, owner, plan, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_client::ArmId;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLWorkspace};
use azureml_plan::asset_name::Pins;
use azureml_plan::grants::Rights;
use azureml_plan::pipeline::{self, Presence};
use azureml_plan::publish::{self, Publication};
use azureml_plan::source::Sources;
use azureml_plan::{Decide as _, View, compute, environment, run, workspace as workspaces};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The same resource, as if this object had made it.
fn as_ours(mut body: Value, pointer: &str, name: &str) -> Value {
    if let Some(parent) = body.pointer_mut(pointer) {
        parent["tags"] = json!(owner(name).tags(&BTreeMap::new()));
    }
    body
}

pub fn of_compute(body: &Value) -> Result<String> {
    let inner = &body["properties"]["properties"];
    let scale = &inner["scaleSettings"];
    let idle = scale["nodeIdleTimeBeforeScaleDown"].as_str().unwrap_or("PT2M");
    let idle = azureml_plan::time::iso_seconds(idle).context("no duration")?;
    let spec = format!(
        "{{workspaceRef: {{name: p}}, vmSize: {}, priority: {}, scale: {{min: {}, max: {}, idle: {idle}s}}}}",
        inner["vmSize"].as_str().unwrap_or_default().to_lowercase(),
        inner["vmPriority"].as_str().unwrap_or("Dedicated"),
        scale["minNodeCount"],
        scale["maxNodeCount"]
    );
    let compute: MLCompute = object("cpu", &spec)?;
    let refs = compute::Refs {
        workspace: workspace(),
        owner: owner("cpu"),
        used_by: Vec::new(),
        scales_by_patch: true,
    };
    let seen = Some(as_ours(body.clone(), "", "cpu"));
    said(&plan(&compute, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)
}

pub fn of_environment(body: &Value) -> Result<String> {
    let image = body["properties"]["image"].as_str().unwrap_or("x/y:1");
    let environment: MLEnvironment =
        object("env", &format!("{{workspaceRef: {{name: p}}, image: '{image}'}}"))?;
    let refs = environment::Refs::new(workspace(), owner("env"));
    let version = environment::Version {
        name: body["name"].as_str().unwrap_or_default().to_owned(),
        body: as_ours(body.clone(), "/properties", "env"),
    };
    let seen = environment::Seen { version: Some(version), ..environment::Seen::default() };
    said(&plan(&environment, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)
}

/// A workspace of one's own identity, of which nothing was built and nothing has run.
fn refs_of_workspace() -> workspaces::Refs {
    workspaces::Refs {
        resync: jiff::SignedDuration::from_mins(10),
        rights: Rights::Own,
        build: azureml_plan::preflight::Asked::Open,
        has_run: false,
    }
}

pub fn of_workspace(body: &Value) -> Result<String> {
    let spec = "{subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg, workspaceName: ws}";
    let object: MLWorkspace = object("ws", spec)?;
    let refs = refs_of_workspace();
    let wanted = object.wanted(&refs).map_err(anyhow::Error::msg)?;
    let data_plane = Some("https://x".to_owned());
    let seen =
        workspaces::Seen { workspace: Some(body.clone()), registry: None, data_plane, preflight: None };
    let ask = ask();
    let view = View { refs: &refs, wanted: &wanted, seen: &seen, ask: &ask };
    let plan = object.plan(view);
    ensure!(object.facts(view, &plan).region.is_some(), "no region");
    said(&plan)
}

fn current() -> Result<azureml_crds::ml_pipeline::Current> {
    let settings = json!({"continueOnStepFailure": false, "forceRerun": false});
    let id = id("components/p/versions/v");
    Ok(serde_json::from_value(
        json!({"version": "v", "componentId": id, "settings": settings, "inputs": {}, "outputs": {}}),
    )?)
}

/// What a run says of what is seen: its phase, its steps with theirs, and why it failed.
pub fn of_run(seen: &run::Seen) -> Result<String> {
    let mut run: MLRun = object("one", "{pipelineRef: {name: p}}")?;
    let status = azureml_crds::ml_run::MLRunStatus { pipeline: Some(current()?), ..Default::default() };
    run.status = Some(status);
    let refs =
        run::Refs { pins: Pins::default(), workspace: workspace(), owner: owner("one"), current: current()? };
    let wanted = run.wanted(&refs).map_err(anyhow::Error::msg)?;
    let ask = ask();
    let view = View { refs: &refs, wanted: &wanted, seen, ask: &ask };
    let plan = run.plan(view);
    let status = run.facts(view, &plan);
    let steps = status.steps.iter().map(|step| format!(" {} {:?}", step.name, step.phase));
    let failure = status.failure.map(|failure| format!(" {}: {}", failure.code, failure.message));
    let phase = status.phase.map(|phase| format!("{phase:?}")).unwrap_or_default();
    let outputs =
        status.outputs.into_iter().map(|(name, address)| format!(" {name} at {}", ending(&address)));
    let (steps, outputs) = (steps.collect::<String>(), outputs.collect::<String>());
    Ok(format!("{phase}{steps}{outputs}{}", failure.unwrap_or_default()))
}

fn said(plan: &azureml_plan::Plan) -> Result<String> {
    ensure!(plan.drift.is_empty(), "it drifts: {:?}", plan.drift);
    Ok(format!("{:?} {} {} writes", plan.verdict.state, plan.verdict.reason, plan.actions.len()))
}

/// The end of an address.
fn ending(address: &str) -> String {
    address.rsplit('/').take(3).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/")
}

pub fn of_endpoint(body: &Value) -> Result<String> {
    of_publication(as_ours(body.clone(), "", "ep"), Vec::new())
}

/// The deployment as that of the current version, behind an endpoint that is there.
pub fn of_deployment(body: &Value) -> Result<String> {
    let endpoint = json!({"name": "ep", "properties": {"provisioningState": "Succeeded"}});
    let mut deployment = body.clone();
    deployment["name"] = json!(publish::deployment_name(&publishing()?.2));
    of_publication(as_ours(endpoint, "", "ep"), vec![deployment])
}

fn publishing() -> Result<(MLPipeline, pipeline::Refs, pipeline::Wanted)> {
    let spec = "{workspaceRef: {name: p}, publish: {endpoint: ep}, defaults: {compute: {name: c}, environment: {id: /e}},
        steps: [{name: a, command: b}]}";
    let pipeline: MLPipeline = object("ep", spec)?;
    let (environments, computes) = (BTreeMap::new(), BTreeMap::new());
    let refs = pipeline::Refs {
        pins: Pins::default(),
        sources: Sources::default(),
        data: BTreeMap::new(),
        pipelines: BTreeMap::new(),
        workspace: workspace(),
        owner: owner("ep"),
        environments,
        computes,
        deployments: pipeline::Deployments::Text,
    };
    let wanted = pipeline.wanted(&refs).map_err(anyhow::Error::msg)?;
    Ok((pipeline, refs, wanted))
}

fn of_publication(endpoint: Value, deployments: Vec<Value>) -> Result<String> {
    let (pipeline, refs, _) = publishing()?;
    let publication =
        Publication { endpoint: Some(endpoint), deployments, is_complete: true, ..Publication::default() };
    let seen = pipeline::Seen::of(Presence::Here, publication);
    said(&plan(&pipeline, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)
}

/// The registry of a workspace: where it is, and by whose rights a build pushes.
pub fn of_registry(body: &Value) -> Result<String> {
    let spec = "{subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg, workspaceName: ws}";
    let object: MLWorkspace = object("ws", spec)?;
    let refs = refs_of_workspace();
    let wanted = object.wanted(&refs).map_err(anyhow::Error::msg)?;
    let workspace = Some(json!({"location": "westeurope", "properties": {"provisioningState": "Succeeded"}}));
    let seen =
        workspaces::Seen { workspace, registry: Some(body.clone()), data_plane: None, preflight: None };
    let ask = ask();
    let view = View { refs: &refs, wanted: &wanted, seen: &seen, ask: &ask };
    let registry = object.facts(view, &object.plan(view)).registry.context("no registry")?;
    ensure!(registry.login_server.ends_with(".azurecr.io"), "{registry:?}");
    Ok(format!("{:?}", registry.role_assignment_mode))
}

/// Versions as a deletion sees them: each of ours is archived, whatever else it holds.
pub fn of_versions(all: &[Value]) -> Result<String> {
    let id = ArmId::parse(&id("components/c"))?;
    let version = |body: &Value| environment::Version {
        name: body["name"].as_str().unwrap_or_default().to_owned(),
        body: as_ours(body.clone(), "/properties", "c"),
    };
    let versions: Vec<environment::Version> = all.iter().map(version).collect();
    ensure!(versions.iter().all(|version| !version.name.is_empty()), "a version without a name");
    said(&environment::archive(&id, &owner("c"), &versions, "pipeline"))
}
