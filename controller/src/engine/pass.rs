//! One pass over one object: resolve, wanted, observe, plan, act, report, in this order and nothing twice.
//!
//! In: an object. Out: when the next pass is due. A failure is said in `status`, not returned, but for Kubernetes' own.

use super::delays::{NET, jittered, until};
use super::ended::Ended;
use super::finalizer::{Stage, add, stage};
use super::fingerprint::{fingerprint, version};
use super::guard::Unreadable;
use super::kind::{Rest, StatusOf};
use super::memory::Memory;
use super::reach::{Reached, Stop, reach};
use super::report::{self, Said};
use super::sources::Readers;
use super::weight::{LARGE, weight};
use super::{Context, Kind};
use crate::clock;
use azureml_crds::shared::{Common, HasCommon as _};
use azureml_observe::act::act;
use azureml_plan::action::State;
use azureml_plan::resolve::Wait;
use azureml_plan::trouble::Trouble;
use azureml_plan::{Ask, Plan, View, failure};
use kube::ResourceExt as _;
use kube::api::Api;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A kind at work.
pub struct Engine<K> {
    /// What every pass shares.
    pub ctx: Arc<Context>,
    /// What is remembered of the kind's objects.
    pub memory: Memory<K>,
    /// What could not be read before this process led, and is told when it does.
    pub untold: Mutex<Vec<Unreadable>>,
}

/// What came of carrying a plan out.
#[derive(Clone, Copy, Default)]
pub(super) struct Acted {
    /// What Azure asks to wait.
    pub asked: Option<Duration>,
    /// Whether something was not sent, since an operation goes on.
    pub is_held: bool,
}

/// What a pass decided, and on what.
pub(super) struct Decided<K: Kind> {
    pub wanted: K::Wanted,
    pub seen: K::Seen,
    pub plan: Plan,
}

/// One pass over one object.
pub(super) struct Pass<'a, K: Kind> {
    pub engine: &'a Engine<K>,
    pub api: Api<K>,
    pub object: Arc<K>,
    pub ask: Ask,
    /// When it began.
    pub began: Instant,
}

impl<K: Kind> Engine<K> {
    /// One pass.
    ///
    /// # Errors
    /// When Kubernetes refuses; the caller tries again.
    pub async fn pass(&self, stored: Arc<K>) -> kube::Result<Ended> {
        if !(self.ctx.gate)() {
            return Ok(Ended::GONE);
        }
        let namespace = stored.namespace().unwrap_or_default();
        let _few =
            if weight(stored.as_ref()) > LARGE { self.ctx.large.permit(&namespace).await } else { None };
        let mut object = self.newest(stored);
        let api: Api<K> = Api::namespaced(self.ctx.kube.clone(), &object.namespace().unwrap_or_default());
        let stage = stage(object.as_ref());
        if stage == Stage::New {
            let Some(entered) = self.enter(&api, &object).await? else { return Ok(Ended::GONE) };
            object = entered;
        }
        let none = Common::default();
        let common = object.status().map_or(&none, |status| status.common());
        let ask = Ask::of(object.meta(), common, clock::now(), self.ctx.pace.clone());
        let ask = Ask { may_appear: self.may_appear(object.as_ref()), ..ask };
        let pass = Pass { engine: self, api, object, ask, began: Instant::now() };
        match stage {
            Stage::Gone => Ok(Ended::GONE),
            Stage::Deleting => pass.delete().await,
            Stage::New | Stage::Kept => pass.stay().await,
        }
    }

    /// The object as the watch has it, or as our last write left it.
    fn newest(&self, stored: Arc<K>) -> Arc<K> {
        let newer = self.memory.with(&stored, |recall| {
            // What the watch has shown is not kept twice.
            recall.newer.take_if(|newer| version(newer.as_ref()) <= version(stored.as_ref()));
            recall.newer.clone()
        });
        newer.flatten().unwrap_or(stored)
    }

    async fn enter(&self, api: &Api<K>, object: &Arc<K>) -> kube::Result<Option<Arc<K>>> {
        let Some(_permit) = self.ctx.write_permit().await else { return Ok(None) };
        let entered = Arc::new(add(api, object.as_ref()).await?);
        // The watch will show our own change; it is no reason for another pass.
        self.memory.with(&entered, |recall| {
            recall.fingerprint = fingerprint(entered.as_ref());
            recall.newer = Some(entered.clone());
        });
        Ok(Some(entered))
    }
}

impl<K: Kind> Pass<'_, K> {
    fn ctx(&self) -> &Context {
        &self.engine.ctx
    }

    async fn stay(&self) -> kube::Result<Ended> {
        match self.rest() {
            Some(Rest::Over) => return self.expire().await,
            Some(Rest::Until(moment)) => {
                return Ok(Ended::after(moment.map(|at| until(at, self.ask.now)), State::Ready));
            }
            None => {}
        }
        let mut reached = match reach(self.ctx(), self.object.as_ref(), &self.ask).await {
            Ok(reached) => reached,
            Err(stop) => return self.stop(stop).await,
        };
        if let Some(workspace) = reached.joins.take() {
            return self.join(&workspace).await;
        }
        let Decided { wanted, seen, mut plan } = match self.decide(&mut reached).await {
            Ok(decided) => decided,
            Err(stop) => return self.stop(stop).await,
        };
        let view = View { refs: &reached.refs, wanted: &wanted, seen: &seen, ask: &self.ask };
        self.pause(&mut plan);
        let acted = match self.act(&reached, &mut plan).await {
            Ok(acted) => acted,
            Err(trouble) => match self.object.refused(&trouble, &self.ask) {
                Some(refused) => {
                    plan = refused;
                    Acted::default()
                }
                None => return self.fail(&trouble, reached.resync).await,
            },
        };
        self.conclude(view, plan, acted, &reached).await
    }

    async fn stop(&self, stop: Stop) -> kube::Result<Ended> {
        match stop {
            Stop::Wait(wait) => self.wait(&wait).await,
            Stop::Failed(trouble, resync) => self.fail(&trouble, resync).await,
        }
    }

    /// How long the object needs nothing; a request or another generation is always looked at.
    fn rest(&self) -> Option<Rest> {
        let is_asked = self.ask.requested.is_some() || self.ask.is_new_generation;
        if is_asked { None } else { self.object.rest(self.ask.now) }
    }

    /// Carries a plan out, and remembers when.
    pub(super) async fn act<R>(&self, reached: &Reached<R>, plan: &mut Plan) -> Result<Acted, Trouble> {
        self.change(plan).await?;
        let is_held = self.hold_back(reached, plan).await?;
        if plan.actions.is_empty() {
            return Ok(Acted { asked: None, is_held });
        }
        let looks = &self.ctx().looks;
        let files = Readers::of(self.object.as_ref(), self.ctx(), &reached.fetched);
        let acted = act(&reached.client, looks, &files, &plan.actions).await;
        self.engine.memory.with(self.object.as_ref(), |recall| {
            recall.wrote = Some(Instant::now());
            recall.targets.extend(plan.actions.iter().map(|action| action.target().clone()));
            recall.targets.retain(|id| looks.is_being_made(id));
        });
        let asked = acted.map_err(|error| Trouble::of(&error))?;
        Ok(Acted { asked, is_held })
    }

    async fn conclude(
        &self,
        view: View<'_, K>,
        plan: Plan,
        Acted { asked, is_held }: Acted,
        reached: &Reached<K::Refs>,
    ) -> kube::Result<Ended> {
        let facts = self.object.facts(view, &plan);
        let last_failure = self.failures_after(&plan);
        let (next, at, state, reason) = (plan.next, plan.at, plan.verdict.state, plan.verdict.reason.clone());
        let is_watched = self.waits_for(plan.taken_by.as_ref());
        // What was asked for and held back is still to be done.
        self.say(Said { facts, plan, last_failure, is_handled: !is_held }).await?;
        if state == State::Ready {
            self.arrived();
        }
        let due = self.due(next, asked, reached.resync);
        // The holder of what is wanted wakes this object, so that Azure is asked no more often than for others.
        let due = if is_watched { Some(self.due_at_tick(reached.resync)) } else { due };
        let at = at.map(|at| until(at, self.ask.now));
        let poll = reached.fetched.due.map(|due| jittered(due, self.object.as_ref()));
        Ok(Ended::after([due, at, poll].into_iter().flatten().min(), state).because(reason))
    }

    /// The generation is Ready; tells how long that took, once.
    fn arrived(&self) {
        let since =
            self.engine.memory.with(self.object.as_ref(), |recall| recall.on_its_way.take()).flatten();
        if let Some(since) = since {
            self.ctx().metrics.passes.ready(K::KIND, since.elapsed());
        }
    }

    /// Something is missing: said, and woken by what is missing, or looked for where no watch shows it.
    pub(super) async fn wait(&self, wait: &Wait) -> kube::Result<Ended> {
        let plan = wait.plan();
        let state = plan.verdict.state;
        let facts = self.facts_before();
        let before = self.last_failure();
        let (last_failure, due) = if wait.is_unwatched {
            let last = failure::count(before.as_ref(), wait.reason.word(), &self.ask);
            let due = failure::doubled(&self.ask.pace, last.count);
            (Some(last), jittered(due, self.object.as_ref()))
        } else {
            (before, NET)
        };
        self.say(Said { facts, plan, last_failure, is_handled: true }).await?;
        Ok(Ended::after(Some(due), state).because(wait.reason.into()))
    }

    /// Something failed: said, with what was known before, and tried again.
    async fn fail(&self, trouble: &Trouble, resync: Duration) -> kube::Result<Ended> {
        let object = &self.object;
        tracing::warn!(reason = trouble.reason.as_str(), "{}", trouble.message);
        self.ctx().metrics.passes.failed(K::KIND, trouble.class);
        let facts = object.status_refused(trouble);
        let mut last = failure::count(self.last_failure().as_ref(), trouble.reason.as_str(), &self.ask);
        let consequence = failure::consequence(trouble, last.count, &self.ask.pace);
        let state = consequence.verdict.state;
        last.stalled = state == State::Stalled;
        let drift = facts.common().drift.clone();
        let plan = Plan { drift, ..Plan::say(consequence.verdict, consequence.next) };
        self.say(Said { facts, plan, last_failure: Some(last), is_handled: false }).await?;
        let due = self.due(consequence.next, None, resync);
        let due = due.map(|delay| jittered(delay, object.as_ref()));
        Ok(Ended::after(due, state).because(trouble.reason.clone()))
    }

    /// Writes the status, where it changed.
    pub(super) async fn say(&self, said: Said<StatusOf<K>>) -> kube::Result<()> {
        let (object, ctx) = (self.object.as_ref(), self.ctx());
        if !(ctx.gate)() {
            // Somebody else leads and knows more; this process is about to end.
            return Ok(());
        }
        let warnings = said.plan.warnings.clone();
        let status = report::status(object, said, &self.ask);
        let done = object.done(&status);
        if let Some(written) = report::write(ctx, &self.api, object, status).await? {
            for (reason, message) in warnings {
                ctx.recorder.tell(&object.object_ref(&()), reason, &message);
            }
            // Whose address this process wrote first, for that no earlier one has begun anything.
            let is_ours = !object.is_unseen() && written.is_unseen();
            self.engine.memory.with(object, |recall| {
                recall.is_inherited &= !is_ours;
                recall.newer = Some(written);
            });
            if let Some(done) = done {
                let namespace = object.meta().namespace.as_deref().unwrap_or_default();
                ctx.metrics.work.done(namespace, done);
            }
        }
        Ok(())
    }

    pub(super) fn facts_before(&self) -> StatusOf<K> {
        self.object.status_before()
    }
}
