//! Every recorded answer of Azure goes through the client, as the answer of a server on loopback: what each means is a table.
//!
//! In: `../shared/azure/live` beside the workspace, where it is there. Out: the outcome of each exchange. No file is left out
//! unsaid: an operation is asked for here, or is listed as one that the controller does not use.

#[path = "../support/mod.rs"]
mod support;
mod table;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::Response;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::image::ImageRef;
use azureml_client::operation::Progress;
use azureml_client::registry::{Access, Registries};
use azureml_client::send::Verb;
use azureml_client::{ArmId, Class, Error};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use support::{Server, client, http, transport};
use table::Outcome::{self, Gone, Of, Wait};
use table::{OPERATIONS, REFUSED, UNUSED};

/// One recorded exchange.
#[derive(Clone, Debug)]
struct Exchange {
    /// `operation--case`, of the file.
    name: String,
    method: String,
    url: String,
    status: u64,
    response: Value,
}

impl Exchange {
    fn operation(&self) -> &str {
        self.name.split("--").next().unwrap_or_default()
    }

    /// The row of the table; the operation may be the beginning of others (`schedule`, `schedule-get`).
    fn row(&self) -> Option<usize> {
        let case = self.name.split_once("--").map_or("", |(_, case)| case);
        REFUSED.iter().position(|(operation, of_case, method, status, _)| {
            let is_family = of_case.is_empty() && self.operation().starts_with(operation);
            (is_family || self.operation() == *operation)
                && case.starts_with(of_case)
                && (method.is_empty() || *method == self.method)
                && *status == self.status
        })
    }

    /// The recorded answer, byte for byte but for the length.
    fn answer(&self) -> Response<Body> {
        let mut answer = Response::builder().status(u16::try_from(self.status).unwrap_or(500));
        let headers = self.response["headers"].as_object().into_iter().flatten();
        let mut length = "";
        for (name, value) in headers {
            let value = value.as_str().unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value,
                "connection" | "transfer-encoding" | "content-encoding" => {}
                _ => answer = answer.header(name.as_str(), value),
            }
        }
        let body = match &self.response["body"] {
            Value::String(text) => text.clone(),
            Value::Null if length == "4" => "null".to_owned(),
            Value::Null => String::new(),
            body @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                body.to_string()
            }
        };
        answer.body(Body::from(body)).unwrap_or_default()
    }
}

/// All exchanges; `None` where the recordings are not beside the workspace.
fn recordings() -> Result<Option<Vec<Exchange>>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure/live");
    if !folder.is_dir() {
        println!("../shared/azure/live is not there: nothing is compared");
        return Ok(None);
    }
    let mut exchanges = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let file: Value = serde_json::from_slice(&std::fs::read(&path)?).with_context(|| name.clone())?;
        for exchange in file["exchanges"].as_array().into_iter().flatten() {
            let text = |key: &str| exchange["request"][key].as_str().unwrap_or_default().to_owned();
            let response = exchange["response"].clone();
            let status = response["status"].as_u64().context("an exchange without a status")?;
            exchanges.push(Exchange {
                name: name.clone(),
                method: text("method"),
                url: text("url"),
                status,
                response,
            });
        }
    }
    Ok(Some(exchanges))
}

/// A server that gives the recorded answers in turn.
async fn replaying(exchanges: &[Exchange]) -> Result<Server> {
    let left = Arc::new(Mutex::new(exchanges.iter().rev().cloned().collect::<Vec<_>>()));
    let next = move || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
    Server::start(move |_| next().map_or_else(Response::default, |exchange| exchange.answer())).await
}

/// Asks by the client for what the recording asked for.
async fn ask(client: &Client, server: &Server, exchange: &Exchange) -> Result<Result<Outcome, Error>> {
    let url = exchange.url.replace(['{', '}'], "");
    let (host, rest) =
        url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).context("no address")?;
    let here = format!("{}/{rest}", server.address);
    let found = |answer: Option<_>| answer.map_or(Gone, |()| Outcome::Done);
    if host.contains(".blob.core.") {
        return Ok(match exchange.method.as_str() {
            "PUT" => client.put_blob(&here, b"x".to_vec(), false).await.map(|()| Outcome::Done),
            _ => client.blob_tail(&here, 10).await.map(|tail| found(tail.map(drop))),
        });
    }
    if host.contains(".api.azureml.ms") {
        return Ok(if rest.starts_with("discovery") {
            client.get_open("discovery", &here).await.map(|_| Outcome::Done)
        } else {
            client.get_data("history", &here, "s").await.map(|answer| found(answer.map(drop)))
        });
    }
    let path = format!("/{}", rest.split('?').next().unwrap_or_default());
    let (id, tail) = if let Ok(id) = ArmId::parse(&path) {
        (id, None)
    } else {
        let (parent, tail) = path.rsplit_once('/').context("no path")?;
        (ArmId::parse(parent).with_context(|| path.clone())?, Some(tail.to_owned()))
    };
    let body = serde_json::json!({});
    Ok(match (exchange.method.as_str(), tail) {
        ("GET", None) => client.get(&id, Urgency::Change).await.map(|answer| found(answer.map(drop))),
        ("GET", Some(list)) => client.page(&id, &list, &[], Urgency::Change).await.map(|_| Outcome::Done),
        ("PUT", _) => client.put(&id, &body).await.map(|_| Outcome::Done),
        ("PATCH", _) => client.patch(&id, &body).await.map(|_| Outcome::Done),
        ("DELETE", _) => client.delete(&id, &[]).await.map(|answer| found(answer.map(drop))),
        (_, action) => {
            client.post(&id, &action.context("a POST without an action")?, None).await.map(|_| Outcome::Done)
        }
    })
}

fn outcome(answer: Result<Outcome, Error>) -> Outcome {
    match answer {
        Ok(outcome) => outcome,
        Err(error) if error.class() == Class::Gone => Gone,
        Err(error) if error.class() == Class::Throttled => {
            Wait(error.retry_after().map_or(0, |wait| wait.as_secs()))
        }
        Err(error) => Of(error.class()),
    }
}

#[tokio::test]
async fn every_recorded_answer_comes_to_what_the_table_says() -> Result<()> {
    let Some(exchanges) = recordings()? else { return Ok(()) };
    let (mut asked, mut rows, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for exchange in exchanges.iter().filter(|one| !UNUSED.contains(&one.operation()) && is_asked(one)) {
        let server = replaying(std::slice::from_ref(exchange)).await?;
        let client = client(&server, &[])?;
        let answer = ask(&client, &server, exchange).await.with_context(|| exchange.name.clone())?;
        let told = answer.as_ref().err().map(ToString::to_string).unwrap_or_default();
        ensure!(told.chars().count() < 3000, "{}: {told}", exchange.name);
        let (found, row) = (outcome(answer), exchange.row());
        rows.extend(row);
        let expected = match row {
            _ if exchange.status < 300 => &Outcome::Done,
            Some(row) => &REFUSED[row].4,
            None => &Gone,
        };
        if found != *expected || (exchange.status >= 300 && row.is_none()) {
            wrong.push(format!(
                "{} {} {}: {found:?}, not {expected:?} {told}",
                exchange.name, exchange.method, exchange.status
            ));
        }
        asked += 1;
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let idle: Vec<_> =
        (0..REFUSED.len()).filter(|row| !rows.contains(row)).map(|row| &REFUSED[row]).collect();
    ensure!(idle.is_empty(), "rows without a recording: {idle:?}");
    println!("{asked} of {} recorded exchanges were asked for", exchanges.len());
    let operations: BTreeSet<&str> = exchanges.iter().map(Exchange::operation).collect();
    let absent: Vec<_> = UNUSED.iter().filter(|unused| !operations.contains(*unused)).collect();
    ensure!(absent.is_empty(), "no recording has {absent:?}");
    Ok(())
}

/// Operations inside of sequences that the controller does not ask for as resources: the status of an operation, which has
/// a test of its own, an invocation, a list of blobs, a blob's metadata.
fn is_asked(exchange: &Exchange) -> bool {
    const NOT_ASKED: [&str; 6] = [
        "perationsStatus",
        "perationStatuses",
        "perationResults",
        "comp=metadata",
        "comp=list",
        ".inference.ml.",
    ];
    !NOT_ASKED.iter().any(|part| exchange.url.contains(part))
}

#[tokio::test]
async fn each_recorded_operation_is_told_as_what_it_is() -> Result<()> {
    let Some(exchanges) = recordings()? else { return Ok(()) };
    let id = ArmId::parse(
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/schedules/nightly",
    )?;
    let mut found = BTreeSet::new();
    for exchange in exchanges.iter().filter(|one| one.method == "GET" && one.url.contains("perationsStatus"))
    {
        let server = replaying(std::slice::from_ref(exchange)).await?;
        let client = client(&server, &[])?;
        let address = format!("{}/operation", server.address);
        let progress =
            client.operation(&address, Verb::Put, &id).await.with_context(|| exchange.name.clone())?;
        let word = match progress {
            Progress::GoesOn => "goes on",
            Progress::Ended => "ended",
            Progress::Failed(error) => {
                ensure!(
                    error.code().is_some_and(|code| !code.is_empty()) && error.class() != Class::Gone,
                    "{}: {error}",
                    exchange.name
                );
                "failed"
            }
        };
        let state = exchange.response["body"]["status"].as_str().unwrap_or_default().to_owned();
        found.insert((state, word));
    }
    let found: Vec<(&str, &str)> = found.iter().map(|(state, word)| (state.as_str(), *word)).collect();
    ensure!(found == OPERATIONS, "{found:?}");
    Ok(())
}

#[tokio::test]
async fn a_cancel_of_an_ended_pipeline_has_its_own_code() -> Result<()> {
    let Some(exchanges) = recordings()? else { return Ok(()) };
    let ended: Vec<_> =
        exchanges.into_iter().filter(|one| one.name.starts_with("job-cancel--terminal-400")).collect();
    ensure!(!ended.is_empty());
    for exchange in ended {
        let server = replaying(std::slice::from_ref(&exchange)).await?;
        let client = client(&server, &[])?;
        let refused = ask(&client, &server, &exchange).await?;
        let refused = refused.err();
        let code = refused.as_ref().and_then(|error| error.code());
        ensure!(code == Some("CancelPipelineRunInTerminalStatus"), "{}: {code:?}", exchange.name);
    }
    Ok(())
}

#[tokio::test]
async fn registries_answer_as_recorded() -> Result<()> {
    let Some(exchanges) = recordings()? else { return Ok(()) };
    let of =
        |name: &str| exchanges.iter().filter(|one| one.name.starts_with(name)).cloned().collect::<Vec<_>>();
    let signed_in = of("acr-v2-manifest-get--challenge-exchange-token-200");
    let refused = [signed_in[..1].to_vec(), of("acr-oauth2-exchange--refused-401")].concat();
    let cases = [
        (signed_in, Ok(true)),
        (of("acr-v2-manifest-get--missing-tag-404"), Ok(false)),
        (refused, Err(Class::Forbidden)),
    ];
    for (exchanges, expected) in cases {
        let server = replaying(&exchanges).await?;
        let client = client(&server, &[])?;
        let one = transport(http(&[&server])?);
        let registries = Registries::new(one.clone(), one, Vec::new());
        let image = ImageRef::parse(&format!("{}/alpine:1", server.host))?;
        let found =
            tokio::time::timeout(Duration::from_secs(10), registries.digest(&image, Access::Own(&client)));
        let found = found.await?.map(|digest| digest.is_some()).map_err(|error| error.class());
        ensure!(found == expected, "{}: {found:?} {:?}", exchanges[0].name, server.lines());
    }
    Ok(())
}
