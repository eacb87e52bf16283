//! Leader election by a Lease, after client-go: exactly one process writes.
//!
//! In: the Kubernetes API, a clock that only moves forward. Out: whether this process leads, checked before every write.
//! Expiry is judged by how long a record has been seen unchanged here, never by another machine's clock.

use crate::MANAGER;
use crate::telemetry::texts::{RENEWAL_FAILED, WAITING};
use anyhow::{Context as _, Result, bail};
use azureml_config::{Lease as Timing, std_duration};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, PostParams};
use kube::core::ObjectMeta;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// A candidate.
#[derive(Clone)]
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    timing: Timing,
    until: Arc<Mutex<Option<Instant>>>,
    told: Told,
}

/// Every write names its field manager.
fn params() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

/// Is told whether the lease was taken or renewed, each time that this process should have done so.
pub type Told = Arc<dyn Fn(bool) + Send + Sync>;

/// From whom the lease was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// From nobody: it is new, or its holder gave it back.
    Free,
    /// From another that did not give it back: what that one had sent may still be on its way.
    TakenOver,
}

/// A record as it was seen first.
#[derive(Clone, Default)]
struct Seen {
    /// None before there was one, and after it was deleted.
    version: Option<String>,
    at: Option<Instant>,
    /// How long it holds.
    lasts: Duration,
    /// When it expires, if it is seen unchanged until then.
    until: Option<Instant>,
    /// Whether it names another process.
    is_of_another: bool,
}

impl Seen {
    /// There is no record now. Whether the deleted lease may still have a live holder: a holder learns of the deletion at its next
    /// renewal, and it may have renewed just before.
    fn is_missed(&mut self, now: Instant) -> bool {
        if self.version.take().is_some() {
            self.until = Some(now + self.lasts);
        }
        self.is_of_another && self.until.is_some_and(|until| now < until)
    }
}

impl Candidate {
    /// A candidate for the lease of a name.
    #[must_use]
    pub fn new(api: Api<Lease>, name: String, identity: String, timing: Timing) -> Self {
        Self { api, name, identity, timing, until: Arc::default(), told: Arc::new(|_| {}) }
    }

    /// The same, with a function that is told of each try.
    #[must_use]
    pub fn told(self, told: Told) -> Self {
        Self { told, ..self }
    }

    /// Whether this process leads now: true until the last renewal that succeeded is older than the renew deadline.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }

    /// Waits until this process leads, and says from whom; `None` when it is told to stop before. A request that is under
    /// way is waited for, since it may make this process the leader.
    pub async fn acquire(&self, stop: &CancellationToken) -> Option<Acquired> {
        tracing::info!(identity = self.identity, "{WAITING}");
        let mut seen = Seen::default();
        while !stop.is_cancelled() {
            match self.attempt(&mut seen).await {
                Ok(true) => {
                    (self.told)(true);
                    return Some(if seen.is_of_another { Acquired::TakenOver } else { Acquired::Free });
                }
                Ok(false) => {}
                Err(error) => {
                    (self.told)(false);
                    tracing::warn!("failed to acquire the lease: {error:#}");
                }
            }
            let pause = sleep(pause(&self.timing, seen.until, Instant::now()));
            stop.run_until_cancelled(pause).await;
        }
        None
    }

    /// Renews until that fails for the renew deadline, or somebody else leads.
    ///
    /// # Errors
    /// When this process no longer leads.
    pub async fn keep(&self) -> Result<()> {
        let mut seen = Seen::default();
        loop {
            sleep(std_duration(self.timing.retry_period)).await;
            let until =
                self.until.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(Instant::now);
            let attempt = timeout_at(until, self.attempt(&mut seen)).await;
            (self.told)(matches!(attempt, Ok(Ok(true))));
            match attempt {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) if seen.is_of_another => bail!("another process holds the lease"),
                // As a renewal of our own may, of which the answer was lost.
                Ok(Ok(false)) => tracing::warn!("{RENEWAL_FAILED}: it was written at the same time"),
                Ok(Err(error)) => tracing::warn!("{RENEWAL_FAILED}: {error:#}"),
                Err(_) => tracing::warn!("{RENEWAL_FAILED}: no answer in time"),
            }
            if !self.leads() {
                bail!("the lease was not renewed in time");
            }
        }
    }

    /// Gives the lease back, so that another process need not wait for it to expire.
    pub async fn release(&self) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let released = self.within(async {
            let mut lease = self.api.get(&self.name).await?;
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(&self.identity) {
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
                self.api.replace(&self.name, &params(), &lease).await?;
            }
            Ok(())
        });
        if let Err(error) = released.await {
            tracing::warn!("failed to release the lease: {error:#}");
        }
    }

    /// Takes or renews the lease where that is allowed; says whether this process holds it.
    async fn attempt(&self, seen: &mut Seen) -> Result<bool> {
        let started = Instant::now();
        let held = self.within(self.take(seen)).await?;
        if held {
            let until = started + std_duration(self.timing.renew_deadline);
            *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        Ok(held)
    }

    async fn take(&self, seen: &mut Seen) -> kube::Result<bool> {
        let Some(mut lease) = self.api.get_opt(&self.name).await? else {
            if seen.is_missed(Instant::now()) {
                return Ok(false);
            }
            return held(self.api.create(&params(), &self.record(None)).await);
        };
        // After the answer: a record may have been renewed while it was on its way, and must not be taken for older.
        let now = Instant::now();
        let was_of_another = seen.is_of_another;
        if seen.version != lease.metadata.resource_version {
            *seen =
                Seen { version: lease.metadata.resource_version.clone(), at: Some(now), ..Seen::default() };
        }
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        let is_ours = holder == self.identity;
        let is_held = !holder.is_empty() && !is_ours;
        // A record of ours that is news to us is one whose answer was lost: whom it was taken from stays as it was.
        seen.is_of_another = if is_ours { was_of_another } else { is_held };
        let lasts = spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs);
        seen.lasts = lasts.unwrap_or_else(|| std_duration(self.timing.duration));
        let is_alive = seen.at.is_none_or(|at| now.duration_since(at) < seen.lasts);
        seen.until = seen.at.map(|at| at + seen.lasts);
        if is_held && is_alive {
            return Ok(false);
        }
        lease.spec = self.record(Some(&spec)).spec;
        // A replace with the version that was read: a write in between wins.
        held(self.api.replace(&self.name, &params(), &lease).await)
    }

    fn record(&self, before: Option<&LeaseSpec>) -> Lease {
        let now = MicroTime(jiff::Timestamp::now());
        let same = before.filter(|spec| spec.holder_identity.as_deref() == Some(&self.identity));
        let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        let seconds = i32::try_from(self.timing.duration.as_secs().max(1)).unwrap_or(i32::MAX);
        Lease {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: Some(seconds),
                acquire_time: same.and_then(|spec| spec.acquire_time.clone()).or_else(|| Some(now.clone())),
                renew_time: Some(now),
                lease_transitions: Some(if same.is_some() || before.is_none() {
                    transitions
                } else {
                    transitions + 1
                }),
                ..LeaseSpec::default()
            }),
        }
    }

    async fn within<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T> {
        // Half of it, as client-go's users do: one connection that was lost leaves time for another.
        let limit = std_duration(self.timing.renew_deadline) / 2;
        timeout(limit, request).await.context("no answer in time")?.context("the API server refused")
    }
}

/// How long a candidate waits between two looks. It looks twice as often as the leader renews, so that it sees a renewal
/// soon, and at the very moment at which the record expires: what it is late in both is how much later it leads.
fn pause(timing: &Timing, until: Option<Instant>, now: Instant) -> Duration {
    let often = std_duration(timing.retry_period) / 2;
    until
        .map(|until| until.saturating_duration_since(now))
        .filter(|left| !left.is_zero())
        .map_or(often, |left| left.min(often))
}

/// A conflict means that somebody else was faster.
fn held(answer: kube::Result<Lease>) -> kube::Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
