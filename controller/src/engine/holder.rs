//! Names in Azure that another object has, as after a rename in Git: what a gone one left is taken over, one that is there is waited for.
//!
//! In: a plan that says who has what the object wants. Out: the plan of the heir, or a place among those that the holder wakes.

use super::Kind;
use super::pass::{Decided, Pass};
use super::reach::{Reached, Stop};
use super::relations::Name;
use super::watch::name_of;
use crate::named::named;
use azureml_plan::View;
use azureml_plan::owner::Holder;
use azureml_plan::trouble::Trouble;
use kube::ResourceExt as _;

/// So many names at most may have been given to the resources of one object before.
const MOST: usize = 8;

impl<K: Kind> Pass<'_, K> {
    /// What is wanted, what Azure has, what is to be done. Where that belongs to an object of this namespace that is gone, it is decided
    /// anew: the resource is this object's then.
    pub(super) async fn decide(&self, reached: &mut Reached<K::Refs>) -> Result<Decided<K>, Stop> {
        loop {
            let decided = self.decide_once(reached).await?;
            let Some(holder) = self.gone(decided.plan.taken_by.as_ref()).await else { return Ok(decided) };
            match K::owner(&mut reached.refs).map(|owner| &mut owner.predecessors) {
                Some(before) if before.len() < MOST && !before.contains(&holder) => before.push(holder),
                _ => return Ok(decided),
            }
        }
    }

    async fn decide_once(&self, reached: &Reached<K::Refs>) -> Result<Decided<K>, Stop> {
        let wanted = self.object.wanted(&reached.refs)?;
        let look = self.look(reached.resync);
        let eyes = reached.eyes(&self.engine.ctx);
        let seen = self.object.observe(&eyes, &reached.refs, &wanted, look).await;
        let seen = seen.map_err(|error| Stop::Failed(Trouble::of(&error), reached.resync))?;
        let plan =
            self.object.plan(View { refs: &reached.refs, wanted: &wanted, seen: &seen, ask: &self.ask });
        Ok(Decided { wanted, seen, plan })
    }

    /// The holder, where it is gone. The API server is asked: a watch may be behind, and shows nothing that cannot be read.
    async fn gone(&self, holder: Option<&Holder>) -> Option<Holder> {
        let holder = holder.filter(|holder| Some(&holder.namespace) == self.object.namespace().as_ref())?;
        match named(&self.api, &holder.name).await {
            Ok(found) => found.is_none().then(|| holder.clone()),
            Err(error) => {
                tracing::warn!(
                    "whether {} is gone is not known, so nothing of it is taken over: {error}",
                    holder.name
                );
                None
            }
        }
    }

    /// Waits for the holder of a name, or for none any more. Says whether it is known: then it wakes this object.
    pub(super) fn waits_for(&self, holder: Option<&Holder>) -> bool {
        let name = holder.map(|Holder { namespace, name }| Name {
            kind: K::KIND,
            namespace: namespace.clone(),
            name: name.clone(),
        });
        self.engine.ctx.relations().waits(&name_of(self.object.as_ref()), name)
    }
}
