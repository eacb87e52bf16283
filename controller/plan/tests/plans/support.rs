//! What the tests of all kinds share: a workspace, an owner, a moment, and manifests as YAML.

use azureml_client::ArmId;
use azureml_crds::ml_workspace::{RegistryStatus, RoleAssignmentMode};
use azureml_crds::sharing::WorkspaceReference;
use azureml_plan::context::{Pace, Workspace};
use azureml_plan::grants::Rights;
use azureml_plan::owner::Owner;
use azureml_plan::{Ask, Decide, InvalidSpec, Plan, View};
use jiff::Timestamp;
use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub const NAMESPACE: &str = "ns1";
pub const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";
/// 2026-01-05, 06:00 UTC: a Monday.
pub const NOW: Timestamp = Timestamp::constant(1_767_592_800, 0);

/// The workspace of the captured requests.
pub fn workspace() -> Workspace {
    let registry = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-mlops/providers/Microsoft.ContainerRegistry/registries/acrmlops"
    );
    Workspace {
        reference: WorkspaceReference::own("prod"),
        id: ArmId::workspace(SUBSCRIPTION, "rg-mlops", "mlw-prod"),
        region: "westeurope".into(),
        data_plane: None,
        registry: Some(RegistryStatus {
            resource_id: registry,
            login_server: "acrmlops.azurecr.io".into(),
            location: "westeurope".into(),
            role_assignment_mode: RoleAssignmentMode::LegacyRegistryPermissions,
        }),
        rights: Rights::Own,
        identity: "own".into(),
    }
}

/// The id of something in the workspace, as text: `computes/cpu-cluster`.
pub fn id(tail: &str) -> String {
    format!("{}/{tail}", workspace().id)
}

pub fn owner(name: &str) -> Owner {
    Owner {
        cluster: "cluster-1".into(),
        namespace: NAMESPACE.into(),
        name: name.into(),
        predecessors: Vec::new(),
    }
}

/// A quiet moment: nothing was asked for, the spec is the one that was seen before.
pub fn ask() -> Ask {
    Ask { now: NOW, pace: Pace::default(), requested: None, is_new_generation: false, may_appear: false }
}

/// An object from its spec.
pub fn object<K>(name: &str, spec: &str) -> anyhow::Result<K>
where
    K: Resource<DynamicType = ()> + DeserializeOwned,
{
    let spec: Value = serde_saphyr::from_str(spec).map_err(|error| anyhow::anyhow!("{error}"))?;
    let object = json!({
        "apiVersion": K::api_version(&()), "kind": K::kind(&()), "spec": spec,
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": "0b7c1e0e-0000-4000-8000-000000000001", "generation": 1},
    });
    Ok(serde_json::from_value(object)?)
}

/// What an object decides.
pub fn plan<K: Decide>(object: &K, refs: &K::Refs, seen: &K::Seen, ask: &Ask) -> Result<Plan, InvalidSpec> {
    let wanted = object.wanted(refs)?;
    Ok(object.plan(View { refs, wanted: &wanted, seen, ask }))
}
