//! Pipelines: the order of what is written from the manifest to Ready, and what they wait for.

use super::*;

/// A pipeline of one command on the cluster `cpu`, in an image that is given.
pub(super) fn pipeline(name: &str, more: &str) -> String {
    let environment = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    let spec = format!(
        "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}}}, \
         inputs: {{trees: {{type: integer, default: 5}}}}, steps: [{{name: only, command: 'echo ${{{{inputs.trees}}}}', inputs: {{trees: '${{{{parent.inputs.trees}}}}'}}}}]{more}"
    );
    manifest("MLEnvironment", "image", environment) + &manifest("MLPipeline", name, &spec)
}

/// The same, with its cluster.
pub(super) fn whole(name: &str) -> String {
    let cluster = "workspaceRef: {name: team-a}, azureName: cpu, vmSize: Standard_DS3_v2, scale: {max: 4}";
    manifest("MLCompute", "cpu", cluster) + &pipeline(name, "")
}

#[tokio::test(start_paused = true)]
async fn each_new_version_runs_once_when_it_is_ready_and_one_that_was_there_before_does_not() -> Result<()> {
    let mut stage = Stage::set().await?;
    let of = |value: u8, more: &str| whole("p").replace("default: 5", &format!("default: {value}")) + more;
    let asks = |value: u8| {
        of(value, "").replace("steps: [", "runOnChange: {inputs: {trees: 9}, ttlAfterFinished: 1h}, steps: [")
    };
    stage.apply(&of(5, ""));
    stage.ready("MLPipeline", "p").await?;
    stage.apply(&asks(5));
    stage.ready("MLPipeline", "p").await?;
    stage.pass(Duration::from_mins(10)).await;
    assert_eq!(stage.journal.of("create MLRun/").len(), 0, "this version was there before");
    stage.apply(&asks(6));
    stage.times("create MLRun/", 1).await?;
    stage.start().await?;
    let version = stage.get("MLPipeline", "p")["status"]["version"].as_str().unwrap_or_default().to_owned();
    let name = format!("p-{}", &version[..12]);
    let run = stage.says("MLRun", &name, "Completed").await?;
    assert_eq!(
        run["status"]["pipeline"]["version"],
        json!(version),
        "it runs the version that it is named after"
    );
    assert_eq!(
        run["spec"],
        json!({"pipelineRef": {"name": "p"}, "inputs": {"trees": 9}, "ttlAfterFinished": "1h"})
    );
    stage.pass(Duration::from_mins(10)).await;
    stage.apply(&asks(5));
    stage.times("create MLRun/", 2).await?;
    stage.pass(Duration::from_mins(10)).await;
    let made = stage.journal.of("create MLRun/");
    assert_eq!(made.len(), 2, "a version that comes back is new, too: {}", stage.journal.shown());
    assert_eq!(stage.get("MLPipeline", "p")["status"]["pendingRun"], Value::Null);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_is_registered_in_order_as_soon_as_what_it_names_is_there() -> Result<()> {
    let stage = Stage::set().await?;
    let from = stage.journal.end();
    stage.apply(&whole("p"));
    stage.ready("MLPipeline", "p").await?;
    let order = stage.journal.writes(from).into_iter();
    let mut order: Vec<String> = order
        .filter(|what| what.contains("MLPipeline") || what.contains("components"))
        .map(|what| what.split("/versions/").next().unwrap_or_default().to_owned())
        .collect();
    order.dedup();
    let wanted = [
        "patch MLPipeline/p",
        "status MLPipeline/p ReferenceNotReady",
        "PUT components/team_a_p_611f19b1_only",
        "status MLPipeline/p Registering",
        "PUT components/team_a_p_611f19b1",
        "status MLPipeline/p Succeeded",
    ];
    assert_eq!(order, wanted, "{}", stage.journal.shown());
    // It asks Azure for nothing before, and at once when the last that it names is ready.
    let compute = stage.journal.of("status MLCompute/cpu Succeeded")[0].at;
    assert_eq!(stage.journal.of("GET components/")[0].at, compute, "{}", stage.journal.shown());
    let written = stage.journal.of("status MLPipeline/p");
    let applied: Vec<bool> = written.iter().map(|line| line.body["appliedHash"].is_string()).collect();
    assert!(
        applied.is_sorted() && applied.iter().filter(|is_applied| **is_applied).count() == 1,
        "{applied:?}"
    );
    Ok(())
}

/// The environment that a label names, as a team registers it; and pipelines that name it.
fn labelled(tag: u8, pipelines: &[(&str, &str)]) -> String {
    let environment =
        format!("workspaceRef: {{name: team-a}}, azureName: r-env, image: 'ghcr.io/team/image:{tag}'");
    let step = "steps: [{name: only, command: x, environment: {id: 'azureml:r-env@latest'}}]";
    let all = pipelines.iter().map(|(name, more)| {
        let spec = format!(
            "workspaceRef: {{name: team-a}}, defaults: {{compute: {{serverless: {{}}}}}}, {step}{more}"
        );
        manifest("MLPipeline", name, &spec)
    });
    manifest("MLEnvironment", "e", &environment) + &all.collect::<String>()
}

#[tokio::test(start_paused = true)]
async fn a_label_that_moved_is_a_new_version_after_a_day_and_one_that_did_not_is_none() -> Result<()> {
    let mut stage = Stage::set().await?;
    let both = [("daily", ", refresh: 24h"), ("still", "")];
    stage.apply(&labelled(1, &both[..0]));
    stage.ready("MLEnvironment", "e").await?;
    stage.apply(&labelled(1, &both));
    let version = |object: &Value| object["status"]["version"].clone();
    let at = |object: &Value| object["status"]["resolved"][0]["at"].clone();
    let (daily, still) =
        (stage.ready("MLPipeline", "daily").await?, stage.ready("MLPipeline", "still").await?);
    let began = stage.journal.elapsed();
    stage.apply(&labelled(2, &both));
    stage.ready("MLEnvironment", "e").await?;
    // Half a day, another process, and almost the other half.
    stage.pass(Duration::from_hours(12)).await;
    stage.start().await?;
    stage.pass(Duration::from_hours(12) - Duration::from_mins(5)).await;
    assert_eq!(version(&stage.get("MLPipeline", "daily")), version(&daily), "{}", stage.journal.shown());
    let moved =
        |_: &[Line]| Some(stage.get("MLPipeline", "daily")).filter(|now| version(now) != version(&daily));
    let moved = stage.journal.until("another version", moved).await?;
    let passed = stage.journal.elapsed().saturating_sub(began).as_secs();
    assert!((86_390..86_460).contains(&passed), "{passed}");
    assert!(at(&moved) != at(&daily), "{moved}");
    // The next day it means the same: that costs one read, and changes nothing but the time.
    stage.ready("MLPipeline", "daily").await?;
    let from = stage.journal.end();
    stage.pass(Duration::from_hours(24)).await;
    let same = stage.get("MLPipeline", "daily");
    assert!(version(&same) == version(&moved) && at(&same) != at(&moved), "{same}");
    let asked =
        stage.journal.azure(from).into_iter().filter(|what| what == "GET environments/r-env/versions");
    assert_eq!(asked.count(), 1, "{}", stage.journal.shown());
    let written = stage.journal.writes(from).into_iter().filter(|what| what.contains("components"));
    assert_eq!(written.count(), 0, "{}", stage.journal.shown());
    assert_eq!(version(&stage.get("MLPipeline", "still")), version(&still), "it stands still");
    Ok(())
}
