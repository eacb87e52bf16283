//! One object by its name, by the right to list that a watch needs anyway: the chart gives no right to get it.

use kube::api::{Api, ListParams, PartialObjectMeta};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// The metadata of an object; none where there is none. The API server is asked, not a watch.
///
/// # Errors
/// When Kubernetes refuses, or does not answer.
pub async fn named<K>(api: &Api<K>, name: &str) -> kube::Result<Option<PartialObjectMeta<K>>>
where
    K: Clone + Debug + DeserializeOwned,
{
    let of_name = ListParams::default().fields(&format!("metadata.name={name}"));
    let found = api.list_metadata(&of_name).await?;
    Ok(found.items.into_iter().find(|object| object.metadata.name.as_deref() == Some(name)))
}
