//! Namespaces: objects that name an MLWorkspace which is shared by labels are woken when those of their namespace change.
//!
//! In: the watch of their metadata. Out: labels, and names in queues. An operator that watches some namespaces alone has no right to read them:
//! it knows of each its name.

use super::Context;
use super::metadata::{self, Told, Watched};
use super::relations::Name;
use super::watch::{Watch, name_of};
use crate::telemetry::texts::NAMESPACES_NOT_WATCHED;
use azureml_crds::MLWorkspace;
use azureml_crds::sharing::AllowedFrom;
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt as _;
use kube::core::ApiResource;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Follows the namespaces until told to stop. `listed` is cancelled once they are known, or known to be out of reach.
pub async fn follow(ctx: Arc<Context>, watch: Watch, listed: CancellationToken) {
    if !watch.namespaces.is_empty() {
        listed.cancel();
        return;
    }
    let watched = Watched {
        kind: "Namespace",
        resource: ApiResource::erase::<Namespace>(&()),
        namespaces: &[],
        label: None,
        warning: NAMESPACES_NOT_WATCHED,
    };
    let mut seen = BTreeSet::new();
    metadata::follow(&ctx.kube, watched, &watch.stop, &mut |told| match told {
        Told::Begins => seen.clear(),
        Told::Is(namespace) => {
            let name = namespace.name_any();
            changed(&ctx, &watch, &name, ctx.namespace_labels.set(&name, Some(namespace.labels())));
            seen.insert(name);
        }
        Told::Gone(namespace) => {
            let name = namespace.name_any();
            seen.remove(&name);
            changed(&ctx, &watch, &name, ctx.namespace_labels.set(&name, None));
        }
        Told::Listed => {
            forget(&ctx, &watch, &seen);
            listed.cancel();
        }
        Told::Refused => {
            forget(&ctx, &watch, &BTreeSet::new());
            listed.cancel();
        }
    })
    .await;
}

/// Of all but these nothing is known.
fn forget(ctx: &Context, watch: &Watch, only: &BTreeSet<String>) {
    for namespace in ctx.namespace_labels.keep(only) {
        changed(ctx, watch, &namespace, true);
    }
}

/// Wakes the objects of a namespace that name a workspace shared by labels, where those of the namespace have changed.
fn changed(ctx: &Context, watch: &Watch, namespace: &str, is_news: bool) {
    if !is_news {
        return;
    }
    for workspace in ctx.stores.workspaces.state().iter().filter(|workspace| is_by_labels(workspace)) {
        let own = name_of(workspace.as_ref());
        let is_there = |name: &&Name| name.namespace == namespace;
        let referrers: Vec<Name> =
            ctx.relations().referrers(&own).into_iter().filter(is_there).cloned().collect();
        // While it is deleted it waits for those that may use it.
        let waits = workspace.metadata.deletion_timestamp.is_some().then_some(own);
        watch.wakers.wake_all(referrers.into_iter().chain(waits));
    }
}

fn is_by_labels(workspace: &MLWorkspace) -> bool {
    workspace.spec.allowed_namespaces.as_ref().is_some_and(|allowed| allowed.from == AllowedFrom::Selector)
}
