//! One request from its arrival to its answer: log, faults before, delay, effect, faults after, log.
//! In: a whole request. Out: an answer, or `Cut` when the client is to get none.

use crate::blob;
use crate::control;
use crate::entra;
use crate::faults::{Action, Forced, Hit, Release, Subject};
use crate::ids::uuid_of;
use crate::shared::Shared;
use crate::wire::{Answer, Request};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// The client gets no answer; its connection, or its stream, is closed.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut by a fault")]
pub struct Cut;

/// Answers one request.
pub async fn serve(shared: &Arc<Shared>, request: Request) -> Result<Answer, Cut> {
    if request.path.first().is_some_and(|first| first == "_simulator") {
        return Ok(control::answer(shared, &request).await);
    }
    let client = client(&request);
    let (seq, before, after) = shared.with(|world, now| {
        let seq = world.log.begin(now, &request, client.clone());
        let subject =
            Subject { method: request.method.as_str(), url: &request.target, client: client.as_deref() };
        let (before, after) = world.faults.request(subject);
        let fault = before.as_ref().or(after.as_ref()).map(|hit| hit.fault.clone());
        if let Some(entry) = world.log.entry(seq) {
            entry.fault = fault;
        }
        (seq, before, after)
    });
    delay(shared, &request).await;
    let answer = match act(shared, &request, seq, before).await? {
        Some(answer) => answer,
        None if request.lacks_length => length_required(),
        None => shared.with(|world, now| {
            let answer = world.answer(&request, now);
            let noted = std::mem::take(&mut world.noted);
            if let Some(entry) = world.log.entry(seq) {
                entry.violations = noted.request;
                entry.answer_violations = noted.answer;
            }
            answer
        }),
    };
    let answer = act(shared, &request, seq, after).await?.unwrap_or(answer);
    shared.with(|world, now| world.log.end(now, seq, &answer));
    Ok(answer)
}

/// The application id in the token, as the client claims it.
fn client(request: &Request) -> Option<String> {
    if let Some(token) = request.header("authorization").and_then(entra::bearer_token) {
        let claims = entra::payload(token)?;
        return claims.get("appid").and_then(Value::as_str).map(str::to_owned);
    }
    let form = request.form();
    form.into_iter().find(|(key, _)| key == "client_id").map(|(_, value)| value)
}

async fn delay(shared: &Shared, request: &Request) {
    let method = request.method.as_str();
    let wanted = shared.latency.get(method).or_else(|| shared.latency.get("*")).copied();
    let delay = wanted.unwrap_or_else(|| shared.times.answer(method, &request.path));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

/// Does what a fault wants: an answer of its own, no answer at all, or a wait.
async fn act(
    shared: &Arc<Shared>,
    request: &Request,
    seq: u64,
    hit: Option<Hit>,
) -> Result<Option<Answer>, Cut> {
    let Some(hit) = hit else { return Ok(None) };
    match &hit.action {
        Action::Status(status) => Ok(Some(azures(refusal(request, status), seq))),
        Action::Recorded(recorded) => {
            let answer = recorded.answer(request);
            Ok(Some(if recorded.is_azures() { azures(answer, seq) } else { answer }))
        }
        Action::Reset => Err(Cut),
        Action::Timeout => {
            shared.stop.cancelled().await;
            Err(Cut)
        }
        Action::Hold => hold(shared, seq, hit).await.map(|()| None),
        Action::Fail(_) => Ok(None),
    }
}

/// Notes in the fault that a request is held, for as long as this value lives.
struct Held<'a>(&'a Arc<Shared>, String, u64);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.with(|world, _| world.faults.hold(&self.1, self.2, false));
    }
}

async fn hold(shared: &Arc<Shared>, seq: u64, mut hit: Hit) -> Result<(), Cut> {
    shared.with(|world, _| world.faults.hold(&hit.fault, seq, true));
    let _held = Held(shared, hit.fault.clone(), seq);
    let release = hit.release.wait_for(|release| *release != Release::Held).await.map(|release| *release);
    // A fault that is gone without a word, because another took its id, lets its requests go on.
    if release.is_ok_and(|release| release == Release::Drop) { Err(Cut) } else { Ok(()) }
}

/// Adds the ids by which an answer is known to be Azure's, unless the fault has its own.
fn azures(answer: Answer, seq: u64) -> Answer {
    let id = uuid_of(&format!("fault/{seq}"));
    ["x-ms-request-id", "x-ms-correlation-request-id"].into_iter().fold(answer, |answer, name| {
        if answer.headers.contains_key(name) { answer } else { answer.header(name, &id) }
    })
}

/// The answer that a fault orders: JSON as the resource manager writes it, XML for a blob.
fn refusal(request: &Request, fault: &Forced) -> Answer {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = fault.code.clone().unwrap_or_else(|| code_of(fault.status).to_owned());
    let message = fault.message.clone().unwrap_or_else(|| format!("{code} by order of a fault."));
    let mut answer = if fault.status < 400 {
        Answer::empty(status)
    } else if blob::is_for(request) {
        blob::error(status, &code, &message).into()
    } else {
        Answer::json(status, &json!({ "error": { "code": code, "message": message } }))
    };
    for (name, value) in &fault.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            answer.headers.insert(name, value);
        }
    }
    answer
}

/// What the servers of Azure answer before anything of Azure sees the request: the page of `HTTP.sys`, which closes.
fn length_required() -> Answer {
    const PAGE: &str = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n\
        <HTML><HEAD><TITLE>Length Required</TITLE>\r\n\
        <META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; charset=us-ascii\"></HEAD>\r\n\
        <BODY><h2>Length Required</h2>\r\n\
        <hr><p>HTTP Error 411. The request must be chunked or have a content length.</p>\r\n</BODY></HTML>\r\n";
    Answer::bytes(StatusCode::LENGTH_REQUIRED, "text/html; charset=us-ascii", PAGE.into())
        .header("connection", "close")
}

/// The code Azure Resource Manager uses with a status.
fn code_of(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "AuthenticationFailed",
        403 => "AuthorizationFailed",
        404 => "ResourceNotFound",
        409 => "Conflict",
        429 => "TooManyRequests",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        _ => "InternalServerError",
    }
}
