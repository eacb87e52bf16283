//! Clusters: a quota, a pause, one that was there before.

use super::{
    accepted, compute, condition, fault, last_body, manifest, message, patch, pipeline, ready, says,
    workspace,
};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline};
use azureml_e2e::{PATIENCE, Scene, Setting};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_said_in_azures_words_and_tried_again() -> Result<()> {
    let scene = Scene::set("quota", Setting::default()).await?;
    let operator = scene.operator().await?;
    let text = "Operation results in exceeding quota limits of Total Cluster Dedicated Regional vCPUs. Maximum allowed: 10";
    let fails = json!({"match": {"path": "/computes/"}, "when": "outcome", "do": {"fail": {"code": "ClusterCoreQuotaReached", "message": text}}});
    let fails = fault(&scene, fails)?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    let failed = says::<MLCompute>(&scene, "cpu", "False", "QuotaExceeded").await?;
    ensure!(message(&failed, "Ready").contains(text), "{failed}");
    ensure!(condition(&failed, "Stalled")["status"] == "True", "{failed}");
    ensure!(condition(&failed, "Reconciling").is_null(), "{failed}");
    ensure!(scene.azure.release(&fails, false), "there is no such fault");
    let done = ready::<MLCompute>(&scene, "cpu").await?;
    ensure!(condition(&done, "Stalled").is_null() && done["status"]["lastFailure"].is_null(), "{done}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_object_changes_nothing_in_azure_until_it_goes_on() -> Result<()> {
    let scene = Scene::set("paused", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let since = scene.azure.requests().len();
    let paused = |value: serde_json::Value| json!({"metadata": {"annotations": {azureml_crds::PAUSED: value}}, "spec": {"scale": {"max": 9}}});
    patch(&scene, "mlcompute/cpu", &paused(json!("true"))).await?;
    let is_paused = |compute: &MLCompute| {
        compute.status.as_ref().is_some_and(|status| {
            let mut conditions = status.common.conditions.iter();
            conditions.any(|condition| condition.type_ == "Paused" && condition.status == "True")
                && status.common.observed_generation == compute.metadata.generation
        })
    };
    scene.wait("cpu", "paused", is_paused).await?;
    assert!(scene.writes(since).is_empty(), "{}", scene.requests_shown(10));
    patch(&scene, "mlcompute/cpu", &paused(serde_json::Value::Null)).await?;
    let done = ready::<MLCompute>(&scene, "cpu").await?;
    ensure!(condition(&done, "Paused").is_null(), "{done}");
    let body = last_body(&scene, "PATCH workspaces/computes")?;
    assert_eq!(body["properties"]["properties"]["scaleSettings"]["maxNodeCount"], 9);
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_object_that_has_to_be_made_is_not_looked_at_all_the_time() -> Result<()> {
    let scene = Scene::set("idle", Setting::default()).await?;
    let operator = scene.operator().await?;
    let environment = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLEnvironment",
        "metadata": {"name": "image", "annotations": {azureml_crds::PAUSED: "true"}},
        "spec": {"workspaceRef": {"name": "team-a"}, "image": "ghcr.io/team/image:1"}});
    scene.apply_objects(&(workspace("") + "---\n" + &environment.to_string())).await?;
    let is_paused = |environment: &MLEnvironment| {
        environment.status.as_ref().is_some_and(|status| {
            status.common.conditions.iter().any(|condition| condition.type_ == "Paused")
        })
    };
    scene.wait("image", "paused", is_paused).await?;
    // Passes over another object take their time, in which a loop would show.
    let mut mark = operator.mark();
    for value in ["1", "2", "3", "4", "5"] {
        super::ask(&scene, "mlworkspace/team-a", value).await?;
        mark = operator.pass(mark, "MLWorkspace", "team-a")?;
    }
    let looks = scene.azure.requests().iter().filter(|entry| entry.url.contains("/environments/")).count();
    ensure!(looks <= 3, "{looks} looks: {}", scene.requests_shown(20));
    assert!(scene.writes(0).is_empty(), "{}", scene.requests_shown(20));
    operator.stop()
}

/// Makes a compute as somebody does in the portal.
async fn by_hand(scene: &Scene, name: &str, body: &Value) -> Result<()> {
    let (http, token) = scene.azure_client().await?;
    let (endpoint, subscription) = (scene.azure.endpoint(), scene.azure.subscription_id());
    let url = format!(
        "{endpoint}/subscriptions/{subscription}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/mlw-team-a/computes/{name}?api-version=2025-12-01"
    );
    http.put(url).bearer_auth(token).json(body).send().await?.error_for_status()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_on_a_compute_instance_is_ready_and_says_so() -> Result<()> {
    let scene = Scene::set("instance", Setting::default()).await?;
    let inner = json!({"vmSize": "STANDARD_DS3_V2", "applicationSharingPolicy": "Personal"});
    let body = json!({"location": "westeurope", "properties": {"computeType": "ComputeInstance", "properties": inner}});
    by_hand(&scene, "ci-anna", &body).await?;
    let operator = scene.operator().await?;
    let of = |compute: &str| pipeline("").replace("compute: {ref: cpu}", compute);
    scene.apply_objects(&(workspace("") + &of("compute: {name: ci-anna}"))).await?;
    let told = says::<MLPipeline>(&scene, "p", "True", "ComputeInstanceTarget").await?;
    let said = message(&told, "Ready");
    ensure!(said.ends_with("name a cluster instead of a compute instance, which does not scale, has to be started, and is one user's: defaults.compute names ci-anna"), "{said}");
    ensure!(condition(&told, "Stalled").is_null(), "{told}");
    scene.apply_objects(&of("compute: {ref: cpu}")).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_in_the_region_and_has_the_account_that_the_spec_says() -> Result<()> {
    let scene = Scene::set("account", Setting::default()).await?;
    let operator = scene.operator().await?;
    let own = ", azureName: ours, location: northeurope, ssh: {adminUserName: azureuser, publicKey: ssh-rsa AAAA me@desk, publicAccess: true}";
    scene.apply_objects(&(workspace("") + &compute(own))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let body = last_body(&scene, "PUT workspaces/computes")?;
    let (outer, inner) = (&body["properties"], &body["properties"]["properties"]);
    ensure!(body["location"] == "westeurope" && outer["computeLocation"] == "northeurope", "{body}");
    ensure!(
        outer["disableLocalAuth"] == false && inner["remoteLoginPortPublicAccess"] == "Enabled",
        "{body}"
    );
    let account = json!({"adminUserName": "azureuser", "adminUserSshPublicKey": "ssh-rsa AAAA me@desk"});
    ensure!(inner["userAccountCredentials"] == account, "{body}");
    // A change of the whole keeps them.
    patch(&scene, "mlcompute/cpu", &json!({"spec": {"tags": {"team": "a"}}})).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let body = last_body(&scene, "PUT workspaces/computes")?;
    ensure!(body["tags"]["team"] == "a" && body["properties"]["computeLocation"] == "northeurope", "{body}");
    ensure!(body["properties"]["properties"]["userAccountCredentials"] == account, "{body}");
    // Another object that takes the cluster over has to say the same.
    scene.kubectl(&["delete", "mlcompute/cpu"]).await?;
    scene.portal("computes", "ours", &json!({"tags": null})).await?;
    let other = own.replace("AAAA", "BBBB") + ", adopt: true";
    scene.apply_objects(&compute(&other)).await?;
    let refused = says::<MLCompute>(&scene, "cpu", "False", "CannotChange").await?;
    ensure!(message(&refused, "Ready").contains("adminUserSshPublicKey"), "{refused}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_there_is_used_as_it_is_or_taken_over() -> Result<()> {
    let scene = Scene::set("adopt", Setting::default()).await?;
    let body = json!({"location": "westeurope", "tags": {"made": "by hand"}, "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "STANDARD_DS3_V2", "vmPriority": "Dedicated", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT2M"}}}});
    by_hand(&scene, "shared", &body).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute(", azureName: shared"))).await?;
    let used = says::<MLCompute>(&scene, "cpu", "True", "NotOwned").await?;
    ensure!(
        used["status"]["drift"][0]["path"] == "properties.properties.scaleSettings.maxNodeCount",
        "{used}"
    );
    assert_eq!(accepted(&scene, "PUT workspaces/computes"), 1, "ours is the one by hand alone");
    patch(&scene, "mlcompute/cpu", &json!({"spec": {"adopt": true}})).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let body = last_body(&scene, "PUT workspaces/computes")?;
    ensure!(body["tags"]["made"] == "by hand" && body["tags"]["azureml-operator-name"] == "cpu", "{body}");
    ensure!(body["properties"]["properties"]["scaleSettings"]["maxNodeCount"] == 4, "{body}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_many_short_pages_shows_every_cluster() -> Result<()> {
    let mut setting = Setting::default();
    setting.azure.page_size = 2;
    let scene = Scene::set("pages", setting).await?;
    let operator = scene.operator().await?;
    let names: Vec<String> = (0..7).map(|number| format!("c{number}")).collect();
    let spec = |name: &str| {
        format!(
            "workspaceRef: {{name: team-a}}, azureName: page-{name}, vmSize: Standard_DS3_v2, scale: {{max: 4}}, driftPolicy: Correct"
        )
    };
    let all: String = names.iter().map(|name| manifest("MLCompute", name, &spec(name))).collect();
    scene.apply_objects(&(workspace("") + &all)).await?;
    for name in &names {
        ready::<MLCompute>(&scene, name).await?;
    }
    operator.stop()?;
    let more = json!({"properties": {"properties": {"scaleSettings": {"maxNodeCount": 9}}}});
    scene.portal("computes", "page-c6", &more).await?;
    let since = scene.azure.requests().len();
    let operator = scene.operator().await?;
    // It is on the last of four pages, and is put right; the others are as they were.
    let is_patched = |log: &[azureml_simulator::Entry]| {
        log[since..]
            .iter()
            .any(|entry| entry.method == "PATCH" && entry.url.contains("page-c6"))
            .then_some(())
    };
    scene.azure.wait_for(PATIENCE, is_patched).await.context("the last page was not read")?;
    ready::<MLCompute>(&scene, "c6").await?;
    let operations: Vec<String> = scene.writes(since).into_iter().map(|entry| entry.operation).collect();
    assert_eq!(operations, ["PATCH workspaces/computes"], "{}", scene.requests_shown(20));
    let requests = scene.azure.requests();
    let pages = requests[since..].iter().filter(|entry| entry.url.contains("skipToken"));
    ensure!(pages.clone().count() >= 3, "{}", scene.requests_shown(20));
    ensure!(pages.clone().all(|entry| !entry.url.contains("$skip=")), "a link is followed as it is");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_failed_is_read_again_soon_and_not_at_the_next_comparison() -> Result<()> {
    // The next comparison is an hour away.
    let scene = Scene::set("list", Setting::default()).await?;
    let operator = scene.operator().await?;
    let spec = |name: &str| {
        format!(
            "workspaceRef: {{name: team-a}}, azureName: list-{name}, vmSize: Standard_DS3_v2, scale: {{max: 4}}, driftPolicy: Correct"
        )
    };
    let all: String = ["c0", "c1", "c2"].map(|name| manifest("MLCompute", name, &spec(name))).concat();
    scene.apply_objects(&(workspace("") + &all)).await?;
    for name in ["c0", "c1", "c2"] {
        ready::<MLCompute>(&scene, name).await?;
    }
    operator.stop()?;
    let more = json!({"properties": {"properties": {"scaleSettings": {"maxNodeCount": 9}}}});
    scene.portal("computes", "list-c2", &more).await?;
    let broken =
        fault(&scene, json!({"match": {"method": "GET", "path": "/computes\\?"}, "do": {"status": 500}}))?;
    let since = scene.azure.requests().len();
    let operator = scene.operator().await?;
    says::<MLCompute>(&scene, "c2", "False", "InternalServerError").await?;
    let lists = scene.azure.requests()[since..].iter().filter(|entry| entry.status == Some(500)).count();
    ensure!(lists <= 4, "{lists} requests for one list that fails: {}", scene.requests_shown(20));
    ensure!(scene.azure.release(&broken, false), "there is no such fault");
    let is_patched = |log: &[azureml_simulator::Entry]| {
        log[since..]
            .iter()
            .any(|entry| entry.method == "PATCH" && entry.url.contains("list-c2"))
            .then_some(())
    };
    scene.azure.wait_for(PATIENCE, is_patched).await.context("the list was not read again")?;
    ready::<MLCompute>(&scene, "c2").await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn scale_is_changed_by_a_put_where_the_configuration_says_so() -> Result<()> {
    let mut setting = Setting::default();
    setting.config = setting.config.replace("azure: {", "azure: {scaleByPatch: false, ");
    let scene = Scene::set("put", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let since = scene.azure.requests().len();
    patch(&scene, "mlcompute/cpu", &json!({"spec": {"scale": {"max": 7}}})).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let operations: Vec<String> = scene.writes(since).into_iter().map(|entry| entry.operation).collect();
    assert_eq!(operations, ["PUT workspaces/computes"], "{}", scene.requests_shown(20));
    let body = last_body(&scene, "PUT workspaces/computes")?;
    ensure!(body["properties"]["properties"]["scaleSettings"]["maxNodeCount"] == 7, "{body}");
    operator.stop()
}
