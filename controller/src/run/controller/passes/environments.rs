//! Images: a build that is looked at until it fails, and is never begun again without being asked for; a tag that moves.

use super::*;

const BUILT: &str = "workspaceRef: {name: team-a}, build: {dockerfile: \"FROM r-base:4.4\\nRUN true\\n\"}";

#[tokio::test(start_paused = true)]
async fn a_build_that_fails_says_the_end_of_its_log_and_waits_to_be_asked_for() -> Result<()> {
    let stage = Stage::set().await?;
    let fails = json!({"fail": {"code": "RunFailed", "message": "package 'gbm' is not available"}});
    let fails = stage.fault(json!({"match": {"path": "taskRuns/"}, "when": "outcome", "do": fails}))?;
    stage.apply(&manifest("MLEnvironment", "image", BUILT));
    let failed = stage.says("MLEnvironment", "image", "BuildFailed").await?;
    let message = kubernetes::condition(&failed, "Ready")["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("package 'gbm' is not available"), "{failed}");
    let tail = failed["status"]["build"]["tail"].as_array().cloned().unwrap_or_default();
    assert!(tail.contains(&json!("package 'gbm' is not available")), "{failed}");
    let looks: Vec<u64> = stage.times("GET taskRuns/", 6).await?.iter().map(Duration::as_secs).collect();
    assert_eq!(looks, [0, 2, 4, 8, 16, 31], "{}", stage.journal.shown());
    // The reason may have gone meanwhile, but a build costs money and its content is the same.
    assert!(stage.azure.release(&fails, false), "there is no such fault");
    stage.pass(Duration::from_hours(6)).await;
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 1, "{}", stage.journal.shown());
    stage.ask("MLEnvironment", "image", "again");
    stage.ready("MLEnvironment", "image").await?;
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_moves_is_followed_on_request_alone_and_the_pipeline_follows_at_once() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    let from = stage.journal.end();
    stage.control("images", &json!({"image": "ghcr.io/team/image:1", "do": "move"})).await?;
    stage.pass(Duration::from_hours(6)).await;
    assert_eq!(stage.journal.writes(from), [""; 0], "{}", stage.journal.shown());
    stage.ask("MLEnvironment", "image", "now");
    stage.times("PUT components/", 4).await?;
    stage.ready("MLPipeline", "p").await?;
    let writes = stage.journal.writes(from);
    let place = |what: &str| writes.iter().position(|line| line.starts_with(what));
    let order = [
        "PUT environments/",
        "status MLEnvironment/image Succeeded",
        "PUT components/team_a_p_611f19b1_only/",
        "PUT components/team_a_p_611f19b1/",
        "status MLPipeline/p Succeeded",
    ]
    .map(place);
    assert!(order.is_sorted() && order.iter().all(Option::is_some), "{writes:?}");
    let versions = stage.journal.of("PUT environments/").len();
    assert_eq!(versions, 2, "each is put once: {}", stage.journal.shown());
    let (environment, component) =
        (stage.journal.of("status MLEnvironment/image Succeeded"), stage.journal.of("PUT components/"));
    let after = component[2].at.saturating_sub(environment.last().map(|line| line.at).unwrap_or_default());
    assert!(after < Duration::from_secs(1), "{after:?}: {}", stage.journal.shown());
    Ok(())
}

/// A ConfigMap with a conda file, and another file beside it.
fn map(packages: &str, notes: &str) -> String {
    let file = format!("dependencies: [python=3.12, {packages}]");
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "envs"}, "data": {"conda.yaml": file, "notes.md": notes}}).to_string()
}

/// An environment of a file in it, which ACR Tasks or Azure ML builds.
fn conda(path: &str, builder: &str) -> String {
    let from = format!("from: {{path: {path}, configMap: {{name: envs}}}}");
    let spec = format!(
        "workspaceRef: {{name: team-a}}, conda: {{image: 'mcr.microsoft.com/azureml/base:1', {from}, builder: {{{builder}: {{}}}}}}"
    );
    manifest("MLEnvironment", "image", &spec)
}

#[tokio::test(start_paused = true)]
async fn a_conda_file_from_a_source_is_built_once_for_each_text_and_its_absence_names_what_is_there()
-> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&map("lightgbm", "first"));
    stage.apply(&conda("conda.yml", "acr"));
    let missing = stage.says("MLEnvironment", "image", "SourceFailed").await?;
    let message = kubernetes::condition(&missing, "Ready")["message"].as_str().unwrap_or_default();
    assert_eq!(message, "conda.from: there is no conda.yml; there is conda.yaml, notes.md; correct path");
    assert!(stage.journal.of("PUT taskRuns/").is_empty(), "{}", stage.journal.shown());

    stage.apply(&conda("conda.yaml", "acr"));
    let ready = stage.ready("MLEnvironment", "image").await?;
    assert_eq!(ready["status"]["sources"][0]["field"], "conda.from");
    let revision = |object: &Value| object["status"]["sources"][0]["revision"].clone();
    // Another file of the source is another revision, and the same image.
    stage.apply(&map("lightgbm", "second"));
    let moved = |_: &[Line]| {
        Some(stage.get("MLEnvironment", "image")).filter(|now| revision(now) != revision(&ready))
    };
    let same = stage.journal.until("another revision", moved).await?;
    assert_eq!(same["status"]["version"], ready["status"]["version"]);
    assert_eq!(same["status"]["sources"][0]["hash"], ready["status"]["sources"][0]["hash"]);
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 1, "{}", stage.journal.shown());
    // Another text is another image.
    stage.apply(&map("xgboost", "second"));
    let other = |_: &[Line]| {
        let now = stage.get("MLEnvironment", "image");
        Some(now).filter(|now| {
            now["status"]["version"] != ready["status"]["version"] && reason(now) == "Succeeded"
        })
    };
    stage.journal.until("another version", other).await?;
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 2, "{}", stage.journal.shown());
    // What is no conda file is said with its name, and the version stays in force.
    stage.apply(&map("{a: b}", "second"));
    let refused = stage.says("MLEnvironment", "image", "InvalidSpec").await?;
    let message = kubernetes::condition(&refused, "Ready")["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("conda.from: conda.yaml: dependencies[1] is neither a package"), "{message}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn azure_ml_gets_the_text_of_a_conda_file_from_a_source() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&map("lightgbm", "first"));
    stage.apply(&conda("conda.yaml", "azureml"));
    stage.ready("MLEnvironment", "image").await?;
    let put = stage.journal.of("PUT environments/");
    assert_eq!(put.len(), 1, "{}", stage.journal.shown());
    assert_eq!(put[0].body["properties"]["condaFile"], "dependencies: [python=3.12, lightgbm]");
    stage.pass(Duration::from_hours(2)).await;
    assert_eq!(stage.journal.of("PUT environments/").len(), 1, "{}", stage.journal.shown());
    Ok(())
}

/// Waits until an environment is ready with another version.
async fn another_version(stage: &Stage, than: &Value) -> Result<Value> {
    let version = |object: &Value| object["status"]["version"].clone();
    let other = |_: &[Line]| {
        Some(stage.get("MLEnvironment", "image"))
            .filter(|now| version(now) != version(than) && reason(now) == "Succeeded")
    };
    stage.journal.until("another version", other).await
}

/// The digests that a status tells, by image.
fn followed(object: &Value) -> Vec<(String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let all = object["status"]["images"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| (text(one, "image"), text(one, "digest"))).collect()
}

#[tokio::test(start_paused = true)]
async fn an_image_is_built_anew_once_when_its_base_has_moved_and_never_else() -> Result<()> {
    let mut stage = Stage::set().await?;
    stage.apply(&manifest("MLEnvironment", "image", &format!("{BUILT}, rebuild: {{interval: 1h}}")));
    let first = stage.ready("MLEnvironment", "image").await?;
    let [(image, digest)] = followed(&first).try_into().map_err(|all| anyhow!("{all:?}"))?;
    assert_eq!(image, "r-base:4.4");
    let from = stage.journal.end();
    stage.pass(Duration::from_hours(6)).await;
    let asked = stage.journal.azure(from);
    let count = |of: &str| asked.iter().filter(|what| what.contains(of)).count();
    // A token lasts a while; without one the registry is asked once more.
    let looks = count("manifests/4.4") - count("GET /token");
    assert!((5..=7).contains(&looks), "{looks} in six hours");
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 1, "{}", stage.journal.shown());

    stage.control("images", &json!({"image": "r-base:4.4", "do": "move"})).await?;
    let moved = stage.journal.elapsed();
    let second = another_version(&stage, &first).await?;
    let waited = stage.journal.elapsed().saturating_sub(moved);
    assert!(waited < Duration::from_hours(2), "{waited:?}: {}", stage.journal.shown());
    assert!(followed(&second)[0].1 != digest, "{second}");
    let content = |object: &Value| object["status"]["version"].as_str().map(|text| text[..32].to_owned());
    assert_ne!(content(&second), content(&first), "what it is built on is a part of its content");
    // Neither time nor another process builds it once more.
    stage.start().await?;
    stage.pass(Duration::from_hours(6)).await;
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 2, "{}", stage.journal.shown());
    assert_eq!(stage.journal.of("PUT environments/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_followed_is_a_new_version_without_being_asked_for() -> Result<()> {
    let stage = Stage::set().await?;
    let spec = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1', rebuild: {}";
    stage.apply(&manifest("MLEnvironment", "image", spec));
    let first = stage.ready("MLEnvironment", "image").await?;
    stage.control("images", &json!({"image": "ghcr.io/team/image:1", "do": "move"})).await?;
    stage.pass(Duration::from_hours(20)).await;
    assert_eq!(stage.get("MLEnvironment", "image")["status"]["version"], first["status"]["version"]);
    let second = another_version(&stage, &first).await?;
    stage.control("images", &json!({"image": "ghcr.io/team/image:1", "do": "move"})).await?;
    stage.ask("MLEnvironment", "image", "now");
    another_version(&stage, &second).await?;
    assert_eq!(stage.journal.of("PUT environments/").len(), 3, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_stays_on_the_version_in_force_while_a_new_base_is_built_and_after_that_failed()
-> Result<()> {
    let stage = Stage::set().await?;
    let built = "build: {dockerfile: \"FROM r-base:4.4\\nRUN true\\n\"}, rebuild: {interval: 1h}";
    stage.apply(&pipelines::whole("p").replace("image: 'ghcr.io/team/image:1'", built));
    let before = stage.ready("MLPipeline", "p").await?;
    let fails = json!({"fail": {"code": "RunFailed", "message": "no package gbm on the new base"}});
    let fails = stage.fault(json!({"match": {"path": "taskRuns/"}, "when": "outcome", "do": fails}))?;
    stage.control("images", &json!({"image": "r-base:4.4", "do": "move"})).await?;
    stage.says("MLEnvironment", "image", "BuildFailed").await?;
    stage.ask("MLPipeline", "p", "now");
    stage.pass(Duration::from_hours(3)).await;
    let after = stage.get("MLPipeline", "p");
    assert_eq!((reason(&after), &after["status"]["version"]), ("Succeeded", &before["status"]["version"]));
    assert!(stage.azure.release(&fails, false), "there is no such fault");
    stage.control("images", &json!({"image": "r-base:4.4", "do": "move"})).await?;
    let other = |_: &[Line]| {
        Some(stage.get("MLPipeline", "p"))
            .filter(|now| now["status"]["version"] != before["status"]["version"])
    };
    stage.journal.until("a version on the new base", other).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_followed_image_that_was_purged_is_looked_up_and_a_registry_that_is_down_changes_nothing()
-> Result<()> {
    let stage = Stage::set().await?;
    let spec = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1', rebuild: {interval: 24h}";
    stage.apply(&manifest("MLEnvironment", "image", spec));
    let first = stage.ready("MLEnvironment", "image").await?;
    let image = first["status"]["image"].as_str().unwrap_or_default().to_owned();
    stage.control("images", &json!({"image": "ghcr.io/team/image:1", "do": "move"})).await?;
    let (_, digest) = image.split_once('@').context("no digest")?;
    stage.fault(json!({"match": {"path": format!("manifests/{digest}")}, "do": {"status": 404}}))?;
    another_version(&stage, &first).await?;
    let from = stage.journal.end();
    stage.pass(Duration::from_hours(6)).await;
    let writes = stage.journal.writes(from);
    assert_eq!(writes.iter().filter(|what| what.starts_with("PUT")).count(), 0, "{}", stage.journal.shown());
    let down = json!({"status": 503});
    let down = stage.fault(json!({"match": {"path": "manifests/1[?]"}, "do": down}))?;
    stage.pass(Duration::from_hours(30)).await;
    assert_eq!(reason(&stage.get("MLEnvironment", "image")), "Succeeded", "{}", stage.journal.shown());
    assert!(stage.azure.release(&down, true), "there is no such fault");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_base_that_is_gone_is_said_and_the_version_stays_in_force() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&manifest("MLEnvironment", "image", &format!("{BUILT}, rebuild: {{interval: 1h}}")));
    let first = stage.ready("MLEnvironment", "image").await?;
    stage.control("images", &json!({"image": "r-base:4.4", "do": "lose"})).await?;
    let lost = stage.says("MLEnvironment", "image", "ImageNotFound").await?;
    assert_eq!(lost["status"]["version"], first["status"]["version"]);
    let message = kubernetes::condition(&lost, "Ready")["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("rebuild: the registry has no r-base:4.4; "), "{message}");
    stage.control("images", &json!({"image": "r-base:4.4", "do": "move"})).await?;
    another_version(&stage, &first).await.map(drop)
}
