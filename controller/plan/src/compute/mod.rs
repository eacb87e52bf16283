//! MLCompute: an AmlCompute cluster, made, changed in place, put back, and removed only when nobody uses it.
//!
//! Source: Azure REST API, `Compute_CreateOrUpdate` ("This call will overwrite a compute if it exists") and `Compute_Update`.

mod allocation;
mod body;
mod change;
mod leave;
mod shown;
mod wanted;

use self::body::{body, content_hash};
pub use self::change::is_overwritten;
use self::change::{drift, is_mutable, update};
pub use self::leave::Address;
use self::shown::{first_error, nodes};
pub use self::wanted::{Refs, Wanted};
use crate::action::{Action, Failed, Next, Plan, Verdict};
use crate::diff::Difference;
use crate::grants::Rights;
use crate::invalid::InvalidSpec;
use crate::owner::{Belongs, is_foreign};
use crate::reasons::{Reason, Word};
use crate::settle::{Differing, list};
use crate::taken::taken;
use crate::{Decide, View, failure, names, tags};
use azureml_client::ArmId;
use azureml_client::words::{LONGEST, cut, says_quota};
use azureml_crds::MLCompute;
use azureml_crds::ml_compute::MLComputeStatus;
use azureml_crds::shared::Common;
use jiff::Timestamp;
use serde_json::Value;

/// The cluster's id: names alone decide it.
#[must_use]
pub fn id(compute: &MLCompute, workspace: &ArmId) -> ArmId {
    let (namespace, name) = (compute.metadata.namespace.as_deref(), compute.metadata.name.as_deref());
    let generated =
        || names::generated(names::COMPUTE, namespace.unwrap_or_default(), name.unwrap_or_default());
    workspace.child("computes", &compute.spec.azure_name.clone().unwrap_or_else(generated))
}

/// Code on the cluster runs with its identities, and in its network.
fn granted(compute: &MLCompute, rights: &Rights) -> Result<(), InvalidSpec> {
    let spec = &compute.spec;
    let parsed = |field: &str, text: &str| {
        ArmId::parse(text).map_err(|error| InvalidSpec::new(field, error.to_string()))
    };
    for id in spec.identity.iter().flat_map(|identity| &identity.user_assigned) {
        rights.identity(&parsed("identity.userAssigned", id)?)?;
    }
    spec.subnet_id.as_deref().map_or(Ok(()), |id| rights.subnet(&parsed("subnetId", id)?))
}

impl Decide for MLCompute {
    type Status = MLComputeStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Option<Value>;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        tags::unique(&self.spec.tags)?;
        granted(self, &refs.workspace.rights)?;
        let body = body(&self.spec, refs)?;
        Ok(Wanted { id: id(self, &refs.workspace.id), body, hash: content_hash(&self.spec) })
    }

    fn plan(&self, view: View<'_, Self>) -> Plan {
        let View { refs, wanted, seen, ask } = view;
        let Some(have) = seen else { return create(wanted) };
        let is_adopted = match refs.owner.of(&have["tags"]) {
            Belongs::Us | Belongs::Inherited => true,
            Belongs::Another(owner) => {
                return taken(&wanted.id, &owner, "give this object another azureName");
            }
            Belongs::Nobody => self.spec.adopt == Some(true),
        };
        let drift = drift(wanted, have);
        if !is_adopted {
            return foreign(self, wanted, &drift, ask.now);
        }
        match have["properties"]["provisioningState"].as_str().unwrap_or("Succeeded") {
            "Succeeded" => {}
            "Failed" | "Canceled" => {
                let put = Action::Put { id: wanted.id.clone(), body: wanted.body.clone() };
                let last = common(self).and_then(|common| common.last_failure.as_ref());
                return failure::retry(why_failed(have), put, last, ask);
            }
            "Creating" => return Plan::say(creating(), Next::Look),
            state => {
                return Plan::say(
                    Verdict::working(Word::passed_on(state), format!("the cluster is {state}")),
                    Next::Look,
                );
            }
        }
        if let Some(fixed) = drift.iter().find(|difference| !is_mutable(&difference.path)) {
            let message = format!(
                "{} of {} is {} and cannot be changed to {}; make a new MLCompute, or delete the cluster",
                fixed.path, wanted.id, fixed.have, fixed.want
            );
            return Plan {
                drift: list(common(self), &drift, ask.now),
                ..Plan::say(Verdict::stalled(Reason::CANNOT_CHANGE, message), Next::Tick)
            };
        }
        settle(self, view, have, &drift)
    }

    fn facts(&self, View { refs, wanted, seen, .. }: View<'_, Self>, _: &Plan) -> MLComputeStatus {
        let mut status = self.status.clone().unwrap_or_default();
        status.common.azure_id = Some(wanted.id.to_string());
        // As many as status holds.
        status.used_by = refs.used_by.iter().take(1000).cloned().collect();
        let Some(have) = seen else { return status };
        let inner = &have["properties"]["properties"];
        status.provisioning_state = have["properties"]["provisioningState"].as_str().map(str::to_owned);
        let allocation = inner["allocationState"].as_str().map(str::to_owned);
        // Node counts move by themselves; a status that followed them would be written for ever.
        if allocation != status.allocation_state || status.nodes.is_none() {
            status.nodes = allocation.as_ref().map(|_| nodes(inner));
            status.allocation_state = allocation;
        }
        status
    }
}

fn creating() -> Verdict {
    Verdict::working(Reason::CREATING, "the cluster is being made")
}

fn create(wanted: &Wanted) -> Plan {
    let put = Action::Put { id: wanted.id.clone(), body: wanted.body.clone() };
    Plan::send(vec![put], creating(), Next::Look)
}

/// A cluster that nobody's operator made: used as it is, never written.
fn foreign(compute: &MLCompute, wanted: &Wanted, drift: &[Difference], now: Timestamp) -> Plan {
    let message = format!(
        "{} was not made by this object, so it is used as it is; set adopt: true to take it over",
        wanted.id
    );
    let drift: Vec<Difference> = drift
        .iter()
        .filter(|difference| !difference.path.starts_with("tags.azureml-operator-"))
        .cloned()
        .collect();
    Plan {
        drift: list(common(compute), &drift, now),
        ..Plan::say(Verdict::ready(Reason::NOT_OWNED, message), Next::Tick)
    }
}

/// What the cluster has that the spec does not name, and that is not granted: it was, or somebody gave it to the cluster in Azure.
fn surplus(compute: &MLCompute, have: &Value, rights: &Rights) -> Option<Verdict> {
    let spec = &compute.spec;
    let there = have["identity"]["userAssignedIdentities"].as_object();
    let identities = there.into_iter().flatten().map(|(id, _)| id.as_str());
    let identities = identities.filter(|_| spec.identity.is_none()).filter_map(|id| ArmId::parse(id).ok());
    let subnet = have["properties"]["properties"]["subnet"]["id"].as_str();
    let subnet = subnet.filter(|_| spec.subnet_id.is_none()).and_then(|id| ArmId::parse(id).ok());
    let refused = identities.map(|id| rights.identity(&id)).chain(subnet.map(|id| rights.subnet(&id)));
    let refused = refused.into_iter().find_map(Result::err)?;
    let message = format!(
        "the cluster still has it: {}; or write identity: {{type: None}}, or delete the cluster",
        refused.message
    );
    Some(Verdict::stalled(refused.reason, message))
}

fn settle(compute: &MLCompute, view: View<'_, MLCompute>, have: &Value, drift: &[Difference]) -> Plan {
    let View { refs, wanted, ask, .. } = view;
    if drift.is_empty() {
        if let Some(verdict) = surplus(compute, have, &refs.workspace.rights) {
            return Plan::say(verdict, Next::Tick);
        }
        if let Some(verdict) = allocation::trouble(have) {
            return Plan { applied: Some(wanted.hash.clone()), ..Plan::say(verdict, Next::Tick) };
        }
        let plan =
            Plan::say(Verdict::ready(Reason::SUCCEEDED, "the cluster is as the spec says"), Next::Tick);
        return Plan { applied: Some(wanted.hash.clone()), ..plan };
    }
    let (common, policy) = (common(compute), compute.spec.drift_policy);
    let differing = Differing {
        common,
        policy,
        hash: &wanted.hash,
        is_foreign: is_foreign(&have["tags"]),
        is_inherited: refs.owner.of(&have["tags"]) == Belongs::Inherited,
        found: drift,
    };
    differing.plan(update(refs, wanted, have, drift), Next::Look, ask)
}

fn common(compute: &MLCompute) -> Option<&Common> {
    compute.status.as_ref().map(|status| &status.common)
}

fn why_failed(have: &Value) -> Failed {
    let inner = &have["properties"];
    let errors = [&inner["provisioningErrors"], &inner["properties"]["errors"]];
    let error = errors.iter().find_map(|list| first_error(list)).unwrap_or(&Value::Null);
    let code = error["code"].as_str().unwrap_or(Reason::PROVISIONING_FAILED.word());
    let message = cut(error["message"].as_str().unwrap_or("Azure gives no reason"), LONGEST);
    let name = have["name"].as_str().unwrap_or_default().to_owned();
    let is_quota = code.contains("Quota") || says_quota(&message, &[name]);
    Failed { reason: Word::passed_on(code), message: format!("the cluster failed: {message}"), is_quota }
}
