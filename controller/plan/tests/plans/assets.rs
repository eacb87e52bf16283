//! What exists in Azure and is used by its name: environments, components, data, and pipelines in the place of steps.

use crate::requests::nothing_seen;
use crate::support::{ask, object, owner, plan, workspace};
use anyhow::{Context as _, Result};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_data::DataType;
use azureml_crds::ml_pipeline::Current;
use azureml_plan::action::Action;
use azureml_plan::asset_name::Pins;
use azureml_plan::grants::{Asker, Grant, Rights};
use azureml_plan::pipeline::{Refs, Wanted, labels};
use azureml_plan::reasons::Reason;
use azureml_plan::source::Sources;
use azureml_plan::{Decide as _, InvalidSpec, pipeline};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PIPELINE: &str = "{workspaceRef: {name: prod}, inputs: {raw: {type: uri_folder}, rate: {type: number, default: 0.5}},
    outputs: {model: {type: custom_model}}, defaults: {compute: {serverless: {}}, environment: {id: 'azureml:r-env@latest'}}, steps: [
      {name: prepare, component: 'azureml:prepare:2', inputs: {raw: '${{parent.inputs.raw}}'}, outputs: {out: {}}},
      {name: clean, component: 'azureml://registries/shared/components/clean/versions/1', inputs: {raw: '${{parent.jobs.prepare.outputs.out}}'}, outputs: {out: {}}},
      {name: train, command: 'train ${{inputs.extra}} --rate ${{inputs.rate}} --fast ${{inputs.fast}}', inputs: {rate: '0.1', fast: 'true'},
       inputTypes: {rate: number, fast: boolean}, data: {extra: {type: uri_file, path: 'azureml:extra@latest', mode: Download}},
       distribution: {pytorch: {processesPerInstance: 4}}, resources: {instanceCount: 2}},
      {name: score, pipeline: {ref: scoring}, inputs: {data: '${{parent.jobs.clean.outputs.out}}', query: ab}, outputs: {model: {path: '${{parent.outputs.model}}'}}}]}";

fn pinned(pipeline: &MLPipeline, refs: &mut Refs) {
    for label in labels(pipeline, &refs.workspace.id) {
        refs.pins.pin(label, "7");
    }
}

fn refs() -> Result<Refs> {
    let inner: MLPipeline = object(
        "scoring",
        "{workspaceRef: {name: prod}, inputs: {data: {type: uri_folder}, query: {type: string}}, defaults: {compute: {name: cpu}, environment: {id: /subscriptions/s/e}},
          steps: [{name: a, command: 'x ${{inputs.q}}', inputs: {q: '${{parent.inputs.query}}'}}]}",
    )?;
    let none = Refs {
        workspace: workspace(),
        owner: owner("p"),
        environments: BTreeMap::new(),
        computes: BTreeMap::new(),
        data: BTreeMap::new(),
        pipelines: BTreeMap::new(),
        pins: Pins::default(),
        sources: Sources::default(),
        deployments: pipeline::Deployments::Text,
    };
    let current: Current = inner.wanted(&none).map_err(anyhow::Error::msg)?.current;
    Ok(Refs { pipelines: BTreeMap::from([("scoring".to_owned(), current)]), ..none })
}

fn wanted() -> Result<Wanted> {
    let pipeline: MLPipeline = object("p", PIPELINE)?;
    let mut refs = refs()?;
    pinned(&pipeline, &mut refs);
    pipeline.wanted(&refs).map_err(anyhow::Error::msg)
}

fn node<'a>(wanted: &'a Wanted, name: &str) -> Result<&'a Value> {
    let step = wanted.steps.iter().find(|step| step.name == name);
    Ok(&step.context("no such step")?.node)
}

#[test]
fn what_exists_is_named_by_its_id_and_registered_by_nobody() -> Result<()> {
    let (wanted, workspace) = (wanted()?, workspace().id);
    let prepare = node(&wanted, "prepare")?;
    assert_eq!(
        prepare["componentId"],
        json!(workspace.child("components", "prepare").child("versions", "2"))
    );
    let clean = node(&wanted, "clean")?;
    assert_eq!(clean["componentId"], "azureml://registries/shared/components/clean/versions/1");
    let score = node(&wanted, "score")?;
    assert_eq!(
        (&score["type"], &score["outputs"]["model"]["value"]),
        (&json!("pipeline"), &json!("${{parent.outputs.model}}"))
    );
    assert_eq!(wanted.owned().map(|(step, _)| step.name.as_str()).collect::<Vec<_>>(), ["train"]);
    Ok(())
}

#[test]
fn data_in_place_types_and_distribution_are_said() -> Result<()> {
    let (wanted, workspace) = (wanted()?, workspace().id);
    let train = node(&wanted, "train")?;
    let extra = workspace.child("data", "extra").child("versions", "7");
    assert_eq!(
        train["inputs"]["extra"],
        json!({"job_input_type": "uri_file", "uri": extra, "mode": "Download"})
    );
    assert_eq!(train["inputs"]["fast"]["value"], "True");
    assert_eq!(
        train["distribution"],
        json!({"distribution_type": "PyTorch", "process_count_per_instance": 4})
    );
    let own = wanted.owned().next().context("nothing is registered")?.1;
    let spec = &own.body["properties"]["componentSpec"];
    let types = ["extra", "rate", "fast"].map(|name| spec["inputs"][name]["type"].clone());
    assert_eq!(types, ["uri_file", "number", "boolean"].map(Value::from));
    let environment = workspace.child("environments", "r-env").child("versions", "7");
    assert_eq!(spec["environment"], format!("azureml:{environment}"));
    assert_eq!(wanted.settings.default_compute, Some(workspace.child("computes", "serverless").to_string()));
    Ok(())
}

#[test]
fn an_mldata_is_its_version_and_another_version_is_another_version_of_what_reads_it() -> Result<()> {
    let pipeline: MLPipeline = object("p", PIPELINE)?;
    let mut spec = json!(pipeline.spec);
    spec["inputs"]["raw"]["ref"] = json!("taxi");
    spec["steps"][2]["data"]["extra"] = json!({"type": "uri_folder", "ref": "taxi"});
    let pipeline = MLPipeline { spec: serde_json::from_value(spec)?, ..pipeline };
    assert_eq!(pipeline::data_refs(&pipeline), ["taxi"]);
    let with = |version: &str, r#type: DataType| -> Result<Result<Wanted, InvalidSpec>> {
        let mut refs = refs()?;
        pinned(&pipeline, &mut refs);
        let id = workspace().id.child("data", "taxi").child("versions", version).to_string();
        refs.data.insert("taxi".to_owned(), pipeline::Data { id, r#type });
        Ok(pipeline.wanted(&refs))
    };
    let wanted = |version: &str| with(version, DataType::UriFolder)?.map_err(anyhow::Error::msg);
    let (one, two) = (wanted("1")?, wanted("2")?);
    let id = workspace().id.child("data", "taxi").child("versions", "1").to_string();
    let raw = &one.current.inputs["raw"];
    assert_eq!((raw.path.as_ref(), raw.r#ref.as_ref()), (Some(&id), None));
    assert_eq!(node(&one, "train")?["inputs"]["extra"]["uri"], json!(id));
    assert_ne!((&one.id, &one.current.version), (&two.id, &two.current.version));
    let error = with("1", DataType::MlTable)?.err().context("it is wanted")?;
    assert!(
        error.to_string().contains("MLData taxi is a mltable; write that as the type here too"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_label_that_is_not_looked_up_registers_nothing() -> Result<()> {
    let pipeline: MLPipeline = object("p", PIPELINE)?;
    let error = pipeline.wanted(&refs()?).err().context("it is wanted")?;
    assert!(error.to_string().contains("what azureml:r-env@latest means is not known yet"), "{error}");
    Ok(())
}

#[test]
fn a_new_version_under_a_label_is_a_new_version_of_what_uses_it() -> Result<()> {
    let pipeline: MLPipeline = object("p", PIPELINE)?;
    let version = |version: &str| -> Result<ArmId> {
        let mut refs = refs()?;
        for label in labels(&pipeline, &refs.workspace.id) {
            refs.pins.pin(label, version);
        }
        Ok(pipeline.wanted(&refs).map_err(anyhow::Error::msg)?.id)
    };
    assert_eq!(version("7")?, version("7")?);
    assert_ne!(version("7")?, version("8")?);
    Ok(())
}

fn refused(change: impl FnOnce(&mut Value)) -> Result<InvalidSpec> {
    let pipeline: MLPipeline = object("p", PIPELINE)?;
    let mut spec = json!(pipeline.spec);
    change(&mut spec);
    let pipeline = MLPipeline { spec: serde_json::from_value(spec)?, ..pipeline };
    let mut refs = refs()?;
    pinned(&pipeline, &mut refs);
    pipeline.wanted(&refs).err().context("it is wanted")
}

#[test]
fn a_literal_of_another_type_is_refused() -> Result<()> {
    for (name, value, words) in [
        ("rate", "fast", "write a number, such as \"0.5\""),
        ("fast", "yes", "write \"true\" or \"false\""),
        ("rate", "${{parent.inputs.rate}}", "it is bound"),
    ] {
        let error = refused(|spec| spec["steps"][2]["inputs"][name] = json!(value))?;
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.field, format!("steps.train.inputs.{name}"));
    }
    Ok(())
}

#[test]
fn what_is_given_where_a_shell_may_split_it_is_one_word() -> Result<()> {
    let literal = refused(|spec| spec["steps"][3]["inputs"]["query"] = json!("a; id"))?;
    assert_eq!(literal.field, "steps.score.inputs.query");
    let address = refused(|spec| {
        spec["steps"][2]["data"]["extra"] =
            json!({"type": "uri_file", "path": "https://h/a;id", "mode": "Direct"});
    })?;
    assert_eq!(address.field, "steps.train.data.extra");
    let blanks = refused(|spec| spec["steps"][2]["command"] = json!("train ${{ inputs.rate }}"))?;
    assert!(blanks.message.contains("without blanks"), "{blanks}");
    Ok(())
}

#[test]
fn what_a_pipeline_in_the_place_of_a_step_uses_without_quotes_is_so_for_the_whole() -> Result<()> {
    let pipeline: MLPipeline = object("p", PIPELINE)?;
    let mut spec = json!(pipeline.spec);
    spec["inputs"]["query"] = json!({"type": "string"});
    spec["steps"][3]["inputs"]["query"] = json!("${{parent.inputs.query}}");
    let pipeline = MLPipeline { spec: serde_json::from_value(spec)?, ..pipeline };
    let mut refs = refs()?;
    pinned(&pipeline, &mut refs);
    let wanted = pipeline.wanted(&refs).map_err(anyhow::Error::msg)?;
    // What is given to a component that exists counts as bare too.
    assert_eq!(wanted.current.bare_inputs, ["query", "raw"]);
    Ok(())
}

/// A pipeline of one step whose code is this version.
fn with_code(asset: &str) -> Result<MLPipeline> {
    let spec = format!(
        "{{workspaceRef: {{name: prod}}, defaults: {{compute: {{name: cpu}}, environment: {{id: 'azureml:r-env:1'}}, code: {{asset: '{asset}'}}}}, \
          steps: [{{name: train, python: {{script: main.py}}}}]}}"
    );
    object("p", &spec)
}

#[test]
fn code_that_exists_is_what_the_component_runs_and_nothing_is_uploaded() -> Result<()> {
    let (refs, seen) = (refs()?, nothing_seen());
    let id = refs.workspace.id.child("codes", "scripts").child("versions", "3");
    for text in ["azureml:scripts:3".to_owned(), id.to_string(), format!("azureml:{id}")] {
        let plan = plan(&with_code(&text)?, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?;
        let [Action::Put { body, .. }] = plan.actions.as_slice() else {
            panic!("{text}: {:?}", plan.actions)
        };
        let code = &body["properties"]["componentSpec"]["code"];
        assert_eq!(*code, json!(format!("azureml:{id}")), "{text}");
    }
    let version = |text: &str| -> Result<_> {
        let wanted = with_code(text)?.wanted(&refs).map_err(anyhow::Error::msg)?;
        Ok(wanted.owned().next().map(|(_, own)| own.id.clone()))
    };
    assert_eq!(version("azureml:scripts:3")?, version(id.as_str())?, "one version, however it is written");
    assert_ne!(version("azureml:scripts:3")?, version("azureml:scripts:4")?);
    Ok(())
}

#[test]
fn code_of_another_workspace_needs_its_grant_and_code_has_to_be_code() -> Result<()> {
    let mut refs = refs()?;
    let asker =
        Asker { namespace: "team-a".into(), client: None, cloud: "public".into(), is_default_cloud: true };
    let grant: Grant =
        serde_json::from_value(json!({"namespaces": ["team-a"], "workspaces": [refs.workspace.id.name()]}))?;
    refs.workspace.rights =
        Rights::granted(&[grant], asker, refs.workspace.id.clone()).map_err(anyhow::Error::msg)?;
    let refused = |text: &str| -> Result<Option<Reason>> {
        let wrong = with_code(text)?.wanted(&refs).err();
        assert!(wrong.iter().all(|wrong| wrong.field == "defaults.code.asset"), "{wrong:?}");
        Ok(wrong.map(|wrong| wrong.reason))
    };
    assert_eq!(refused("azureml:scripts:3")?, None);
    let other = ArmId::workspace("s", "g", "other").child("codes", "x").child("versions", "1");
    assert_eq!(refused(other.as_str())?, Some(Reason::WORKSPACE_NOT_GRANTED));
    let data = refs.workspace.id.child("data", "x").child("versions", "1");
    assert_eq!(refused(data.as_str())?, Some(Reason::INVALID_SPEC));
    Ok(())
}
