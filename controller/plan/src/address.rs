//! Addresses of data, outputs and environments, as manifests write them: of which workspace each is.
//!
//! In: a text. Out: a workspace, none, or that it cannot be told. Decides nothing.

use azureml_client::ArmId;

/// Of which workspace an address is.
pub(crate) enum Address {
    /// Of none: of storage, or of a registry that workspaces share; or of this one.
    Elsewhere,
    /// Of this one.
    Of(ArmId),
    /// It cannot be told.
    Unclear,
}

/// Addresses of storage, which Azure's own rights stand before.
const STORAGE: [&str; 7] = ["https://", "http://", "abfss://", "abfs://", "wasbs://", "wasb://", "adl://"];

/// Of which workspace the text of a manifest is.
pub(crate) fn owner(text: &str) -> Address {
    if text.trim() != text {
        return Address::Unclear;
    }
    let lower = text.to_ascii_lowercase();
    // Where parts lead up or elsewhere, it is not what it says at the beginning.
    let is_of_azure = lower.starts_with("azureml:") || lower.starts_with('/');
    if is_of_azure && lower.split('/').any(|part| [".", ".."].contains(&part) || part.contains(['\\', '%'])) {
        return Address::Unclear;
    }
    // An ARM id may have the prefix of a name.
    let lower = match lower.strip_prefix("azureml:") {
        Some(id) if id.starts_with('/') && !id.starts_with("//") => id.to_owned(),
        _ => lower,
    };
    let path = match lower.strip_prefix("azureml://") {
        Some(rest) if ["datastores/", "registries/"].iter().any(|own| rest.starts_with(own)) => {
            return Address::Elsewhere;
        }
        Some(rest) => rest.to_owned(),
        None if lower.starts_with('/') => lower[1..].to_owned(),
        None if STORAGE.iter().any(|scheme| lower.starts_with(scheme)) || !lower.contains("://") => {
            return Address::Elsewhere;
        }
        None => return Address::Unclear,
    };
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["subscriptions", subscription, "resourcegroups", group, rest @ ..] => match rest {
            ["providers", "microsoft.machinelearningservices", "workspaces", name, ..]
            | ["workspaces", name, ..]
                if [subscription, group, name].iter().all(|part| !part.is_empty()) =>
            {
                Address::Of(ArmId::workspace(subscription, group, name))
            }
            ["providers", "microsoft.machinelearningservices", "registries", ..] => Address::Elsewhere,
            _ => Address::Unclear,
        },
        _ => Address::Unclear,
    }
}
