//! Variables of Flux beside our own `${{…}}`: the pipeline is left alone where that is said.

use super::{Stage, manifests};
use anyhow::{Result, ensure};
use azureml_crds::MLPipeline;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_keeps_its_expressions_beside_variables_of_flux() -> Result<()> {
    let (stage, _) = Stage::set("substituted", &["examples/r-gbm"]).await?;
    stage.repository.replace(
        "examples/r-gbm/workspace.yaml",
        "resourceGroup: rg-ml",
        "resourceGroup: ${group}",
    )?;
    let unmarked = stage.repository.commit("Take the resource group from a variable")?;
    stage.watch(&["r-gbm"]).await?;
    let variables = json!({"spec": {"postBuild": {"substitute": {"group": "rg-ml"}}}}).to_string();
    stage.scene.kubectl(&["patch", "kustomization", "r-gbm", "--type=merge", "-p", &variables]).await?;
    let said = stage.failed("r-gbm", &unmarked).await?;
    ensure!(
        said.contains("post build failed for 'MLPipeline.v1alpha1.azureml.dev/r-gbm'"),
        "Flux says {said}"
    );
    // Nothing was applied that means something else than Git says.
    let marked = manifests::block("substitute: disabled")? + "\nspec:";
    stage.repository.replace("examples/r-gbm/pipeline.yaml", "metadata:\n  name: r-gbm\nspec:", &marked)?;
    let revision = stage.push("Leave the pipeline alone").await?;
    stage.ready("r-gbm", &revision).await?;
    let pipeline = serde_json::to_value(stage.scene.api::<MLPipeline>().get("r-gbm").await?)?;
    ensure!(pipeline["spec"]["steps"][0]["inputs"]["raw"] == "${{parent.inputs.raw}}", "{pipeline:#}");
    stage.end().await
}
