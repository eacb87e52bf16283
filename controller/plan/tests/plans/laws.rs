//! What holds for every manifest and every answer: nothing panics, and what was sent is not sent again.

use crate::support::{ask, id, object, owner, plan, workspace};
use anyhow::{Context as _, Result};
use azureml_client::ArmId;
use azureml_crds::ml_compute::{MLComputeSpec, MLComputeStatus};
use azureml_crds::ml_pipeline::Current;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule};
use azureml_plan::asset_name::Pins;
use azureml_plan::job::Form;
use azureml_plan::pipeline::Presence;
use azureml_plan::publish::Publication;
use azureml_plan::source::Sources;
use azureml_plan::{
    Action, Ask, Decide, Leave as _, View, compute, data, environment, pipeline, run, schedule,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Words that decisions look for.
const WORDS: &[&str] =
    &["Succeeded", "Failed", "Creating", "Canceled", "Running", "Completed", "2026-01-05T06:00:00Z"];
/// Keys that decisions look at.
const KEYS: &str = "properties tags provisioningState status error errors code message name value image isArchived isEnabled identity \
    userAssignedIdentities scaleSettings maxNodeCount vmSize runResult runId startTime systemData createdAt defaults deploymentName scoringUri \
    trigger action outputs uri provisioningErrors azureml-operator-owner nodeStateCounts";

/// Any answer of Azure, also a nonsensical one.
fn answer() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z0-9:T/@.-]{0,30}".prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
    ];
    let keys = prop::sample::select(KEYS.split_whitespace().collect::<Vec<_>>());
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same, carried by an owner of ours, so that decisions look deeper.
fn ours(name: &'static str) -> impl Strategy<Value = Value> {
    answer().prop_map(move |mut value| {
        if value.is_object() {
            let tags = json!(owner(name).tags(&BTreeMap::new()));
            value["tags"] = tags.clone();
            if value["properties"].is_object() {
                value["properties"]["tags"] = tags;
            }
        }
        value
    })
}

fn asked() -> impl Strategy<Value = Ask> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(requested, is_new_generation, may_appear)| Ask {
        requested: requested.then(|| "now".to_owned()),
        is_new_generation,
        may_appear,
        ..ask()
    })
}

/// Decides and reports; both have to end.
fn decide<K: Decide>(object: &K, refs: &K::Refs, seen: &K::Seen, ask: &Ask) -> Result<K::Status> {
    let wanted = object.wanted(refs).map_err(anyhow::Error::msg)?;
    let view = View { refs, wanted: &wanted, seen, ask };
    let plan = object.plan(view);
    Ok(object.facts(view, &plan))
}

fn current() -> Result<Current> {
    let settings = json!({"continueOnStepFailure": false, "forceRerun": false});
    Ok(serde_json::from_value(json!({
        "version": "v", "componentId": id("components/p/versions/v"), "settings": settings, "inputs": {}, "outputs": {},
    }))?)
}

fn compute_refs() -> compute::Refs {
    compute::Refs { workspace: workspace(), owner: owner("x"), used_by: Vec::new(), scales_by_patch: true }
}

fn cluster() -> impl Strategy<Value = MLComputeSpec> {
    let size = prop::sample::select(vec!["Standard_DS3_v2", "STANDARD_NC6S_V3"]);
    let tags = prop::collection::btree_map("[a-z]{1,5}", "[a-z]{0,5}", 0..4);
    let idle = prop::option::of("[1-9][0-9]{0,2}m");
    (size, tags, 0_i32..10, 0_i32..10, idle, any::<Option<bool>>(), any::<bool>()).prop_filter_map(
        "a spec that the definition describes",
        |(size, tags, min, more, idle, public_ip, low)| {
            let mut spec = json!({
                "workspaceRef": {"name": "prod"}, "vmSize": size, "tags": tags, "publicIp": public_ip,
                "scale": {"min": min, "max": min + more, "idle": idle},
            });
            if low {
                spec["priority"] = json!("LowPriority");
                spec["identity"] = json!({"type": "SystemAssigned"});
                spec["location"] = json!("northeurope");
                spec["ssh"] =
                    json!({"adminUserName": "me", "publicKey": "ssh-rsa AAAA me", "publicAccess": public_ip});
            }
            serde_json::from_value(spec).ok()
        },
    )
}

/// Any MLData, of few addresses, so that two are often of one.
fn any_data() -> impl Strategy<Value = MLData> {
    let r#type = prop::sample::select(vec!["uri_file", "uri_folder", "mltable"]);
    let path = prop::sample::select(vec!["azureml://datastores/d/paths/a", "https://x/a", "wasbs://c@x/A"]);
    let (tags, description) =
        (prop::collection::btree_map("[a-z]{1,5}", "[a-z]{0,5}", 0..4), prop::option::of("[a-z]{0,5}"));
    let all = (r#type, path, tags, description);
    all.prop_filter_map("a spec that the definition describes", |(r#type, path, tags, description)| {
        let spec = json!({"workspaceRef": {"name": "p"}, "type": r#type, "path": path, "tags": tags, "description": description});
        Some(MLData::new("x", serde_json::from_value(spec).ok()?))
    })
}

/// What Azure keeps of a body, as far as decisions can tell.
fn kept(body: &Value) -> Value {
    let mut have = body.clone();
    have["properties"]["provisioningState"] = json!("Succeeded");
    have
}

proptest! {
    #[test]
    fn a_cluster_that_was_made_is_left_alone(spec in cluster()) {
        let compute = MLCompute { metadata: object::<MLCompute>("x", "{workspaceRef: {name: p}, vmSize: S, scale: {max: 1}}").unwrap().metadata, spec, status: None };
        let made = plan(&compute, &compute_refs(), &None, &ask()).unwrap();
        let Some(Action::Put { body, .. }) = made.actions.first() else { panic!("nothing is made: {made:?}") };
        let after = plan(&compute, &compute_refs(), &Some(kept(body)), &ask()).unwrap();
        prop_assert!(after.actions.is_empty() && after.drift.is_empty(), "{after:?}");
        prop_assert_eq!(after.verdict.reason.as_str(), "Succeeded");
        prop_assert_eq!(after.applied, Some(compute.wanted(&compute_refs()).unwrap().hash));
    }

    #[test]
    fn a_changed_cluster_is_put_right_by_one_request(old in cluster(), new in cluster()) {
        let metadata = object::<MLCompute>("x", "{workspaceRef: {name: p}, vmSize: S, scale: {max: 1}}").unwrap().metadata;
        // What cannot be changed in place is the same.
        let new = MLComputeSpec { scale: new.scale, tags: new.tags, ..old.clone() };
        let compute = |spec| MLCompute { metadata: metadata.clone(), spec, status: Some(MLComputeStatus::default()) };
        let refs = compute_refs();
        let have = kept(&compute(old).wanted(&refs).unwrap().body);
        let change = plan(&compute(new.clone()), &refs, &Some(have.clone()), &ask()).unwrap();
        let after = match change.actions.as_slice() {
            [] => have,
            [Action::Put { body, .. }] => kept(body),
            [Action::Patch { body, .. }] => {
                let mut have = have;
                have["properties"]["properties"]["scaleSettings"] = body["properties"]["properties"]["scaleSettings"].clone();
                have
            }
            more => panic!("{more:?}"),
        };
        let settled = plan(&compute(new), &refs, &Some(after), &ask()).unwrap();
        prop_assert!(settled.actions.is_empty(), "{settled:?}");
    }

    #[test]
    fn no_answer_about_a_cluster_is_too_strange(have in ours("x"), ask in asked()) {
        let compute: MLCompute = object("x", "{workspaceRef: {name: p}, vmSize: S, scale: {max: 1}, identity: {type: UserAssigned, userAssigned: [/subscriptions/a/b/c]}, deletionPolicy: Delete}").unwrap();
        decide(&compute, &compute_refs(), &Some(have.clone()), &ask).unwrap();
        let address = compute::Address { id: compute::id(&compute, &workspace().id), owner: owner("x") };
        compute.farewell(&address, &Some(have), &ask);
    }

    #[test]
    fn no_answer_about_an_environment_is_too_strange(version in ours("x"), run in answer(), which in 0..4, ask in asked()) {
        let environment: MLEnvironment = object("x", "{workspaceRef: {name: p}, build: {dockerfile: 'FROM a'}, deletionPolicy: Delete}").unwrap();
        let version = environment::Version { name: "v".into(), body: version };
        let seen = match which {
            0 => environment::Seen { version: Some(version.clone()), ..environment::Seen::default() },
            1 => environment::Seen { task_run: Some(run), ..environment::Seen::default() },
            2 => environment::Seen { registry: Some(run), ..environment::Seen::default() },
            _ => environment::Seen { version: Some(version.clone()), task_run: Some(run), tail: vec!["x".into()], digest: Some("d".into()), registry: None },
        };
        let refs = environment::Refs::new(workspace(), owner("x"));
        decide(&environment, &refs, &seen, &ask).unwrap();
        let address = environment::Address { id: environment::id(&environment, &workspace().id), owner: owner("x") };
        environment.farewell(&address, &vec![version], &ask);
    }

    #[test]
    fn data_has_one_version_for_each_content_and_what_people_read_is_changed_in_place(old in any_data(), new in any_data()) {
        let refs = data::Refs { workspace: workspace(), owner: owner("x"), sources: Sources::default() };
        let made = plan(&old, &refs, &None, &ask()).unwrap();
        let [Action::Put { id, body }] = made.actions.as_slice() else { panic!("nothing is made: {made:?}") };
        let is_same = (old.spec.r#type, &old.spec.path) == (new.spec.r#type, &new.spec.path);
        prop_assert_eq!(*id == new.wanted(&refs).unwrap().id, is_same);
        let after = plan(&old, &refs, &Some(kept(body)), &ask()).unwrap();
        prop_assert!(after.actions.is_empty() && after.drift.is_empty(), "{after:?}");
        prop_assert_eq!(after.verdict.reason.as_str(), "Succeeded");
        if is_same {
            let change = plan(&new, &refs, &Some(kept(body)), &ask()).unwrap();
            let have = match change.actions.as_slice() {
                [] => kept(body),
                [Action::Put { id: changed, body }] if changed == id => kept(body),
                more => panic!("{more:?}"),
            };
            prop_assert!(plan(&new, &refs, &Some(have), &ask()).unwrap().actions.is_empty());
        }
    }

    #[test]
    fn no_answer_about_data_is_too_strange(have in ours("x"), ask in asked()) {
        let data: MLData = object("x", "{workspaceRef: {name: p}, type: mltable, path: 'https://x/y', deletionPolicy: Delete}").unwrap();
        let refs = data::Refs { workspace: workspace(), owner: owner("x"), sources: Sources::default() };
        decide(&data, &refs, &Some(have.clone()), &ask).unwrap();
        let address = data::Address { id: data::id(&data, &workspace().id), owner: owner("x") };
        data.farewell(&address, &vec![environment::Version { name: "v".into(), body: have }], &ask);
    }

    #[test]
    fn no_answer_about_an_endpoint_is_too_strange(endpoint in ours("x"), deployments in prop::collection::vec(ours("x"), 0..4), is_complete in any::<bool>(), ask in asked()) {
        let pipeline: MLPipeline = object("x", "{workspaceRef: {name: p}, publish: {endpoint: ep}, defaults: {compute: {name: c}, environment: {id: /e}}, steps: [{name: a, command: b}]}").unwrap();
        let refs = pipeline::Refs { pins: Pins::default(), sources: Sources::default(), pipelines: BTreeMap::new(), workspace: workspace(), owner: owner("x"), environments: BTreeMap::new(), computes: BTreeMap::new(), data: BTreeMap::new(), deployments: pipeline::Deployments::Text };
        let publication = Publication { endpoint: Some(endpoint.clone()), deployments, is_complete, strays: Vec::new(), is_awaited: false };
        let seen = pipeline::Seen::of(Presence::Here, publication);
        decide(&pipeline, &refs, &seen, &ask).unwrap();
        let archived = Presence::Archived(endpoint.clone());
        decide(&pipeline, &refs, &pipeline::Seen { whole: archived, ..seen }, &ask).unwrap();
        let versions = vec![environment::Version { name: "v".into(), body: endpoint.clone() }];
        let left = pipeline::Left { endpoints: vec![(workspace().id, endpoint)], components: vec![(workspace().id, versions)] };
        pipeline.farewell(&pipeline::Address { workspace: workspace().id, owner: owner("x") }, &left, &ask);
    }

    #[test]
    fn no_answer_about_a_job_is_too_strange(job in answer(), children in prop::collection::vec(answer(), 0..4), details in answer(), ask in asked()) {
        let mut run: MLRun = object("x", "{pipelineRef: {name: p}, ttlAfterFinished: 1h}").unwrap();
        run.status = Some(azureml_crds::ml_run::MLRunStatus { pipeline: Some(current().unwrap()), ..Default::default() });
        let refs = run::Refs { pins: Pins::default(), workspace: workspace(), owner: owner("x"), current: current().unwrap() };
        decide(&run, &refs, &run::Seen::default(), &ask).unwrap();
        let seen = run::Seen { job: Some(job.clone()), children: Some(children), details: Some(details), is_followed: true };
        decide(&run, &refs, &seen, &ask).unwrap();
        run.farewell(&run::Address { id: run::id(&run, &workspace().id), owner: owner("x") }, &Some(job), &ask);
    }

    #[test]
    fn no_answer_about_a_schedule_is_too_strange(have in ours("x"), by_component in any::<bool>(), ask in asked()) {
        let mut schedule: MLSchedule = object("x", "{pipelineRef: {name: p}, cron: '0 6 * * *'}").unwrap();
        let refs = schedule::Refs { pins: Pins::default(), workspace: workspace(), owner: owner("x"), current: current().unwrap(), form: if by_component { Form::Component } else { Form::Node }, runs: Vec::new() };
        let mut status = azureml_crds::ml_schedule::MLScheduleStatus::default();
        status.common.azure_id = Some(schedule::id(&schedule, &workspace().id).to_string());
        schedule.status = Some(status);
        decide(&schedule, &refs, &schedule::Seen { schedule: Some(have.clone()), ..Default::default() }, &ask).unwrap();
        let address = schedule::Address { id: schedule::id(&schedule, &workspace().id), owner: owner("x") };
        schedule.farewell(&address, &Some(have), &ask);
    }

    #[test]
    fn a_dockerfile_of_any_content_decides_its_build_alone(a in "(?s).{0,40}", b in "(?s).{0,40}") {
        let name = |dockerfile: &str| {
            let spec = json!({"workspaceRef": {"name": "p"}, "build": {"dockerfile": dockerfile}});
            environment::content_name(&serde_json::from_value(spec).unwrap(), None, &environment::Images::default())
        };
        prop_assert_eq!(name(&a) == name(&b), a == b);
    }
}

/// Every id that a plan writes is below the workspace or its registry: nothing else is ever changed.
#[test]
fn only_what_is_below_the_workspace_or_its_registry_is_written() -> Result<()> {
    let registry = workspace().registry.context("no registry")?.resource_id;
    let allowed = [workspace().id, ArmId::parse(&registry)?].map(|id| id.to_string());
    for (name, request) in crate::requests::all()? {
        assert!(
            allowed.iter().any(|id| request.path().starts_with(id.as_str())),
            "{name}: {}",
            request.path()
        );
    }
    Ok(())
}
