//! What a plan changes in this cluster, and what a paused object holds back.
//!
//! In: a plan. Out: the same, without what may not be done now. A process that no longer leads changes nothing.

use super::Kind;
use super::pass::Pass;
use crate::metrics::Fired;
use crate::{changes, clock};
use azureml_client::Class;
use azureml_plan::change::Change;
use azureml_plan::reasons::Reason;
use azureml_plan::report::is_paused;
use azureml_plan::trouble::Trouble;
use azureml_plan::{Next, Plan};
use kube::api::Api;

impl<K: Kind> Pass<'_, K> {
    /// Takes everything out of a plan that changes something, where the object is paused.
    pub(super) fn pause(&self, plan: &mut Plan) {
        let is_idle = plan.actions.is_empty() && plan.cluster.is_empty();
        if is_paused(self.object.meta()) && !is_idle {
            plan.actions.clear();
            plan.cluster.clear();
            plan.next = Next::Tick;
        }
    }

    /// Carries out what a plan changes in this cluster, in its order.
    pub(super) async fn change(&self, plan: &Plan) -> Result<(), Trouble> {
        let ctx = &self.engine.ctx;
        let namespace = self.object.meta().namespace.as_deref().unwrap_or_default();
        let api = Api::namespaced(ctx.kube.clone(), namespace);
        for change in &plan.cluster {
            let permit = ctx.write_permit().await.ok_or_else(not_leading)?;
            let carried = changes::carry_out(&api, change).await;
            drop(permit);
            match (change, carried) {
                (_, Ok(())) => {}
                // What is too many is deleted at a later pass.
                (Change::Delete(_), Err(trouble)) => {
                    tracing::warn!(reason = trouble.reason.as_str(), "{}", trouble.message);
                }
                (Change::Create { .. } | Change::Cancel(_), Err(trouble)) => return Err(trouble),
            }
            if let Change::Create { due: Some(due), .. } = change {
                let lag = clock::now().duration_since(*due).unsigned_abs();
                ctx.metrics.work.fired(namespace, Fired::After(lag));
            }
        }
        // Once: a plan that was not carried out comes again.
        if plan.warnings.iter().any(|(reason, _)| *reason == Reason::STARTING_DEADLINE_PASSED) {
            ctx.metrics.work.fired(namespace, Fired::Missed);
        }
        Ok(())
    }
}

fn not_leading() -> Trouble {
    let (class, reason) = (Class::NotLeading, Reason::NOT_LEADING.into());
    let message = "this process no longer leads".to_owned();
    Trouble { class, reason, message, words: String::new(), verb: "", retry_after: None }
}
