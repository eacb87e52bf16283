//! Components: what they may refer to, how they come back, what can change of them.

use crate::support;

use reqwest::StatusCode;
use serde_json::{Value, json};
use support::Sim;

fn environment(image: &str) -> Value {
    json!({ "properties": { "image": image, "tags": { "owner": "a" }, "properties": { "hash": "1" } } })
}

fn component(environment: &str) -> Value {
    json!({ "properties": { "componentSpec": {
        "type": "command", "name": "prep", "version": "1", "command": "echo ${{inputs.n}}", "environment": environment,
        "inputs": { "n": { "type": "integer", "default": "3" } }, "outputs": { "o": { "type": "uri_folder" } },
    } } })
}

#[tokio::test]
async fn a_component_refers_only_to_what_exists_and_cannot_be_changed() {
    let sim = Sim::start().await;
    let environment_id = format!("azureml:{}/environments/r/versions/1", sim.workspace());
    let early = sim.put("components/prep/versions/1", &component(&environment_id)).await;
    assert_eq!(early.status, StatusCode::BAD_REQUEST);
    assert!(early.message().contains("could not be found"), "{early:?}");
    sim.put("environments/r/versions/1", &environment("b:1")).await;
    assert_eq!(
        sim.put("components/prep/versions/1", &component(&environment_id)).await.status,
        StatusCode::CREATED
    );
    let curated = component("azureml://registries/azureml/environments/sklearn/versions/1");
    assert_eq!(sim.put("components/other/versions/1", &curated).await.status, StatusCode::CREATED);
    let code = json!({ "properties": { "codeUri": "https://account.blob.core.windows.net/c/other/code" } });
    assert_eq!(sim.put("codes/other/versions/1", &code).await.status, StatusCode::CREATED);
    let mut other = component(&environment_id);
    other["properties"]["componentSpec"]["code"] =
        json!(format!("azureml:{}/codes/other/versions/1", sim.workspace()));
    let changed = sim.put("components/prep/versions/1", &other).await;
    assert_eq!(changed.chain(), ["UserError", "BadArgument", "ArgumentInvalid", "UpdateComponentFailed"]);

    let pipeline = |component: &str, inputs: Value| {
        json!({ "properties": { "componentSpec": { "type": "pipeline", "name": "pipe", "version": "1", "inputs": { "raw": { "type": "integer" } },
            "jobs": { "prep": { "type": "command", "componentId": component, "inputs": inputs } } } } })
    };
    let id = format!("{}/components/prep/versions/1", sim.workspace());
    let literal = |value: &str| json!({ "n": { "job_input_type": "literal", "value": value } });
    for (component, inputs, status) in [
        (id.as_str(), literal("${{parent.inputs.raw}}"), StatusCode::CREATED),
        (id.as_str(), literal("${{parent.inputs.none}}"), StatusCode::BAD_REQUEST),
        (id.as_str(), literal("many"), StatusCode::BAD_REQUEST),
        (
            id.as_str(),
            json!({ "unknown": { "job_input_type": "literal", "value": "1" } }),
            StatusCode::BAD_REQUEST,
        ),
        ("none:1", literal("1"), StatusCode::BAD_REQUEST),
    ] {
        let name = format!("components/pipe/versions/{}", uuid(&inputs.to_string(), component));
        let put = sim.put(&name, &pipeline(component, inputs)).await;
        assert_eq!(put.status, status, "{put:?}");
    }
}

#[tokio::test]
async fn a_component_comes_back_written_anew() {
    let sim = Sim::start().await;
    sim.put("environments/r/versions/1", &environment("b:1")).await;
    let mut body = component("azureml:r:1");
    body["properties"]["description"] = json!("prepares");
    body["properties"]["tags"] = json!({ "a": "b" });
    body["properties"]["componentSpec"]["_source"] = json!("YAML.COMPONENT");
    body["properties"]["componentSpec"]["is_deterministic"] = json!(true);
    let put = sim.put("components/prep/versions/1", &body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    let wanted = json!({
        "type": "command", "name": "prep", "version": "1", "command": "echo ${{inputs.n}}", "is_deterministic": "True",
        "environment": format!("azureml:{}/environments/r/versions/1", sim.workspace()), "description": "prepares",
        "tags": { "a": "b" }, "resources": { "instance_count": "1" }, "outputs": { "o": { "type": "uri_folder" } },
        "inputs": { "n": { "type": "integer", "default": "3", "optional": "False" } },
    });
    assert_eq!(put.body["properties"]["componentSpec"], wanted);
    assert_eq!(put.body["properties"]["description"], Value::Null);
    let mut back = put.body.clone();
    back["properties"]["isArchived"] = json!(true);
    let archived = sim.put("components/prep/versions/1", &back).await;
    assert_eq!(archived.status, StatusCode::OK, "what was read can be sent back: {archived:?}");
    body["properties"]["componentSpec"]["display_name"] = json!("Prepare");
    body["properties"]["tags"] = json!({ "c": "d" });
    let again = sim.put("components/prep/versions/1", &body).await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");
    assert_eq!(again.body["properties"]["tags"], json!({ "c": "d" }), "tags are replaced");
    assert_eq!(again.body["properties"]["componentSpec"]["display_name"], "Prepare");
    let container = sim.get("components/prep").await.body;
    assert_eq!(container["properties"]["latestVersion"], Value::Null);
}

#[tokio::test]
async fn an_anonymous_component_has_a_version_of_the_services_own_and_is_found_again() {
    let sim = Sim::start().await;
    let mut body = component("azureml:AzureML-sklearn:33");
    body["properties"]["isAnonymous"] = json!(true);
    let first = sim.put("components/azureml_anonymous/versions/mine", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    assert_ne!(first.body["name"], "mine");
    let environment = "azureml://registries/azureml/environments/AzureML-sklearn/versions/33";
    assert_eq!(first.body["properties"]["componentSpec"]["environment"], environment);
    let again = sim.put("components/azureml_anonymous/versions/other", &body).await;
    assert_eq!((again.status, &again.body["id"]), (StatusCode::CREATED, &first.body["id"]));
    assert_eq!(sim.get("components/azureml_anonymous/versions/mine").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_list_of_components_is_read_by_following_its_links() {
    let sim = Sim::start().await;
    let body = component("azureml:AzureML-sklearn:33");
    for number in 0..9 {
        sim.put(&format!("components/c{number}/versions/1"), &body).await;
    }
    let (mut names, mut pages, mut next) = (Vec::new(), 0, "components?$top=4".to_owned());
    while !next.is_empty() {
        let page = sim.get(&next).await.body;
        let items = page["value"].as_array().unwrap();
        assert!(items.len() < 4, "shorter than asked: {page}");
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        next = page["nextLink"].as_str().unwrap_or_default().to_owned();
        assert!(next.is_empty() || next.contains("$skipToken="), "{next}");
        pages += 1;
    }
    assert_eq!((names.len(), pages), (9, 3));
}

#[tokio::test]
async fn a_pipeline_component_never_shows_its_steps() {
    let sim = Sim::start().await;
    let step = component("azureml:AzureML-sklearn:33");
    sim.put("components/prep/versions/1", &step).await;
    let jobs = json!({ "prep": { "type": "command", "componentId": format!("{}/components/prep/versions/1", sim.workspace()) } });
    let pipeline = json!({ "properties": { "componentSpec": {
        "type": "pipeline", "name": "pipe", "version": "1", "jobs": jobs, "inputs": {} } } });
    let put = sim.put("components/pipe/versions/1", &pipeline).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    let spec = &put.body["properties"]["componentSpec"];
    assert_eq!(
        (spec.get("jobs"), spec.get("inputs"), &spec["is_deterministic"]),
        (None, None, &json!("False"))
    );
    let got = sim.get("components/pipe/versions/1").await.body;
    assert_eq!(got["properties"]["componentSpec"].get("jobs"), None);
    assert_eq!(sim.put("components/pipe/versions/1", &got).await.status, StatusCode::OK, "as it was read");
    assert_eq!(
        sim.put("components/pipe/versions/1", &pipeline).await.status,
        StatusCode::OK,
        "as it was sent"
    );
    let mut other = pipeline;
    other["properties"]["componentSpec"]["jobs"]["prep"]["type"] = json!("parallel");
    assert_eq!(sim.put("components/pipe/versions/1", &other).await.status, StatusCode::BAD_REQUEST);
}

fn uuid(a: &str, b: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (a, b).hash(&mut hasher);
    hasher.finish().to_string()
}
