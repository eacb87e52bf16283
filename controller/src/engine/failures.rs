//! Failures in a row, as `status.lastFailure` keeps them over passes. In: the status before, a plan. Out: the count after.

use super::Kind;
use super::pass::Pass;
use azureml_crds::shared::{HasCommon as _, LastFailure};
use azureml_plan::action::State;
use azureml_plan::{Plan, failure};

impl<K: Kind> Pass<'_, K> {
    /// The failures in a row before this pass; those of another generation do not count.
    pub(super) fn last_failure(&self) -> Option<LastFailure> {
        let before = self.object.status().and_then(|status| status.common().last_failure.clone());
        before.filter(|_| !self.ask.is_new_generation)
    }

    /// The failures in a row after a pass that sent what it wanted.
    pub(super) fn failures_after(&self, plan: &Plan) -> Option<LastFailure> {
        let before = self.last_failure();
        let Some(failed) = &plan.failed else {
            // A retry that goes on is no success yet.
            return before.filter(|_| plan.verdict.state == State::Working);
        };
        let is_counted = !plan.actions.is_empty() || before.is_none();
        let mut last = if is_counted {
            failure::count(before.as_ref(), failed.reason.as_str(), &self.ask)
        } else {
            before?
        };
        last.stalled = plan.verdict.state == State::Stalled;
        Some(last)
    }
}
