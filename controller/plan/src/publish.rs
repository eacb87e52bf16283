//! The endpoint of a pipeline: made once, a new deployment for every version, the default moved only when it works.
//!
//! Source: Azure REST API, `BatchEndpoints_CreateOrUpdate`, `BatchDeployments_CreateOrUpdate` (deployments are never changed).

use crate::action::{Action, Failed, Next, Plan, Verdict};
use crate::context::Ask;
use crate::owner::{Belongs, Owner, is_foreign};
use crate::pipeline::{Refs, Wanted};
use crate::reasons::Reason;
use crate::taken::taken;
use crate::{endpoint, failure, hash, names};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::EndpointStatus;
use serde_json::{Value, json};

/// What Azure has of a publication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Publication {
    /// The endpoint that the spec names.
    pub endpoint: Option<Value>,
    /// Its deployments; empty where they need not be looked at ([`needs_deployments`]).
    pub deployments: Vec<Value>,
    /// Whether the endpoint is being made by us and was not looked at.
    pub is_awaited: bool,
    /// Whether the deployments were looked at.
    pub is_complete: bool,
    /// Endpoints that carry our owner and are not the spec's.
    pub strays: Vec<(ArmId, Value)>,
}

/// Azure's cap, less one for the deployment that is being made.
const MOST_DEPLOYMENTS: usize = 19;
const DEFAULT_KEEP: usize = 2;

/// A plan when the endpoint is not ours to write.
#[must_use]
pub fn refused(wanted: &Wanted, owner: &Owner, seen: &Publication) -> Option<Plan> {
    let (id, endpoint) = (wanted.endpoint.as_ref()?, seen.endpoint.as_ref()?);
    match owner.of(&endpoint["tags"]) {
        Belongs::Us | Belongs::Inherited => None,
        Belongs::Nobody => {
            let message = format!(
                "{id} was not made by this object; make a new MLPipeline with another publish.endpoint, or delete the endpoint"
            );
            Some(Plan::say(Verdict::stalled(Reason::NOT_OWNED, message), Next::Again))
        }
        Belongs::Another(owner) => {
            Some(taken(id, &owner, "make a new MLPipeline with another publish.endpoint"))
        }
    }
}

/// The endpoint, where it is not there yet.
#[must_use]
pub fn create_endpoint(
    pipeline: &MLPipeline,
    refs: &Refs,
    wanted: &Wanted,
    seen: &Publication,
) -> Option<Action> {
    let id = wanted.endpoint.as_ref()?;
    let is_missing = seen.endpoint.is_none() && !seen.is_awaited;
    is_missing.then(|| Action::Put { id: id.clone(), body: endpoint::made(pipeline, refs, &wanted.tags) })
}

/// The id of the deployment of the current version, below its endpoint.
#[must_use]
pub fn deployment_id(endpoint: &ArmId, wanted: &Wanted) -> ArmId {
    endpoint.child("deployments", &deployment_name(wanted))
}

/// The deployment of the current version.
#[must_use]
pub fn deployment_name(wanted: &Wanted) -> String {
    let content =
        json!({"componentId": wanted.current.component_id, "settings": wanted.current.settings.counted()});
    names::deployment(&hash::content("deployment", &content))
}

fn deployment_body(pipeline: &MLPipeline, refs: &Refs, wanted: &Wanted) -> Value {
    let settings = &wanted.current.settings;
    let flag = |is_set| refs.deployments.flag(is_set);
    let mut values = json!({"continue_on_step_failure": flag(settings.continue_on_step_failure)});
    if settings.force_rerun {
        values["force_rerun"] = flag(true);
    }
    for (key, id) in
        [("default_compute", &settings.default_compute), ("default_datastore", &settings.default_datastore)]
    {
        if let Some(id) = id {
            values[key] = json!(id);
        }
    }
    let mut configuration = json!({
        "deploymentConfigurationType": "PipelineComponent",
        "componentId": {"referenceType": "Id", "assetId": wanted.current.component_id},
        "settings": values,
        "tags": wanted.tags,
    });
    if let Some(description) = &pipeline.spec.description {
        configuration["description"] = json!(description);
    }
    json!({"location": refs.workspace.region, "tags": wanted.tags, "properties": {"deploymentConfiguration": configuration}})
}

/// Everything is registered: publish it, or say that all is done.
#[must_use]
pub fn plan(pipeline: &MLPipeline, refs: &Refs, wanted: &Wanted, seen: &Publication, ask: &Ask) -> Plan {
    let Some(id) = &wanted.endpoint else {
        return ready(wanted, format!("version {} is registered", wanted.current.version));
    };
    let put_endpoint = || Action::Put { id: id.clone(), body: endpoint::made(pipeline, refs, &wanted.tags) };
    let name = deployment_name(wanted);
    let put_deployment =
        || Action::Put { id: id.child("deployments", &name), body: deployment_body(pipeline, refs, wanted) };
    let making = |what: String| Verdict::working(Reason::PUBLISHING, format!("{what} is being made"));
    let Some(found) = &seen.endpoint else {
        return Plan::send(vec![put_endpoint()], making("the endpoint".into()), Next::Look);
    };
    if refs.owner.of(&found["tags"]) == Belongs::Inherited && state(found) == "Succeeded" {
        return take_over(id, found, wanted);
    }
    if !seen.is_complete {
        return served(wanted, found);
    }
    let deployment = seen.deployments.iter().find(|one| one["name"].as_str() == Some(&name));
    match (state(found), deployment.map(|one| (one, state(one)))) {
        ("Failed" | "Canceled", _) => failed(pipeline, put_endpoint(), "the endpoint", found, ask),
        (_, Some((one, "Failed" | "Canceled"))) => {
            failed(pipeline, put_deployment(), "the deployment", one, ask)
        }
        ("Succeeded", None) => {
            Plan::send(vec![put_deployment()], making(format!("deployment {name}")), Next::Look)
        }
        ("Succeeded", Some((_, "Succeeded"))) => flip_or_prune(pipeline, (id, found, &name), wanted, seen),
        _ => Plan::say(making(format!("deployment {name}")), Next::Look),
    }
}

/// The endpoint of a predecessor becomes this pipeline's, and serves what it served until the new deployment works.
fn take_over(id: &ArmId, found: &Value, wanted: &Wanted) -> Plan {
    let default = found["properties"]["defaults"]["deploymentName"].as_str();
    let put = Action::Put { id: id.clone(), body: endpoint::flipped(found, &wanted.tags, default) };
    let message = format!("the endpoint {} is taken over from an object that is gone", id.name());
    Plan::send(vec![put], Verdict::working(Reason::PUBLISHING, message), Next::Look)
}

fn served(wanted: &Wanted, endpoint: &Value) -> Plan {
    // Before the endpoint is made, nobody knows its address.
    let at = endpoint["properties"]["scoringUri"].as_str().map(|uri| format!(" at {uri}"));
    ready(wanted, format!("version {} is served{}", wanted.current.version, at.unwrap_or_default()))
}

fn ready(wanted: &Wanted, message: String) -> Plan {
    let plan = Plan::say(Verdict::ready(Reason::SUCCEEDED, message), Next::Tick);
    Plan { applied: Some(wanted.current.version.clone()), ..plan }
}

fn state(resource: &Value) -> &str {
    resource["properties"]["provisioningState"].as_str().unwrap_or("Succeeded")
}

fn failed(pipeline: &MLPipeline, put: Action, what: &str, resource: &Value, ask: &Ask) -> Plan {
    let failed = Failed {
        reason: Reason::PROVISIONING_FAILED.into(),
        message: format!(
            "{what} {} ended {}",
            resource["name"].as_str().unwrap_or_default(),
            state(resource)
        ),
        is_quota: false,
    };
    let last = pipeline.status.as_ref().and_then(|status| status.common.last_failure.as_ref());
    failure::retry(failed, put, last, ask)
}

fn flip_or_prune(
    pipeline: &MLPipeline,
    (id, endpoint, name): (&ArmId, &Value, &str),
    wanted: &Wanted,
    seen: &Publication,
) -> Plan {
    if endpoint["properties"]["defaults"]["deploymentName"].as_str() != Some(name) {
        let put = Action::Put { id: id.clone(), body: endpoint::flipped(endpoint, &wanted.tags, Some(name)) };
        return Plan::send(
            vec![put],
            Verdict::working(Reason::PUBLISHING, format!("{name} becomes the default")),
            Next::Look,
        );
    }
    let old = surplus(pipeline, name, &seen.deployments);
    if old.is_empty() {
        return served(wanted, endpoint);
    }
    let deletes = old
        .iter()
        .map(|name| Action::Delete { id: id.child("deployments", name), query: Vec::new() })
        .collect();
    Plan::send(
        deletes,
        Verdict::working(Reason::PRUNING, format!("old deployments are being removed: {}", old.join(", "))),
        Next::Look,
    )
}

/// How many deployments stay beside the default.
fn keep(pipeline: &MLPipeline) -> usize {
    let keep = pipeline.spec.publish.as_ref().and_then(|publish| publish.keep);
    keep.and_then(|keep| usize::try_from(keep).ok()).unwrap_or(DEFAULT_KEEP).min(MOST_DEPLOYMENTS)
}

/// The deployments that were there when they were looked at last.
fn deployments_before(pipeline: &MLPipeline) -> &[String] {
    let endpoint = pipeline.status.as_ref().and_then(|status| status.endpoint.as_ref());
    endpoint.map_or(&[], |endpoint| endpoint.deployments.as_slice())
}

/// Whether the deployments say something that the endpoint does not: one that is its default is there and never
/// changes, and where there were few, none is too many.
#[must_use]
pub fn needs_deployments(pipeline: &MLPipeline, wanted: &Wanted, endpoint: &Value) -> bool {
    let name = deployment_name(wanted);
    let before = deployments_before(pipeline);
    let is_served = endpoint["properties"]["defaults"]["deploymentName"].as_str() == Some(&name)
        && state(endpoint) == "Succeeded";
    !is_served || !before.contains(&name) || before.len() > keep(pipeline) + 1
}

/// Deployments of ours beyond `keep`, oldest first; never one in transition.
fn surplus(pipeline: &MLPipeline, current: &str, deployments: &[Value]) -> Vec<String> {
    let keep = keep(pipeline);
    let mut old: Vec<&Value> = deployments
        .iter()
        .filter(|one| one["name"].as_str() != Some(current) && !is_foreign(&one["tags"]))
        .collect();
    old.sort_by_key(|one| {
        std::cmp::Reverse(one["systemData"]["createdAt"].as_str().and_then(crate::time::timestamp))
    });
    let surplus = old.into_iter().skip(keep);
    let settled = surplus.filter(|one| matches!(state(one), "Succeeded" | "Failed" | "Canceled"));
    settled.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
}

/// Removes endpoints; their deployments go with them.
#[must_use]
pub fn remove(endpoints: &[(ArmId, Value)]) -> Plan {
    let names = endpoints.iter().map(|(id, _)| id.name()).collect::<Vec<_>>().join(", ");
    let verdict = Verdict::working(Reason::UNPUBLISHING, format!("the endpoint {names} is being removed"));
    let deletes = endpoints
        .iter()
        .filter(|(_, endpoint)| state(endpoint) != "Deleting")
        .map(|(id, _)| Action::Delete { id: id.clone(), query: Vec::new() })
        .collect();
    Plan::send(deletes, verdict, Next::Look)
}

/// What `status.endpoint` says.
#[must_use]
pub fn status(pipeline: &MLPipeline, wanted: &Wanted, seen: &Publication) -> Option<EndpointStatus> {
    let (id, endpoint) = (wanted.endpoint.as_ref()?, seen.endpoint.as_ref()?);
    let default = endpoint["properties"]["defaults"]["deploymentName"].as_str().map(str::to_owned);
    let mut deployments: Vec<String> = if seen.is_complete {
        seen.deployments.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
    } else {
        deployments_before(pipeline).to_vec()
    };
    deployments.sort_by_key(|name| (Some(name) != default.as_ref(), name.clone()));
    Some(EndpointStatus {
        name: id.name().to_owned(),
        scoring_uri: endpoint["properties"]["scoringUri"].as_str().map(str::to_owned),
        default,
        deployments,
    })
}
