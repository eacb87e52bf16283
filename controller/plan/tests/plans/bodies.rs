//! The captured job of a command, a Spark program, a parallel run and a sweep: its nodes and components against ours.

use crate::compare::Request;
use crate::requests::{decide, inline, nothing_seen, pipeline_of, pipeline_refs};
use crate::support::{ask, id, object, owner, plan, workspace};
use anyhow::{Context as _, Result};
use azureml_client::ArmId;
use azureml_crds::MLRun;
use azureml_plan::asset_name::Pins;
use azureml_plan::{Action, Decide as _, run};
use serde_json::json;
use std::collections::BTreeMap;

/// The captured job, as an MLPipeline.
const PIPELINE: &str = "{workspaceRef: {name: prod}, azureName: other_nodes, experiment: other,
    inputs: {table: {type: uri_folder, path: 'azureml:churn-data:3'}},
    defaults: {compute: {serverless: {}}, environment: {id: ENVIRONMENT}, code: {files: {prep.py: \"print(\\\"prep\\\")\\n\", score.py: \"print(\\\"score\\\")\\n\"}}},
    steps: [
      {name: prep, command: 'echo prep ${{inputs.t}} ${{outputs.o}}', compute: {serverless: {instanceType: Standard_E4s_v3}},
       inputs: {t: '${{parent.inputs.table}}'}, outputs: {o: {}}},
      {name: spark_step, compute: {serverless: {instanceType: Standard_E4s_v3}}, identity: {type: Managed}, inputs: {d: '${{parent.jobs.prep.outputs.o}}'}, outputs: {w: {}},
       spark: {entry: {file: prep.py}, args: '--in ${{inputs.d}} --out ${{outputs.w}}', runtimeVersion: '3.4',
         conf: {spark.driver.cores: 1, spark.driver.memory: 2g, spark.executor.cores: 2, spark.executor.memory: 2g, spark.executor.instances: 2}}},
      {name: par, compute: {name: cpu-cluster}, resources: {instanceCount: 2}, inputs: {data: '${{parent.jobs.spark_step.outputs.w}}'}, inputModes: {data: ReadOnlyMount}, outputs: {res: {}},
       parallel: {inputData: '${{inputs.data}}', miniBatchSize: '10', maxConcurrencyPerInstance: 2, miniBatchErrorThreshold: 5, errorThreshold: -1,
         retrySettings: {maxRetries: 2, timeout: 60}, loggingLevel: INFO, task: {entryScript: score.py, programArguments: '--m ${{outputs.res}}'}}},
      {name: sweep_step, command: 'python prep.py --lr ${{inputs.lr}}', compute: {name: cpu-cluster}, timeout: 1h,
       sweep: {samplingAlgorithm: {type: random}, objective: {goal: minimize, primaryMetric: loss},
         searchSpace: {lr: {type: uniform, minValue: 0.001, maxValue: 0.1}}, limits: {maxTotalTrials: 4, maxConcurrentTrials: 2}}}]}";

/// Our requests, by the name of the captured one.
pub fn all() -> Result<BTreeMap<&'static str, Request>> {
    let mut all = BTreeMap::new();
    let pipeline = pipeline_of(PIPELINE)?;
    let wanted = pipeline.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    let code = ArmId::parse(&id("codes/c9a257e3-11f0-4906-beed-bd133ddaf1e2/versions/1"))?;
    let mut seen = nothing_seen();
    seen.codes = wanted.codes().iter().map(|one| (one.hash.clone(), code.clone())).collect();
    let actions = decide(&pipeline, &seen)?.actions;
    let components = [
        ("pipeline-other-nodes-components#1", "_spark_step/"),
        ("pipeline-other-nodes-components#2", "_par/"),
        ("pipeline-other-nodes-components", "_sweep_step/"),
    ];
    for (golden, step) in components {
        let put = actions.iter().find(|action| action.target().to_string().contains(step));
        all.insert(golden, Request::of(put.context(golden)?, ""));
    }
    let nodes = wanted.body["properties"]["componentSpec"]["jobs"].clone();
    let mut run: MLRun = object("other", "{pipelineRef: {name: other}}")?;
    let current = wanted.current.clone();
    run.status =
        Some(azureml_crds::ml_run::MLRunStatus { pipeline: Some(current.clone()), ..Default::default() });
    let refs =
        run::Refs { pins: Pins::default(), workspace: workspace(), owner: owner("pipeline1"), current };
    let plan = plan(&run, &refs, &run::Seen::default(), &ask()).map_err(anyhow::Error::msg)?;
    let put = plan.actions.iter().find(|action| matches!(action, Action::Put { .. })).context("no job")?;
    all.insert("pipeline-other-nodes", inline(put, nodes)?);
    Ok(all)
}

/// What is wrong with a pipeline of one step, which is YAML.
fn faults(step: &str) -> Result<Vec<String>> {
    let spec = format!(
        "{{workspaceRef: {{name: prod}}, defaults: {{compute: {{serverless: {{}}}}, environment: {{id: 'azureml:e:1'}}}}, steps: [{step}]}}"
    );
    let faults = azureml_plan::component::check(&pipeline_of(&spec)?, &BTreeMap::new());
    Ok(faults.iter().map(ToString::to_string).collect())
}

/// A sweep of a command with another search space and more.
fn sweep(command: &str, space: &str, more: &str) -> String {
    format!(
        "{{name: a, command: \"{command}\", inputs: {{given: x}}, sweep: {{samplingAlgorithm: {{type: random}}, objective: {{goal: maximize, primaryMetric: r2}}, \
         limits: {{maxTotalTrials: 1}}, searchSpace: {{{space}}}{more}}}}}"
    )
}

#[test]
fn a_search_space_has_what_its_type_takes() -> Result<()> {
    for (space, words) in [
        ("r: {type: choice}", Some("takes values, and nothing else")),
        ("r: {type: choice, values: [1], upper: 2}", Some("takes values")),
        ("r: {type: uniform, minValue: 1}", Some("takes minValue, maxValue")),
        ("r: {type: quniform, minValue: 1, maxValue: 2}", Some("takes minValue, maxValue, q")),
        ("r: {type: qnormal, mu: 1, sigma: 2}", Some("takes mu, sigma, q")),
        ("r: {type: randint, upper: 2, q: 1}", Some("takes upper")),
        ("r: {type: choice, values: [true]}", Some("true is no number and no text; write it in quotes")),
        ("r: {type: choice, values: [\"it's\"]}", Some("could leave the quotes")),
        ("r: {type: choice, values: [a b]}", Some("single quotes in the command")),
        ("r: {type: choice, values: [a, 1, 0.5]}", None),
        ("r: {type: qloguniform, minValue: 1, maxValue: 2, q: 1}", None),
        ("r: {type: lognormal, mu: 0, sigma: 1}", None),
        (
            "r: {type: randint, upper: 2}, given: {type: randint, upper: 2}",
            Some("the step gives this input itself"),
        ),
    ] {
        let said = faults(&sweep("x ${{inputs.r}}", space, ""))?;
        match words {
            None => assert_eq!(said, [""; 0], "{space}"),
            Some(words) => {
                assert!(said.len() == 1 && said[0].contains(words), "{space}: {said:?}");
                assert!(said[0].starts_with("steps.a.sweep.searchSpace."), "{said:?}");
            }
        }
    }
    let quoted = sweep("x '${{inputs.r}}'", "r: {type: choice, values: [a b]}", "");
    assert_eq!(faults(&quoted)?, [""; 0]);
    Ok(())
}

#[test]
fn a_policy_has_what_it_takes() -> Result<()> {
    for (policy, words) in [
        ("type: bandit", Some("one of slackFactor and slackAmount")),
        ("type: bandit, slackFactor: 0.1, slackAmount: 1", Some("one of slackFactor and slackAmount")),
        ("type: bandit, slackAmount: 1, truncationPercentage: 5", Some("nothing of other policies")),
        ("type: median_stopping, slackFactor: 0.1", Some("nothing of other policies")),
        ("type: truncation_selection", Some("takes truncationPercentage")),
        ("type: bandit, slackFactor: 0.1, delayEvaluation: 5", None),
        ("type: median_stopping, evaluationInterval: 1", None),
    ] {
        let more = format!(", earlyTermination: {{{policy}}}");
        let said = faults(&sweep("x ${{inputs.r}}", "r: {type: randint, upper: 2}", &more))?;
        let is_said = words.map_or(said.is_empty(), |words| said.len() == 1 && said[0].contains(words));
        assert!(is_said, "{policy}: {said:?}");
    }
    Ok(())
}

#[test]
fn a_sweep_is_sent_as_its_client_writes_it() -> Result<()> {
    let spec = "{workspaceRef: {name: prod}, defaults: {compute: {name: cpu-cluster}}, steps: [{name: a, component: 'azureml:train:1', resources: {instanceCount: 2},
        sweep: {samplingAlgorithm: {type: random, seed: 7, rule: sobol, logbase: '10'}, objective: {goal: maximize, primaryMetric: r2}, limits: {maxTotalTrials: 1, trialTimeout: 90s},
          searchSpace: {depth: {type: choice, values: [1, 2]}, kind: {type: choice, values: [a, 1.5]}, rate: {type: qnormal, mu: 1, sigma: 0.5, q: 0.25}},
          earlyTermination: {type: bandit, slackFactor: 0.2, evaluationInterval: 1, delayEvaluation: 5}}}]}";
    let wanted = pipeline_of(spec)?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    let node = &wanted.body["properties"]["componentSpec"]["jobs"]["a"];
    let expected = json!({
        "type": "sweep", "name": "a", "trial": {"componentId": id("components/train/versions/1")},
        "resources": {"instance_count": 2},
        "objective": {"goal": "maximize", "primary_metric": "r2"},
        "sampling_algorithm": {"type": "random", "seed": 7, "rule": "sobol", "logbase": "10"},
        "limits": {"max_total_trials": 1, "trial_timeout": 90},
        "search_space": {
            "depth": {"type": "choice", "values": [1, 2]}, "kind": {"type": "choice", "values": ["a", 1.5]},
            "rate": {"type": "qnormal", "mu": 1, "sigma": 0.5, "q": 0.25},
        },
        "early_termination": {"policy_type": "Bandit", "slack_factor": 0.2, "evaluation_interval": 1, "delay_evaluation": 5},
    });
    assert_eq!(*node, expected);
    Ok(())
}

#[test]
fn what_a_parallel_step_uses_is_judged_like_a_command_without_quotes() -> Result<()> {
    let step = |arguments: &str, more: &str| {
        format!(
            "{{name: a, code: {{files: {{s.py: x}}}}, inputs: {{label: 'a b'}}, data: {{d: {{type: uri_folder, path: 'https://x/y'}}}}, outputs: {{o: {{}}}}, \
             parallel: {{inputData: '${{{{inputs.d}}}}', task: {{entryScript: s.py, programArguments: \"{arguments}\"{more}}}}}}}"
        )
    };
    assert_eq!(faults(&step("--out ${{outputs.o}}", ""))?, [""; 0]);
    let quoted = faults(&step("--label '${{inputs.label}}'", ""))?;
    assert!(quoted.len() == 1 && quoted[0].starts_with("steps.a.inputs.label: "), "{quoted:?}");
    let unknown = faults(&step("--x ${{inputs.x}}", ", appendRowTo: '${{outputs.y}}'"))?;
    assert!(
        unknown.len() == 2 && unknown[0].contains("${{inputs.x}}") && unknown[1].contains("${{outputs.y}}"),
        "{unknown:?}"
    );
    Ok(())
}

#[test]
fn the_callers_values_of_a_parallel_step_have_no_quotes() -> Result<()> {
    let spec = "{workspaceRef: {name: prod}, inputs: {label: {type: string}}, defaults: {compute: {serverless: {}}, environment: {id: 'azureml:e:1'}},
        steps: [{name: a, code: {files: {s.py: x}}, inputs: {label: '${{parent.inputs.label}}'}, data: {d: {type: uri_folder, path: 'https://x/y'}},
          parallel: {inputData: '${{inputs.d}}', partitionKeys: [a, b], task: {entryScript: s.py, programArguments: '--label \"${{inputs.label}}\"'}}}]}";
    let wanted = pipeline_of(spec)?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    assert_eq!(wanted.current.bare_inputs, ["label"]);
    let put = decide(&pipeline_of(spec)?, &nothing_seen())?;
    assert!(put.actions.iter().any(|action| matches!(action, Action::Upload { .. })), "{:?}", put.actions);
    Ok(())
}

/// A Spark program on a compute, with more fields of the step.
fn spark(compute: &str, version: &str, more: &str) -> String {
    format!(
        "{{name: a, code: {{files: {{s.py: x}}}}, compute: {compute}, spark: {{entry: {{file: s.py}}, args: '--x ${{{{inputs.d}}}}', conf: {{a: 1}}{version}}}, \
         data: {{d: {{type: uri_folder, path: 'https://x/y'}}}}{more}}}"
    )
}

#[test]
fn spark_runs_where_it_can_and_sees_data_by_its_address() -> Result<()> {
    let (sized, version) = ("{serverless: {instanceType: Standard_E4s_v3}}", ", runtimeVersion: '3.4'");
    for (step, words) in [
        (spark(sized, version, ""), None),
        (spark("{name: pool}", "", ""), None),
        (spark(sized, version, ", outputs: {o: {mode: Direct}}"), None),
        (spark("{serverless: {}}", version, ""), Some("steps.a.compute: Spark runs on a size of its own")),
        (spark("null", version, ""), Some("steps.a.compute: Spark runs on a size of its own")),
        (spark(sized, "", ""), Some("steps.a.spark.runtimeVersion: serverless Spark needs a version")),
        (
            spark("{name: pool}", version, ""),
            Some("steps.a.spark.runtimeVersion: an attached pool has its own"),
        ),
        (
            spark(sized, version, ", outputs: {o: {mode: Upload}}"),
            Some("steps.a.outputs.o.mode: Spark reads and writes"),
        ),
    ] {
        let said = faults(&step)?;
        let is_said = words.map_or(said.is_empty(), |words| said.len() == 1 && said[0].starts_with(words));
        assert!(is_said, "{step}: {said:?}");
    }
    Ok(())
}

#[test]
fn an_address_that_a_caller_gives_to_spark_is_one_word() -> Result<()> {
    let spec = "{workspaceRef: {name: prod}, inputs: {table: {type: uri_folder}}, defaults: {environment: {id: 'azureml:e:1'}},
        steps: [{name: a, code: {files: {s.py: x}}, inputs: {d: '${{parent.inputs.table}}'}, compute: {name: pool},
          spark: {entry: {file: s.py}, args: '--x ${{inputs.d}}', conf: {a: 1}}}]}";
    let wanted = pipeline_of(spec)?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    assert_eq!(wanted.current.bare_inputs, ["table"]);
    let node = &wanted.body["properties"]["componentSpec"]["jobs"]["a"];
    assert_eq!(node["inputs"]["d"]["mode"], "Direct");
    assert_eq!(node["computeId"], json!(id("computes/pool")));
    let put = decide(&pipeline_of(spec)?, &nothing_seen())?;
    assert!(
        !format!("{:?}", put.actions).contains("environments/e"),
        "the environment of the defaults is for commands"
    );
    Ok(())
}
