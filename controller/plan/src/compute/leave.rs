//! How a cluster is taken leave of: kept, or deleted when nobody uses it and no node works.

use super::shown::nodes;
use crate::Leave;
use crate::action::{Action, Next, Plan, Verdict};
use crate::context::Ask;
use crate::owner::{Belongs, Owner};
use crate::reasons::Reason;
use azureml_client::ArmId;
use azureml_crds::MLCompute;
use azureml_crds::shared::DeletionPolicy;
use serde_json::Value;

/// What is known of a cluster that goes.
#[derive(Clone, Debug)]
pub struct Address {
    /// The cluster.
    pub id: ArmId,
    /// This object as an owner.
    pub owner: Owner,
}

impl Leave for MLCompute {
    type Address = Address;
    type Left = Option<Value>;

    fn farewell(&self, address: &Address, left: &Option<Value>, _: &Ask) -> Plan {
        let wait =
            |reason: Reason, message: String, next: Next| Plan::say(Verdict::working(reason, message), next);
        let stays = || Plan::leave("the cluster stays in Azure");
        if self.spec.deletion_policy != Some(DeletionPolicy::Delete) {
            return stays();
        }
        let Some(have) = left else { return Plan::absent("the cluster is gone") };
        if address.owner.of(&have["tags"]) != Belongs::Us {
            return stays();
        }
        if have["properties"]["provisioningState"] == "Deleting" {
            return wait(Reason::DELETING, "the cluster is being removed".into(), Next::Look);
        }
        let nodes = nodes(&have["properties"]["properties"]);
        if nodes.running + nodes.preparing > 0 {
            let message = format!(
                "{} nodes are at work; deletion continues once they are idle",
                nodes.running + nodes.preparing
            );
            return wait(Reason::IN_USE, message, Next::Look);
        }
        let delete =
            Action::Delete { id: address.id.clone(), query: vec![("underlyingResourceAction", "Delete")] };
        Plan::send(
            vec![delete],
            Verdict::working(Reason::DELETING, "the cluster is being removed"),
            Next::Look,
        )
    }
}
