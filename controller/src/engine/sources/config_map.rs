//! Files from a ConfigMap: each key of `data` and `binaryData` is one.
//!
//! In: the name of a ConfigMap. Out: its entries, or what is missing. Keeps nothing.

use crate::engine::Context;
use crate::engine::relations::Name;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_source::Entries;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;

/// A ConfigMap, as objects name it.
#[must_use]
pub fn map_name(namespace: String, name: String) -> Name {
    Name { kind: "ConfigMap", namespace, name }
}

/// The entries of a ConfigMap, and its resource version.
pub(super) async fn read(
    ctx: &Context,
    (field, namespace, name): (&str, &str, &str),
) -> Result<(String, Entries), Wait> {
    // A ConfigMap may have 1 MiB: few are in memory at once.
    let _few = ctx.secrets.reads.permit(namespace).await;
    let api: Api<ConfigMap> = Api::namespaced(ctx.kube.clone(), namespace);
    let found = api.get_opt(name).await.map_err(|error| {
        let message = format!("{field}: failed to read ConfigMap {name}: {error}");
        Wait::new(Reason::SOURCE_FAILED, message).unwatched()
    })?;
    let found = found.ok_or_else(|| {
        let message = format!("{field}: there is no ConfigMap {name} in this namespace; create it");
        Wait::new(Reason::SOURCE_FAILED, message).unwatched()
    })?;
    let ConfigMap { metadata, data, binary_data, immutable: _ } = found;
    let texts = data.unwrap_or_default().into_iter().map(|(name, text)| (name, text.into_bytes()));
    let bytes = binary_data.unwrap_or_default().into_iter().map(|(name, bytes)| (name, bytes.0));
    Ok((metadata.resource_version.unwrap_or_default(), texts.chain(bytes).collect()))
}
