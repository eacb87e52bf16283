//! Renames in Git: an object is deleted and made under another name with the same name in Azure. Nothing here waits for a comparison,
//! nor for a delay that has grown: both are a day away.

use super::*;

const SLOW: &str = "grants: [{namespaces: ['*']}]\nintervals: {resync: 24h, longestBackoff: 24h}";

/// How long a resource takes to be made anew, and no more.
const SOON: Duration = Duration::from_mins(5);

const KINDS: [&str; 5] = ["MLSchedule", "MLPipeline", "MLData", "MLEnvironment", "MLCompute"];

/// An object of a kind, whose name in Azure is the same whatever its own is.
fn named(kind: &str, name: &str, more: &str) -> String {
    let spec = match kind {
        "MLCompute" => {
            "workspaceRef: {name: team-a}, azureName: shared, vmSize: Standard_DS3_v2, scale: {max: 4}"
        }
        "MLEnvironment" => "workspaceRef: {name: team-a}, azureName: shared, image: 'ghcr.io/team/image:1'",
        "MLData" => {
            "workspaceRef: {name: team-a}, azureName: shared, type: uri_folder, path: 'https://example.com/1/'"
        }
        "MLPipeline" => {
            "workspaceRef: {name: team-a}, azureName: shared, publish: {endpoint: shared-endpoint}, \
             defaults: {compute: {ref: cpu}, environment: {ref: image}}, steps: [{name: only, command: 'echo 1'}]"
        }
        _ => "pipelineRef: {name: p}, azureName: shared, cron: '0 3 * * *'",
    };
    manifest(kind, name, &format!("{spec}, {more}"))
}

/// A stage on which each kind has an object that holds a name, and another one that waits for it, for some hours already.
async fn waiting(more: &str) -> Result<Stage> {
    let stage = Stage::with(usual(), SLOW).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    for kind in KINDS {
        stage.apply(&named(kind, "old", more));
        stage.ready(kind, "old").await?;
        stage.apply(&named(kind, "new", more));
        stage.says(kind, "new", "OwnedByAnother").await?;
    }
    let from = stage.journal.end();
    stage.pass(Duration::from_hours(5)).await;
    let azure = stage.journal.azure(from);
    let is_asked = |what: &&String| what.contains("shared") && !what.contains("jobs");
    assert_eq!(azure.iter().filter(is_asked).count(), 0, "a holder that is here is watched: {azure:?}");
    Ok(stage)
}

/// Deletes the holder, and waits for the end of it and for the other one.
async fn take_over(stage: &Stage, kind: &str) -> Result<Value> {
    stage.delete(kind, "old");
    stage.gone(kind, "old").await?;
    let gone = stage.journal.elapsed();
    let ready = stage.ready(kind, "new").await?;
    let waited = stage.journal.elapsed().saturating_sub(gone);
    assert!(waited < SOON, "{kind} waited {waited:?}: {}", stage.journal.shown());
    Ok(ready)
}

/// The owner's name in the last request for what is shared.
fn owner(stage: &Stage, collection: &str) -> Value {
    let is_it = |line: &&Line| {
        ["PUT", "PATCH"].iter().any(|verb| line.what.starts_with(&format!("{verb} {collection}/shared")))
    };
    let lines = stage.journal.of("P");
    let body = lines.iter().rfind(is_it).map(|line| line.body.clone()).unwrap_or_default();
    let tags = if body["tags"].is_object() { &body["tags"] } else { &body["properties"]["tags"] };
    tags["azureml-operator-name"].clone()
}

const COLLECTIONS: [&str; 5] = ["schedules", "batchEndpoints", "data", "environments", "computes"];

#[tokio::test(start_paused = true)]
async fn the_new_name_is_woken_when_the_resource_of_the_old_one_is_gone() -> Result<()> {
    let stage = waiting("deletionPolicy: Delete").await?;
    for (kind, collection) in KINDS.into_iter().zip(COLLECTIONS) {
        let ready = take_over(&stage, kind).await?;
        assert_eq!(reason(&ready), "Succeeded", "{kind}: {ready}");
        assert_eq!(owner(&stage, collection), "new", "{kind}: {}", stage.journal.shown());
    }
    let published = &stage.get("MLPipeline", "new")["status"]["endpoint"]["name"];
    assert_eq!(published, "shared-endpoint");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_the_old_name_left_in_azure_is_taken_over_with_its_tags() -> Result<()> {
    let mut stage = waiting("deletionPolicy: Retain").await?;
    for (kind, collection) in KINDS.into_iter().zip(COLLECTIONS) {
        let from = stage.journal.end();
        take_over(&stage, kind).await?;
        assert_eq!(owner(&stage, collection), "new", "{kind}: {}", stage.journal.shown());
        let deleted = stage.journal.azure(from).into_iter().filter(|what| what.starts_with("DELETE"));
        assert_eq!(deleted.count(), 0, "{kind}: {}", stage.journal.shown());
    }
    // It is the new one's now, also for a process that remembers nothing.
    let from = stage.journal.end();
    stage.start().await?;
    for kind in KINDS {
        stage.ask(kind, "new", "again");
    }
    stage.pass(Duration::from_mins(10)).await;
    let writes = stage.journal.writes(from).into_iter();
    let writes: Vec<String> = writes.filter(|what| what.starts_with('P')).collect();
    assert_eq!(writes, [""; 0], "{}", stage.journal.shown());
    for kind in KINDS {
        assert_eq!(reason(&stage.get(kind, "new")), "Succeeded", "{kind}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_other_object_gives_up_is_taken_while_that_object_stays() -> Result<()> {
    let stage = waiting("deletionPolicy: Delete").await?;
    let private = named("MLPipeline", "old", "deletionPolicy: Delete")
        .replace("azureName: shared, publish: {endpoint: shared-endpoint}, ", "azureName: shared, ");
    let public = named("MLPipeline", "third", "deletionPolicy: Delete").replace("azureName: shared, ", "");
    stage.apply(&public);
    stage.says("MLPipeline", "third", "OwnedByAnother").await?;
    let from = stage.journal.elapsed();
    stage.apply(&private);
    let ready = stage.ready("MLPipeline", "third").await?;
    assert!(stage.journal.elapsed().saturating_sub(from) < SOON, "{}", stage.journal.shown());
    assert_eq!(ready["status"]["endpoint"]["name"], "shared-endpoint");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_another_cluster_owns_and_what_nobody_does_is_looked_at_with_a_delay_that_grows() -> Result<()> {
    let stage = Stage::with(usual(), SLOW).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    stage.apply(&named("MLSchedule", "s", "deletionPolicy: Delete"));
    stage.ready("MLSchedule", "s").await?;
    let puts = stage.journal.of("PUT schedules/shared");
    let ours = puts[0].body["properties"]["tags"].clone();
    for (tags, wanted) in [
        (json!({"azureml-operator-owner": "elsewhere/0123456789abcdef"}), "OwnedByAnother"),
        (json!({"azureml-operator-owner": null}), "NotOwned"),
    ] {
        stage.portal("schedules", "shared", &json!({"properties": {"tags": tags}})).await?;
        stage.ask("MLSchedule", "s", wanted);
        stage.says("MLSchedule", "s", wanted).await?;
        let from = stage.journal.elapsed();
        stage.pass(Duration::from_mins(1)).await;
        stage.portal("schedules", "shared", &json!({"properties": {"tags": ours}})).await?;
        stage.says("MLSchedule", "s", "Succeeded").await?;
        let waited = stage.journal.elapsed().saturating_sub(from);
        assert!(waited < SOON, "{wanted} {waited:?}: {}", stage.journal.shown());
        let looks = stage.journal.of("GET schedules/shared").into_iter().filter(|line| line.at > from);
        let looks: Vec<Duration> = looks.map(|line| line.at).collect();
        let gaps = gaps(&looks);
        assert!(gaps.windows(2).all(|pair| pair[1] > pair[0]) && gaps.len() >= 2, "{gaps:?}");
    }
    Ok(())
}
