//! What stays here, what later reads see, and that nothing else goes out.

use super::*;

/// An Azure that has one resource and a list, and remembers what it was asked.
#[derive(Debug, Default)]
struct Real(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl HttpClient for Real {
    async fn execute_request(&self, _: &azure_core::http::Request) -> azure_core::Result<AsyncRawResponse> {
        unreachable!("no credential is asked")
    }
}

impl Http for Real {
    fn carry(&self, request: reqwest::Request) -> BoxFuture<'_, reqwest::Result<Response>> {
        let path = request.url().path().to_owned();
        self.0.lock().unwrap().push(format!("{} {path}", request.method()));
        let there = json!({"id": "/subscriptions/s/a/old", "tags": {"by": "hand"}, "properties": {"uri": "u", "size": 1}});
        let answer = match path.as_str() {
            "/subscriptions/s/a/old" => json_answer(StatusCode::OK, &there),
            "/subscriptions/s/a/busy" => json_answer(StatusCode::TOO_MANY_REQUESTS, &json!({})),
            "/subscriptions/s/a" => json_answer(StatusCode::OK, &json!({"value": [there]})),
            _ => json_answer(StatusCode::NOT_FOUND, &missing()),
        };
        Box::pin(async move { Ok(answer) })
    }
}

/// What is answered: status and body.
async fn ask(way: &WhatIf, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("https://azure.example{path}").parse().unwrap();
    let mut request = reqwest::Request::new(method, url);
    *request.body_mut() = body.map(|body| body.to_string().into());
    let answer = way.carry(request).await.unwrap();
    (answer.status().as_u16(), whole(answer).await.unwrap())
}

#[tokio::test]
async fn what_changes_something_stays_here_and_later_reads_see_it() {
    let (real, journal) = (Arc::new(Real::default()), Journal::default());
    let way = WhatIf::new(real.clone(), journal.clone());
    let put = json!({"tags": {"owner": "us"}, "properties": {"size": 2}});
    assert_eq!(ask(&way, Method::PUT, "/subscriptions/s/a/old", Some(put.clone())).await.0, 200);
    assert_eq!(ask(&way, Method::PUT, "/subscriptions/s/a/new", Some(put)).await.0, 201);
    let (_, old) = ask(&way, Method::GET, "/Subscriptions/s/a/OLD", None).await;
    assert_eq!(
        (&old["properties"]["uri"], &old["properties"]["size"], &old["tags"]),
        (&json!("u"), &json!(2), &json!({"owner": "us"}))
    );
    let patch = json!({"properties": {"size": 3, "uri": null}});
    ask(&way, Method::PATCH, "/subscriptions/s/a/old", Some(patch)).await;
    let (_, list) = ask(&way, Method::GET, "/subscriptions/s/a", None).await;
    let sizes: Vec<&Value> =
        list["value"].as_array().unwrap().iter().map(|item| &item["properties"]["size"]).collect();
    assert_eq!(sizes, [&json!(2), &json!(3)], "by name: new, old");
    ask(&way, Method::DELETE, "/subscriptions/s/a/old", None).await;
    assert_eq!(ask(&way, Method::GET, "/subscriptions/s/a/old", None).await.0, 404);
    assert_eq!(journal.take().len(), 4);
    let asked = real.0.lock().unwrap().join(", ");
    assert_eq!(asked, "GET /subscriptions/s/a/old, GET /subscriptions/s/a/new, GET /subscriptions/s/a");
}

#[tokio::test]
async fn what_may_change_something_and_is_not_planned_is_refused() {
    let (real, journal) = (Arc::new(Real::default()), Journal::default());
    let way = WhatIf::new(real.clone(), journal.clone());
    for (method, path) in [
        (Method::PUT, "/container/file"),
        (Method::POST, "/subscriptions/s/a/old/listKeys"),
        (Method::POST, "/subscriptions/s/codes/c/versions/1/startPendingUpload"),
    ] {
        assert_eq!(ask(&way, method, path, Some(json!({}))).await.0, 403, "{path}");
    }
    assert_eq!((real.0.lock().unwrap().len(), journal.take().len()), (0, 0));
    ask(&way, Method::POST, "/oauth2/exchange", None).await;
    ask(&way, Method::POST, "/subscriptions/s/a/old/cancel", None).await;
    assert_eq!((real.0.lock().unwrap().len(), journal.take().len()), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_no_creation_and_a_new_thing_has_nothing_below_it() {
    let way = WhatIf::new(Arc::new(Real::default()), Journal::default());
    assert_eq!(ask(&way, Method::PUT, "/subscriptions/s/a/busy", Some(json!({}))).await.0, 429);
    assert!(way.journal.take().is_empty());
    assert_eq!(ask(&way, Method::GET, "/subscriptions/s/a/new/parts", None).await.0, 404);
    ask(&way, Method::PUT, "/subscriptions/s/a/new", Some(json!({}))).await;
    let (status, list) = ask(&way, Method::GET, "/subscriptions/s/a/new/parts", None).await;
    assert_eq!((status, list), (200, json!({"value": []})));
}
