//! What a recording may hold, and what stops it from being written.

use anyhow::{Context as _, Result, ensure};
use azureml_live::args::Args;
use azureml_live::names::Names;
use azureml_live::recorder::{Body, Exchange};
use azureml_live::redact::Redactor;
use azureml_live::setup::Setup;
use clap::Parser as _;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

const WORKSPACE: &str = "/subscriptions/9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a/resourceGroups/rg-confidential/providers/\
                         Microsoft.MachineLearningServices/workspaces/mlw-confidential";

fn exchange(path: &str, answer: Value) -> Exchange {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer an-opaque-token-of-azure"));
    Exchange {
        method: "GET".to_owned(),
        host: "management.azure.com".to_owned(),
        target: format!("{WORKSPACE}{path}?api-version=2025-12-01"),
        headers,
        body: Body::Empty,
        status: 200,
        answer_headers: HeaderMap::new(),
        answer: Body::Json(answer),
    }
}

fn redactor(exchanges: &[Exchange]) -> Result<Redactor> {
    let args = Args::try_parse_from([
        "live",
        "--subscription=9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a",
        "--resource-group=rg-confidential",
        "--workspace=mlw-confidential",
        "--operator=o",
    ])?;
    let names = Names::of("live-0a1b2c3d").context("no names")?;
    Redactor::new(&Setup::read(&args)?, &names, exchanges)
}

#[test]
fn ids_names_people_and_what_belongs_to_others_are_not_in_it() -> Result<()> {
    let list = json!({"value": [
        {
            "name": "live-0a1b2c3d-node", "id": format!("{WORKSPACE}/computes/live-0a1b2c3d-node"),
            "systemData": {"createdBy": "Ada Lovelace", "createdAt": "2026-01-02T03:04:05Z"},
            "principal": "12345678-1234-4234-8234-123456789012", "again": "12345678-1234-4234-8234-123456789012",
            "mail": "ada@contoso.com", "address": "20.31.45.7", "adminPassword": "hunter2",
            "sas": "https://st.blob.core.windows.net/c?sv=1&sig=abcdef%2Bghi",
            "message": "in workspace 'mlw-confidential' (group rg-confidential)",
        },
        {"name": "payroll-cluster"},
    ]});
    let all = [exchange("/computes", list)];
    let mut redactor = redactor(&all)?;
    let entry = redactor.entry(&all[0]).context("it is not recorded")?;
    let text = serde_json::to_string(&entry)?;
    redactor.check(&text)?;
    for secret in [
        "confidential",
        "9f8e7d6c",
        "Ada",
        "contoso",
        "20.31",
        "hunter2",
        "abcdef",
        "payroll",
        "opaque",
        "12345678-",
    ] {
        ensure!(!text.contains(secret), "{secret} is in {text}");
    }
    let item = &entry.answer["value"][0];
    ensure!(item["principal"] == item["again"], "the same id is replaced by two: {item}");
    ensure!(item["message"] == "in workspace 'mlw-live' (group rg-ml)", "{item}");
    ensure!(item["systemData"]["createdAt"] == "2026-01-02T03:04:05Z", "{item}");
    Ok(())
}

#[test]
fn a_token_that_no_rule_cuts_stops_the_recording() -> Result<()> {
    let all = [exchange("/computes/live-0a1b2c3d-node", json!({"note": "seen: an-opaque-token-of-azure"}))];
    let mut redactor = redactor(&all)?;
    let text = serde_json::to_string(&redactor.entry(&all[0]).context("it is not recorded")?)?;
    let refusal = redactor.check(&text).err().context("it would be written")?.to_string();
    ensure!(refusal == "the recording would hold a token; it is not written", "{refusal}");
    Ok(())
}
