//! MLWorkspace in the loop.

use crate::engine::relations::Name;
use crate::engine::watch::name_of;
use crate::engine::{Context, Kind};
use azureml_crds::ml_workspace::MLWorkspaceStatus;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLWorkspace};
use azureml_plan::preflight::refused;
use azureml_plan::resolve::may_allow;
use azureml_plan::trouble::Trouble;
use azureml_plan::workspace::believed;
use kube::ResourceExt as _;
use std::hash::Hash;

impl Kind for MLWorkspace {
    const KIND: &'static str = "MLWorkspace";

    /// What was learned under another identity or of another registry says nothing now.
    fn status_before(&self) -> MLWorkspaceStatus {
        believed(self)
    }

    fn status_refused(&self, trouble: &Trouble) -> MLWorkspaceStatus {
        let mut status = self.status_before();
        status.preflight = refused(&status.preflight, trouble);
        status
    }

    fn refers_to(&self) -> Vec<Name> {
        Vec::new()
    }

    fn offer(&self) -> impl Hash {
        // What is believed: where the spec changes, it is nothing until it was learned anew, and objects that wait for that are woken.
        let status = believed(self);
        let registry = status.registry.map(|registry| (registry.resource_id, registry.login_server));
        (
            status.region,
            registry,
            status.data_plane,
            status.resync,
            serde_json::to_string(&self.spec.identity).ok(),
            serde_json::to_string(&self.spec.allowed_namespaces).ok(),
        )
    }

    fn holds(&self) -> bool {
        false
    }

    fn is_retained(&self) -> bool {
        true
    }

    fn kept_by(&self, ctx: &Context) -> Vec<String> {
        let own = self.namespace().unwrap_or_default();
        let kinds = [MLCompute::KIND, MLEnvironment::KIND, MLData::KIND, MLPipeline::KIND];
        let holders = ctx.holders(&name_of(self), &kinds).into_iter();
        // What may not use it, keeps it from nothing: anybody can name it.
        let holders = holders.filter(|holder| may_allow(ctx, self, &holder.namespace));
        let mut kept: Vec<String> = holders.map(|holder| holder.seen_from(&own)).collect();
        // What is in a namespace that may not be listed is not known.
        let shut = ctx.shut.all().into_iter().filter(|shut| *shut != own && may_allow(ctx, self, shut));
        kept.extend(shut.map(|shut| format!("objects of {shut}, which the operator may not list")));
        kept
    }
}
