//! Deletion: an object that is being deleted loses its finalizer once nothing of it is left in Azure, or nothing is to be removed there.
//!
//! In: an object with our finalizer. Out: the same object, waiting or gone. What blocks is said with the way out.

use super::Kind;
use super::delays::jittered;
use super::ended::Ended;
use super::finalizer::remove;
use super::pass::{Acted, Pass};
use super::reach::{Leaving, Reached, leaving};
use super::report::Said;
use azureml_client::Class;
use azureml_plan::action::State;
use azureml_plan::failure;
use azureml_plan::reasons::{Reason, Word};
use azureml_plan::resolve::Wait;
use azureml_plan::trouble::Trouble;
use azureml_plan::{Next, Plan, Verdict};
use kube::ResourceExt as _;
use kube::api::{DeleteParams, Preconditions};

impl<K: Kind> Pass<'_, K> {
    pub(super) async fn delete(&self) -> kube::Result<Ended> {
        let kept_by = self.object.kept_by(&self.engine.ctx);
        if !kept_by.is_empty() {
            return self.wait(&Wait::in_use(&kept_by)).await;
        }
        if self.object.is_retained() {
            return self.release().await;
        }
        let reached = match leaving(&self.engine.ctx, self.object.as_ref()).await {
            Leaving::Nothing => return self.release().await,
            Leaving::Address(reached) => reached,
            Leaving::Blocked(Wait { reason, message, .. }) => {
                return self.blocked(&unasked(reason, message)).await;
            }
        };
        let left = match self.object.left(&reached.eyes(&self.engine.ctx), &reached.refs).await {
            Ok(left) => left,
            Err(error) => return self.blocked(&Trouble::of(&error)).await,
        };
        let mut plan = self.object.farewell(&reached.refs, &left, &self.ask);
        if matches!(plan.next, Next::Leave | Next::Absent) {
            return self.finish(&reached, plan.next).await;
        }
        let Acted { asked, is_held } = match self.act(&reached, &mut plan).await {
            Ok(acted) => acted,
            Err(trouble) => return self.blocked(&trouble).await,
        };
        let (next, state) = (plan.next, plan.verdict.state);
        let is_handled = !is_held;
        self.say(Said { facts: self.facts_before(), plan, last_failure: None, is_handled }).await?;
        Ok(Ended::after(self.due(next, asked, reached.resync), state))
    }

    /// Removes the finalizer; where Azure shows nothing, only once nothing can appear there any more.
    async fn finish<R>(&self, reached: &Reached<R>, next: Next) -> kube::Result<Ended> {
        if next == Next::Leave {
            return self.release().await;
        }
        match self.is_being_created(reached).await {
            Ok(false) => self.release().await,
            Ok(true) => self.wait_for_creation(reached).await,
            Err(trouble) => self.blocked(&trouble).await,
        }
    }

    /// Whether a resource that Azure does not show is being created, by this process or by an earlier one.
    async fn is_being_created<R>(&self, reached: &Reached<R>) -> Result<bool, Trouble> {
        let (object, looks) = (self.object.as_ref(), &self.engine.ctx.looks);
        let targets = self.engine.memory.with(object, |recall| recall.targets.clone()).unwrap_or_default();
        for id in targets.iter().filter(|id| looks.is_being_made(id)) {
            match looks.has_come(&reached.client, id).await {
                Ok(true) => {}
                Ok(false) => return Ok(true),
                // A creation that failed leaves nothing; one more look shows that.
                Err(_) if !looks.is_being_made(id) => return Ok(true),
                Err(error) => return Err(Trouble::of(&error)),
            }
        }
        Ok(self.ask.may_appear)
    }

    async fn wait_for_creation<R>(&self, reached: &Reached<R>) -> kube::Result<Ended> {
        let message =
            "Azure may still be creating the resource; the operator waits, and deletes it once it is there";
        let plan = Plan::say(Verdict::working(Reason::DELETING, message), Next::Look);
        self.say(Said { facts: self.facts_before(), plan, last_failure: None, is_handled: false }).await?;
        Ok(Ended::after(self.due(Next::Look, None, reached.resync), State::Working))
    }

    /// Azure refuses a deletion: `status` says so with the way out, and the pass is tried again for ever.
    async fn blocked(&self, trouble: &Trouble) -> kube::Result<Ended> {
        let last = failure::count(self.last_failure().as_ref(), trouble.reason.as_str(), &self.ask);
        self.engine.ctx.metrics.passes.failed(K::KIND, trouble.class);
        let reason =
            if trouble.is_refusal() { Reason::DELETION_BLOCKED.into() } else { trouble.reason.clone() };
        let message = failure::blocked(trouble);
        let plan = Plan::say(Verdict::working(reason, message), Next::Change);
        let delay = failure::delay(trouble, last.count, &self.ask.pace);
        self.say(Said { facts: self.facts_before(), plan, last_failure: Some(last), is_handled: true })
            .await?;
        Ok(Ended::after(Some(jittered(delay, self.object.as_ref())), State::Working))
    }

    async fn release(&self) -> kube::Result<Ended> {
        let Some(_permit) = self.engine.ctx.write_permit().await else { return Ok(Ended::GONE) };
        remove(&self.api, self.object.as_ref()).await?;
        Ok(Ended::GONE)
    }

    /// Removes an object whose time is over.
    pub(super) async fn expire(&self) -> kube::Result<Ended> {
        let Some(_permit) = self.engine.ctx.write_permit().await else { return Ok(Ended::GONE) };
        let preconditions = Preconditions { uid: self.object.uid(), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        match self.api.delete(&self.object.name_any(), &params).await {
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(Ended::GONE),
            answer => answer.map(|_| Ended::GONE),
        }
    }
}

/// What keeps us from asking Azure at all.
fn unasked(reason: Reason, message: String) -> Trouble {
    let (class, reason) = (Class::Forbidden, Word::from(reason));
    Trouble { class, reason, message, words: String::new(), verb: "", retry_after: None }
}
