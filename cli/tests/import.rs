//! A workspace as Azure shows it becomes manifests: from bodies in the forms of the recordings, and from the recordings themselves.

use anyhow::{Context as _, Error, Result, ensure};
use azureml_cli::import::draft::Options;
use azureml_cli::import::live::{Endpoint, Live};
use azureml_cli::import::{Imported, import};
use azureml_client::ArmId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

/// The workspace of the tests.
fn workspace() -> Result<Live> {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/import/workspace.json"),
    )?;
    let all: Value = serde_json::from_str(&text)?;
    let list = |key: &str| all[key].as_array().cloned().unwrap_or_default();
    let mut live = Live::new(ArmId::parse(all["id"].as_str().context("no id")?)?, all["workspace"].clone());
    live.computes = list("computes");
    live.environments = list("environments");
    live.data = list("data");
    live.components = list("components");
    live.schedules = list("schedules");
    let endpoint = |one: &Value| Endpoint {
        body: one["body"].clone(),
        deployments: one["deployments"].as_array().cloned().unwrap_or_default(),
    };
    live.endpoints = list("endpoints").iter().map(endpoint).collect();
    for collection in ["onlineEndpoints", "models", "datastores"] {
        let items = all["others"][collection].as_array().cloned().unwrap_or_default();
        live.others.extend(items.into_iter().map(|body| (collection, body)));
    }
    for (id, body) in all["named"].as_object().into_iter().flatten() {
        live.named.insert(id.to_ascii_lowercase(), body.clone());
    }
    live.unread.push(("models".to_owned(), "Azure refused it: 403".to_owned()));
    live.sort();
    Ok(live)
}

fn imported(live: &Live, options: &Options) -> Result<Imported> {
    import(live, options).map_err(Error::msg)
}

/// All files as one text.
fn text(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut text = String::new();
    for (name, bytes) in files {
        let _ = write!(text, "==> {name}\n{}\n", String::from_utf8_lossy(bytes));
    }
    text
}

#[test]
fn a_workspace_becomes_manifests_and_an_inventory() -> Result<()> {
    let files = imported(&workspace()?, &Options::default())?.files;
    let text = text(&files);
    ensure!(!text.contains("not-to-be-written"), "a secret is written:\n{text}");
    insta::assert_snapshot!("import", text);
    Ok(())
}

#[test]
fn what_holds_a_secret_is_left_over_or_left_out_with_the_way_to_go() -> Result<()> {
    let files = imported(&workspace()?, &Options::default())?.files;
    let text_of = |name: &str| files.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let inventory = text_of("INVENTORY.md").context("no inventory")?;
    for name in ["MLEnvironment | feed", "MLEnvironment | token", "MLPipeline | signed"] {
        let line = inventory.lines().find(|line| line.contains(name)).with_context(|| name.to_owned())?;
        ensure!(line.contains("belongs into no file") && line.contains("Key Vault"), "{line}");
    }
    ensure!(text_of("environments/feed.yaml").is_none() && text_of("pipelines/signed.yaml").is_none());
    let weekly = text_of("pipelines/weekly-retrain.yaml").context("no pipeline")?;
    ensure!(weekly.contains(
        "# Left out, since they look like secrets: the environment variables DB_PASSWORD, PIP_INDEX_URL"
    ));
    ensure!(weekly.contains("LEVEL: \"010\"") && !weekly.contains("DB_PASSWORD:"), "{weekly}");
    Ok(())
}

#[test]
fn a_value_keeps_the_text_that_azure_shows() -> Result<()> {
    let files = imported(&workspace()?, &Options::default())?.files;
    let object = |name: &str| -> Result<Value> { Ok(serde_saphyr::from_slice(&files[name])?) };
    let weekly = object("pipelines/weekly-retrain.yaml")?;
    let shop = json!({"type": "string", "default": "007"});
    ensure!(weekly["spec"]["inputs"]["shop"] == shop, "{}", weekly["spec"]["inputs"]);
    let steps = weekly["spec"]["steps"].as_array().context("no steps")?;
    let train = steps.iter().find(|step| step["name"] == "b_train").context("no step")?;
    for (name, value) in [("code", "01234"), ("answer", "yes"), ("release", "1.10"), ("small", "true")] {
        ensure!(train["inputs"][name] == value, "{name}: {}", train["inputs"]);
    }
    ensure!(train["inputTypes"] == json!({"flag": "boolean", "rate": "number"}), "{}", train["inputTypes"]);
    // The types of the component decide, and what its pipeline does not pass on is dropped and said.
    let nightly = object("schedules/nightly.yaml")?;
    let raw = "azureml://datastores/workspaceblobstore/paths/raw/";
    let inputs = json!({"mode": "012", "rate": "1.10", "raw": raw, "trees": 60});
    ensure!(nightly["spec"]["inputs"] == inputs, "{}", nightly["spec"]["inputs"]);
    ensure!(
        String::from_utf8_lossy(&files["schedules/nightly.yaml"])
            .contains("# The schedule gives values to note,")
    );
    Ok(())
}

#[test]
fn adopting_is_said_and_held_back() -> Result<()> {
    let options =
        Options { adopts: true, namespace: Some("team-a".to_owned()), cloud: Some("AzureChina".to_owned()) };
    let files = imported(&workspace()?, &options)?.files;
    let mut adopted = 0;
    for (name, bytes) in files.iter().filter(|(name, _)| name.contains('/')) {
        let object: Value = serde_saphyr::from_slice(bytes)?;
        let is_paused = object["metadata"]["annotations"]["azureml.dev/paused"] == "true";
        ensure!(is_paused, "{name} is not paused");
        let may_adopt = ["MLCompute", "MLSchedule"].iter().any(|kind| object["kind"] == *kind);
        ensure!((object["spec"]["adopt"] == true) == may_adopt, "{name}");
        adopted += usize::from(may_adopt);
    }
    ensure!(adopted == 6, "{adopted}");
    let workspace = String::from_utf8_lossy(&files["mlw-team-a.yaml"]);
    ensure!(workspace.contains("cloud: AzureChina"), "{workspace}");
    ensure!(String::from_utf8_lossy(&files["kustomization.yaml"]).contains("namespace: team-a"));
    Ok(())
}

#[test]
fn the_order_in_which_azure_lists_changes_no_byte() -> Result<()> {
    let live = workspace()?;
    let mut other = live.clone();
    for bodies in [
        &mut other.computes,
        &mut other.environments,
        &mut other.data,
        &mut other.components,
        &mut other.schedules,
    ] {
        bodies.reverse();
    }
    other.endpoints.reverse();
    other.others.reverse();
    other.sort();
    let [one, two] = [&live, &other].map(|live| imported(live, &Options::default()));
    ensure!(one?.files == two?.files);
    Ok(())
}

#[test]
fn names_that_kubernetes_takes_for_one_are_two() -> Result<()> {
    let mut live = workspace()?;
    let is_it = |body: &&Value| body["name"] == "cpu-cluster";
    let mut second = live.computes.iter().find(is_it).context("no cluster")?.clone();
    second["name"] = json!(second["name"].as_str().unwrap_or_default().to_uppercase());
    live.computes.push(second);
    let files = imported(&live, &Options::default())?.files;
    let names: Vec<&String> = files.keys().filter(|name| name.starts_with("computes/")).collect();
    let different: std::collections::BTreeSet<String> =
        names.iter().map(|name| name.to_lowercase()).collect();
    ensure!(names.len() == different.len() && names.len() == 4, "{names:?}");
    Ok(())
}

/// The answers to reads of one resource, in a recording.
fn reads(recording: &Value) -> Vec<(String, Value)> {
    let exchanges = recording["exchanges"].as_array().into_iter().flatten();
    let is_read =
        |exchange: &&Value| exchange["request"]["method"] == "GET" && exchange["response"]["status"] == 200;
    exchanges
        .filter(is_read)
        .filter_map(|exchange| {
            let url = exchange["request"]["url"].as_str()?;
            let path = url.split("/workspaces/").nth(1)?.split('?').next()?;
            let path = path.split_once('/')?.1.to_owned();
            Some((path, exchange["response"]["body"].clone()))
        })
        .collect()
}

/// A workspace with nothing but this; none where it is of no collection that is imported.
fn alone(path: &str, body: Value) -> Option<Live> {
    let mut live = Live::new(ArmId::workspace(SUBSCRIPTION, "rg", "ws1"), json!({}));
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["computes", _] => live.computes.push(body),
        ["environments", _, "versions", _] => live.environments.push(body),
        ["data", _, "versions", _] => live.data.push(body),
        ["components", _, "versions", _] => live.components.push(body),
        ["schedules", _] => live.schedules.push(body),
        ["batchEndpoints", _] => live.endpoints.push(Endpoint { body, deployments: Vec::new() }),
        ["batchEndpoints", name, "deployments", deployment] => {
            let endpoint = json!({"name": name, "properties": {"defaults": {"deploymentName": deployment}}});
            live.endpoints.push(Endpoint { body: endpoint, deployments: vec![body] });
        }
        _ => return None,
    }
    Some(live)
}

/// A recording as text, with names in the place of its signs.
fn named(text: &str) -> String {
    text.replace("{sub}", SUBSCRIPTION).replace("{rg}", "rg").replace("{ws}", "ws1")
}

#[test]
fn recorded_answers_become_objects_or_lines_of_the_inventory() -> Result<()> {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/import/recorded.json"),
    )?;
    let all: BTreeMap<String, Value> = serde_json::from_str(&named(&text))?;
    let mut found = Vec::new();
    for (of, body) in all {
        let live = alone(&of, body).with_context(|| of.clone())?;
        let Imported { objects, left, .. } = imported(&live, &Options::default())?;
        found.push((of.split('/').next().unwrap_or_default().to_owned(), objects - 1, left));
    }
    let found: Vec<(&str, usize, usize)> =
        found.iter().map(|(of, objects, left)| (of.as_str(), *objects, *left)).collect();
    let expected = [
        // A deployment that scores with a model, and an endpoint without a default.
        ("batchEndpoints", 0, 1),
        ("batchEndpoints", 0, 1),
        // An anonymous pipeline is no asset of anybody.
        ("components", 0, 0),
        ("components", 0, 1),
        ("computes", 1, 0),
        ("environments", 1, 0),
        // A schedule and its pipeline; one whose job is not there.
        ("schedules", 2, 0),
        ("schedules", 0, 1),
    ];
    ensure!(found == expected, "{found:#?}");
    Ok(())
}

#[test]
fn everything_that_was_recorded_is_imported_or_in_the_inventory() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/azure/live");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        // Past the capture of the tests, so that it is seen.
        writeln!(
            std::io::stderr(),
            "skipped: {} is not there; recorded.json was imported",
            folder.display()
        )?;
        return Ok(());
    };
    let mut table: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        for (of, body) in reads(&serde_json::from_str(&named(&text))?) {
            let is_anonymous = body["properties"]["isAnonymous"] == true;
            let Some(live) = alone(&of, body) else { continue };
            let Imported { objects, left, files } = imported(&live, &Options::default())?;
            let count = table.entry(of.split('/').next().unwrap_or_default().to_owned()).or_default();
            let inventory = String::from_utf8_lossy(&files["INVENTORY.md"]).into_owned();
            println!("{of}: {}", inventory.lines().nth(6).filter(|_| left > 0).unwrap_or("an object"));
            // The workspace is an object too.
            *count = (count.0 + objects - 1, count.1 + left);
            ensure!(
                objects + left > 1 || is_anonymous,
                "{}: nothing becomes of {of}:\n{}",
                path.display(),
                self::text(&files)
            );
        }
    }
    println!("objects, lines of the inventory: {table:#?}");
    let objects: usize = table.values().map(|(objects, _)| objects).sum();
    ensure!(objects >= 12, "only {table:?}");
    Ok(())
}
