//! MLCompute in the loop.

use super::in_workspace;
use crate::engine::relations::Name;
use crate::engine::watch::name_of;
use crate::engine::{Context, Kind};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLCompute, MLPipeline};
use std::hash::Hash;

impl Kind for MLCompute {
    const KIND: &'static str = "MLCompute";
    const CARES: bool = true;

    fn refers_to(&self) -> Vec<Name> {
        vec![in_workspace(self, &self.spec.workspace_ref)]
    }

    fn offer(&self) -> impl Hash {
        let status = self.status.as_ref();
        let ready = status.is_some_and(|status| azureml_plan::report::is_ready(&status.common.conditions));
        (ready, status.and_then(|status| status.common.azure_id.clone()))
    }

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy != Some(DeletionPolicy::Delete)
    }

    fn kept_by(&self, ctx: &Context) -> Vec<String> {
        if self.is_retained() {
            return Vec::new();
        }
        let (name, kinds) = (name_of(self), [MLPipeline::KIND]);
        ctx.holders(&name, &kinds).iter().map(|holder| holder.seen_from(&name.namespace)).collect()
    }
}
