//! Writes that wait: for an operation of Azure that goes on, and for what an earlier process may have begun to create.
//!
//! In: a plan, an object. Out: the plan without the writes that wait; whether something may appear yet. Reads operations in
//! Azure; writes nothing and changes no status.

use super::Kind;
use super::pass::{Engine, Pass};
use super::reach::Reached;
use azureml_plan::trouble::Trouble;
use azureml_plan::{Next, Plan};
use futures::future::try_join_all;
use tokio::time::Instant;

impl<K: Kind> Engine<K> {
    /// Whether Azure may yet show what an earlier process began to create for this object: the object was there before this
    /// process led, and was never seen in Azure.
    pub(super) fn may_appear(&self, object: &K) -> bool {
        let is_inherited = self.memory.with(object, |recall| recall.is_inherited && recall.wrote.is_none());
        is_inherited.unwrap_or_default() && object.is_unseen() && self.ctx.is_inheriting()
    }
}

impl<K: Kind> Pass<'_, K> {
    /// Removes the writes from a plan whose resource has an operation that goes on. Says whether it removed any.
    pub(super) async fn hold_back<R>(&self, reached: &Reached<R>, plan: &mut Plan) -> Result<bool, Trouble> {
        let looks = &self.engine.ctx.looks;
        let may = plan.actions.iter().map(|action| looks.may_write(&reached.client, action.target()));
        let mut may = try_join_all(may).await.map_err(|error| Trouble::of(&error))?.into_iter();
        let before = plan.actions.len();
        plan.actions.retain(|_| may.next().unwrap_or(true));
        let is_held = plan.actions.len() < before;
        if is_held {
            // What was read before the end of an operation says nothing after it.
            self.engine.memory.with(self.object.as_ref(), |recall| recall.held = Some(Instant::now()));
        }
        if is_held && plan.actions.is_empty() {
            plan.next = Next::Look;
        }
        Ok(is_held)
    }
}
