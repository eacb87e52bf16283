//! The lease against an API server in the same process, on a clock that the tests move.

use super::*;
use crate::fake::{Asked, answer, client, refusal};
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::advance;

#[test]
fn a_candidate_looks_often_and_when_the_record_expires() {
    let (timing, now) = (Timing::default(), Instant::now());
    let after = |millis| Some(now + Duration::from_millis(millis));
    assert_eq!(pause(&timing, None, now), Duration::from_secs(1));
    assert_eq!(pause(&timing, after(15_000), now), Duration::from_secs(1));
    assert_eq!(pause(&timing, after(40), now), Duration::from_millis(40));
    // It has expired, and the API server does not answer.
    assert_eq!(pause(&timing, Some(now), now), Duration::from_secs(1));
}

/// An API server that has one lease at most. Writes wait until they are let through.
#[derive(Clone)]
struct Server {
    lease: Arc<Mutex<Option<Value>>>,
    /// How many writes have come.
    came: Arc<Semaphore>,
    lets_through: Arc<Semaphore>,
}

impl Server {
    fn with(lease: Option<Value>) -> Self {
        Self {
            lease: Arc::new(Mutex::new(lease)),
            came: Arc::new(Semaphore::new(0)),
            lets_through: Arc::new(Semaphore::new(1)),
        }
    }

    fn candidate(&self) -> Candidate {
        let server = self.clone();
        let client = client(move |asked| {
            let server = server.clone();
            async move { server.answer(asked).await }
        });
        Candidate::new(Api::namespaced(client, "n"), "l".into(), "new".into(), Timing::default())
    }

    async fn answer(&self, asked: Asked) -> Response<Body> {
        if asked.method != "GET" {
            self.came.add_permits(1);
            let _permit = self.lets_through.acquire().await;
            return self.write(asked);
        }
        self.lease().map_or_else(|| refusal(404, "NotFound"), |lease| answer(&lease))
    }

    fn write(&self, asked: Asked) -> Response<Body> {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
        match lease.as_ref() {
            Some(_) if asked.method == "POST" => return refusal(409, "AlreadyExists"),
            Some(now) if version(now) != version(&asked.body) => return refusal(409, "Conflict"),
            _ => {}
        }
        let mut written = asked.body;
        written["metadata"]["resourceVersion"] =
            json!(format!("{}1", version(&written).as_str().unwrap_or_default()));
        *lease = Some(written.clone());
        answer(&written)
    }

    fn lease(&self) -> Option<Value> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn delete(&self) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn record(holder: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "l", "namespace": "n", "resourceVersion": "7"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15},
    })
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_deleted_is_not_taken_before_its_holder_has_given_up() -> Result<()> {
    let server = Server::with(Some(record("old")));
    let (candidate, mut seen) = (server.candidate(), Seen::default());
    assert!(!candidate.attempt(&mut seen).await?);
    advance(Duration::from_secs(9)).await;
    server.delete();
    assert!(!candidate.attempt(&mut seen).await?);
    // The holder may have renewed it just before it was deleted.
    advance(Duration::from_secs(14)).await;
    assert!(!candidate.attempt(&mut seen).await?);
    assert_eq!(server.lease(), None);
    advance(Duration::from_secs(1)).await;
    assert!(candidate.attempt(&mut seen).await? && candidate.leads());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn who_never_learnt_that_it_took_over_still_says_so() -> Result<()> {
    let server = Server::with(Some(record("old")));
    let (candidate, mut seen) = (server.candidate(), Seen::default());
    assert!(!candidate.attempt(&mut seen).await?);
    advance(Duration::from_secs(15)).await;
    assert!(candidate.attempt(&mut seen).await?);
    // As if that answer had been lost: it finds a record of its own.
    assert!(candidate.attempt(&mut seen).await? && seen.is_of_another);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nobody_held_is_made_at_once() -> Result<()> {
    assert!(Server::with(None).candidate().attempt(&mut Seen::default()).await?, "there was none");
    let server = Server::with(Some(record("")));
    let mut seen = Seen { version: Some("6".to_owned()), ..Seen::default() };
    server.delete();
    assert!(server.candidate().attempt(&mut seen).await?, "it was released");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_stop_while_it_takes_the_lease_gives_it_back() -> Result<()> {
    let server = Server::with(Some(record("")));
    let permit = server.lets_through.acquire().await;
    let (candidate, stop) = (server.candidate(), CancellationToken::new());
    let leads = async {
        let leads = candidate.acquire(&stop).await;
        candidate.release().await;
        leads
    };
    let told = async {
        server.came.acquire().await?.forget();
        stop.cancel();
        // It is told before its request arrives.
        for _ in 0..9 {
            tokio::task::yield_now().await;
        }
        drop(permit);
        Ok::<_, anyhow::Error>(())
    };
    let (leads, told) = tokio::join!(leads, told);
    told?;
    assert_eq!(leads, Some(Acquired::Free), "its request arrived");
    let lease = server.lease().unwrap_or_default();
    assert_eq!(
        (&lease["spec"]["holderIdentity"], &lease["spec"]["leaseTransitions"]),
        (&json!(""), &json!(1))
    );
    assert_eq!(candidate.acquire(&stop).await, None, "it tries no more");
    Ok(())
}
