//! Data: registered once, followed by the pipeline that names it, archived at the end.

use super::*;

fn taxi(path: &str, more: &str) -> String {
    let spec = format!("workspaceRef: {{name: team-a}}, type: uri_folder, path: '{path}'{more}");
    manifest("MLData", "taxi", &spec)
}

/// The usual pipeline, whose step reads the MLData.
fn reader() -> String {
    pipelines::whole("p")
        .replace("inputs: {trees: {", "inputs: {raw: {type: uri_folder, ref: taxi}, trees: {")
        .replace(
            "steps: [{name: only, ",
            "steps: [{name: only, data: {more: {type: uri_folder, ref: taxi}}, ",
        )
}

#[tokio::test(start_paused = true)]
async fn data_is_registered_once_and_a_new_address_is_followed_at_once() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&reader());
    stage.says("MLPipeline", "p", "ReferenceNotFound").await?;
    let from = stage.journal.end();
    let first = taxi("azureml://datastores/workspaceblobstore/paths/1/", "");
    stage.apply(&first);
    let before = stage.ready("MLPipeline", "p").await?;
    let order = stage.journal.writes(from);
    let place = |what: &str| order.iter().position(|line| line.starts_with(what));
    let wanted = [
        "patch MLData/taxi",
        "PUT data/",
        "status MLData/taxi",
        "PUT components/",
        "status MLPipeline/p Succeeded",
    ];
    let places = wanted.map(place);
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{order:?}");
    let told = stage.ready("MLData", "taxi").await?;
    assert_eq!(before["status"]["current"]["inputs"]["raw"]["path"], told["status"]["azureId"], "{before}");

    // Nothing is sent for what is there, and a description changes what is there.
    let from = stage.journal.end();
    stage.apply(&taxi("azureml://datastores/workspaceblobstore/paths/1/", ", description: trips"));
    stage.times("PUT data/", 2).await?;
    stage.ready("MLData", "taxi").await?;
    stage.pass(Duration::from_hours(6)).await;
    let writes = stage.journal.writes(from);
    assert_eq!(writes.iter().filter(|line| line.starts_with("PUT ")).count(), 1, "{writes:?}");

    let from = stage.journal.end();
    stage.apply(&taxi("azureml://datastores/workspaceblobstore/paths/2/", ""));
    stage.times("PUT data/", 3).await?;
    let is_followed = |_: &[Line]| {
        let now = stage.get("MLPipeline", "p");
        let is_new = now["status"]["version"] != before["status"]["version"];
        (is_new && reason(&now) == "Succeeded").then_some(())
    };
    stage.journal.until("the pipeline follows", is_followed).await?;
    let writes = stage.journal.writes(from);
    assert!(writes.iter().any(|line| line.starts_with("PUT components/")), "{writes:?}");
    assert_eq!(stage.journal.of("PUT data/").len(), 3, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn all_versions_are_archived_where_the_policy_says_so_and_the_pipeline_keeps_nothing() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&reader());
    for path in ["https://example.com/1/", "https://example.com/2/"] {
        stage.apply(&taxi(path, ", deletionPolicy: Delete"));
        stage.ready("MLData", "taxi").await?;
    }
    let from = stage.journal.end();
    stage.delete("MLData", "taxi");
    stage.gone("MLData", "taxi").await?;
    let sent = stage.journal.of("PUT data/");
    let archived = sent.iter().filter(|line| line.body["properties"]["isArchived"] == true);
    assert_eq!(archived.count(), 2, "{}", stage.journal.shown());
    let writes = stage.journal.writes(from);
    assert_eq!(writes.last().map(String::as_str), Some("patch MLData/taxi"), "{writes:?}");
    Ok(())
}
