//! Pipelines beside each other: equal files are one code asset, in any order.

use super::{accepted, manifest, pipeline, ready, workspace};
use anyhow::{Result, ensure};
use azureml_crds::MLPipeline;
use azureml_e2e::{Scene, Setting};

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_with_equal_files_do_not_get_into_each_others_way() -> Result<()> {
    let scene = Scene::set("equal", Setting::default()).await?;
    let operator = scene.operator().await?;
    let twin = |name: &str| {
        let spec = "workspaceRef: {name: team-a}, defaults: {compute: {ref: cpu}, environment: {ref: image}}, \
                    steps: [{name: only, r: {script: main.R}, code: {files: {main.R: 'print(1)'}}}]";
        manifest("MLPipeline", name, spec)
    };
    let names = ["a", "b", "c", "d"];
    let twins: String = names.iter().map(|name| twin(name)).collect();
    scene.apply_objects(&(workspace("") + &pipeline("") + &twins)).await?;
    for name in names {
        ready::<MLPipeline>(&scene, name).await?;
    }
    assert_eq!(accepted(&scene, "PUT workspaces/codes/versions"), 1, "{}", scene.requests_shown(60));
    let events = scene.events().await?;
    ensure!(!events.iter().any(|(_, what)| what.contains("Immutable")), "{events:?}");
    operator.stop()
}
