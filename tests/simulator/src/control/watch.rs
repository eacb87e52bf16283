//! Reading the log through a filter, and waiting until it holds enough.

use crate::log::{Entry, Filter};
use crate::shared::Shared;
use crate::wire::Request;
use regex::Regex;
use serde_json::{Value, json};
use std::time::Duration;

/// The longest wait unless one is asked for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// `GET requests?since=&client=&method=&path=&status=&fault=&operation=&wait=&timeout=`.
pub async fn requests(shared: &Shared, request: &Request) -> Result<Value, String> {
    let filter = filter(request)?;
    let wanted = number(request, "wait")?.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let limit = match request.query("timeout") {
        None => TIMEOUT,
        Some(text) => text
            .parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|span| Duration::try_from(span).ok())
            .ok_or_else(|| format!("timeout must be a duration such as 10s, not '{text}'"))?,
    };
    let answered_only = request.query("answered") == Some("true");
    let found = |entry: &&Entry| !answered_only || entry.status.is_some();
    if wanted > 0 {
        shared
            .wait(limit, |world| (world.log.find(&filter).filter(found).count() >= wanted).then_some(()))
            .await;
    }
    Ok(shared.look(|world| {
        let entries: Vec<Value> = world.log.find(&filter).filter(found).map(Entry::json).collect();
        json!({ "value": entries, "last": world.log.entries().len() })
    }))
}

fn number(request: &Request, name: &str) -> Result<Option<u64>, String> {
    let parse = |text: &str| text.parse().map_err(|_| format!("{name} must be a whole number, not '{text}'"));
    request.query(name).map(parse).transpose()
}

fn filter(request: &Request) -> Result<Filter, String> {
    let text = |name: &str| request.query(name).map(str::to_owned);
    let path = request.query("path").map(Regex::new).transpose();
    Ok(Filter {
        since: number(request, "since")?.unwrap_or(0),
        client: text("client"),
        method: text("method"),
        path: path.map_err(|error| format!("path must be a regular expression: {error}"))?,
        status: number(request, "status")?.and_then(|status| u16::try_from(status).ok()),
        fault: text("fault"),
        operation: text("operation"),
    })
}
