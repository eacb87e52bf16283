//! The verbs of `kubectl azureml` that people expect of kubectl: on the story, with the real operator.

use super::{all_ready, patch, told};
use anyhow::{Context as _, Result, ensure};
use azureml_control_plane::Guarded;
use azureml_crds::ml_run::Phase;
use azureml_crds::{MLCompute, MLRun, MLSchedule};
use azureml_e2e::{Scene, Setting, plugin};
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

/// What the program printed, what it said, and its exit code.
struct Said {
    out: String,
    err: String,
    code: i32,
}

/// The program in the namespace of a scene.
fn command(scene: &Scene, arguments: &[&str]) -> Result<Command> {
    plugin::command(&[arguments, &["--namespace", &scene.namespace]].concat())
}

async fn said(scene: &Scene, arguments: &[&str]) -> Result<Said> {
    let mut command = command(scene, arguments)?;
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).context("no UTF-8");
    let code = output.status.code().context("it was killed")?;
    Ok(Said { out: text(output.stdout)?, err: text(output.stderr)?, code })
}

/// What it printed, where it ended well.
async fn printed(scene: &Scene, arguments: &[&str]) -> Result<String> {
    let Said { out, err, code } = said(scene, arguments).await?;
    ensure!(code == 0, "{arguments:?} ended with {code}: {err}{out}");
    ensure!(!out.contains('\u{1b}'), "{arguments:?} colours what is no terminal: {out:?}");
    Ok(out)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_object_waits_for_is_told_to_where_it_begins() -> Result<()> {
    let scene = Scene::set("why", Setting::default()).await?;
    let operator = scene.operator().await?;
    for file in ["workspace", "computes", "pipeline", "schedule"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    let waits = |schedule: &MLSchedule| {
        schedule.status.as_ref().is_some_and(|status| {
            status.common.conditions.iter().any(|condition| condition.reason == "ReferenceNotReady")
        })
    };
    scene.wait::<MLSchedule>("r-gbm-weekdays", "waiting", waits).await?;
    let text = printed(&scene, &["why", "mlschedule/r-gbm-weekdays"]).await?;
    for words in [
        "MLSchedule/r-gbm-weekdays: waits, ReferenceNotReady for ",
        "└─ MLPipeline/r-gbm: ",
        // Beside it there may be clusters that are still being made.
        "─ MLEnvironment/r-gbm: is not there",
        "Do:         apply the object",
    ] {
        ensure!(text.contains(words), "{words}: {text}");
    }
    let nobody = said(&scene, &["why", "mlrun/nobody"]).await?;
    ensure!(nobody.code == 1 && nobody.err.contains("there is no mlrun/nobody"), "{}", nobody.err);
    let wrong = said(&scene, &["pause", "pod/x"]).await?;
    ensure!(wrong.code == 1 && wrong.err.contains("write KIND/NAME"), "{}", wrong.err);

    scene.kubectl(&["apply", "-f", "examples/r-gbm/environment.yaml"]).await?;
    all_ready(&scene).await?;
    let text = printed(&scene, &["why", "mlschedule/r-gbm-weekdays"]).await?;
    ensure!(text.starts_with("MLSchedule/r-gbm-weekdays: ready, Succeeded for "), "{text}");
    table(&scene).await?;
    marks(&scene).await?;
    operator.stop()
}

/// The table, its JSON, and the calendar.
async fn table(scene: &Scene) -> Result<()> {
    let text = printed(scene, &["status"]).await?;
    let lines: Vec<&str> = text.lines().collect();
    ensure!(lines.len() == 7 && lines[0].starts_with("KIND "), "{text}");
    ensure!(lines[1..].iter().all(|line| line.contains("   True   ")), "{text}");
    let json: Value = serde_json::from_str(&printed(scene, &["status", "--output", "json"]).await?)?;
    let schedule =
        json["objects"].as_array().and_then(|all| all.iter().find(|one| one["kind"] == "MLSchedule"));
    let schedule = schedule.context("no schedule")?;
    ensure!(schedule["ready"] == "True" && schedule["next"].is_string(), "{schedule}");
    let calendar = printed(scene, &["status", "--calendar", "--output", "json"]).await?;
    let calendar: Value = serde_json::from_str(&calendar)?;
    let firings = calendar["schedules"][0]["firings"].as_array().context("no firings")?;
    // Weekdays alone; the operator shows the same times.
    ensure!(firings.len() == 5 && firings.first() == Some(&schedule["next"]), "{calendar}\n{schedule}");
    let tree = printed(scene, &["graph", "mlschedule/r-gbm-weekdays"]).await?;
    ensure!(tree.starts_with("MLSchedule/r-gbm-weekdays (ready)\n└─ MLPipeline/r-gbm (ready)\n"), "{tree}");
    let steps = printed(scene, &["graph", "mlpipeline/r-gbm", "--steps", "--output", "mermaid"]).await?;
    ensure!(steps.contains("n0 -->|prepared| n1"), "{steps}");
    Ok(())
}

/// Paused, resumed, asked for a pass.
async fn marks(scene: &Scene) -> Result<()> {
    let text = printed(scene, &["pause", "mlcompute/cpu", "mlschedule/r-gbm-weekdays"]).await?;
    ensure!(text.contains("MLCompute/cpu is paused") && text.contains("it goes on firing"), "{text}");
    let is_paused = |compute: &MLCompute| {
        let conditions = compute.status.as_ref().map(|status| status.common.conditions.clone());
        conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Paused"))
    };
    scene.wait::<MLCompute>("cpu", "paused", is_paused).await?;
    let text = printed(scene, &["status"]).await?;
    ensure!(text.lines().any(|line| line.contains("cpu") && line.contains("(paused)")), "{text}");
    let text = printed(scene, &["why", "mlcompute/cpu"]).await?;
    ensure!(text.contains("Annotated") && text.contains("Do:         remove the annotation"), "{text}");
    for (named, words) in [("mlcompute/cpu", "is resumed"), ("mlcompute/cpu", "was not paused")] {
        let text = printed(scene, &["resume", named]).await?;
        ensure!(text.contains(words), "{text}");
    }
    scene.wait::<MLCompute>("cpu", "resumed", |compute| !is_paused(compute)).await?;
    let text = printed(scene, &["reconcile", "mlpipeline/r-gbm", "mlcompute/cpu", "--wait"]).await?;
    ensure!(text.contains("MLPipeline/r-gbm: the operator has looked; Ready=True"), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_made_and_followed_and_its_end_is_the_exit_code() -> Result<()> {
    let (scene, operator) = told("follow").await?;
    let shown = ["--follow", "--progress", "always"];
    let good = said(&scene, &[&["run", "r-gbm", "--input", "trees=50"][..], &shown].concat()).await?;
    ensure!(good.code == 0, "{}{}", good.err, good.out);
    let name = good
        .out
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("mlrun.azureml.dev/"))
        .context("no name")?;
    ensure!(name.starts_with("r-gbm-"), "{name}");
    ensure!(
        good.out.contains("\ntrain     Succeeded   ")
            && good.out.contains(&format!("MLRun/{name}: Succeeded in ")),
        "{}",
        good.out
    );
    ensure!(good.err.contains(" step train: Succeeded"), "{}", good.err);
    let run = scene.api::<MLRun>().get(name).await?;
    assert_eq!(run.spec.inputs.clone().map(|inputs| json!(inputs)), Some(json!({"trees": 50})));
    let address = printed(&scene, &["open", &format!("mlrun/{name}")]).await?;
    ensure!(run.status.and_then(|status| status.studio_url).as_deref() == Some(address.trim()), "{address}");

    refused(&scene).await?;
    let failure = json!({"when": "outcome", "match": {"path": "/jobs/.*/train"}, "do": {"fail": {"code": "UserError", "message": "Error in gbm(): n.trees must be positive"}}});
    scene.azure.fault(failure).map_err(anyhow::Error::msg)?;
    let bad = said(&scene, &["run", "r-gbm", "--follow"]).await?;
    ensure!(bad.code == 1 && bad.err.is_empty(), "it is no terminal: {} {}", bad.code, bad.err);
    ensure!(
        bad.out.contains(": Failed") && bad.out.contains("step train: UserError: Error in gbm()"),
        "{}",
        bad.out
    );
    let again = said(&scene, &["follow", name]).await?;
    ensure!(again.code == 0 && again.out.contains(": Succeeded in "), "{}{}", again.out, again.err);
    operator.stop()
}

/// A value that does not fit is refused before a run is made.
async fn refused(scene: &Scene) -> Result<()> {
    let runs = || async {
        Ok::<_, anyhow::Error>(scene.api::<MLRun>().list(&ListParams::default()).await?.items.len())
    };
    let before = runs().await?;
    let wrong = said(scene, &["run", "r-gbm", "--input", "trees=many"]).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("inputs.trees: \"many\" is no integer"), "{}", wrong.err);
    ensure!(runs().await? == before, "a run is made that was refused");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_following_alone_and_cancel_the_run() -> Result<()> {
    let (scene, operator) = told("cancel").await?;
    // Nobody works on the run, so that it cannot end.
    operator.stop()?;
    let command = command(&scene, &["run", "r-gbm", "--follow", "--progress", "always"])?;
    let followed = tokio::task::spawn_blocking(move || -> Result<(String, i32)> {
        let mut process = Guarded::spawn(&command, Stdio::null(), Stdio::piped())?;
        let mut said = BufReader::new(process.stderr().context("no standard error")?);
        let mut all = String::new();
        said.read_line(&mut all)?;
        process.signal("INT");
        said.read_to_string(&mut all)?;
        Ok((all, process.wait()?.code().context("it was killed")?))
    });
    let (text, code) = followed.await??;
    ensure!(code == 130 && text.contains("is not followed any more, and goes on"), "{code}: {text}");
    let runs = scene.api::<MLRun>().list(&ListParams::default()).await?.items;
    let run = runs.first().filter(|_| runs.len() == 1).context("there is not one run")?;
    ensure!(run.spec.cancel.is_none() && run.metadata.deletion_timestamp.is_none(), "{run:?}");

    let name = run.name_any();
    let text = printed(&scene, &["cancel", &name]).await?;
    ensure!(text.contains("is asked to be cancelled; the object stays"), "{text}");
    let operator = scene.operator().await?;
    let is_over =
        |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase == Some(Phase::Canceled));
    scene.wait::<MLRun>(&name, "cancelled", is_over).await?;
    let text = printed(&scene, &["cancel", &name]).await?;
    ensure!(text.contains("has ended already: Canceled"), "{text}");
    let followed = said(&scene, &["follow", &name]).await?;
    ensure!(followed.code == 1 && followed.out.contains(": Canceled"), "{}", followed.out);
    patch(&scene, "mlschedule/r-gbm-weekdays", &json!({"spec": {"suspend": true}})).await?;
    let suspended = |schedule: &MLSchedule| {
        schedule.status.as_ref().is_some_and(|status| {
            status.next.is_empty() && status.common.observed_generation == schedule.metadata.generation
        })
    };
    scene.wait::<MLSchedule>("r-gbm-weekdays", "suspended", suspended).await?;
    let text = printed(&scene, &["status", "--calendar"]).await?;
    assert_eq!(text, "Nothing fires in the next 7 days.\nr-gbm-weekdays: suspended\n");
    operator.stop()
}
