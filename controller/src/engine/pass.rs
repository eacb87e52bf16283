//! One pass over one object: resolve, wanted, observe, plan, act, report, in this order and nothing twice.
//!
//! In: a name. Out: when the next pass is due. A failure is said in `status`, not returned, but for Kubernetes' own.

use super::act::act;
use super::door::{Door, door, enter, leave};
use super::kind::{Rest, StatusOf};
use super::memory::Memory;
use super::report::{self, Said};
use super::{Context, Kind, Leaving, Reached, Resolved, Wait};
use crate::looks::Look;
use crate::metrics::Outcome;
use azureml_client::Class;
use azureml_crds::shared::{Common, HasCommon as _, LastFailure};
use azureml_plan::action::State;
use azureml_plan::failure::{self, Trouble};
use azureml_plan::{Ask, Next, Plan, Verdict, View};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, Preconditions};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A kind at work.
pub struct Engine<K> {
    /// What every pass shares.
    pub ctx: Arc<Context>,
    /// What is remembered of the kind's objects.
    pub memory: Memory<K>,
}

/// When the next pass is due: after a delay, or when something changes.
pub type Due = Option<Duration>;

/// How a pass ended.
pub struct Ended {
    /// When the next pass is due.
    pub due: Due,
    /// For the metrics.
    pub outcome: Outcome,
}

/// A slow look for what waits for a change, should the change be missed.
const NET: Duration = Duration::from_mins(5);

impl<K: Kind> Engine<K> {
    /// One pass.
    ///
    /// # Errors
    /// When Kubernetes refuses; the caller tries again.
    pub async fn pass(&self, stored: Arc<K>) -> kube::Result<Ended> {
        let mut object = self.newest(stored);
        let api: Api<K> = Api::namespaced(self.ctx.kube.clone(), &object.namespace().unwrap_or_default());
        match door(object.as_ref()) {
            Door::Gone => return Ok(Ended { due: None, outcome: Outcome::Gone }),
            Door::Leaving => return self.take_leave(&api, &object).await,
            Door::Inside => {}
            Door::Outside => {
                let _permit = self.ctx.kube_requests.acquire().await;
                object = Arc::new(enter(&api, object.as_ref()).await?);
                self.memory.with(&object, |recall| recall.newer = Some(object.clone()));
            }
        }
        self.stay(&api, &object).await
    }

    /// The object as the watch has it, or as our last write left it.
    fn newest(&self, stored: Arc<K>) -> Arc<K> {
        self.memory.with(&stored, |recall| recall.newer.clone()).flatten().unwrap_or(stored)
    }

    fn ask(&self, object: &K) -> Ask {
        let none = Common::default();
        let common = object.status().map_or(&none, |status| status.common());
        Ask::of(object.meta(), common, Context::now(), self.ctx.pace.clone())
    }

    async fn stay(&self, api: &Api<K>, object: &Arc<K>) -> kube::Result<Ended> {
        let ask = self.ask(object);
        if ask.requested.is_none() && !ask.is_new_generation {
            match object.rest(ask.now) {
                Some(Rest::Over) => return self.remove(api, object).await,
                Some(Rest::Until(moment)) => {
                    return Ok(Ended { due: moment.map(|at| until(at, &ask)), outcome: Outcome::Ready });
                }
                None => {}
            }
        }
        let reached = match object.resolve(&self.ctx).await {
            Resolved::Found(reached) => reached,
            Resolved::Wait(wait) => return self.wait(api, object, &wait, &ask).await,
        };
        let wanted = match object.wanted(&reached.refs) {
            Ok(wanted) => wanted,
            Err(invalid) => {
                return self
                    .wait(api, object, &Wait::stalled(invalid.reason, invalid.to_string()), &ask)
                    .await;
            }
        };
        let look = self.look(object, &ask, reached.resync);
        let seen = match object.observe(&self.ctx, &reached, &wanted, look).await {
            Ok(seen) => seen,
            Err(error) => return self.fail(api, object, &Trouble::of(&error), &ask, &reached).await,
        };
        let view = View { refs: &reached.refs, wanted: &wanted, seen: &seen, ask: &ask };
        let mut plan = object.plan(view);
        if report::is_paused(object.as_ref()) {
            plan.actions.clear();
        }
        let acted = self.act(object, &reached, &plan).await;
        self.conclude(api, object, (view, &reached), (plan, acted)).await
    }

    /// Carries the plan out, and remembers when.
    async fn act<R>(
        &self,
        object: &K,
        reached: &Reached<R>,
        plan: &Plan,
    ) -> Result<Option<Duration>, Trouble> {
        if plan.actions.is_empty() {
            return Ok(None);
        }
        let acted = act(&reached.client, &self.ctx.looks, &plan.actions).await;
        self.memory.with(object, |recall| recall.wrote = Some(Instant::now()));
        acted.map_err(|error| Trouble::of(&error))
    }

    async fn conclude(
        &self,
        api: &Api<K>,
        object: &Arc<K>,
        (view, reached): (View<'_, K>, &Reached<<K as azureml_plan::Decide>::Refs>),
        (plan, acted): (Plan, Result<Option<Duration>, Trouble>),
    ) -> kube::Result<Ended> {
        let (plan, asked) = match acted {
            Ok(asked) => (plan, asked),
            Err(trouble) => match object.refused(&trouble) {
                Some(refused) => (refused, None),
                None => return self.fail(api, object, &trouble, view.ask, reached).await,
            },
        };
        let facts = object.facts(view, &plan);
        let last_failure = after(object.as_ref(), &plan, view.ask);
        let (next, at, state) = (plan.next, plan.at, plan.verdict.state);
        let said = Said { facts, plan, last_failure, is_handled: true };
        self.say(api, object, said, view.ask).await?;
        let due = self.due(object, next, asked, reached.resync, view.ask);
        let due =
            at.map_or(due, |at| Some(due.map_or(until(at, view.ask), |due| due.min(until(at, view.ask)))));
        Ok(Ended { due, outcome: outcome(state) })
    }

    /// Something is missing: said, and woken by what is missing.
    async fn wait(&self, api: &Api<K>, object: &Arc<K>, wait: &Wait, ask: &Ask) -> kube::Result<Ended> {
        let verdict = if wait.is_stalled { Verdict::stalled } else { Verdict::working };
        let plan = Plan::say(verdict(wait.reason, wait.message.clone()), Next::Change);
        let state = plan.verdict.state;
        let facts = object.status().cloned().unwrap_or_default();
        let last_failure = facts.common().last_failure.clone().filter(|_| !ask.is_new_generation);
        self.say(api, object, Said { facts, plan, last_failure, is_handled: true }, ask).await?;
        Ok(Ended { due: Some(NET), outcome: outcome(state) })
    }

    /// Something failed: said, with what was known before, and tried again.
    async fn fail<R>(
        &self,
        api: &Api<K>,
        object: &Arc<K>,
        trouble: &Trouble,
        ask: &Ask,
        reached: &Reached<R>,
    ) -> kube::Result<Ended> {
        let facts = object.status().cloned().unwrap_or_default();
        let mut last = failure::count(facts.common().last_failure.as_ref(), &trouble.reason, ask);
        let consequence = failure::consequence(trouble, last.count, &ask.pace);
        last.stalled = consequence.verdict.state == State::Stalled;
        tracing::warn!(
            kind = K::KIND,
            namespace = object.namespace(),
            name = object.name_any(),
            reason = trouble.reason,
            "{}",
            trouble.message
        );
        let state = consequence.verdict.state;
        let plan = Plan::say(consequence.verdict, consequence.next);
        let plan = Plan { drift: facts.common().drift.clone(), conditions: Vec::new(), ..plan };
        self.say(api, object, Said { facts, plan, last_failure: Some(last), is_handled: false }, ask).await?;
        let due = self.due(object, consequence.next, None, reached.resync, ask);
        Ok(Ended { due: due.map(|delay| jittered(delay, object.as_ref())), outcome: outcome(state) })
    }

    async fn say(
        &self,
        api: &Api<K>,
        object: &Arc<K>,
        said: Said<StatusOf<K>>,
        ask: &Ask,
    ) -> kube::Result<()> {
        let warnings = said.plan.warnings.clone();
        let status = report::status(object.as_ref(), said, ask);
        if let Some(written) = report::write(&self.ctx, api, object.as_ref(), status).await? {
            for (reason, message) in warnings {
                self.ctx.recorder.record(&object.object_ref(&()), "Warning", reason, &message);
            }
            self.memory.with(object, |recall| recall.newer = Some(written));
        }
        Ok(())
    }

    /// The object is being deleted: takes leave of Azure, and lets it go.
    async fn take_leave(&self, api: &Api<K>, object: &Arc<K>) -> kube::Result<Ended> {
        let ask = self.ask(object);
        let kept_by = object.kept_by(&self.ctx);
        if !kept_by.is_empty() {
            let message = format!(
                "still named by {}; it goes when they are deleted, finished or name it no more",
                kept_by.join(", ")
            );
            return self.wait(api, object, &Wait::new("InUse", message), &ask).await;
        }
        if object.is_retained() {
            return self.let_go(api, object).await;
        }
        let reached = match object.leaving(&self.ctx).await {
            Leaving::Nothing => return self.let_go(api, object).await,
            Leaving::Address(reached) => reached,
            Leaving::Blocked(wait) => return self.blocked(api, object, &blocked_by(&wait), &ask).await,
        };
        let left = match object.left(&self.ctx, &reached).await {
            Ok(left) => left,
            Err(error) => return self.blocked(api, object, &Trouble::of(&error), &ask).await,
        };
        let plan = object.farewell(&reached.refs, &left, &ask);
        if plan.next == Next::Leave {
            return self.let_go(api, object).await;
        }
        let asked = match self.act(object, &reached, &plan).await {
            Ok(asked) => asked,
            Err(trouble) => return self.blocked(api, object, &trouble, &ask).await,
        };
        let (next, state) = (plan.next, plan.verdict.state);
        let facts = object.status().cloned().unwrap_or_default();
        self.say(api, object, Said { facts, plan, last_failure: None, is_handled: true }, &ask).await?;
        Ok(Ended { due: self.due(object, next, asked, reached.resync, &ask), outcome: outcome(state) })
    }

    /// Azure does not let us take leave: said, with the way out, and tried again for ever.
    async fn blocked(
        &self,
        api: &Api<K>,
        object: &Arc<K>,
        trouble: &Trouble,
        ask: &Ask,
    ) -> kube::Result<Ended> {
        let facts = object.status().cloned().unwrap_or_default();
        let last = failure::count(facts.common().last_failure.as_ref(), &trouble.reason, ask);
        let is_refused = matches!(trouble.class, Class::Forbidden | Class::Invalid | Class::Quota);
        let reason = if is_refused { "DeletionBlocked" } else { &trouble.reason };
        let message = format!(
            "{}; to leave what is in Azure there, set spec.deletionPolicy to Retain",
            trouble.message
        );
        let plan = Plan::say(Verdict::working(reason, message), Next::Change);
        let delay = trouble.retry_after.unwrap_or_else(|| failure::doubled(&ask.pace, last.count));
        self.say(api, object, Said { facts, plan, last_failure: Some(last), is_handled: true }, ask).await?;
        Ok(Ended { due: Some(jittered(delay, object.as_ref())), outcome: Outcome::Working })
    }

    async fn let_go(&self, api: &Api<K>, object: &Arc<K>) -> kube::Result<Ended> {
        let _permit = self.ctx.kube_requests.acquire().await;
        leave(api, object.as_ref()).await?;
        Ok(Ended { due: None, outcome: Outcome::Gone })
    }

    /// Removes an object whose time is over.
    async fn remove(&self, api: &Api<K>, object: &Arc<K>) -> kube::Result<Ended> {
        let preconditions = Preconditions { uid: object.uid(), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        match api.delete(&object.name_any(), &params).await {
            Err(kube::Error::Api(status)) if !status.is_not_found() && !status.is_conflict() => {
                Err(kube::Error::Api(status))
            }
            Err(error @ kube::Error::Api(_)) => {
                tracing::debug!("already gone: {error}");
                Ok(Ended { due: None, outcome: Outcome::Gone })
            }
            Err(error) => Err(error),
            Ok(_) => Ok(Ended { due: None, outcome: Outcome::Gone }),
        }
    }

    /// How fresh this look must be.
    fn look(&self, object: &K, ask: &Ask, resync: Duration) -> Look {
        let now = Instant::now();
        let recall = self
            .memory
            .with(object, |recall| (recall.generation.1, recall.wrote, recall.attempt, recall.was_listed));
        let (first_seen, wrote, attempt, was_listed) = recall.unwrap_or((now, None, 0, false));
        if attempt > 0 || ask.requested.is_some() {
            return Look { since: now, is_shared: false, attempt };
        }
        let since_tick = now.checked_sub(ago(ask, resync, object)).unwrap_or(first_seen);
        let since = first_seen.max(since_tick).max(wrote.unwrap_or(first_seen));
        // Everybody compares at a tick, and everybody looks after a start.
        let is_shared = since == since_tick || (was_listed && since == first_seen);
        Look { since, is_shared, attempt }
    }

    /// When the next pass is due.
    fn due(&self, object: &K, next: Next, asked: Option<Duration>, resync: Duration, ask: &Ask) -> Due {
        let attempt = self.memory.with(object, |recall| {
            recall.attempt = if next == Next::Look { recall.attempt.saturating_add(1) } else { 0 };
            recall.attempt
        });
        match next {
            Next::Now => Some(Duration::ZERO),
            Next::Look => {
                let (from, to) = K::pace(&self.ctx);
                let grown = from.saturating_mul(1 << attempt.unwrap_or(1).saturating_sub(1).min(16)).min(to);
                Some(asked.map_or(grown, |asked| asked.max(from).min(to.max(asked))))
            }
            Next::After(delay) => Some(delay),
            Next::Tick => Some(resync.saturating_sub(ago(ask, resync, object))),
            Next::Change => Some(NET),
            Next::Leave => None,
        }
    }
}

/// How long ago the last comparison of the workspace was due. All objects of a namespace are compared at the same
/// moment, so that they share one list; which moment, the namespace decides.
fn ago<K: Kind>(ask: &Ask, resync: Duration, object: &K) -> Duration {
    let interval = resync.as_millis().max(1);
    let namespace = object.namespace().unwrap_or_default();
    let phase = namespace.bytes().fold(0_u128, |sum, byte| sum * 31 % interval + u128::from(byte));
    let now = u128::try_from(ask.now.as_millisecond()).unwrap_or(0);
    Duration::from_millis(u64::try_from((now + phase) % interval).unwrap_or(0))
}

fn until(at: jiff::Timestamp, ask: &Ask) -> Duration {
    let delay = at.duration_since(ask.now);
    // A little later, so that the moment has passed also for a clock with whole seconds.
    if delay.is_positive() {
        delay.unsigned_abs() + Duration::from_millis(50)
    } else {
        Duration::from_millis(50)
    }
}

/// Up to a fifth more, by the object's own UID: a failure of many is not tried again by all at once.
fn jittered<K: Kind>(delay: Duration, object: &K) -> Duration {
    let share = object
        .meta()
        .uid
        .as_deref()
        .unwrap_or_default()
        .bytes()
        .fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 1000);
    delay + delay.mul_f64(f64::from(share) / 5000.0)
}

/// The failures in a row after a pass that sent what it wanted.
fn after<K: Kind>(object: &K, plan: &Plan, ask: &Ask) -> Option<LastFailure> {
    let before = object
        .status()
        .and_then(|status| status.common().last_failure.clone())
        .filter(|_| !ask.is_new_generation);
    let Some(failed) = &plan.failed else {
        // A retry that goes on is no success yet.
        return before.filter(|_| plan.verdict.state == State::Working);
    };
    let is_retry = !plan.actions.is_empty() || before.is_none();
    let mut last = if is_retry { failure::count(before.as_ref(), &failed.reason, ask) } else { before? };
    last.stalled = plan.verdict.state == State::Stalled;
    Some(last)
}

fn blocked_by(wait: &Wait) -> Trouble {
    Trouble {
        class: Class::Forbidden,
        reason: wait.reason.to_owned(),
        message: wait.message.clone(),
        retry_after: None,
    }
}

fn outcome(state: State) -> Outcome {
    match state {
        State::Ready => Outcome::Ready,
        State::Working => Outcome::Working,
        State::Stalled => Outcome::Stalled,
    }
}
