//! A right that is taken away and given back, on a clock that stands still.

use super::*;
use crate::fake::{self, answer, refusal};
use axum::body::Body;
use axum::http::Response;
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt as _;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is listed: the namespace `a` at first, and `b` after the right came back.
fn list(name: &str) -> Response<Body> {
    let metadata = json!({"name": name, "uid": name, "resourceVersion": "1"});
    answer(
        &json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "1"},
        "items": [{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}]}),
    )
}

#[tokio::test(start_paused = true)]
async fn a_right_that_was_taken_away_leaves_nothing_known_until_all_is_listed_again() {
    let (lists, starts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let kube = fake::client(move |asked| {
        let is_watch = asked.target.contains("watch=true");
        let number = if is_watch { &starts } else { &lists }.fetch_add(1, Ordering::Relaxed);
        async move {
            match (is_watch, number) {
                (false, 0) => list("a"),
                (false, _) => list("b"),
                // The first watch ends, and the one after it is not allowed.
                (true, 0) => Response::new(Body::empty()),
                (true, 1) => refusal(403, "Forbidden"),
                (true, _) => fake::silence(),
            }
        }
    });
    let watched = Watched {
        kind: "Namespace",
        resource: ApiResource::erase::<Namespace>(&()),
        namespaces: &[],
        label: None,
        warning: "a test",
    };
    let (stop, mut told) = (CancellationToken::new(), Vec::new());
    let ends = stop.clone();
    let mut each = |one: Told<'_>| {
        told.push(match one {
            Told::Is(object) => object.name_any(),
            Told::Gone(object) => format!("no {}", object.name_any()),
            Told::Begins => "begins".to_owned(),
            Told::Listed => "listed".to_owned(),
            Told::Refused => "refused".to_owned(),
        });
        if told.iter().filter(|word| *word == "listed").count() == 2 {
            ends.cancel();
        }
    };
    follow(&kube, watched, &stop, &mut each).await;
    assert_eq!(told, ["begins", "a", "listed", "refused", "begins", "b", "listed"]);
}
