//! Settings that give a request another form, for an Azure that does not take the usual one.

use crate::support::{ask, object, owner, plan, workspace};
use anyhow::{Result, bail};
use azureml_crds::{MLCompute, MLPipeline};
use azureml_plan::asset_name::Pins;
use azureml_plan::pipeline::{self, Deployments, Presence};
use azureml_plan::publish::Publication;
use azureml_plan::source::Sources;
use azureml_plan::{Action, Decide as _, compute};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn a_change_of_scale_is_a_patch_or_a_put_of_the_whole_cluster() -> Result<()> {
    let changed = |scales_by_patch: bool| -> Result<Action> {
        let refs = compute::Refs {
            workspace: workspace(),
            owner: owner("cpu"),
            used_by: Vec::new(),
            scales_by_patch,
        };
        let of = |max: u32| -> Result<MLCompute> {
            let spec =
                format!("{{workspaceRef: {{name: prod}}, vmSize: Standard_DS3_v2, scale: {{max: {max}}}}}");
            object("cpu", &spec)
        };
        let mut have = of(4)?.wanted(&refs).map_err(anyhow::Error::msg)?.body;
        have["properties"]["provisioningState"] = json!("Succeeded");
        have["properties"]["properties"]["userAccountCredentials"] =
            json!({"adminUserName": "a", "adminUserPassword": null});
        let wanted = of(8)?.wanted(&refs).map_err(anyhow::Error::msg)?;
        assert_eq!(compute::is_overwritten(&refs, &wanted, &have), !scales_by_patch);
        let plan = plan(&of(8)?, &refs, &Some(have), &ask()).map_err(anyhow::Error::msg)?;
        let [action] = plan.actions.as_slice() else { bail!("{plan:?}") };
        Ok(action.clone())
    };
    let Action::Patch { body, .. } = changed(true)? else { bail!("no PATCH") };
    assert_eq!(body["properties"]["properties"].as_object().map(serde_json::Map::len), Some(1), "{body}");
    let Action::Put { body, .. } = changed(false)? else { bail!("no PUT") };
    let cluster = &body["properties"]["properties"];
    assert_eq!(
        (&cluster["scaleSettings"]["maxNodeCount"], &cluster["vmSize"]),
        (&json!(8), &json!("Standard_DS3_v2"))
    );
    assert_eq!(cluster["userAccountCredentials"], json!({"adminUserName": "a"}), "nulls stay away");
    Ok(())
}

#[test]
fn settings_of_a_deployment_are_text_or_have_types() -> Result<()> {
    let settings = |deployments: Deployments| -> Result<Value> {
        let refs = pipeline::Refs {
            pins: Pins::default(),
            sources: Sources::default(),
            pipelines: BTreeMap::new(),
            workspace: workspace(),
            owner: owner("p"),
            environments: BTreeMap::new(),
            computes: BTreeMap::new(),
            data: BTreeMap::new(),
            deployments,
        };
        let spec = "{workspaceRef: {name: p}, publish: {endpoint: ep}, steps: [{name: a, command: b}],
            defaults: {compute: {name: c}, environment: {id: /e}, forceRerun: true}}";
        let pipeline: MLPipeline = object("p", spec)?;
        let tags = owner("p").tags(&BTreeMap::new());
        let endpoint = Some(json!({"tags": tags, "properties": {"provisioningState": "Succeeded"}}));
        let publication = Publication { endpoint, is_complete: true, ..Publication::default() };
        let seen = pipeline::Seen::of(Presence::Here, publication);
        let plan = plan(&pipeline, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?;
        let [Action::Put { body, .. }] = plan.actions.as_slice() else { bail!("{plan:?}") };
        let mut settings = body["properties"]["deploymentConfiguration"]["settings"].clone();
        assert!(settings["default_compute"].as_str().is_some_and(|id| id.starts_with("/subscriptions/")));
        settings["default_compute"].take();
        Ok(settings)
    };
    let text = json!({"continue_on_step_failure": "false", "force_rerun": "true", "default_compute": null});
    assert_eq!(settings(Deployments::Text)?, text);
    let typed = json!({"continue_on_step_failure": false, "force_rerun": true, "default_compute": null});
    assert_eq!(settings(Deployments::Typed)?, typed);
    Ok(())
}
