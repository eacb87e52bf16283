//! Random steps: what each carries out, and what it is bound to in the pipeline into which it comes.

use super::draw::{PARTS, fields, flag, text};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::{Strategy, any};
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;
use serde_json::{Map, Value, json};

/// A step that does not know its pipeline yet.
#[derive(Clone, Debug)]
pub struct Step {
    body: Body,
    word: String,
    /// Which inputs of the pipeline it takes.
    takes: Vec<Index>,
    /// Whether it reads what the step before wrote, comes after it, or neither.
    before: u8,
    more: Map<String, Value>,
}

#[derive(Clone, Copy, Debug)]
enum Body {
    Command,
    Python,
    R,
    Sweep,
    Parallel,
    Spark,
}

impl Body {
    /// The fields that are no part of it in Azure ML.
    fn takes_no(self) -> &'static [&'static str] {
        match self {
            Self::Command | Self::Python | Self::R => &[],
            Self::Sweep => &["environmentVariables", "distribution"],
            Self::Parallel => &["distribution", "timeout"],
            Self::Spark => &["environmentVariables", "resources", "distribution", "timeout"],
        }
    }
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    use Body::{Command, Parallel, Python, R, Spark, Sweep};
    let body = select(vec![Command, Command, Python, Python, R, R, Sweep, Parallel, Spark]);
    (body, "[a-z]{1,9}x", vec(any::<Index>(), 0..3), 0..3u8, more())
        .prop_map(|(body, word, takes, before, more)| Step { body, word, takes, before, more })
}

/// What a step may say besides.
fn more() -> BoxedStrategy<Map<String, Value>> {
    let environment = of(select(vec![
        json!({"id": "azureml://registries/azureml/environments/sklearn-1.5/versions/1"}),
        json!({"ref": "e0"}),
    ]));
    let compute = of((0..PARTS, any::<bool>()).prop_map(|(which, is_serverless)| {
        if is_serverless { json!({"serverless": {}}) } else { json!({"ref": format!("c{which}")}) }
    }));
    let variables = of(btree_map("[A-Z]{3,6}", "[a-z]{2,6}[ -~]{0,6}[a-z]", 1..3).prop_map(|all| json!(all)));
    let resources = of((1..9u8, of(select(vec!["2g", "512m"]))).prop_map(|(count, memory)| {
        Value::Object(fields([("instanceCount", Some(json!(count))), ("shmSize", memory.map(Value::from))]))
    }));
    let distribution = of(select(vec![
        json!({"pytorch": {}}),
        json!({"mpi": {"processesPerInstance": 2}}),
        json!({"tensorflow": {"workers": 2, "parameterServers": 1}}),
    ]));
    let rest = (of(select(vec!["10m", "2h", "1h30m"]).prop_map(Value::from)), flag(), text(), text());
    (environment, compute, variables, resources, distribution, rest)
        .prop_map(|(environment, compute, variables, resources, distribution, rest)| {
            let (timeout, deterministic, name, description) = rest;
            fields([
                ("environment", environment),
                ("compute", compute),
                ("environmentVariables", variables),
                ("resources", resources),
                ("distribution", distribution),
                ("timeout", timeout),
                ("deterministic", deterministic),
                ("displayName", name),
                ("description", description),
            ])
        })
        .boxed()
}

impl Step {
    /// The step at a place of a pipeline with these inputs.
    pub fn bound(&self, place: usize, inputs: &[&String]) -> Value {
        let mut step = self.more.clone();
        step.retain(|field, _| !self.body.takes_no().contains(&field.as_str()));
        let mut bound: Map<String, Value> = (self.takes.iter().filter(|_| !inputs.is_empty()))
            .map(|which| inputs[which.index(inputs.len())])
            .map(|name| (name.clone(), json!(format!("${{{{parent.inputs.{name}}}}}"))))
            .collect();
        if place > 0 && self.before == 0 {
            let written = format!("${{{{parent.jobs.s{}.outputs.kept}}}}", place - 1);
            bound.insert("before".to_owned(), json!(written));
        } else if place > 0 && self.before == 1 {
            step.insert("after".to_owned(), json!([format!("s{}", place - 1)]));
        }
        let uses: Vec<String> = bound.keys().map(|name| format!("${{{{inputs.{name}}}}}")).collect();
        step.extend(self.body(&uses));
        step.insert("name".to_owned(), json!(format!("s{place}")));
        step.insert("inputs".to_owned(), Value::Object(bound));
        step.insert("outputs".to_owned(), json!({"kept": {"type": "uri_folder"}}));
        Value::Object(step)
    }

    /// What it carries out, with all that it is given as arguments.
    fn body(&self, uses: &[String]) -> Map<String, Value> {
        let word = &self.word;
        let code = |file: &str| json!({"files": {(file): format!("print('{word}')\n")}});
        let quoted: Vec<String> = uses.iter().map(|one| format!(" '{one}'")).collect();
        let quoted = quoted.concat();
        let command = json!(format!("echo {word}{quoted} > ${{{{outputs.kept}}}}/word"));
        let body = match self.body {
            Body::Command => json!({"command": command}),
            Body::Python => json!({"python": {"script": "main.py", "args": uses}, "code": code("main.py")}),
            Body::R => json!({"r": {"script": "main.R", "args": uses}, "code": code("main.R")}),
            Body::Sweep => json!({
                "command": format!("train --rate ${{{{inputs.rate}}}}{quoted}"),
                "sweep": {
                    "objective": {"goal": "minimize", "primaryMetric": word},
                    "searchSpace": {"rate": {"type": "uniform", "minValue": 0.001, "maxValue": 1}},
                    "samplingAlgorithm": {"type": "random"},
                    "limits": {"maxTotalTrials": 4},
                },
            }),
            Body::Parallel => json!({
                "parallel": {"task": {"entryScript": "score.py"}, "inputData": "${{inputs.table}}"},
                "data": {"table": {"type": "uri_folder", "path": format!("https://example.com/{word}")}},
                "code": code("score.py"),
            }),
            Body::Spark => json!({
                "spark": {
                    "entry": {"file": "main.py"}, "runtimeVersion": "3.4", "args": format!("--word {word} {}", uses.join(" ")),
                    "conf": {"spark.driver.cores": 1, "spark.driver.memory": "2g"},
                },
                "code": code("main.py"), "compute": {"serverless": {"instanceType": "standard_e4s_v3"}},
            }),
        };
        body.as_object().cloned().unwrap_or_default()
    }
}
