//! How a pipeline is taken leave of: the endpoint goes, the components are archived.

use crate::action::{Action, Next, Plan, Verdict};
use crate::context::Ask;
use crate::environment::{Version, archive};
use crate::owner::Owner;
use crate::reasons::Reason;
use crate::{Leave, publish};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::shared::DeletionPolicy;
use serde_json::Value;

/// What is known of a pipeline that goes.
#[derive(Clone, Debug)]
pub struct Address {
    /// The workspace.
    pub workspace: ArmId,
    /// This object as an owner.
    pub owner: Owner,
}

/// What is left of a pipeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    /// Its endpoints.
    pub endpoints: Vec<(ArmId, Value)>,
    /// Its components: the container and its versions.
    pub components: Vec<(ArmId, Vec<Version>)>,
}

impl Leave for MLPipeline {
    type Address = Address;
    type Left = Left;

    fn farewell(&self, address: &Address, left: &Left, _: &Ask) -> Plan {
        if self.spec.deletion_policy == Some(DeletionPolicy::Retain) {
            return Plan::leave("the pipeline stays in Azure");
        }
        if !left.endpoints.is_empty() {
            return publish::remove(&left.endpoints);
        }
        let plans: Vec<Plan> = left
            .components
            .iter()
            .map(|(id, versions)| archive(id, &address.owner, versions, "pipeline"))
            .collect();
        let actions: Vec<Action> = plans.into_iter().flat_map(|plan| plan.actions).collect();
        if actions.is_empty() {
            return Plan::absent("the endpoint is gone and the components are archived");
        }
        Plan::send(
            actions,
            Verdict::working(Reason::ARCHIVING, "the components are being archived"),
            Next::Look,
        )
    }
}
