//! ConfigMaps that say by a label that they are sources: the objects that take files from one are woken when it changes.
//!
//! In: the watch of their metadata. Out: names in queues. Without the right to watch them each is read every five minutes, like one
//! without the label.

use super::Context;
use super::metadata::{self, Told, Watched};
use super::sources::map_name;
use super::watch::Watch;
use crate::telemetry::texts::MAPS_NOT_WATCHED;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::core::ApiResource;
use std::sync::Arc;

/// The label of a ConfigMap that is to be followed, and its value.
pub const LABEL: (&str, &str) = ("azureml.dev/source", "true");

/// Follows the ConfigMaps that have the label, until told to stop.
pub async fn follow(ctx: Arc<Context>, watch: Watch) {
    let (key, value) = LABEL;
    let watched = Watched {
        kind: "ConfigMap",
        resource: ApiResource::erase::<ConfigMap>(&()),
        namespaces: &watch.namespaces,
        label: Some(format!("{key}={value}")),
        warning: MAPS_NOT_WATCHED,
    };
    metadata::follow(&ctx.kube, watched, &watch.stop, &mut |told| {
        if let Told::Is(map) | Told::Gone(map) = told {
            let name = map_name(map.namespace().unwrap_or_default(), map.name_any());
            watch.wakers.wake_all(ctx.referrers(&name));
        }
    })
    .await;
}
