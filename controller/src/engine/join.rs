//! A workspace that another namespace shares: an object that reaches it for the first time says so in its status.
//!
//! In: the workspace. Out: a status, and a pass that follows at once.

use super::Kind;
use super::ended::Ended;
use super::pass::Pass;
use super::report::Said;
use azureml_client::ArmId;
use azureml_crds::shared::HasCommon as _;
use azureml_plan::action::State;
use azureml_plan::reasons::Reason;
use azureml_plan::{Next, Plan, Verdict};
use std::time::Duration;

impl<K: Kind> Pass<'_, K> {
    /// Writes down which workspace of another namespace is used, before anything is sent to it: also where that is not allowed any more, it is known
    /// that something may be there.
    pub(super) async fn join(&self, workspace: &ArmId) -> kube::Result<Ended> {
        let mut facts = self.facts_before();
        facts.common_mut().workspace_id = Some(workspace.to_string());
        let plan = Plan::say(Verdict::working(Reason::PROGRESSING, "the workspace may be used"), Next::Look);
        let last_failure = self.last_failure();
        self.say(Said { facts, plan, last_failure, is_handled: false }).await?;
        Ok(Ended::after(Some(Duration::ZERO), State::Working))
    }
}
