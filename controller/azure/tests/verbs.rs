//! One request of each verb, and what becomes of every kind of answer: nothing is tried twice but a 401, once.

mod support;

use anyhow::Result;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Class, Error};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::{Seen, Server, TOKEN, answer, client, client_over, http, with};

const VERBS: [&str; 6] = ["GET", "LIST", "PUT", "PATCH", "POST", "DELETE"];

/// Headers of an answer that Azure itself gave.
const OF_AZURE: [(&str, &str); 2] = [("retry-after", "7"), ("x-ms-request-id", "r")];

fn cluster() -> ArmId {
    ArmId::workspace("s", "g", "w").child("computes", "cpu")
}

/// What came back: `None` where the resource is gone.
async fn call(client: &Client, verb: &str, id: &ArmId) -> Result<Option<Value>, Error> {
    let body = json!({"properties": {}});
    match verb {
        "GET" => client.get(id, Urgency::Change).await,
        "LIST" => client.list(id, "nodes", &[], Urgency::Change).await.map(|items| Some(json!(items.len()))),
        "PUT" => client.put(id, &body).await.map(|answer| Some(answer.body)),
        "PATCH" => client.patch(id, &body).await.map(|answer| Some(answer.body)),
        "POST" => client.post(id, "cancel", None).await.map(|answer| Some(answer.body)),
        _ => client.delete(id, &[("a", "b")]).await.map(|answer| answer.map(|answer| answer.body)),
    }
}

fn refusal(code: &str) -> String {
    json!({"error": {"code": code, "message": "why"}}).to_string()
}

/// Answers, and what each means for a reader.
const ANSWERS: [(u16, &str, Class); 17] = [
    (400, "BadRequest", Class::Invalid),
    (401, "InvalidAuthenticationToken", Class::Forbidden),
    (403, "AuthorizationFailed", Class::Forbidden),
    (404, "ResourceNotFound", Class::Gone),
    (404, "InvalidResourceType", Class::Forbidden),
    (405, "MethodNotAllowed", Class::Invalid),
    (408, "", Class::Unavailable),
    (409, "Conflict", Class::Conflict),
    (412, "PreconditionFailed", Class::Conflict),
    (423, "Locked", Class::Conflict),
    (425, "TooEarly", Class::Unavailable),
    (429, "TooManyRequests", Class::Throttled),
    (429, "OperationNotAllowed", Class::Quota),
    (500, "InternalServerError", Class::Unavailable),
    (502, "", Class::Unavailable),
    (503, "ServiceUnavailable", Class::Unavailable),
    (504, "GatewayTimeout", Class::Unavailable),
];

#[tokio::test]
async fn every_answer_has_one_meaning_for_every_verb() -> Result<()> {
    for (status, code, class) in ANSWERS {
        let cloud = Server::start(move |_| with(status, &OF_AZURE, &refusal(code))).await?;
        for (number, verb) in VERBS.into_iter().enumerate() {
            // A subscription of its own: a 429 closes the bucket of one.
            let id = ArmId::workspace(&number.to_string(), "g", "w").child("computes", "cpu");
            let client = client(&cloud, &[])?;
            let before = cloud.seen().len();
            let answer = call(&client, verb, &id).await;
            match (&answer, class, verb) {
                (Ok(None), Class::Gone, "GET" | "DELETE") => {}
                (Err(error), ..) => {
                    // What a write misses is something that it names.
                    let is_write = matches!(verb, "PUT" | "PATCH" | "POST");
                    let class = if class == Class::Gone && is_write { Class::Missing } else { class };
                    assert_eq!(error.class(), class, "{verb} {status}: {error}");
                    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{verb} {status}");
                    assert!(!format!("{error:?}{error}").contains(TOKEN));
                }
                (Ok(_), ..) => panic!("{verb} {status} {code}: {answer:?}"),
            }
            let sent = cloud.seen().len() - before;
            assert_eq!(sent, if status == 401 { 2 } else { 1 }, "{verb} {status}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_404_that_azure_did_not_give_removes_nothing() -> Result<()> {
    let page = [("content-type", "text/html"), ("x-ms-request-id", "r")];
    for headers in [&[][..], &page] {
        let headers: Vec<(&str, &str)> = headers.to_vec();
        let body = "<html><title>Blocked</title></html>";
        let proxy = Server::start(move |_| with(404, &headers, body)).await?;
        let client = client(&proxy, &[])?;
        for verb in VERBS {
            let answer = call(&client, verb, &cluster()).await;
            let Err(error) = answer else { panic!("{verb}: {answer:?}") };
            assert_eq!((error.class(), error.code()), (Class::Unavailable, Some("ForeignAnswer")), "{verb}");
            assert!(error.to_string().contains("proxy") && error.to_string().contains("Blocked"), "{error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn azure_mls_own_429_is_waited_for_as_its_words_say() -> Result<()> {
    let body = json!({"error": {"code": "UserError", "message": "Retry again after 20 seconds.", "additionalInfo": [
        {"type": "InnerError", "info": {"value": {"code": "QuotaExceeded", "innerError": {"code": "TooManyRequests"}}}}]}});
    let cloud =
        Server::start(move |_| with(429, &[("x-ms-response-type", "error")], &body.to_string())).await?;
    let client = client(&cloud, &[])?;
    let error = client.put(&cluster(), &json!({})).await.err();
    let told = error.as_ref().map(|error| (error.class(), error.code(), error.retry_after()));
    let expected = (Class::Throttled, Some("TooManyRequests"), Some(Duration::from_secs(20)));
    assert_eq!(told, Some(expected));
    let waits = tokio::time::timeout(Duration::from_millis(200), client.put(&cluster(), &json!({}))).await;
    assert!(waits.is_err(), "the next write has to wait");
    Ok(())
}

#[tokio::test]
async fn what_a_user_calls_quota_is_no_quota() -> Result<()> {
    let text = json!({"error": {"code": "UserError", "message": "quota-planning: the input monthly quota is no number"}});
    let cloud = Server::start(move |_| with(400, &OF_AZURE, &text.to_string())).await?;
    let client = client(&cloud, &[])?;
    let id = ArmId::workspace("s", "g", "w").child("environments", "quota-planning");
    let error = client.put(&id, &json!({"inputs": {"monthly quota": 1}})).await.err();
    assert_eq!(error.map(|error| error.class()), Some(Class::Invalid));
    let error = client.put(&id, &json!({})).await.err();
    assert_eq!(error.map(|error| error.class()), Some(Class::Quota), "it is no name of the request");
    Ok(())
}

#[tokio::test]
async fn every_success_is_one_for_every_verb() -> Result<()> {
    for status in [200, 201, 202, 204] {
        let cloud = Server::start(move |_| answer(status, if status == 204 { "" } else { "{}" })).await?;
        let client = client(&cloud, &[])?;
        for verb in VERBS.into_iter().filter(|verb| status != 204 || *verb != "LIST") {
            let answer = call(&client, verb, &cluster()).await;
            assert!(matches!(answer, Ok(Some(_))), "{verb} {status}: {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_request_is_what_the_contract_says() -> Result<()> {
    let cloud = Server::start(|_| answer(200, "{}")).await?;
    let client = client(&cloud, &[])?;
    for verb in VERBS {
        call(&client, verb, &cluster()).await?;
    }
    let (id, version) = (cluster(), "api-version=2025-12-01");
    let expected = [
        format!("GET {id}?{version}"),
        format!("GET {id}/nodes?{version}"),
        format!("PUT {id}?{version}"),
        format!("PATCH {id}?{version}"),
        format!("POST {id}/cancel?{version}"),
        format!("DELETE {id}?{version}&a=b"),
    ];
    assert_eq!(cloud.lines(), expected);
    for seen in cloud.seen() {
        assert!(seen.has_token() && seen.rest.contains("x-ms-client-request-id"), "{seen:?}");
        assert!(!seen.rest.contains("x-azureml-token"), "{seen:?}");
        let has_body = ["PUT", "PATCH"].iter().any(|verb| seen.line.starts_with(verb));
        assert_eq!(seen.rest.contains("content-type: \"application/json\""), has_body, "{seen:?}");
    }
    let job = ArmId::workspace("s", "g", "w").child("jobs", "j");
    client.put(&job, &json!({})).await?;
    assert!(!cloud.seen()[6].rest.contains("x-azureml-token"));
    client.sending_job_token(true).put(&job, &json!({})).await?;
    assert!(cloud.seen()[7].rest.contains("x-azureml-token"));
    Ok(())
}

#[tokio::test]
async fn a_refused_token_is_made_anew_once() -> Result<()> {
    let cloud = Server::start(|seen: &Seen| {
        if seen.rest.contains(&format!("{TOKEN}-0")) {
            answer(401, &refusal("ExpiredAuthenticationToken"))
        } else {
            answer(200, "{}")
        }
    })
    .await?;
    let client = client(&cloud, &[])?;
    for verb in VERBS {
        call(&client, verb, &cluster()).await?;
    }
    assert_eq!(cloud.seen().len(), VERBS.len() + 1, "the second token serves all that follow");
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_not_json_says_what_was_asked() -> Result<()> {
    let cloud = Server::start(|_| with(200, &[], "<html>")).await?;
    let client = client(&cloud, &[])?;
    for verb in VERBS {
        let answer = call(&client, verb, &cluster()).await;
        let Err(error @ Error::Unreadable { .. }) = answer else { panic!("{verb}: {answer:?}") };
        assert!(error.to_string().contains("computes/cpu"), "{error}");
        assert_eq!(error.class(), Class::Unavailable);
    }
    Ok(())
}

#[tokio::test]
async fn a_request_that_gets_no_answer_is_not_sent_again() -> Result<()> {
    // The server reads the request and drops the connection.
    let cloud = Server::start(|_| panic!("the connection breaks here")).await?;
    let client = client(&cloud, &[])?;
    for (number, verb) in VERBS.into_iter().enumerate() {
        let answer = call(&client, verb, &cluster()).await;
        let Err(error @ Error::NoAnswer { .. }) = answer else { panic!("{verb}: {answer:?}") };
        assert_eq!(error.class(), Class::Unavailable);
        assert_eq!(cloud.seen().len(), number + 1, "{verb}: {:?}", cloud.lines());
    }
    Ok(())
}

#[tokio::test]
async fn who_may_not_write_reads_only() -> Result<()> {
    let cloud = Server::start(|_| answer(200, "{}")).await?;
    let may_write = Arc::new(AtomicBool::new(false));
    let gate = may_write.clone();
    let gate = Arc::new(move || gate.load(Ordering::Relaxed));
    let transport = azureml_client::send::Transport::new(Arc::new(http(&[&cloud])?), gate, Arc::new(|_| {}));
    let client = client_over(&cloud, transport)?;
    for verb in VERBS {
        let answer = call(&client, verb, &cluster()).await;
        let is_refused = matches!(&answer, Err(error) if error.class() == Class::NotLeading);
        assert_eq!(is_refused, !matches!(verb, "GET" | "LIST"), "{verb}: {answer:?}");
    }
    assert!(cloud.lines().iter().all(|line| line.starts_with("GET")), "{:?}", cloud.lines());
    may_write.store(true, Ordering::Relaxed);
    call(&client, "PUT", &cluster()).await?;
    Ok(())
}

#[tokio::test]
async fn after_a_429_its_bucket_is_silent_and_the_others_are_not() -> Result<()> {
    let cloud = Server::start(|seen: &Seen| {
        if seen.line.starts_with("PUT") {
            with(429, &[("retry-after", "600")], &refusal("TooManyRequests"))
        } else {
            answer(200, "{}")
        }
    })
    .await?;
    let client = client(&cloud, &[])?;
    assert!(call(&client, "PUT", &cluster()).await.is_err());
    for verb in ["GET", "DELETE"] {
        call(&client, verb, &cluster()).await?;
    }
    let waits = tokio::time::timeout(Duration::from_millis(200), call(&client, "PATCH", &cluster())).await;
    assert!(waits.is_err(), "a write has to wait");
    let elsewhere = ArmId::workspace("other", "g", "w").child("computes", "cpu");
    call(&client, "PATCH", &elsewhere).await?;
    assert_eq!(cloud.seen().len(), 4);
    Ok(())
}
