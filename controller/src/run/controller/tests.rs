//! The whole controller against an API server in the same process that refuses, on a clock that flies.

use super::*;
use crate::args::{Args, Command};
use crate::fake::{self, Asked, answer, refusal, silence};
use anyhow::{Context as _, bail};
use axum::body::Body;
use axum::http::Response;
use clap::Parser as _;
use serde_json::{Value, json};
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{interval, timeout};

/// An API server with a cluster in each namespace, which takes no change.
#[derive(Clone, Default)]
struct Server {
    /// Whether all may be listed also in `team-b`.
    is_open: Arc<AtomicBool>,
    /// The changes that were asked for in `team-a`, and in `team-b`.
    changes: Arc<[AtomicUsize; 2]>,
}

impl Server {
    fn answer(&self, asked: &Asked) -> Response<Body> {
        let Asked { method, target, .. } = asked;
        let is_second = target.contains("/team-b/");
        if method != "GET" {
            self.changes[usize::from(is_second)].fetch_add(1, Ordering::Relaxed);
            return refusal(500, "InternalError");
        }
        if target.contains("watch=true") {
            return silence();
        }
        if is_second && target.contains("/mlworkspaces") && !self.is_open.load(Ordering::Relaxed) {
            return refusal(403, "Forbidden");
        }
        let namespace = if is_second { "team-b" } else { "team-a" };
        let items = if target.contains("/mlcomputes") { vec![compute(namespace)] } else { Vec::new() };
        answer(
            &json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "List", "metadata": {"resourceVersion": "9"}, "items": items}),
        )
    }

    fn changes(&self) -> [usize; 2] {
        [0, 1].map(|place: usize| self.changes[place].load(Ordering::Relaxed))
    }

    fn controller(&self, stop: &CancellationToken) -> Result<Controller> {
        let words = ["azureml-operator", "run", "--namespace", "team-a", "--namespace", "team-b"];
        let Command::Run(flags) = Args::try_parse_from(words)?.command else { bail!("another command") };
        let server = self.clone();
        let kube = fake::client(move |asked| {
            let server = server.clone();
            async move { server.answer(&asked) }
        });
        let metrics = Arc::new(Metrics::default());
        let (recorder, _) = Recorder::new(metrics.clone(), "us".to_owned());
        let (config, cluster_id, shared) = (Config::default(), "test".to_owned(), fake::shared());
        Controller::new(&flags, Parts { kube, config: &config, metrics, recorder, cluster_id, shared }, stop)
    }
}

fn compute(namespace: &str) -> Value {
    json!({
        "apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute",
        "metadata": {"name": "cpu", "namespace": namespace, "uid": namespace, "generation": 1, "resourceVersion": "8"},
        "spec": {"workspaceRef": {"name": "w"}, "vmSize": "Standard_DS3_v2", "scale": {"max": 4}},
    })
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_may_not_be_listed_keeps_nobody_waiting_and_is_left_alone_until_it_may() -> Result<()>
{
    let (server, stop) = (Server::default(), CancellationToken::new());
    let controller = server.controller(&stop)?;
    let ctx = controller.ctx.clone();
    timeout(Duration::from_mins(10), controller.filled(&stop)).await.context("it waits for team-b")?;
    let _work = controller.work(&stop);
    let _ = timeout(Duration::from_mins(5), pending::<()>()).await;
    let [first, second] = server.changes();
    assert!(first > 0 && second == 0, "of team-b only half is known: {first} {second}");
    server.is_open.store(true, Ordering::Relaxed);
    let mut every = interval(Duration::from_secs(1));
    let worked = async {
        while server.changes()[1] == 0 {
            every.tick().await;
        }
    };
    timeout(Duration::from_mins(5), worked).await.context("team-b is not worked on")?;
    assert!(!ctx.shut.has("team-b"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_writes_are_refused_is_tried_less_and_less_often() -> Result<()> {
    let (server, stop) = (Server::default(), CancellationToken::new());
    server.is_open.store(true, Ordering::Relaxed);
    let controller = server.controller(&stop)?;
    controller.filled(&stop).await;
    let _work = controller.work(&stop);
    let _ = timeout(Duration::from_mins(10), pending::<()>()).await;
    // 1, 3, 7, 15, 31 and 63 s after the first, then once a minute; each delay is up to a fifth longer.
    let [first, _] = server.changes();
    assert!((12..=17).contains(&first), "{first} tries in ten minutes");
    Ok(())
}
