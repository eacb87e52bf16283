//! The steps of an ACR task file: `build`, `push` and `cmd`, as far as a build of images needs them.
//! Source: learn.microsoft.com, "ACR Tasks reference: YAML". In: the request and its source. Out: builds with their names.

use super::build::{Files, Plan};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One build of a task file.
#[derive(Clone, Debug)]
pub struct Build {
    /// What is to be built.
    pub plan: Plan,
    /// The names it is pushed under.
    pub images: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    build: Option<String>,
    push: Option<Vec<String>>,
    cmd: Option<String>,
}

/// Reads the steps of an encoded task, or of one in the source.
pub fn read(request: &Map<String, Value>, source: &Files) -> Result<Vec<Build>, String> {
    let text = |key: &str| request.get(key).and_then(Value::as_str);
    let bytes = match (text("encodedTaskContent"), text("taskFilePath")) {
        (Some(encoded), _) => {
            STANDARD.decode(encoded).map_err(|_| "encodedTaskContent is not base64".to_owned())?
        }
        (None, Some(path)) => {
            source.get(path).cloned().ok_or_else(|| format!("the task file {path} is not in the source"))?
        }
        (None, None) => return Err("the request names no task".into()),
    };
    let text = values(request, &String::from_utf8_lossy(&bytes));
    let file: File =
        serde_saphyr::from_str(&text).map_err(|error| format!("the task file cannot be read: {error}"))?;
    steps(file, request)
}

/// Puts the values of a request in place of `{{.Values.name}}`, and the registry's own in place of `$Registry`.
fn values(request: &Map<String, Value>, text: &str) -> String {
    let values = request.get("values").and_then(Value::as_array).into_iter().flatten();
    let text = values.fold(text.to_owned(), |text, value| {
        let field = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = field("name");
        text.replace(&format!("{{{{.Values.{name}}}}}"), field("value"))
            .replace(&format!("{{{{ .Values.{name} }}}}"), field("value"))
    });
    ["$Registry/", "{{.Run.Registry}}/", "{{ .Run.Registry }}/"]
        .iter()
        .fold(text, |text, word| text.replace(word, ""))
}

fn steps(file: File, request: &Map<String, Value>) -> Result<Vec<Build>, String> {
    let pushed: Vec<String> = file.steps.iter().filter_map(|step| step.push.clone()).flatten().collect();
    let mut builds = Vec::new();
    for step in file.steps {
        if let Some(line) = step.build {
            let mut build = build(&line, request)?;
            build.images.retain(|image| pushed.contains(image));
            builds.push(build);
        } else if let Some(line) = step.cmd {
            let fails = line.split_whitespace().any(|word| word == "false");
            if fails {
                return Err(format!("failed to run step ID: cmd: exit status 1: {line}"));
            }
        }
    }
    Ok(builds)
}

fn build(line: &str, request: &Map<String, Value>) -> Result<Build, String> {
    let mut plan = Plan { dockerfile: "Dockerfile".into(), ..Plan::default() };
    let (mut images, mut arguments, mut context) = (Vec::new(), BTreeMap::new(), String::new());
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "-t" | "--tag" => images.extend(words.next().map(str::to_owned)),
            "-f" | "--file" => words.next().unwrap_or_default().clone_into(&mut plan.dockerfile),
            "--target" => plan.target = words.next().map(str::to_owned),
            "--build-arg" => {
                arguments.extend(
                    words
                        .next()
                        .and_then(|pair| pair.split_once('='))
                        .map(|(k, v)| (k.to_owned(), v.to_owned())),
                );
            }
            flag if flag.starts_with('-') => {}
            path => path.clone_into(&mut context),
        }
    }
    if context.is_empty() {
        return Err(format!("the build step names no context: {line}"));
    }
    let below = request.get("contextPath").and_then(Value::as_str).unwrap_or_default();
    [below, &context].join("/").trim_matches(['/', '.']).clone_into(&mut plan.context);
    plan.arguments = arguments;
    Ok(Build { plan, images })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_file_builds_and_pushes_what_it_says() {
        let text = "version: v1.1.0\nsteps:\n  - build: -t $Registry/a/b:{{.Values.tag}} -f docker/Dockerfile --build-arg V=1 .\n    env: [DOCKER_BUILDKIT=1]\n  - push:\n    - $Registry/a/b:{{.Values.tag}}\n";
        let request = json!({ "encodedTaskContent": STANDARD.encode(text), "values": [{ "name": "tag", "value": "x" }] });
        let builds = read(request.as_object().unwrap(), &Files::new()).unwrap();
        assert_eq!(builds[0].images, ["a/b:x"]);
        assert_eq!(builds[0].plan.dockerfile, "docker/Dockerfile");
        assert_eq!(builds[0].plan.arguments["V"], "1");
    }

    #[test]
    fn what_is_not_pushed_has_no_name_and_a_failing_command_fails() {
        let read = |text: &str| {
            let request = json!({ "encodedTaskContent": STANDARD.encode(text) });
            read(request.as_object().unwrap(), &Files::new())
        };
        assert!(read("steps:\n- build: -t a:1 .\n").unwrap()[0].images.is_empty());
        assert!(read("steps:\n- cmd: bash -c false\n").is_err());
    }
}
