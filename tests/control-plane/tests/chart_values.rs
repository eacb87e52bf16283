//! The values of the chart: each has a comment, an entry of the schema that says the same, and an effect on what is installed.
use crate::support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use azureml_control_plane::helm;
use serde_json::Value;
use support::{crate_file, output};

fn chart() -> PathBuf {
    crate_file("../../charts/azureml-operator")
}

/// A value that is set as a whole, by its path with dots.
struct Leaf {
    path: String,
    schema: Value,
    default: Value,
}

/// Every leaf of the schema, with its default; the two must have the same keys.
fn leaves(schema: &Value, defaults: &Value, above: &str) -> Result<Vec<Leaf>, String> {
    let known = schema["properties"].as_object().ok_or(format!("{above:?} has no properties"))?;
    let stated = defaults.as_object().ok_or(format!("{above:?} is no map in values.yaml"))?;
    // What a parent chart gives to all its charts is not ours to default.
    let known = known.iter().filter(|(key, _)| !(above.is_empty() && *key == "global"));
    let (keys, of_schema): (BTreeSet<_>, BTreeSet<_>) =
        (stated.keys().collect(), known.clone().map(|(key, _)| key).collect());
    if keys != of_schema {
        return Err(format!("{above:?}: values.yaml has {keys:?}, the schema {of_schema:?}"));
    }
    let mut all = Vec::new();
    for (key, schema) in known {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        let default = stated[key].clone();
        if schema["properties"].is_object() {
            all.extend(leaves(schema, &default, &path)?);
        } else {
            all.push(Leaf { path, schema: schema.clone(), default });
        }
    }
    Ok(all)
}

fn read(chart: &Path) -> Result<Vec<Leaf>, String> {
    let text = |name: &str| fs::read_to_string(chart.join(name)).map_err(|error| format!("{name}: {error}"));
    let values: Value = serde_saphyr::from_str(&text("values.yaml")?).map_err(|error| error.to_string())?;
    let schema: Value =
        serde_json::from_str(&text("values.schema.json")?).map_err(|error| error.to_string())?;
    leaves(&schema, &values, "")
}

/// The comment above each key of values.yaml.
fn comments(text: &str) -> BTreeMap<String, String> {
    let (mut path, mut comment, mut all) = (Vec::<&str>::new(), Vec::new(), BTreeMap::new());
    for line in text.lines() {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let line = line.trim();
        if let Some(words) = line.strip_prefix('#') {
            comment.push(words.trim());
            continue;
        }
        let key = line.split_once(':').map_or("", |(key, _)| key);
        if !key.is_empty() && key.chars().all(char::is_alphanumeric) {
            path.truncate(depth);
            path.push(key);
            all.insert(path.join("."), comment.join(" "));
        }
        comment.clear();
    }
    all.retain(|_, comment| !comment.is_empty());
    all
}

#[test]
fn every_value_has_a_comment_and_the_schema_says_the_same() {
    let comments = comments(&fs::read_to_string(chart().join("values.yaml")).unwrap());
    let leaves = read(&chart()).unwrap();
    assert!(leaves.len() > 40, "the values are not found");
    for Leaf { path, schema, .. } in leaves {
        let comment = comments.get(&path).unwrap_or_else(|| panic!("{path} has no comment in values.yaml"));
        assert_eq!(schema["description"].as_str(), Some(comment.as_str()), "description of {path}");
        assert!(schema.get("type").or(schema.get("enum")).is_some(), "{path} may be anything");
    }
}

/// A valid value that is not the default: the schema's example, or what its type leaves.
fn another(leaf: &Leaf) -> Result<Value, String> {
    let of_type = match (&leaf.default, &leaf.schema["enum"]) {
        (Value::Bool(default), _) => Some(Value::Bool(!default)),
        (default, Value::Array(allowed)) => allowed.iter().find(|other| *other != default).cloned(),
        _ => None,
    };
    let example = leaf.schema["examples"].get(0).cloned().or(of_type);
    let example = example.filter(|example| *example != leaf.default);
    example.ok_or(format!("{} has no example in the schema that is not its default", leaf.path))
}

fn render(chart: &Path, values: Option<&Path>, set: Option<String>) -> Result<String, String> {
    let mut helm = Command::new(helm::find().map_err(|error| error.to_string())?);
    helm.args(["template", "azureml-operator", "--namespace", "azureml-system"]).arg(chart);
    if let Some(values) = values {
        helm.arg("--values").arg(values);
    }
    if let Some(set) = set {
        helm.args(["--set-json", &set]);
    }
    output(&mut helm)
}

/// The values without effect, whether others are as they are by default or as in one of the files in `ci/`.
fn idle(chart: &Path) -> Result<Vec<String>, String> {
    let files = fs::read_dir(chart.join("ci")).map_err(|error| error.to_string())?;
    let files = files.map(|file| file.unwrap().path());
    let bases: Vec<Option<PathBuf>> = [None].into_iter().chain(files.map(Some)).collect();
    let leaves = read(chart)?;
    let effective = |leaves: &[Leaf]| -> Result<BTreeSet<String>, String> {
        let mut effective = BTreeSet::new();
        for base in &bases {
            let before = render(chart, base.as_deref(), None)?;
            for leaf in leaves {
                if effective.contains(&leaf.path) {
                    continue;
                }
                let set = format!("{}={}", leaf.path, another(leaf)?);
                // Two values may exclude each other; elsewhere they do not.
                if render(chart, base.as_deref(), Some(set)).is_ok_and(|after| after != before) {
                    effective.insert(leaf.path.clone());
                }
            }
        }
        Ok(effective)
    };
    let (first, second) = leaves.split_at(leaves.len() / 2);
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| effective(first));
        (effective(second), first.join().unwrap())
    });
    let effective: BTreeSet<String> = first?.into_iter().chain(second?).collect();
    Ok(leaves.into_iter().map(|leaf| leaf.path).filter(|path| !effective.contains(path)).collect())
}

#[test]
fn every_value_changes_what_is_installed() {
    assert_eq!(idle(&chart()).unwrap(), [""; 0], "values that change nothing");
}

#[test]
fn a_value_that_changes_nothing_would_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("chart");
    output(Command::new("cp").arg("-r").arg(chart()).arg(&copy)).unwrap();
    let one = r#"{"type": "object", "properties": {"replicas": {"type": "integer", "examples": [3]},
                  "idle": {"type": "string", "examples": ["x"]}}}"#;
    fs::write(copy.join("values.schema.json"), one).unwrap();
    for folder in ["ci", "templates"] {
        fs::remove_dir_all(copy.join(folder)).unwrap();
        fs::create_dir(copy.join(folder)).unwrap();
    }
    fs::write(copy.join("values.yaml"), "replicas: 2\nidle: \"\"\n").unwrap();
    fs::write(copy.join("templates/one.yaml"), "replicas: {{ .Values.replicas }}\n").unwrap();
    assert_eq!(idle(&copy).unwrap(), ["idle"]);
    fs::write(copy.join("values.yaml"), "replicas: 2\n").unwrap();
    assert!(idle(&copy).unwrap_err().contains("the schema {\"idle\", \"replicas\"}"));
}

#[test]
fn nothing_outside_of_namespaces_is_made_for_a_controller_of_some() {
    let values = chart().join("ci/namespaced-values.yaml");
    let rendered = render(&chart(), Some(&values), None).unwrap();
    let objects: Vec<Value> = serde_saphyr::from_multiple(&rendered).unwrap();
    let objects: Vec<Value> = objects.into_iter().filter(Value::is_object).collect();
    assert!(objects.len() > 8, "{rendered}");
    for object in objects {
        assert!(object["metadata"]["namespace"].is_string(), "{object} is the whole cluster's");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused_with_the_remedy() {
    let pem = r#""-----BEGIN CERTIFICATE-----""#;
    for (set, said) in [
        (r#"watchNamespaces=["a"]"#.to_owned(), "config.clusterId is needed with watchNamespaces"),
        (format!(r#"caBundle={{"pem": {pem}, "configMap": "a"}}"#), "pem and configMap exclude each other"),
        (r#"caBundle.pem="a""#.to_owned(), "/caBundle/pem"),
        (format!(r#"config={{"caFile": "/a"}},caBundle.pem={pem}"#), "caBundle and config.caFile exclude"),
        (r#"proxy.https="proxy:3128""#.to_owned(), "/proxy/https"),
        (r#"rbac.scope="x""#.to_owned(), "scope"),
    ] {
        let refused = render(&chart(), None, Some(set.clone())).unwrap_err();
        assert!(refused.contains(said), "{set}: {refused}");
    }
}
