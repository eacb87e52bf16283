//! Files from a ConfigMap: read before anything is registered, uploaded once for each content, asked for again every five minutes.

use super::*;
use crate::engine::followed::LABEL;

const SCRIPT: &str = "print('hello from a map')";

/// A pipeline whose files are in the ConfigMap `scripts`.
fn pipeline(script: &str) -> String {
    let cluster = "workspaceRef: {name: team-a}, azureName: cpu, vmSize: Standard_DS3_v2, scale: {max: 4}";
    let image = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    let spec = format!(
        "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}, code: {{configMap: {{name: scripts}}}}}}, \
         steps: [{{name: only, python: {{script: {script}}}}}]"
    );
    manifest("MLCompute", "cpu", cluster)
        + &manifest("MLEnvironment", "image", image)
        + &manifest("MLPipeline", "p", &spec)
}

fn map(text: &str) -> String {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "scripts"}, "data": {"main.py": text},
           "binaryData": {"model.bin": "AAEC"}})
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn a_config_map_is_read_registered_once_and_followed() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&pipeline("main.py"));
    let missing = stage.says("MLPipeline", "p", "SourceFailed").await?;
    let message = kubernetes::condition(&missing, "Ready")["message"].as_str().unwrap_or_default();
    assert_eq!(message, "defaults.code: there is no ConfigMap scripts in this namespace; create it");
    assert!(stage.journal.of("PUT codes/").is_empty(), "{}", stage.journal.shown());

    stage.apply(&map(SCRIPT));
    let ready = stage.ready("MLPipeline", "p").await?;
    assert_eq!(stage.journal.of("PUT codes/").len(), 1, "{}", stage.journal.shown());
    let source = &ready["status"]["sources"][0];
    assert_eq!(source["field"], "defaults.code");
    let first = ready["status"]["current"]["version"].clone();

    // It is read again and again, and costs Azure nothing while it stays the same.
    let from = stage.journal.end();
    stage.pass(Duration::from_mins(50)).await;
    let asked = stage.journal.of("GET components/").len() + stage.journal.writes(from).len();
    let before = stage.journal.writes(from);
    assert!(before.iter().all(|what| !what.contains("components") && !what.contains("codes")), "{before:?}");
    assert!(asked > 0, "the test looks at something");

    stage.apply(&map("print('changed')"));
    let moved = |_: &[Line]| {
        Some(stage.get("MLPipeline", "p")).filter(|object| object["status"]["current"]["version"] != first)
    };
    let changed = stage.journal.until("another version", moved).await?;
    assert_eq!(stage.journal.of("PUT codes/").len(), 2, "{}", stage.journal.shown());
    assert_ne!(changed["status"]["sources"][0]["hash"], source["hash"]);

    // The first content is known: it comes back without an upload.
    stage.apply(&map(SCRIPT));
    let back = |_: &[Line]| {
        Some(stage.get("MLPipeline", "p")).filter(|object| object["status"]["current"]["version"] == first)
    };
    stage.journal.until("the first version", back).await?;
    assert_eq!(stage.journal.of("PUT codes/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}

/// The same ConfigMap, with the label that has it watched.
fn watched(text: &str) -> String {
    let mut map: Value = serde_json::from_str(&map(text)).unwrap_or_default();
    let (name, value) = LABEL;
    map["metadata"]["labels"] = json!({name: value});
    map.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_config_map_with_the_label_is_followed_at_once() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&watched(SCRIPT));
    stage.apply(&pipeline("main.py"));
    let first = stage.ready("MLPipeline", "p").await?;
    stage.pass(Duration::from_secs(30)).await;
    let from = stage.journal.elapsed();
    stage.apply(&watched("print('changed')"));
    let moved = |_: &[Line]| {
        Some(stage.get("MLPipeline", "p"))
            .filter(|object| object["status"]["sources"][0]["hash"] != first["status"]["sources"][0]["hash"])
    };
    stage.journal.until("the changed files", moved).await?;
    let after = stage.journal.elapsed().saturating_sub(from);
    assert!(after < Duration::from_mins(1), "{after:?}: {}", stage.journal.shown());

    // One that is deleted is missed at once, and the version stays in force.
    let ready = stage.ready("MLPipeline", "p").await?;
    let from = stage.journal.elapsed();
    stage.delete("ConfigMap", "scripts");
    let missing = stage.says("MLPipeline", "p", "SourceFailed").await?;
    let after = stage.journal.elapsed().saturating_sub(from);
    assert!(after < Duration::from_mins(1), "{after:?}: {}", stage.journal.shown());
    assert_eq!(missing["status"]["current"], ready["status"]["current"]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_watch_a_config_map_is_read_every_five_minutes() -> Result<()> {
    let mut stage = Stage::set().await?;
    // Its list and its watch; a GET by name has no query.
    stage.forbidden = Some("/configmaps?");
    stage.start().await?;
    stage.apply(&watched(SCRIPT));
    stage.apply(&pipeline("main.py"));
    let first = stage.ready("MLPipeline", "p").await?;
    let from = stage.journal.elapsed();
    stage.apply(&watched("print('changed')"));
    let moved = |_: &[Line]| {
        Some(stage.get("MLPipeline", "p"))
            .filter(|object| object["status"]["sources"][0]["hash"] != first["status"]["sources"][0]["hash"])
    };
    stage.journal.until("the changed files", moved).await?;
    let after = stage.journal.elapsed().saturating_sub(from);
    assert!(after > Duration::from_mins(2) && after < Duration::from_mins(7), "{after:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_script_that_the_files_do_not_have_is_said_and_the_version_in_force_stays() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&map(SCRIPT));
    stage.apply(&pipeline("main.py"));
    let ready = stage.ready("MLPipeline", "p").await?;
    stage.apply(&pipeline("other.py"));
    let refused = stage.says("MLPipeline", "p", "InvalidSpec").await?;
    let message = kubernetes::condition(&refused, "Ready")["message"].as_str().unwrap_or_default();
    assert!(message.contains("there is no file other.py, which step only runs"), "{message}");
    assert_eq!(refused["status"]["current"], ready["status"]["current"]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_context_is_built_once_for_each_content_and_what_it_lacks_costs_no_build() -> Result<()> {
    let stage = Stage::set().await?;
    let image = |files: &str| {
        let dockerfile = "FROM r-base:4.4\\nCOPY lib /opt/lib\\n";
        let build = format!("build: {{dockerfile: \"{dockerfile}\", {files}}}");
        manifest("MLEnvironment", "image", &format!("workspaceRef: {{name: team-a}}, {build}"))
    };
    stage.apply(&image("files: {other/a.R: x}"));
    let refused = stage.says("MLEnvironment", "image", "InvalidDockerfile").await?;
    let message = kubernetes::condition(&refused, "Ready")["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("build.dockerfile: line 2: the context has no lib, which COPY takes"),
        "{message}"
    );
    assert!(stage.journal.of("PUT taskRuns/").is_empty(), "{}", stage.journal.shown());

    stage.apply(&image("files: {lib/a.R: x, .dockerignore: notes.md, notes.md: first}"));
    let ready = stage.ready("MLEnvironment", "image").await?;
    assert_eq!(ready["status"]["sources"][0]["field"], "build.files");
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 1, "{}", stage.journal.shown());

    // What is left out is another text and the same image.
    stage.apply(&image("files: {lib/a.R: x, .dockerignore: notes.md, notes.md: second}"));
    let same = |_: &[Line]| {
        Some(stage.get("MLEnvironment", "image")).filter(|object| {
            object["status"]["sources"][0]["revision"] != ready["status"]["sources"][0]["revision"]
        })
    };
    let same = stage.journal.until("the other text", same).await?;
    assert_eq!(same["status"]["image"], ready["status"]["image"]);
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 1, "{}", stage.journal.shown());

    stage.apply(&image("files: {lib/a.R: z}"));
    let other = |_: &[Line]| {
        Some(stage.get("MLEnvironment", "image")).filter(|object| {
            object["status"]["version"] != ready["status"]["version"] && reason(object) == "Succeeded"
        })
    };
    stage.journal.until("another image", other).await?;
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn data_is_uploaded_once_for_each_content() -> Result<()> {
    let stage = Stage::set().await?;
    let houses = |text: &str| {
        let source = format!("source: {{files: {{houses.csv: '{text}'}}}}");
        manifest("MLData", "houses", &format!("workspaceRef: {{name: team-a}}, type: uri_file, {source}"))
    };
    stage.apply(&houses("area,price"));
    let ready = stage.ready("MLData", "houses").await?;
    let hash = ready["status"]["sources"][0]["hash"].as_str().unwrap_or_default();
    let path = ready["status"]["path"].as_str().unwrap_or_default();
    assert!(path.starts_with("azureml://subscriptions/"), "{path}");
    assert!(path.ends_with(&format!("/paths/LocalUpload/{hash}/data/houses.csv")), "{path}");
    stage.pass(Duration::from_hours(6)).await;
    assert_eq!(stage.journal.of("PUT data/").len(), 1, "{}", stage.journal.shown());

    stage.apply(&houses("area,price,year"));
    let other = |_: &[Line]| {
        Some(stage.get("MLData", "houses")).filter(|object| {
            object["status"]["version"] != ready["status"]["version"] && reason(object) == "Succeeded"
        })
    };
    stage.journal.until("another version", other).await?;
    assert_eq!(stage.journal.of("PUT data/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}
