//! How a run is taken leave of: a job that goes on is cancelled, an ended one stays in Azure.

use super::restored::is_ours;
use super::seen::job_phase;
use crate::Leave;
use crate::action::{Action, Next, Plan, Verdict};
use crate::context::Ask;
use crate::owner::Owner;
use crate::reasons::Reason;
use azureml_client::ArmId;
use azureml_crds::MLRun;
use azureml_crds::shared::DeletionPolicy;
use serde_json::Value;

/// What is known of a run that goes.
#[derive(Clone, Debug)]
pub struct Address {
    /// The job.
    pub id: ArmId,
    /// The object as an owner.
    pub owner: Owner,
}

impl Leave for MLRun {
    type Address = Address;
    type Left = Option<Value>;

    fn farewell(&self, address: &Address, left: &Option<Value>, _: &Ask) -> Plan {
        let Some(job) = left else { return Plan::absent("there is no job") };
        if !is_ours(self, &address.owner, job) {
            return Plan::leave("the job is another object's");
        }
        if self.spec.deletion_policy == Some(DeletionPolicy::Retain) || job_phase(self, job).is_finished() {
            return Plan::leave("the job stays in Azure");
        }
        let verdict =
            Verdict::working(Reason::CANCELING, format!("job {} is being cancelled", address.id.name()));
        if job["properties"]["status"] == "CancelRequested" {
            return Plan::say(verdict, Next::Look);
        }
        Plan::send(vec![Action::Post { id: address.id.clone(), action: "cancel" }], verdict, Next::Look)
    }
}
