//! How an environment is taken leave of: kept, or its versions archived, since Azure deletes none.

use super::seen::Version;
use crate::Leave;
use crate::action::{Action, Next, Plan, Verdict};
use crate::asset::changed;
use crate::context::Ask;
use crate::owner::{Belongs, Owner};
use crate::reasons::Reason;
use azureml_client::ArmId;
use azureml_crds::MLEnvironment;
use azureml_crds::shared::DeletionPolicy;
use serde_json::json;

/// What is known of an environment that goes.
#[derive(Clone, Debug)]
pub struct Address {
    /// The environment.
    pub id: ArmId,
    /// This object as an owner.
    pub owner: Owner,
}

impl Leave for MLEnvironment {
    type Address = Address;
    type Left = Vec<Version>;

    fn farewell(&self, address: &Address, left: &Vec<Version>, _: &Ask) -> Plan {
        if self.spec.deletion_policy != Some(DeletionPolicy::Delete) {
            return Plan::leave("the environment stays in Azure");
        }
        archive(&address.id, &address.owner, left, "environment")
    }
}

/// Archives the versions of ours that are not archived yet; a plan to leave, once nothing can appear, when there are none.
#[must_use]
pub fn archive(id: &ArmId, owner: &Owner, left: &[Version], what: &str) -> Plan {
    let ours = left.iter().filter(|version| {
        let properties = &version.body["properties"];
        properties["isArchived"] != true && owner.of(&properties["tags"]) == Belongs::Us
    });
    let puts: Vec<Action> = ours
        .take(20)
        .map(|version| Action::Put {
            id: id.child("versions", &version.name),
            body: changed(&version.body["properties"], &json!({"isArchived": true})),
        })
        .collect();
    if left.is_empty() {
        return Plan::absent(format!("Azure has no {what}"));
    }
    if puts.is_empty() {
        return Plan::absent(format!("the {what} is archived"));
    }
    let verdict = Verdict::working(
        Reason::ARCHIVING,
        format!("{} versions of the {what} are being archived", puts.len()),
    );
    Plan::send(puts, verdict, Next::Look)
}
