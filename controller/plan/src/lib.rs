//! Every decision of the operator, as pure functions over plain data.
//!
//! In: an object, what it refers to, what Azure has, the time. Out: a [`Plan`] that holds exactly the requests to send.
//! No network, no clock, no environment, no Kubernetes client: a plan can be printed, compared and refused.
//!
//! ```text
//!   spec + refs ──wanted──► Wanted ──┐
//!                                    ├──plan──► Plan { actions, verdict, next }
//!   Azure ───────observe──► Seen ────┘              │
//!                                                facts ──► status
//! ```

pub mod action;
mod address;
pub mod asset;
pub mod asset_name;
pub mod change;
pub mod checks;
pub mod component;
pub mod compute;
pub mod context;
pub mod cron;
pub mod data;
pub mod diff;
pub mod dockerfile;
mod endpoint;
pub mod environment;
pub mod failure;
pub mod fired;
pub mod firing;
pub mod flux;
pub mod grants;
pub mod graph;
pub mod hash;
pub mod hosts;
mod invalid;
pub mod job;
pub mod names;
pub mod owner;
pub mod pattern;
pub mod pipeline;
pub mod preflight;
pub mod publish;
pub mod reasons;
pub mod refused;
pub mod remedy;
pub mod report;
pub mod resolve;
pub mod run;
pub mod schedule;
pub mod settle;
pub mod shell;
pub mod source;
pub mod tags;
mod taken;
pub mod time;
pub mod tree;
pub mod trouble;
pub mod workspace;
pub mod zones;

pub use action::{Action, Next, Plan, Verdict};
pub use context::Ask;
pub use invalid::InvalidSpec;

use azureml_crds::shared::HasCommon;
use trouble::Trouble;

/// What a kind decides. Its counterpart in the controller says what the kind reads.
pub trait Decide {
    /// What `status` holds.
    type Status: HasCommon + Clone + PartialEq;
    /// What the object refers to, found in Kubernetes.
    type Refs;
    /// What to look at in Azure, and what should be there.
    type Wanted;
    /// What Azure has.
    type Seen;

    /// What should be there.
    ///
    /// # Errors
    /// When the spec means nothing, in a way that the schema cannot refuse.
    fn wanted(&self, refs: &Self::Refs) -> Result<Self::Wanted, InvalidSpec>;

    /// What to send now, what to say, when to look again.
    fn plan(&self, view: View<'_, Self>) -> Plan;

    /// What it means for the object that Azure refused a request of its plan, where it means more than that it is tried again.
    fn refused(&self, _: &Trouble, _: &Ask) -> Option<Plan> {
        None
    }

    /// The kind's own facts for `status`, from what was seen and planned. The common part is the engine's, but for `azureId`.
    fn facts(&self, view: View<'_, Self>, plan: &Plan) -> Self::Status;
}

/// Everything that a decision looks at.
#[derive(Debug)]
pub struct View<'a, K: Decide + ?Sized> {
    /// What the object refers to.
    pub refs: &'a K::Refs,
    /// What should be there.
    pub wanted: &'a K::Wanted,
    /// What Azure has.
    pub seen: &'a K::Seen,
    /// The circumstances.
    pub ask: &'a Ask,
}

impl<K: Decide + ?Sized> Clone for View<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Decide + ?Sized> Copy for View<'_, K> {}

/// What a kind decides when its object is deleted: it needs names and policy, and never a meaningful spec.
pub trait Leave {
    /// What is known without the spec.
    type Address;
    /// What is left in Azure.
    type Left;

    /// What to send before the object may go. A plan with [`Next::Leave`] lets it go; one with [`Next::Absent`] does so once
    /// no creation is under way.
    fn farewell(&self, address: &Self::Address, left: &Self::Left, ask: &Ask) -> Plan;
}
