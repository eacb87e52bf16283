//! The activity for Azure Data Factory does what the page says: what it would post is posted, and a job of the pipeline follows.
//! Data Factory itself is not here: its expressions are filled in by hand, its token is one for the audience that the activity names.

use super::pages::blocks;
use super::stage::RUNTIME;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLPipeline;
use azureml_e2e::{Scene, Setting};
use azureml_plan::report::is_ready;
use serde_json::{Value, json};

const PAGE: &str = "docs/src/how-to/call.md";

/// The pipeline of the page with its parameter filled in.
fn pipeline(address: &str, job: &str) -> Result<Value> {
    let page = blocks(PAGE)?;
    let block = page
        .iter()
        .find(|block| block.value("file") == Some("data-factory.json"))
        .context("no data-factory.json")?;
    let text = block.text.replace("@pipeline().parameters.scoringUri", address);
    let text = text.replace("@{pipeline().parameters.scoringUri}", address);
    let text = text.replace("@{activity('Start').output.name}", job);
    Ok(serde_json::from_str(&text)?)
}

/// One of its activities.
fn activity(name: &str, address: &str, job: &str) -> Result<Value> {
    let pipeline = pipeline(address, job)?;
    let mut all = pipeline["properties"]["activities"].as_array().cloned().context("no activities")?;
    for outer in all.clone() {
        for inner in ["activities", "ifFalseActivities"] {
            all.extend(outer["typeProperties"][inner].as_array().cloned().unwrap_or_default());
        }
    }
    all.into_iter().find(|one| one["name"] == name).with_context(|| format!("no activity {name}"))
}

/// Whether an activity begins when another has ended so.
fn follows(activity: &Value, other: &str, how: &str) -> bool {
    activity["dependsOn"] == json!([{"activity": other, "dependencyConditions": [how]}])
}

/// Whether Data Factory goes on looking after this status, and whether its pipeline then fails: the expressions are
/// compared with those whose meaning is written here.
fn end(status: &str) -> Result<(bool, bool)> {
    let find = |name| activity(name, "", "");
    let expression = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
    let (until, remember, well, report) =
        (find("UntilEnded")?, find("Remember")?, find("EndedWell")?, find("Report")?);
    let set = &remember["typeProperties"];
    ensure!(pipeline("", "")?["properties"]["variables"]["status"]["type"] == "String", "no variable");
    ensure!(remember["type"] == "SetVariable" && set["variableName"] == "status", "{remember}");
    ensure!(expression(&set["value"]) == "@activity('Look').output.properties.status", "{set}");
    ensure!(follows(&remember, "Look", "Succeeded"), "{remember}");
    let loops = expression(&until["typeProperties"]["expression"]);
    let words = loops.strip_prefix("@contains(createArray(").and_then(|rest| rest.split_once("), "));
    let (words, variable) = words.context("another expression ends the loop")?;
    ensure!(variable == "variables('status'))", "{loops}");
    ensure!(well["type"] == "IfCondition" && follows(&well, "UntilEnded", "Succeeded"), "{well}");
    let wanted = expression(&well["typeProperties"]["expression"]);
    ensure!(wanted == "@equals(variables('status'), 'Completed')", "{wanted}");
    ensure!(report["type"] == "Fail", "{report}");
    Ok((!words.contains(&format!("'{status}'")), status != "Completed"))
}

/// Sends a Web activity as Data Factory does: the method, the address, the headers, the body, a token for the resource.
async fn send(scene: &Scene, activity: &Value) -> Result<(u16, Value)> {
    ensure!(activity["type"] == "WebActivity", "{activity}");
    let properties = &activity["typeProperties"];
    ensure!(properties["authentication"]["type"] == "MSI", "{properties}");
    let resource = properties["authentication"]["resource"].as_str().context("no resource")?;
    let ca = reqwest::Certificate::from_pem(scene.azure.ca_pem().as_bytes())?;
    let http = reqwest::Client::builder().tls_certs_only([ca]).build()?;
    let scope = format!("{resource}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "data-factory"),
        ("client_secret", "s"),
        ("scope", scope.as_str()),
    ];
    let token =
        http.post(format!("{}/{}/oauth2/v2.0/token", scene.azure.endpoint(), scene.azure.tenant_id()));
    let token: Value = token.form(&form).send().await?.error_for_status()?.json().await?;
    let method = properties["method"].as_str().unwrap_or_default().to_uppercase();
    let address = properties["url"].as_str().context("no url")?;
    let mut request = http
        .request(method.parse()?, address)
        .bearer_auth(token["access_token"].as_str().unwrap_or_default());
    for (name, value) in properties["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap_or_default());
    }
    if !properties["body"].is_null() {
        request = request.body(properties["body"].to_string());
    }
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    Ok((status, answer.json().await.unwrap_or_default()))
}

/// Starts a job as the page does.
async fn start(scene: &Scene, address: &str) -> Result<String> {
    let (status, job) = send(scene, &activity("Start", address, "")?).await?;
    ensure!([200, 201].contains(&status), "{status}: {job}");
    Ok(job["name"].as_str().context("the answer names no job")?.to_owned())
}

/// Looks at a job as the page does, as long as the page does; gives whether Data Factory's pipeline then fails.
async fn fails(scene: &Scene, address: &str, job: &str) -> Result<bool> {
    let look = activity("Look", address, job)?;
    loop {
        let (status, body) = send(scene, &look).await?;
        ensure!(status == 200, "{status}: {body}");
        let (goes_on, fails) = end(body["properties"]["status"].as_str().unwrap_or_default())?;
        if !goes_on {
            return Ok(fails);
        }
        // Data Factory waits between looks; here the next line of the log is waited for.
        let seen = scene.azure.requests().len();
        let patience = std::time::Duration::from_millis(200);
        scene.azure.wait_for(patience, |log| (log.len() > seen).then_some(())).await;
    }
}

async fn play() -> Result<()> {
    let scene = Scene::set("factory", Setting::default()).await?;
    let operator = scene.operator().await?;
    for file in ["workspace", "computes", "environment", "pipeline"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    let pipeline = scene
        .wait::<MLPipeline>("r-gbm", "ready", |object| {
            object.status.as_ref().is_some_and(|status| is_ready(&status.common.conditions))
        })
        .await?;
    let endpoint = pipeline.status.and_then(|status| status.endpoint);
    let address = endpoint.and_then(|endpoint| endpoint.scoring_uri).context("no address")?;
    let mut wrong = activity("Start", &address, "")?;
    wrong["typeProperties"]["authentication"]["resource"] = json!("https://management.azure.com");
    assert_eq!(send(&scene, &wrong).await?.0, 401, "a token for another audience");
    let failure = json!({"when": "outcome", "match": {"path": "/jobs/.*/train"}, "do": {"fail": {"code": "UserError", "message": "no"}}});
    let failure = scene.azure.fault(failure).map_err(anyhow::Error::msg)?;
    let job = start(&scene, &address).await?;
    ensure!(fails(&scene, &address, &job).await?, "the job failed, and Data Factory does not say so");
    ensure!(scene.azure.release(&failure, false), "there is no such fault");
    let job = start(&scene, &address).await?;
    ensure!(!fails(&scene, &address, &job).await?, "the job ended well, and Data Factory says it did not");
    operator.stop()
}

#[test]
fn data_factory_starts_the_pipeline_and_sees_how_it_ends() -> Result<()> {
    RUNTIME.block_on(play())
}
