//! How a schedule is taken leave of: disabled first, then deleted.

use crate::Leave;
use crate::action::{Action, Next, Plan, Verdict};
use crate::context::Ask;
use crate::diff::without_nulls;
use crate::owner::{Belongs, Owner};
use crate::reasons::Reason;
use azureml_client::ArmId;
use azureml_crds::MLSchedule;
use azureml_crds::shared::DeletionPolicy;
use serde_json::{Value, json};

/// What is known of a schedule that goes.
#[derive(Clone, Debug)]
pub struct Address {
    /// The schedule.
    pub id: ArmId,
    /// This object as an owner.
    pub owner: Owner,
}

impl Leave for MLSchedule {
    type Address = Address;
    type Left = Option<Value>;

    fn farewell(&self, address: &Address, left: &Option<Value>, _: &Ask) -> Plan {
        let Some(have) = left else { return Plan::absent("the schedule is gone") };
        let properties = &have["properties"];
        let is_ours = address.owner.of(&properties["tags"]) == Belongs::Us;
        if self.spec.deletion_policy == Some(DeletionPolicy::Retain) || !is_ours {
            return Plan::leave("the schedule stays in Azure");
        }
        let wait = |message: &str| Plan::say(Verdict::working(Reason::DELETING, message), Next::Look);
        match properties["provisioningState"].as_str().unwrap_or("Succeeded") {
            "Deleting" => wait("the schedule is being removed"),
            "Creating" | "Updating" => wait("the schedule is still being changed"),
            _ if properties["isEnabled"] != false => {
                let put = Action::Put { id: address.id.clone(), body: disabled(properties) };
                Plan::send(
                    vec![put],
                    Verdict::working(
                        Reason::DELETING,
                        "the schedule is being disabled, which comes before its removal",
                    ),
                    Next::Look,
                )
            }
            _ => {
                let delete = Action::Delete { id: address.id.clone(), query: Vec::new() };
                Plan::send(
                    vec![delete],
                    Verdict::working(Reason::DELETING, "the schedule is being removed"),
                    Next::Look,
                )
            }
        }
    }
}

/// The schedule as it was read, disabled: a PUT is the only way. Nulls and what only Azure says of a job stay away, as in
/// recorded requests.
fn disabled(properties: &Value) -> Value {
    let keys = ["displayName", "description", "tags", "properties", "trigger", "action"];
    let mut body: serde_json::Map<String, Value> = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), without_nulls(properties.get(*key)?)?)))
        .collect();
    let job = body.get_mut("action").and_then(|action| action.get_mut("jobDefinition"));
    if let Some(job) = job.and_then(Value::as_object_mut) {
        for key in ["status", "services"] {
            job.remove(key);
        }
    }
    body.insert("isEnabled".to_owned(), json!(false));
    json!({"properties": body})
}
