//! For every captured request the one that we send for the same purpose: the manifests say what the captured YAML said.

use crate::captured::{COMPONENTS, PIPELINE};
use crate::compare::Request;
use crate::support::{ask, id, object, owner, plan, workspace};
use anyhow::{Context as _, Result};
use azureml_client::ArmId;
use azureml_crds::values::Literal;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule};
use azureml_plan::asset_name::Pins;
use azureml_plan::job::Form;
use azureml_plan::pipeline::Presence;
use azureml_plan::publish::Publication;
use azureml_plan::source::Sources;
use azureml_plan::{
    Action, Ask, Decide as _, Leave as _, Plan, compute, data, environment, pipeline, run, schedule,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Our requests, by the name of the captured one.
pub fn all() -> Result<BTreeMap<&'static str, Request>> {
    let mut all = BTreeMap::new();
    computes(&mut all)?;
    environments(&mut all)?;
    data_assets(&mut all)?;
    components(&mut all)?;
    endpoints(&mut all)?;
    jobs(&mut all)?;
    schedules(&mut all)?;
    Ok(all)
}

type All = BTreeMap<&'static str, Request>;

/// The only action of a plan.
fn only(plan: Plan) -> Result<Action> {
    let mut actions = plan.actions;
    anyhow::ensure!(actions.len() == 1, "one request was expected: {actions:?}, {:?}", plan.verdict);
    actions.pop().context("no request")
}

fn add(all: &mut All, name: &'static str, plan: Plan) -> Result<()> {
    all.insert(name, Request::of(&only(plan).context(name)?, ""));
    Ok(())
}

fn ours(name: &str) -> Value {
    json!(owner(name).tags(&BTreeMap::new()))
}

fn computes(all: &mut All) -> Result<()> {
    let refs = compute::Refs {
        workspace: workspace(),
        owner: owner("cpu"),
        used_by: Vec::new(),
        scales_by_patch: true,
    };
    let new: MLCompute = object(
        "cpu",
        "{workspaceRef: {name: prod}, azureName: cpu-cluster, vmSize: Standard_DS3_v2, priority: LowPriority, scale: {min: 0, max: 4, idle: 2m},
          publicIp: false, tags: {mlops.example.com/owner: ns1.env1}, deletionPolicy: Delete,
          subnetId: /subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/vnet-ml/subnets/snet-train,
          identity: {type: UserAssigned, userAssigned: [/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-mlops/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-train]}}",
    )?;
    add(all, "compute-amlcompute", plan(&new, &refs, &None, &ask()).map_err(anyhow::Error::msg)?)?;

    // As Azure answers: the size in upper case, and more than was asked for. The tag is new, so the whole is sent.
    let adopted: MLCompute = object(
        "cpu",
        "{workspaceRef: {name: prod}, azureName: cpu-cluster, vmSize: Standard_DS3_v2, scale: {min: 0, max: 8, idle: 2m}, adopt: true}",
    )?;
    let have = json!({
        "id": id("computes/cpu-cluster"), "name": "cpu-cluster", "location": "westeurope",
        "properties": {
            "computeType": "AmlCompute", "provisioningState": "Succeeded", "disableLocalAuth": true, "createdOn": "2026-01-01T00:00:00Z",
            "properties": {
                "osType": "Linux", "vmSize": "STANDARD_DS3_V2", "vmPriority": "Dedicated", "allocationState": "Steady",
                "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M"},
                "remoteLoginPortPublicAccess": "Disabled", "enableNodePublicIp": true, "currentNodeCount": 0,
            },
        },
    });
    let new_generation = Ask { is_new_generation: true, ..ask() };
    let update = plan(&adopted, &refs, &Some(have.clone()), &new_generation).map_err(anyhow::Error::msg)?;
    add(all, "compute-update", update)?;

    let mut have = have;
    have["tags"] = ours("cpu");
    let id = compute::id(&new, &workspace().id);
    let address = compute::Address { id, owner: owner("cpu") };
    add(all, "compute-delete", new.farewell(&address, &Some(have), &ask()))
}

const BUILD: &str = "{workspaceRef: {name: prod}, azureName: churn-py, description: built by operator, deletionPolicy: Delete,
    build: {dockerfile: \"FROM docker.io/library/python:3.11\\n\", args: {PY_VERSION: '3.11'}, builder: {acr: {cpu: 2, timeout: 1h}}}}";

const CONDA: &str = "{workspaceRef: {name: prod}, azureName: churn-conda, conda: {
    image: 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest', builder: {azureml: {}},
    file: \"channels:\\n- conda-forge\\ndependencies:\\n- python=3.11\\n- pip\\n- pip:\\n  - scikit-learn==1.5.2\\nname: churn\\n\"}}";

fn environments(all: &mut All) -> Result<()> {
    let refs = environment::Refs::new(workspace(), owner("churn-py"));
    let given: MLEnvironment = object(
        "churn-py",
        "{workspaceRef: {name: prod}, azureName: churn-py, description: built by operator, image: 'acrmlops.azurecr.io/mlops/churn-py:1',
          tags: {mlops.example.com/owner: ns1.env1}}",
    )?;
    let digest = "sha256:9f2c1a7b0000000000000000000000000000000000000000000000000000abcd";
    let seen = environment::Seen { digest: Some(digest.to_owned()), ..environment::Seen::default() };
    add(all, "environment-image", plan(&given, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)?;

    let left: MLEnvironment = object("churn-conda", CONDA)?;
    add(all, "environment-conda", plan(&left, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)?;

    let built: MLEnvironment = object("churn-py", BUILD)?;
    let seen = environment::Seen::default();
    let put = only(plan(&built, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)?;
    all.insert("acr-taskRun", Request::of(&put, "source/202601020000/0f.tar.gz"));

    let properties = json!({"image": "x", "osType": "Linux", "isArchived": false, "isAnonymous": false, "tags": ours("churn-py"),
        "environmentType": "UserCreated", "provisioningState": "Succeeded"});
    let version = environment::Version { name: "1".into(), body: json!({"properties": properties}) };
    let address =
        environment::Address { id: environment::id(&built, &workspace().id), owner: owner("churn-py") };
    add(all, "environment-archive", built.farewell(&address, &vec![version], &ask()))
}

fn data_assets(all: &mut All) -> Result<()> {
    let churn: MLData = object(
        "churn-data",
        "{workspaceRef: {name: prod}, azureName: churn-data, type: uri_folder, path: 'azureml://datastores/workspaceblobstore/paths/churn/v3/'}",
    )?;
    let refs = data::Refs { workspace: workspace(), owner: owner("churn-data"), sources: Sources::default() };
    add(all, "data-asset", plan(&churn, &refs, &None, &ask()).map_err(anyhow::Error::msg)?)
}

pub fn pipeline_of(spec: &str) -> Result<MLPipeline> {
    object("pipeline1", &spec.replace("ENVIRONMENT", &id("environments/churn-py/versions/1")))
}

pub fn pipeline_refs() -> pipeline::Refs {
    let (environments, computes) = (BTreeMap::new(), BTreeMap::new());
    pipeline::Refs {
        pins: Pins::default(),
        sources: Sources::default(),
        data: BTreeMap::new(),
        pipelines: BTreeMap::new(),
        workspace: workspace(),
        owner: owner("pipeline1"),
        environments,
        computes,
        deployments: pipeline::Deployments::Text,
    }
}

pub fn nothing_seen() -> pipeline::Seen {
    let publication = Publication { endpoint: Some(endpoint()), is_complete: true, ..Publication::default() };
    pipeline::Seen::of(Presence::Absent, publication)
}

fn endpoint() -> Value {
    json!({
        "name": "churn-ep", "location": "westeurope", "tags": ours("pipeline1"), "kind": null,
        "properties": {"authMode": "aadToken", "provisioningState": "Succeeded", "scoringUri": "https://x/jobs", "properties": {}, "defaults": null},
    })
}

/// The same, whose first step is the captured component: it has one input more.
fn pipeline_with_mode() -> Result<MLPipeline> {
    let spec = COMPONENTS.replace("azureName: churn_pipeline", "azureName: churn");
    let spec = spec.replace(" --out", " $[[--mode ${{inputs.mode}}]] --out");
    let mut pipeline = pipeline_of(&spec)?;
    let mode = json!({"type": "string", "optional": true, "enum": ["fast", "full"]});
    pipeline.spec.inputs.insert("mode".into(), serde_json::from_value(mode)?);
    let prep = pipeline.spec.steps.first_mut().context("no steps")?;
    prep.inputs.insert("mode".into(), Literal::Text("${{parent.inputs.mode}}".into()));
    Ok(pipeline)
}

pub fn decide(pipeline: &MLPipeline, seen: &pipeline::Seen) -> Result<Plan> {
    plan(pipeline, &pipeline_refs(), seen, &ask()).map_err(anyhow::Error::msg)
}

fn components(all: &mut All) -> Result<()> {
    let (pipeline, with_mode) = (pipeline_of(COMPONENTS)?, pipeline_with_mode()?);
    let mut seen = nothing_seen();
    let first = decide(&with_mode, &seen)?;
    let upload = first.actions.iter().find(|action| matches!(action, Action::Upload { .. }));
    let place = "https://stmlops.blob.core.windows.net/cccccccc-abc-codes/py";
    all.insert("code-upload", Request::of(upload.context("nothing is uploaded")?, place));

    let wanted = with_mode.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    let code = ArmId::parse(&id("codes/99e3302e-66ea-4283-9619-d3d71027f6ff/versions/1"))?;
    seen.codes = wanted.codes().iter().map(|one| (one.hash.clone(), code.clone())).collect();
    let second = decide(&with_mode, &seen)?;
    let prep = second.actions.iter().find(|action| action.target().to_string().contains("_prep/"));
    all.insert("component-prep", Request::of(prep.context("no component for prep")?, ""));

    seen.steps = ["prep", "train"].map(|name| (name.to_owned(), Presence::Here)).into();
    add(all, "pipeline-component", decide(&pipeline, &seen)?)?;

    seen.whole = Presence::Here;
    add(all, "batch-deployment-pipeline", decide(&pipeline, &seen)?)
}

fn endpoints(all: &mut All) -> Result<()> {
    let mut pipeline = pipeline_of(COMPONENTS)?;
    let wanted = pipeline.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    let mut seen = pipeline::Seen { whole: Presence::Here, ..nothing_seen() };
    let name = azureml_plan::publish::deployment_name(&wanted);
    let deployment =
        json!({"name": name, "tags": ours("pipeline1"), "properties": {"provisioningState": "Succeeded"}});
    seen.publication.deployments = vec![deployment];
    add(all, "batch-endpoint-default", decide(&pipeline, &seen)?)?;

    pipeline.spec.description = Some("churn pipeline REST endpoint".into());
    seen.publication = Publication::default();
    add(all, "batch-endpoint", decide(&pipeline, &seen)?)
}

/// The pipeline's version, as a run or a schedule finds it, and the nodes that its component holds.
fn version() -> Result<(azureml_crds::ml_pipeline::Current, Value)> {
    let wanted = pipeline_of(PIPELINE)?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    Ok((wanted.current, wanted.body["properties"]["componentSpec"]["jobs"].clone()))
}

/// A job that names a component, as one that has the component's nodes itself.
pub fn inline(put: &Action, nodes: Value) -> Result<Request> {
    let Action::Put { id, body } = put else { anyhow::bail!("no PUT: {put:?}") };
    let mut body = body.clone();
    body["properties"].as_object_mut().context("no properties")?.remove("componentId");
    body["properties"]["jobs"] = nodes;
    Ok(Request::of(&Action::Put { id: id.clone(), body }, ""))
}

fn jobs(all: &mut All) -> Result<()> {
    let (current, nodes) = version()?;
    let refs = run::Refs {
        pins: Pins::default(),
        workspace: workspace(),
        owner: owner("pipeline1"),
        current: current.clone(),
    };
    let mut run: MLRun = object("churn-1", "{pipelineRef: {name: churn}, inputs: {threshold: 0.7}}")?;
    run.status = Some(azureml_crds::ml_run::MLRunStatus { pipeline: Some(current), ..Default::default() });
    let mut seen = run::Seen::default();
    let put = only(plan(&run, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)?;
    all.insert("pipeline-from-component", Request::of(&put, ""));
    run.spec.inputs = Some(BTreeMap::from([("threshold".to_owned(), json!(0.5))]));
    let put = only(plan(&run, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)?;
    all.insert("pipeline-multistep", inline(&put, nodes)?);
    run.spec.cancel = Some(true);
    seen.job = Some(json!({"properties": {"status": "Running"}}));
    add(all, "job-cancel", plan(&run, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)
}

fn schedules(all: &mut All) -> Result<()> {
    let nightly = "{pipelineRef: {name: churn}, azureName: churn-nightly, cron: '0 3 * * *', timeZone: W. Europe Standard Time, startTime: '2026-01-10T00:00:00',
        endTime: '2027-01-10T00:00:00', description: managed by operator, inputs: {threshold: 0.5}, tags: {mlops.example.com/owner: ns1.sched1}}";
    let weekly = "{pipelineRef: {name: churn-scheduled}, azureName: churn-weekly, timeZone: Pacific Standard Time, startTime: '2026-01-10T00:00:00', inputs: {threshold: 0.7},
        recurrence: {frequency: Week, interval: 1, hours: [4, 5], minutes: [0, 30], weekDays: [Monday, Friday]}}";
    let daily =
        "{pipelineRef: {name: churn}, azureName: churn-comp-nightly, timeZone: UTC, inputs: {threshold: 0.7},
        recurrence: {frequency: Day, interval: 1, hours: [3], minutes: [15]}}";
    let body = put_schedule(all, "schedule-cron", ("nightly", nightly))?;
    put_schedule(all, "schedule-recurrence", ("weekly", weekly))?;
    put_schedule(all, "schedule-pipeline-component", ("daily", daily))?;

    let schedule: MLSchedule = object("nightly", nightly)?;
    let address = schedule::Address { id: schedule::id(&schedule, &workspace().id), owner: owner("nightly") };
    let mut have = body;
    have["properties"]["provisioningState"] = json!("Succeeded");
    add(all, "schedule-disable", schedule.farewell(&address, &Some(have.clone()), &ask()))?;
    have["properties"]["isEnabled"] = json!(false);
    add(all, "schedule-delete", schedule.farewell(&address, &Some(have), &ask()))
}

fn put_schedule(all: &mut All, golden: &'static str, (name, spec): (&str, &str)) -> Result<Value> {
    let refs = schedule::Refs {
        pins: Pins::default(),
        workspace: workspace(),
        owner: owner(name),
        current: version()?.0,
        form: Form::Component,
        runs: Vec::new(),
    };
    let mut schedule: MLSchedule = object(name, spec)?;
    let mut status = azureml_crds::ml_schedule::MLScheduleStatus::default();
    status.common.azure_id = Some(schedule::id(&schedule, &workspace().id).to_string());
    schedule.status = Some(status);
    let put = only(plan(&schedule, &refs, &schedule::Seen::default(), &ask()).map_err(anyhow::Error::msg)?)
        .context(golden)?;
    all.insert(golden, Request::of(&put, ""));
    let Action::Put { body, .. } = put else { anyhow::bail!("no PUT") };
    Ok(body)
}
