//! What a file comes to in Azure, as one tree: every reference to what was made for it is replaced by that.
//!
//! In: requests, and what the file is. Out: a tree in which names that are made of content do not occur. Knows neither side.

use super::canon::{declared, environment, job, node, only};
use super::request::{Request, tail};
use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What was made, by its id in small letters.
struct Made<'a>(BTreeMap<String, (&'a str, &'a Value)>);

/// How deep pipelines are in each other at most.
const DEEPEST: usize = 12;

/// What Microsoft's client made of a file, and what we did. The kind of the file is the one that the client's side says.
///
/// A component that is no pipeline is the step of a pipeline here: that step's component is what is compared.
pub fn pair(what: &str, theirs: &[Request], ours: &[Request]) -> Result<(Value, Value)> {
    let (theirs, ours) = (tree(what, theirs).context("theirs")?, tree(what, ours).context("ours")?);
    let is_lifted = what == "component" && theirs["type"] != ours["type"];
    let step = ours["jobs"].as_object().and_then(|jobs| jobs.values().next()).filter(|_| is_lifted);
    let inner = step.and_then(|step| step.get("componentId").or_else(|| step["trial"].get("componentId")));
    let inner = inner.map(|inner| declared(inner.clone(), &ours["inputs"], step));
    let theirs = if is_lifted { declared(theirs, &Value::Null, None) } else { theirs };
    Ok((theirs, inner.unwrap_or(ours)))
}

fn tree(what: &str, requests: &[Request]) -> Result<Value> {
    let made = Made::of(requests);
    match what {
        "job" | "step" => {
            let put = last(requests, &["jobs"])?;
            let mut job = made.job(&put.body["properties"]);
            if what == "step" {
                job["jobs"] = only(&job["jobs"]);
            }
            Ok(job)
        }
        "component" => Ok(made.spec(&last(requests, &["components", "versions"])?.body, 0)),
        "environment" => Ok(environment(&last(requests, &["environments", "versions"])?.body)),
        "compute" => Ok(made.whole(&last(requests, &["computes"])?.body)),
        "data" => Ok(made.whole(&last(requests, &["data", "versions"])?.body)),
        "schedule" => {
            let mut body = made.whole(&last(requests, &["schedules"])?.body);
            let job =
                made.job(&last(requests, &["schedules"])?.body["properties"]["action"]["jobDefinition"]);
            body["properties"]["action"]["jobDefinition"] = job;
            Ok(body)
        }
        "endpoint" => Ok(made.whole(&last(requests, &["batchEndpoints"])?.body)),
        "deployment" => Ok(made.whole(&last(requests, &["batchEndpoints", "deployments"])?.body)),
        other => bail!("{other} is nothing that is compared"),
    }
}

fn last<'a>(requests: &'a [Request], of: &[&str]) -> Result<&'a Request> {
    requests
        .iter()
        .rev()
        .find(|request| request.puts(of))
        .with_context(|| format!("nothing of {} was asked for", of.join("/")))
}

impl<'a> Made<'a> {
    fn of(requests: &'a [Request]) -> Self {
        let mut made = BTreeMap::new();
        for request in requests.iter().filter(|request| request.method == "PUT") {
            let tail = request.tail();
            if let [segment @ ("codes" | "components" | "environments" | "data"), _, "versions", _] =
                tail.as_slice()
            {
                for id in [&request.path, &request.id] {
                    made.insert(id.to_lowercase(), (*segment, &request.body));
                }
            }
        }
        Self(made)
    }

    /// A job, with the jobs of the component that it names in their place.
    fn job(&self, body: &Value) -> Value {
        job(self.whole(body))
    }

    fn whole(&self, value: &Value) -> Value {
        self.expand(value, 0)
    }

    fn expand(&self, value: &Value, depth: usize) -> Value {
        match value {
            Value::Object(map) => {
                let fields = map.iter().map(|(key, value)| (key.clone(), self.expand(value, depth)));
                node(Value::Object(fields.collect::<Map<_, _>>()))
            }
            Value::Array(items) => items.iter().map(|item| self.expand(item, depth)).collect(),
            Value::String(text) => self.named(text, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A text: what it names, where that was made here, else a name that has no workspace in it.
    fn named(&self, text: &str, depth: usize) -> Value {
        let Some(tail) = tail(text) else { return json!(text) };
        let id = text.strip_prefix("azureml:").unwrap_or(text).to_lowercase();
        match self.0.get(&id) {
            Some(("codes", body)) => {
                json!(format!("files {}", body["properties"]["properties"]["hash_sha256"]))
            }
            Some(("environments", body)) => environment(body),
            Some(("data", body)) => {
                json!({"dataType": body["properties"]["dataType"], "dataUri": body["properties"]["dataUri"]})
            }
            Some((_, body)) if depth < DEEPEST => self.spec(body, depth + 1),
            Some(_) | None => json!(format!("azureml:{}", tail.join("/"))),
        }
    }

    /// A component without the name under which it is kept.
    fn spec(&self, body: &Value, depth: usize) -> Value {
        let mut spec = self.expand(&body["properties"]["componentSpec"], depth);
        if let Some(spec) = spec.as_object_mut() {
            spec.remove("name");
            spec.remove("version");
        }
        spec
    }
}
