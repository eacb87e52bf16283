//! Random manifests that the definitions take: the same ones each time, so that a failure can be looked at again.
//!
//! In: how many. Out: objects of one namespace whose references meet each other. Asks neither a cluster nor Azure.

use super::steps::step;
use anyhow::{Context as _, Result, anyhow};
use azureml_check::Definitions;
use proptest::collection::btree_map;
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any};
use proptest::sample::{Index, select};
use proptest::strategy::{BoxedStrategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// The clusters, images and data that others name: `c0`, `e0`, `d0` and so on.
pub const PARTS: usize = 8;
/// How often a spec is drawn anew that the definitions do not take.
const TRIES: usize = 200;

/// So many objects, and the workspace that all of them name.
pub fn objects(count: usize) -> Result<Vec<Value>> {
    let definitions = Definitions::read().map_err(|error| anyhow!("{error}"))?;
    let mut runner = TestRunner::deterministic();
    let mut all = vec![object(
        "MLWorkspace",
        "team-a",
        &json!({
            "subscriptionId": azureml_e2e::scene::SUBSCRIPTION, "resourceGroup": azureml_e2e::scene::GROUP,
            "workspaceName": azureml_e2e::scene::WORKSPACE,
        }),
    )];
    let mut add = |kind: &str, name: String, specs: &BoxedStrategy<Value>| -> Result<Value> {
        for _ in 0..TRIES {
            let spec = specs.new_tree(&mut runner).map_err(|error| anyhow!("{error}"))?.current();
            if definitions.check(kind, &spec, None).is_empty() {
                all.push(object(kind, &name, &spec));
                return Ok(spec);
            }
        }
        let spec = specs.new_tree(&mut runner).map_err(|error| anyhow!("{error}"))?.current();
        let faults = definitions.check(kind, &spec, None);
        Err(anyhow!("no {kind} of {TRIES} is taken, such as {spec:#}: {faults:?}"))
    };
    for number in 0..PARTS {
        add("MLCompute", format!("c{number}"), &cluster(number))?;
        add("MLEnvironment", format!("e{number}"), &environment())?;
        add("MLData", format!("d{number}"), &data(number))?;
    }
    let rest = count.checked_sub(3 * PARTS).context("there are more parts than objects")?;
    let mut pipelines = Vec::new();
    for number in 0..rest {
        // Three pipelines, and a schedule of one of them.
        if number % 4 < 3 {
            let name = format!("p{}", pipelines.len());
            pipelines.push(add("MLPipeline", name, &pipeline(pipelines.len()))?);
        } else {
            let which = pipelines.len() - 1 - number % 3;
            add("MLSchedule", format!("s{number}"), &schedule(which, &pipelines[which]))?;
        }
    }
    Ok(all)
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// The fields that are there.
pub fn fields(all: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Map<String, Value> {
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A text of people: any letters, quotes and signs, but no line break.
pub fn text() -> BoxedStrategy<Option<Value>> {
    of("[A-Za-z][ -~äéß数]{0,20}[a-z]".prop_map(Value::from)).boxed()
}

/// A flag that may be left out.
pub fn flag() -> BoxedStrategy<Option<Value>> {
    of(any::<bool>().prop_map(Value::from)).boxed()
}

/// Tags that may be left out.
pub fn tags() -> BoxedStrategy<Option<Value>> {
    of(btree_map("[a-z]{3,6}", "[a-z]{2,5}[ -~]{0,6}[a-z]", 0..3).prop_map(|tags| json!(tags))).boxed()
}

/// One of these.
fn one(of: &'static [&'static str]) -> impl Strategy<Value = Value> {
    select(of).prop_map(Value::from)
}

fn cluster(number: usize) -> BoxedStrategy<Value> {
    let size = one(&["Standard_DS3_v2", "STANDARD_E4S_V3", "Standard_NC6s_v3"]);
    let scale = (0..3, 3..9, of(select(vec!["2m", "1h", "90s"])));
    let priority = of(one(&["Dedicated", "LowPriority"]));
    (size, scale, priority, flag(), tags())
        .prop_map(move |(size, (min, max, idle), priority, public_ip, tags)| {
            let scale = fields([
                ("min", Some(json!(min))),
                ("max", Some(json!(max))),
                ("idle", idle.map(Value::from)),
            ]);
            let all = [
                ("workspaceRef", Some(json!({"name": "team-a"}))),
                ("azureName", Some(json!(format!("drawn-{number}")))),
                ("vmSize", Some(size)),
                ("scale", Some(Value::Object(scale))),
                ("priority", priority),
                ("publicIp", public_ip.filter(|is_public| *is_public == json!(true))),
                ("tags", tags),
            ];
            Value::Object(fields(all))
        })
        .boxed()
}

fn environment() -> BoxedStrategy<Value> {
    let image = "ghcr[.]io/[a-z]{3,8}/[a-z]{3,8}:[0-9][.][0-9]";
    (image, text(), tags())
        .prop_map(|(image, description, tags)| {
            let all = [
                ("workspaceRef", Some(json!({"name": "team-a"}))),
                ("image", Some(json!(image))),
                ("description", description),
                ("tags", tags),
            ];
            Value::Object(fields(all))
        })
        .boxed()
}

/// The type of the data `d<number>`, which an input that names it has too.
fn type_of_data(number: usize) -> &'static str {
    ["uri_file", "uri_folder", "mltable"][number % 3]
}

fn data(number: usize) -> BoxedStrategy<Value> {
    let path = "azureml://datastores/workspaceblobstore/paths/[a-z]{3,8}/";
    (path, text(), tags())
        .prop_map(move |(path, description, tags)| {
            let all = [
                ("workspaceRef", Some(json!({"name": "team-a"}))),
                ("type", Some(json!(type_of_data(number)))),
                ("path", Some(json!(path))),
                ("description", description),
                ("tags", tags),
            ];
            Value::Object(fields(all))
        })
        .boxed()
}

/// An input of a pipeline; each has a value of its own, since schedules and runs may give none.
fn input() -> BoxedStrategy<Value> {
    let number = (-9i64..99).prop_map(|value| json!({"type": "integer", "default": value}));
    let ratio = (1u8..9).prop_map(|value| json!({"type": "number", "default": format!("0.{value}")}));
    let word = "[a-z]{1,6}x".prop_map(|value| json!({"type": "string", "default": value}));
    let choice = any::<bool>().prop_map(|value| json!({"type": "boolean", "default": value}));
    let folder = "azureml://datastores/workspaceblobstore/paths/[a-z]{1,6}/"
        .prop_map(|path| json!({"type": "uri_folder", "path": path}));
    let object =
        (0..PARTS).prop_map(|which| json!({"type": type_of_data(which), "ref": format!("d{which}")}));
    let mode = one(&["ReadOnlyMount", "Download"]);
    let file = ("https://example[.]com/[a-z]{1,6}", mode)
        .prop_map(|(path, mode)| json!({"type": "uri_file", "path": path, "mode": mode}));
    proptest::prop_oneof![number, ratio, word, choice, folder, object, file].boxed()
}

fn pipeline(number: usize) -> BoxedStrategy<Value> {
    let inputs = btree_map("[a-z]{2,4}_in", input(), 0..4);
    let steps = proptest::collection::vec(step(), 1..4);
    let of_people = (text(), text(), tags(), of("[a-z]{3,8}"));
    let settings = (flag(), flag(), any::<Index>(), any::<Index>());
    let published = of((0..4usize, proptest::bool::weighted(0.2)));
    (inputs, steps, of_people, settings, published)
        .prop_map(move |(inputs, steps, (name, description, tags, experiment), settings, published)| {
            let (on_failure, forced, compute, environment) = settings;
            let defaults = fields([
                ("compute", Some(json!({"ref": format!("c{}", compute.index(PARTS))}))),
                ("environment", Some(json!({"ref": format!("e{}", environment.index(PARTS))}))),
                ("continueOnStepFailure", on_failure),
                ("forceRerun", forced),
            ]);
            let names: Vec<&String> = inputs.keys().collect();
            let steps: Vec<Value> =
                steps.iter().enumerate().map(|(place, step)| step.bound(place, &names)).collect();
            let publish = published.filter(|(_, is_published)| *is_published);
            let publish =
                publish.map(|(keep, _)| json!({"endpoint": format!("drawn-{number}"), "keep": keep}));
            let all = [
                ("workspaceRef", Some(json!({"name": "team-a"}))),
                ("displayName", name),
                ("description", description),
                ("tags", tags),
                ("experiment", experiment.map(Value::from)),
                ("inputs", Some(json!(inputs)).filter(|_| !inputs.is_empty())),
                ("defaults", Some(Value::Object(defaults))),
                ("steps", Some(json!(steps))),
                ("publish", publish),
            ];
            Value::Object(fields(all))
        })
        .boxed()
}

fn schedule(which: usize, pipeline: &Value) -> BoxedStrategy<Value> {
    let cron = (0..60u8, 0..24u8, select(vec!["*", "1-5", "SUN", "1,3"]))
        .prop_map(|(minute, hour, days)| ("cron", json!(format!("{minute} {hour} * * {days}"))));
    let recurrence = (one(&["Minute", "Hour", "Day", "Week"]), 1..30u8).prop_map(|(frequency, interval)| {
        ("recurrence", json!({"frequency": frequency, "interval": interval}))
    });
    let zone = of(one(&["Europe/Zurich", "UTC", "W. Europe Standard Time", "America/New_York"]));
    let inputs = pipeline["inputs"].as_object().cloned().unwrap_or_default();
    let numbers: Vec<String> =
        inputs.into_iter().filter(|(_, input)| input["type"] == "integer").map(|(name, _)| name).collect();
    let given = (Just(numbers), 0..99i32, any::<bool>());
    (proptest::prop_oneof![cron, recurrence], zone, given, (flag(), text(), text(), tags()))
        .prop_map(
            move |((key, times), zone, (numbers, value, is_given), (suspend, name, description, tags))| {
                let inputs: Map<String, Value> =
                    numbers.iter().filter(|_| is_given).map(|name| (name.clone(), json!(value))).collect();
                let all = [
                    ("pipelineRef", Some(json!({"name": format!("p{which}")}))),
                    (key, Some(times)),
                    ("timeZone", zone),
                    ("suspend", suspend),
                    ("displayName", name),
                    ("description", description),
                    ("tags", tags),
                    ("inputs", Some(json!(inputs)).filter(|_| !inputs.is_empty())),
                ];
                Value::Object(fields(all))
            },
        )
        .boxed()
}
