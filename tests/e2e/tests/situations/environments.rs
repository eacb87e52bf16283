//! Images: one that failed to build and is asked for again, a tag that moved, a registry with rights by repository.

use super::{accepted, ask, fault, last_body, manifest, message, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::MLEnvironment;
use azureml_e2e::{Scene, Setting};
use azureml_simulator::{Entry, RoleMode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const BUILT: &str = "workspaceRef: {name: team-a}, build: {dockerfile: \"FROM r-base:4.4\\nRUN true\\n\"}";
const CONDA: &str = "dependencies:\n- python=3.11\n- pip: [scikit-learn==1.5.2]\n";
const GIVEN: &str = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";

fn environment(spec: &str) -> String {
    workspace("") + &manifest("MLEnvironment", "image", spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_failed_is_tried_again_on_request_and_never_by_itself() -> Result<()> {
    let scene = Scene::set("build", Setting::default()).await?;
    let operator = scene.operator().await?;
    let fails = json!({"match": {"path": "taskRuns/"}, "when": "outcome", "do": {"fail": {"code": "RunFailed", "message": "package 'gbm' is not available"}}});
    let fails = fault(&scene, fails)?;
    scene.apply_objects(&environment(BUILT)).await?;
    let failed = says::<MLEnvironment>(&scene, "image", "False", "BuildFailed").await?;
    ensure!(message(&failed, "Ready").contains("package 'gbm' is not available"), "{failed}");
    ensure!(super::condition(&failed, "Stalled")["status"] == "True", "{failed}");
    ensure!(failed["status"]["build"]["state"] == "Failed", "{failed}");
    // The reason may have gone: only a request or a change builds again.
    ensure!(scene.azure.release(&fails, false), "there is no such fault");
    let mark = operator.mark();
    ask(&scene, "mlworkspace/team-a", "1").await?;
    operator.pass(mark, "MLWorkspace", "team-a")?;
    assert_eq!(accepted(&scene, "PUT registries/taskRuns"), 1);
    ask(&scene, "mlenvironment/image", "1").await?;
    ready::<MLEnvironment>(&scene, "image").await?;
    assert_eq!(accepted(&scene, "PUT registries/taskRuns"), 2);
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conda_file_and_packages_need_no_dockerfile() -> Result<()> {
    let scene = Scene::set("without-dockerfile", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&workspace("")).await?;
    scene.kubectl(&["apply", "-f", "examples/without-dockerfile/"]).await?;
    for name in ["churn-conda", "churn-packages"] {
        let built = ready::<MLEnvironment>(&scene, name).await?;
        ensure!(built["status"]["build"]["state"] == "Succeeded", "{built}");
        ensure!(image(&built).contains(&format!("/{name}@sha256:")), "{built}");
    }
    assert_eq!(accepted(&scene, "PUT registries/taskRuns"), 2);
    let left = format!(
        "workspaceRef: {{name: team-a}}, conda: {{image: 'ghcr.io/team/image:1', builder: {{azureml: {{}}}}, file: {CONDA:?}}}"
    );
    scene.apply_objects(&manifest("MLEnvironment", "left", &left)).await?;
    let left = ready::<MLEnvironment>(&scene, "left").await?;
    ensure!(image(&left).starts_with("ghcr.io/team/image@sha256:"), "{left}");
    ensure!(message(&left, "Ready").ends_with("Azure ML builds it at the first job"), "{left}");
    assert_eq!(accepted(&scene, "PUT registries/taskRuns"), 2);
    let put = last_body(&scene, "PUT workspaces/environments/versions")?;
    ensure!(put["properties"]["condaFile"] == CONDA, "{put}");
    let broken = "workspaceRef: {name: team-a}, conda: {image: a, file: 'dependencies: python'}";
    scene.apply_objects(&manifest("MLEnvironment", "broken", broken)).await?;
    let broken = says::<MLEnvironment>(&scene, "broken", "False", "InvalidSpec").await?;
    ensure!(message(&broken, "Ready").contains("conda.file: dependencies is no list"), "{broken}");
    scene.check_contract()?;
    operator.stop()
}

async fn images(scene: &Scene, what: &str) -> Result<()> {
    let (http, _) = scene.azure_client().await?;
    let body = json!({"image": "ghcr.io/team/image:1", "do": what});
    let answer =
        http.post(format!("{}/_simulator/images", scene.azure.endpoint())).json(&body).send().await?;
    answer.error_for_status().map(drop).map_err(Into::into)
}

fn image(environment: &Value) -> String {
    environment["status"]["image"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moves_is_followed_when_that_is_asked_for() -> Result<()> {
    let scene = Scene::set("moved", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&environment(GIVEN)).await?;
    let before = ready::<MLEnvironment>(&scene, "image").await?;
    ensure!(image(&before).starts_with("ghcr.io/team/image@sha256:"), "{before}");
    images(&scene, "move").await?;
    ask(&scene, "mlenvironment/image", "1").await?;
    let has_moved = |environment: &MLEnvironment| {
        environment.status.as_ref().is_some_and(|status| status.image.as_deref() != Some(&image(&before)))
    };
    scene.wait("image", "of the new image", has_moved).await?;
    ready::<MLEnvironment>(&scene, "image").await?;
    // A machine that is busy loses answers, and what is sent again is the same: how often is counted where the clock stands still.
    let is_put = |entry: &Entry| entry.operation == "PUT workspaces/environments/versions";
    let put: BTreeSet<String> =
        scene.azure.requests_that(is_put).into_iter().map(|entry| entry.url).collect();
    assert_eq!(put.len(), 2, "{put:?}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_nowhere_is_looked_for_until_it_is_pushed() -> Result<()> {
    let scene = Scene::set("nowhere", Setting::default()).await?;
    images(&scene, "lose").await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&environment(GIVEN)).await?;
    let missing = says::<MLEnvironment>(&scene, "image", "False", "ImageNotFound").await?;
    ensure!(message(&missing, "Ready").contains("ghcr.io/team/image:1; push it"), "{missing}");
    images(&scene, "move").await?;
    ask(&scene, "mlenvironment/image", "1").await?;
    ready::<MLEnvironment>(&scene, "image").await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_with_rights_by_repository_builds_as_the_caller() -> Result<()> {
    let mut setting = Setting::default();
    setting.azure.registry_mode = RoleMode::Abac;
    let scene = Scene::set("abac", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&environment(BUILT)).await?;
    ready::<MLEnvironment>(&scene, "image").await?;
    let body = last_body(&scene, "PUT registries/taskRuns")?;
    assert_eq!(
        body["properties"]["runRequest"]["credentials"]["sourceRegistry"],
        json!({"identity": "[caller]"})
    );
    scene.check_contract()?;
    operator.stop()
}
