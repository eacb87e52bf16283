//! Whether schedules fire: a while after each moment at which one was to, Azure is asked once for the newest of its jobs.
//!
//! In: the schedules, as their `status` tells their next times. Out: figures, and a warning where nothing was made. Neither
//! changes Azure nor an object.

use crate::clock;
use crate::engine::Context;
use crate::login;
use crate::metrics::Fired;
use crate::stores::find;
use azureml_client::budget::Urgency;
use azureml_client::places::Places;
use azureml_client::turns::PAYER;
use azureml_crds::MLSchedule;
use azureml_plan::fired::{Due, Verdict};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::access;
use azureml_plan::schedule::{is_fired_here, since};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use kube::{Resource as _, ResourceExt as _};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

type Key = (String, String);

/// So many schedules of one namespace, and of all, are asked for at once.
const AT_ONCE: (usize, usize) = (2, 8);
/// How long it is tried to ask for one.
const LONGEST: Duration = Duration::from_secs(30);

/// Follows the schedules until told to stop.
pub async fn follow(ctx: Arc<Context>, patience: SignedDuration, stop: CancellationToken) {
    let spacing = (patience.unsigned_abs() / 4).clamp(Duration::from_millis(250), Duration::from_secs(30));
    let mut every = tokio::time::interval(spacing);
    let (mut due, places) = (HashMap::<Key, Due>::new(), Places::new(AT_ONCE.0, AT_ONCE.1));
    let (mut looks, mut under_way) = (FuturesUnordered::new(), HashSet::<Key>::new());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some((is_decided, key)) = looks.next() => {
                under_way.remove(&key);
                if is_decided {
                    due.remove(&key);
                } else if let Some(due) = due.get_mut(&key) {
                    due.asked += 1;
                }
            }
            _ = every.tick() => {
                let now = clock::now();
                expect(&mut due, &ctx.stores.schedules.state(), now);
                for (key, due) in due.iter().filter(|(_, due)| due.ask_at(patience) <= now) {
                    if under_way.insert(key.clone()) {
                        looks.push(in_its_place(&ctx, &places, key.clone(), *due));
                    }
                }
            }
        }
    }
}

/// A look that waits for its place. Whose Azure keeps it waiting is asked for again, and holds nobody else up.
async fn in_its_place(ctx: &Context, places: &Places, key: Key, due: Due) -> (bool, Key) {
    let _few = places.permit(&key.0).await;
    let look = PAYER.scope(Arc::from(key.0.as_str()), look(ctx, &key, due));
    let is_decided = tokio::time::timeout(LONGEST, look).await.unwrap_or_else(|_| {
        if due.is_last() {
            ctx.metrics.work.fired(&key.0, Fired::Unknown);
        }
        due.is_last()
    });
    (is_decided, key)
}

/// What is expected: of each schedule the next time that its status tells. One whose time has come stays until it is decided.
fn expect(due: &mut HashMap<Key, Due>, schedules: &[Arc<MLSchedule>], now: Timestamp) {
    let mut before = std::mem::take(due);
    for schedule in schedules {
        let key = (schedule.namespace().unwrap_or_default(), schedule.name_any());
        // What this controller fires is told by its pass.
        let is_idle = schedule.spec.suspend == Some(true)
            || schedule.meta().deletion_timestamp.is_some()
            || is_fired_here(schedule);
        let next = schedule.status.as_ref().and_then(|status| status.next.first()?.parse().ok());
        let waits = before.remove(&key).filter(|due| due.at <= now);
        if let Some(expected) = waits.or_else(|| next.map(Due::new)).filter(|_| !is_idle) {
            due.insert(key, expected);
        }
    }
}

/// Looks whether a schedule has fired; says whether that is decided.
async fn look(ctx: &Context, (namespace, name): &Key, due: Due) -> bool {
    let Some(schedule) = find(&ctx.stores.schedules, namespace, name) else { return true };
    let fired = match newest(ctx, &schedule, due.at).await {
        Ok(jobs) => match due.judge(&jobs.made) {
            Verdict::Fired(lag) => Fired::After(lag.unsigned_abs()),
            Verdict::NotYet => return false,
            Verdict::Missed if jobs.is_all => Fired::Missed,
            // Its job may be on a page that was not read.
            Verdict::Missed => Fired::Unknown,
        },
        Err(cause) => {
            tracing::debug!(kind = "MLSchedule", namespace, name, "its jobs cannot be listed: {cause}");
            if !due.is_last() {
                return false;
            }
            Fired::Unknown
        }
    };
    ctx.metrics.work.fired(namespace, fired);
    if fired == Fired::Missed {
        let message = format!("Azure ML made no job for {}; see the schedule in studio", due.at);
        tracing::warn!(
            kind = "MLSchedule",
            namespace,
            name,
            reason = Reason::FIRING_MISSED.word(),
            "{message}"
        );
        ctx.recorder.record(&schedule.object_ref(&()), "Warning", Reason::FIRING_MISSED, &message);
    }
    true
}

/// What was read of a schedule's jobs.
struct Jobs {
    /// When they were made.
    made: Vec<Timestamp>,
    /// Whether there are no more since the moment.
    is_all: bool,
}

/// The schedule's jobs, from the list that all schedules of the workspace share.
async fn newest(ctx: &Context, schedule: &MLSchedule, at: Timestamp) -> Result<Jobs, String> {
    let namespace = schedule.namespace().unwrap_or_default();
    let workspace = schedule.status.as_ref().and_then(|status| status.workspace_ref.as_ref());
    let workspace = workspace.ok_or("it has no workspace yet")?;
    let access = access(ctx.world(), &namespace, workspace).map_err(|wait| wait.message)?;
    let client = login::client(ctx, &access).await.map_err(|wait| wait.message)?;
    let workspace = access.workspace().map_err(|wait| wait.message)?;
    let owner = ctx.world().owner(schedule.meta()).value();
    let jobs = ctx.looks.jobs(&client, &workspace.id, since(schedule).min(at), Urgency::Drift).await;
    let jobs = jobs.map_err(|error| error.to_string())?;
    let made = jobs.of(&owner).iter().map(|job| job.made).collect();
    Ok(Jobs { made, is_all: jobs.since().is_some_and(|since| since <= at) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schedule(next: &str, suspend: bool) -> Arc<MLSchedule> {
        let object = json!({
            "apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule", "metadata": {"name": "s", "namespace": "n"},
            "spec": {"pipelineRef": {"name": "p"}, "cron": "0 6 * * *", "suspend": suspend},
            "status": {"next": [next]},
        });
        Arc::new(serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_moment_is_expected_until_it_is_decided_and_another_takes_its_place_before_it_came() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (mut due, key) = (HashMap::new(), ("n".to_owned(), "s".to_owned()));
        let mut at = |next: &str, suspend: bool, now: &str| {
            expect(&mut due, &[schedule(next, suspend)], time(now));
            due.get(&key).map(|due| due.at.to_string())
        };
        let (six, seven, tomorrow) = ("2026-01-02T06:00:00Z", "2026-01-02T07:00:00Z", "2026-01-03T06:00:00Z");
        assert_eq!(at(six, false, "2026-01-02T05:00:00Z").as_deref(), Some(six));
        assert_eq!(at(seven, false, "2026-01-02T05:30:00Z").as_deref(), Some(seven), "the spec was changed");
        assert_eq!(
            at(tomorrow, false, "2026-01-02T07:00:05Z").as_deref(),
            Some(seven),
            "it is to be decided"
        );
        assert_eq!(at(tomorrow, true, "2026-01-02T07:00:05Z"), None, "a suspended one fires never");
        expect(&mut due, &[], time(six));
        assert!(due.is_empty(), "a deleted one is forgotten");
    }
}
