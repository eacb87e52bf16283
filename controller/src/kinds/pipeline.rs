//! MLPipeline in the loop.

use super::{in_workspace, named};
use crate::engine::relations::Name;
use crate::engine::watch::name_of;
use crate::engine::{Context, Kind};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule};
use azureml_plan::pipeline::{computes, data_refs, environments, pipelines};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::{refusal, within};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use std::hash::Hash;

impl Kind for MLPipeline {
    const KIND: &'static str = "MLPipeline";

    fn refers_to(&self) -> Vec<Name> {
        let environments = environments(self).into_iter().map(|name| named::<_, MLEnvironment>(self, &name));
        let computes = computes(self).into_iter().map(|name| named::<_, MLCompute>(self, &name));
        let data = data_refs(self).into_iter().map(|name| named::<_, MLData>(self, &name));
        let workspace = in_workspace(self, &self.spec.workspace_ref);
        let nested = pipelines(self).into_iter().map(|name| named::<_, MLPipeline>(self, &name));
        environments.chain(computes).chain(data).chain(nested).chain([workspace]).collect()
    }

    fn offer(&self) -> impl Hash {
        let current = self.status.as_ref().and_then(|status| status.current.as_ref());
        let accepted = current.and_then(|current| current.accepted_as.clone());
        let refused =
            self.status.as_ref().and_then(|status| refusal(&status.common)).map(|(reason, _)| reason);
        let version = current.map(|current| current.version.clone());
        // Its runs and schedules wait with it: they name no MLWorkspace before they have used one.
        let is_let_in = self.status.as_ref().is_none_or(|status| {
            let is_it = |condition: &Condition| condition.reason == Reason::REFERENCE_NOT_PERMITTED.word();
            !status.common.conditions.iter().any(is_it)
        });
        // A circle of pipelines is opened by a change of one of them.
        (version, accepted, refused, is_let_in, pipelines(self), self.metadata.deletion_timestamp.is_some())
    }

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy == Some(DeletionPolicy::Retain)
    }

    fn kept_by(&self, ctx: &Context) -> Vec<String> {
        let name = name_of(self);
        let mut holders = ctx.holders(&name, &[MLSchedule::KIND, MLRun::KIND, MLPipeline::KIND]);
        // Pipelines in a circle keep each other from nothing: none of them could ever go.
        let within = within(self, ctx.world());
        holders.retain(|holder| holder.kind != MLPipeline::KIND || !within.contains(&holder.name));
        holders.iter().map(|holder| holder.seen_from(&name.namespace)).collect()
    }
}
