//! Runs: looks at a job, its end, an answer that is lost, and a run whose time is over.

use super::*;
use jiff::Timestamp;

/// A stage with a pipeline, on which steps take so long.
pub(super) async fn with_pipeline(step: Duration) -> Result<Stage> {
    let mut options = usual();
    options.times.step = step;
    let stage = Stage::with(options, GRANTS).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    Ok(stage)
}

#[tokio::test(start_paused = true)]
async fn a_job_is_looked_at_once_a_minute_in_the_end_and_never_after_its_end() -> Result<()> {
    let stage = with_pipeline(Duration::from_mins(10)).await?;
    let from = stage.journal.end();
    stage.apply(&manifest("MLRun", "one", "pipelineRef: {name: p}, ttlAfterFinished: 1h"));
    let run = stage.says("MLRun", "one", "Completed").await?;
    let looks = stage.times("GET jobs/", 10).await?;
    let (first, later) = (gaps(&looks[2..6]), gaps(&looks[6..]));
    for (gap, delay) in first.into_iter().zip([10.0, 20.0, 40.0]) {
        // Looks are due at beats of half a second that all objects have in common.
        assert!((delay - 0.6..=delay + 0.6).contains(&gap), "{gap} for {delay}: {}", stage.journal.shown());
    }
    assert!(later.len() > 5 && later.iter().all(|gap| (59.9..60.1).contains(gap)), "{later:?}");
    let order = ["patch MLRun/one", "status MLRun/one Submitting", "PUT jobs/"];
    let writes = stage.journal.writes(from);
    assert!(writes.iter().zip(order).all(|(what, wanted)| what.starts_with(wanted)), "{writes:?}");
    let address = &stage.journal.of("status MLRun/one Submitting")[0].body;
    assert!(address["azureId"].is_string() && address["pipeline"].is_object(), "{address}");
    // It is removed an hour after the job ended, and not after that was seen.
    stage.gone("MLRun", "one").await?;
    assert_eq!(stage.journal.of("GET jobs/").len(), looks.len(), "{}", stage.journal.shown());
    let finished: Timestamp = run["status"]["finishedAt"].as_str().unwrap_or_default().parse()?;
    let kept = clock::now().duration_since(finished).as_secs_f64();
    assert!((3_600.0..3_601.0).contains(&kept), "{kept}: {run}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_answer_was_lost_is_not_sent_again() -> Result<()> {
    let stage = with_pipeline(Duration::from_mins(1)).await?;
    let from = stage.journal.end();
    stage.fault(
        json!({"match": {"method": "PUT", "path": "/jobs/"}, "when": "after", "do": "reset", "times": 1}),
    )?;
    stage.apply(&manifest("MLRun", "one", "pipelineRef: {name: p}"));
    stage.says("MLRun", "one", "Completed").await?;
    assert_eq!(stage.journal.of("PUT jobs/").len(), 1, "{}", stage.journal.shown());
    let told = ["Submitting", "AzureUnreachable", "Submitted", "Completed"]
        .map(|reason| format!("status MLRun/one {reason}"));
    let mut writes = stage.journal.writes(from);
    writes.retain(|what| what.starts_with("status MLRun"));
    writes.dedup();
    assert_eq!(writes, told, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_job_that_failed_for_no_fault_of_its_own_is_followed_by_another_and_all_are_shown() -> Result<()> {
    let mut stage = with_pipeline(Duration::from_mins(1)).await?;
    let preempted = json!({"match": {"path": "/jobs/.*/only"}, "when": "outcome", "times": 2,
        "do": {"fail": {"code": "SystemError", "message": "the node was preempted"}}});
    stage.fault(preempted)?;
    let spec = "pipelineRef: {name: p}, forceRerun: true, retry: {attempts: 3, onlyFor: [Preempted]}";
    stage.apply(&manifest("MLRun", "one", spec));
    // The process ends between two attempts.
    stage.times("PUT jobs/", 2).await?;
    stage.start().await?;
    let run = stage.says("MLRun", "one", "Completed").await?;
    let puts = stage.journal.of("PUT jobs/");
    let mut names: Vec<&str> = puts.iter().filter_map(|put| put.what.rsplit('-').next()).collect();
    names.dedup();
    assert_eq!(names.len(), 3, "{}", stage.journal.shown());
    assert!(names[1] == "2" && names[2] == "3", "{names:?}");
    assert!(puts.iter().all(|put| put.body["properties"]["settings"]["force_rerun"] == true));
    let attempts = run["status"]["attempts"].as_array().cloned().unwrap_or_default();
    let causes: Vec<&Value> = attempts.iter().map(|attempt| &attempt["cause"]).collect();
    assert_eq!(causes, ["Preempted", "Preempted"], "{run}");
    assert_eq!(attempts[0]["failure"]["message"], "the node was preempted", "{run}");
    assert_eq!((&run["status"]["phase"], &run["status"]["failure"]), (&json!("Succeeded"), &Value::Null));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_step_that_failed_by_itself_is_not_tried_again() -> Result<()> {
    let stage = with_pipeline(Duration::from_mins(1)).await?;
    let failed = json!({"match": {"path": "/jobs/.*/only"}, "when": "outcome", "times": 1,
        "do": {"fail": {"code": "UserError", "message": "the node was preempted, says the step"}}});
    stage.fault(failed)?;
    stage.apply(&manifest("MLRun", "one", "pipelineRef: {name: p}, retry: {attempts: 3}"));
    stage.says("MLRun", "one", "Failed").await?;
    stage.pass(Duration::from_mins(10)).await;
    assert_eq!(stage.journal.of("PUT jobs/").len(), 1, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn every_body_of_a_step_runs_to_its_end_and_shows_its_state() -> Result<()> {
    let stage = Stage::set().await?;
    let image = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    let spec = "workspaceRef: {name: team-a}, defaults: {compute: {serverless: {}}, environment: {ref: image}, code: {files: {a.py: x}}}, steps: [
        {name: command, command: 'x ${{outputs.o}}', outputs: {o: {}}},
        {name: spark, compute: {serverless: {instanceType: standard_e4s_v3}}, inputs: {d: '${{parent.jobs.command.outputs.o}}'}, outputs: {o: {}},
         spark: {entry: {file: a.py}, args: '--in ${{inputs.d}} --out ${{outputs.o}}', runtimeVersion: '3.4', conf: {spark.driver.cores: 1}, pyFiles: [a.py]}},
        {name: parallel, inputs: {d: '${{parent.jobs.spark.outputs.o}}'}, outputs: {o: {type: uri_file}}, resources: {instanceCount: 2},
         parallel: {inputData: '${{inputs.d}}', miniBatchSize: '10', partitionKeys: [k], retrySettings: {maxRetries: 2, timeout: 60},
           task: {entryScript: a.py, programArguments: '--verbose', appendRowTo: '${{outputs.o}}'}}},
        {name: sweep, python: {script: a.py, args: ['${{inputs.d}}', '${{inputs.rate}}']}, inputs: {d: '${{parent.jobs.parallel.outputs.o}}'}, timeout: 1h,
         sweep: {objective: {goal: minimize, primaryMetric: loss}, samplingAlgorithm: {type: random, seed: 7, rule: sobol, logbase: e},
           searchSpace: {rate: {type: choice, values: [a, 0.5]}}, limits: {maxTotalTrials: 4, trialTimeout: 30m},
           earlyTermination: {type: bandit, slackFactor: 0.1, delayEvaluation: 5}}}]";
    stage.apply(&(manifest("MLEnvironment", "image", image) + &manifest("MLPipeline", "p", spec)));
    stage.ready("MLPipeline", "p").await?;
    stage.apply(&manifest("MLRun", "one", "pipelineRef: {name: p}"));
    let run = stage.says("MLRun", "one", "Completed").await?;
    let shown: Vec<[&str; 2]> = run["status"]["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| ["name", "phase"].map(|field| step[field].as_str().unwrap_or_default()))
        .collect();
    let all = ["command", "parallel", "spark", "sweep"].map(|name| [name, "Succeeded"]);
    let mut sorted = shown.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, all, "{run}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_search_a_raw_node_and_an_order_without_data_run_to_their_end_under_the_runs_own_words()
-> Result<()> {
    let stage = Stage::set().await?;
    let image = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    let spec = "workspaceRef: {name: team-a}, displayName: Houses, tags: {team: a, stage: dev}, outputs: {best: {type: mlflow_model}},
        defaults: {compute: {serverless: {}}, environment: {ref: image}}, steps: [
        {name: table, command: 'x ${{outputs.o}}', outputs: {o: {type: mltable}}, services: {lab: {type: jupyter_lab, nodes: all}, shell: {type: ssh, sshPublicKeys: ssh-rsa A}}},
        {name: search, outputs: {best_model: {path: '${{parent.outputs.best}}'}},
         automl: {task: regression, targetColumnName: price, trainingData: '${{parent.jobs.table.outputs.o}}', limits: {maxTrials: 2}}},
        {name: raw, outputs: {o: {type: mlflow_model}}, raw: {type: automl, task: text_ner, training_data: '${{parent.jobs.table.outputs.o}}', environment_id: 'azureml:e:1'}},
        {name: last, command: x, after: [search, raw]}]";
    stage.apply(&(manifest("MLEnvironment", "image", image) + &manifest("MLPipeline", "p", spec)));
    let pipeline = stage.ready("MLPipeline", "p").await?;
    let shown = &pipeline["status"]["steps"];
    assert_eq!((&shown[1]["name"], shown[1].get("componentId")), (&json!("search"), None), "{shown}");
    stage.apply(&manifest("MLRun", "one", "pipelineRef: {name: p}, displayName: Tonight, tags: {team: b}"));
    let run = stage.says("MLRun", "one", "Completed").await?;
    let job = &stage.journal.of("PUT jobs/")[0].body["properties"];
    let words = (&job["displayName"], &job["tags"]["team"], &job["tags"]["stage"]);
    assert_eq!(words, (&json!("Tonight"), &json!("b"), &json!("dev")), "{job}");
    let steps = run["status"]["steps"].as_array().into_iter().flatten();
    let names: Vec<&str> = steps.map(|step| step["name"].as_str().unwrap_or_default()).collect();
    assert_eq!((names.first(), names.last(), names.len()), (Some(&"table"), Some(&"last"), 4), "{run}");
    Ok(())
}

/// Seconds that a run of a step spent queued, preparing and running; a node takes five minutes, the image one.
async fn spent(step: Duration) -> Result<[i64; 3]> {
    let mut options = usual();
    (options.times.node, options.times.step) = (Duration::from_mins(5), step);
    options.times.preparation = Some(Duration::from_mins(1));
    let stage = Stage::with(options, GRANTS).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    stage.apply(&manifest("MLRun", "one", "pipelineRef: {name: p}"));
    let run = stage.says("MLRun", "one", "Completed").await?;
    let of = |of: &Value| {
        ["queued", "preparing", "running"].map(|part| of[format!("{part}Seconds")].as_i64().unwrap_or(-1))
    };
    assert_eq!(of(&run["status"]), of(&run["status"]["steps"][0]), "it has one step: {run}");
    Ok(of(&run["status"]))
}

/// The row of the tutorial is what such a run tells.
fn is_in_the_tutorial(packages: &str, [queued, preparing, running]: [i64; 3]) {
    let row = format!("| packages {packages} | {queued} | {preparing} | {running} |");
    let tutorial = include_str!("../../../../../docs/src/tutorial.md");
    assert!(tutorial.contains(&row), "the tutorial has another row than {row}");
}

#[tokio::test(start_paused = true)]
async fn packages_that_are_installed_at_run_time_cost_their_time_in_each_run() -> Result<()> {
    // Twelve minutes of installing before two of work.
    let [queued, preparing, running] = spent(Duration::from_mins(14)).await?;
    // Looks are up to a minute apart, and the simulated step takes an eighth of its time to end.
    assert!((300..=360).contains(&queued) && (0..=60).contains(&preparing), "{queued} {preparing}");
    assert!((840..=950).contains(&running), "{running}");
    is_in_the_tutorial("installed by each run", [queued, preparing, running]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn packages_in_the_image_cost_nothing_in_a_run() -> Result<()> {
    let spent = spent(Duration::from_mins(2)).await?;
    assert!((120..=140).contains(&spent[2]), "{spent:?}");
    is_in_the_tutorial("in the finished image", spent);
    Ok(())
}
