//! What a tenant cannot have decided: with what others put into Azure, with grants that are taken back, with names and sizes.

use crate::situations::with;
use crate::support::{NAMESPACE, ask, object, owner, plan, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline};
use azureml_plan::context::Workspace;
use azureml_plan::grants::{Asker, Grant, Rights};
use azureml_plan::source::Sources;
use azureml_plan::{Decide as _, component, compute, data, environment};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DIGEST: &str = "sha256:9f2c1a7b0000000000000000000000000000000000000000000000000000abcd";
const OTHER: &str = "sha256:11111a7b0000000000000000000000000000000000000000000000000000abcd";

#[test]
fn a_version_of_nobody_or_with_another_image_is_not_used() -> Result<()> {
    let refs = environment::Refs::new(workspace(), owner("r"));
    let given: MLEnvironment = object("r", "{workspaceRef: {name: prod}, image: 'ghcr.io/org/r:4.4'}")?;
    let wanted = given.wanted(&refs).map_err(anyhow::Error::msg)?;
    let name = environment::version_name(&wanted.content, DIGEST);
    let own = json!({"image": wanted.source.image().pinned(DIGEST), "isArchived": false, "tags": owner("r").tags(&BTreeMap::new())});
    let decided = |properties: &Value| -> Result<(String, Option<String>)> {
        let body = json!({"properties": properties});
        let version = Some(environment::Version { name: name.clone(), body });
        let seen = environment::Seen { version, ..environment::Seen::default() };
        let plan = plan(&given, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?;
        ensure!(plan.actions.is_empty(), "{plan:?}");
        let view = azureml_plan::View { refs: &refs, wanted: &wanted, seen: &seen, ask: &ask() };
        Ok((plan.verdict.reason.to_string(), given.facts(view, &plan).version))
    };
    assert_eq!(decided(&own)?, ("Succeeded".to_owned(), Some(name.clone())));
    let of_nobody = with(&own, "/tags", json!({}));
    let other_image = with(&own, "/image", json!(wanted.source.image().pinned(OTHER)));
    for properties in [of_nobody, other_image] {
        assert_eq!(decided(&properties)?, ("OwnedByAnother".to_owned(), None), "{properties}");
    }
    Ok(())
}

#[test]
fn names_that_lead_elsewhere_are_no_version() -> Result<()> {
    let given: MLEnvironment = object("r", "{workspaceRef: {name: prod}, image: 'ghcr.io/org/r:4.4'}")?;
    let content = environment::content_name(&given.spec, None, &environment::Images::default());
    let name = environment::version_name(&content, DIGEST);
    assert!(environment::is_of_content(&name, &content));
    for rest in [r"\..\..\x", "/../x", "%2e", "", "x"] {
        assert!(!environment::is_of_content(&format!("{name}{rest}x"), &content), "{rest}");
    }
    Ok(())
}

/// A workspace that is used by an identity of the operator, with these grants.
fn granted(more: &str) -> Result<Workspace> {
    let grants: Vec<Grant> = serde_json::from_str(&format!(r#"[{{"namespaces": ["{NAMESPACE}"]{more}}}]"#))?;
    let asker = Asker {
        namespace: NAMESPACE.to_owned(),
        client: None,
        cloud: "AzurePublic".to_owned(),
        is_default_cloud: true,
    };
    let rights = Rights::granted(&grants, asker, workspace().id).map_err(anyhow::Error::msg)?;
    Ok(Workspace { rights, ..workspace() })
}

#[test]
fn a_cluster_with_an_identity_that_is_not_granted_any_more_says_so() -> Result<()> {
    let spec = "{workspaceRef: {name: prod}, azureName: cpu, vmSize: Standard_DS3_v2, scale: {max: 4}}";
    let cluster: MLCompute = object("cpu", spec)?;
    let identity =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
    for (more, reason) in
        [("", "IdentityNotGranted"), (r#", "identities": ["*/userAssignedIdentities/i"]"#, "Succeeded")]
    {
        let refs = compute::Refs {
            workspace: granted(more)?,
            owner: owner("cpu"),
            used_by: Vec::new(),
            scales_by_patch: true,
        };
        let wanted = cluster.wanted(&refs).map_err(anyhow::Error::msg)?;
        let have = with(&wanted.body, "/properties/provisioningState", json!("Succeeded"));
        let identities = json!({"type": "UserAssigned", "userAssignedIdentities": {identity: {}}});
        let have = Some(with(&have, "/identity", identities));
        let plan = plan(&cluster, &refs, &have, &ask()).map_err(anyhow::Error::msg)?;
        assert_eq!(plan.verdict.reason.as_str(), reason, "{plan:?}");
    }
    Ok(())
}

#[test]
fn data_of_another_workspace_is_asked_for() -> Result<()> {
    let other = "azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/d/paths/p";
    let data = |path: &str| {
        object::<MLData>("d", &format!("{{workspaceRef: {{name: prod}}, type: uri_file, path: '{path}'}}"))
    };
    let refused = |path: &str, more: &str| -> Result<Option<String>> {
        let refs = data::Refs { workspace: granted(more)?, owner: owner("d"), sources: Sources::default() };
        Ok(data(path)?.wanted(&refs).err().map(|invalid| format!("{} {}", invalid.field, invalid.reason)))
    };
    let not_granted = Some("path WorkspaceNotGranted".to_owned());
    assert_eq!(refused(other, "")?, None, "a grant without bounds reaches every workspace");
    let bound = r#", "workspaces": ["mlw-prod"]"#;
    assert_eq!(refused(other, bound)?, not_granted);
    assert_eq!(refused("azureml://elsewhere/p", bound)?, not_granted);
    assert_eq!(refused("azureml://datastores/d/paths/p", bound)?, None);
    assert_eq!(refused("https://example.com/p", bound)?, None);
    Ok(())
}

#[test]
fn no_step_has_a_generated_name_and_inputs_have_their_bounds() -> Result<()> {
    let checked = |more: &str, step: &str, description: usize| -> Result<Option<String>> {
        let inputs = json!({"a": {"type": "string", "default": "x", "description": "d".repeat(description)}});
        let spec = format!(
            "{{workspaceRef: {{name: w}}{more}, inputs: {inputs}, steps: [{{name: {step}, command: 'true'}}]}}"
        );
        let pipeline: MLPipeline = object("p", &spec)?;
        Ok(component::check(&pipeline, &BTreeMap::new()).into_iter().next().map(|invalid| invalid.field))
    };
    assert_eq!(checked("", "b_r_gbm_1a2b3c4d_train", 10)?, None, "the operator's own name begins it");
    assert_eq!(checked(", azureName: team", "train", 10)?, None);
    assert_eq!(checked(", azureName: churn_20240115", "train", 10)?, None, "a date is a date");
    for step in ["b_r_gbm_1a2b3c4d_train", "p1a2b3c4", "b_20260101"] {
        assert_eq!(checked(", azureName: team", step, 10)?.as_deref(), Some("azureName"), "{step}");
    }
    assert_eq!(checked("", "train", 33_000)?.as_deref(), Some("inputs"));
    Ok(())
}
