//! Which firing time is due: at most once each, whatever becomes of the process and of its clock.
//!
//! In: the moments, what is decided already, how late one may be, now. Out: what to start, what was missed, what is decided then.
//!
//! Decided are spans of time. A moment fires if it lies in none of them. A clock that goes back comes into a span again, and nothing
//! fires twice; one that was far ahead leaves a gap before the span it made, and what lies there fires when its time comes.

use super::moments::Moments;
use crate::failure::whole_seconds;
use azureml_crds::ml_schedule::Decided;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// So many spans are kept; the oldest two become one.
const SPANS: usize = 5;

/// What is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The firing time to start a run for: the last one that is not too late.
    pub at: Option<Timestamp>,
    /// Whether firing times passed that are too late, and of which nobody was told.
    pub missed: Option<Timestamp>,
}

/// Until when everything is decided, as far as the clock has come; none where it stands before all that is known.
fn since(decided: &[Decided], now: Timestamp) -> Option<Timestamp> {
    decided.iter().filter(|span| span.from.0 <= now).map(|span| span.to.0).max()
}

/// What is due now.
#[must_use]
pub fn due(
    moments: &Moments<'_>,
    decided: &[Decided],
    (deadline, missed_until): (SignedDuration, Option<Timestamp>),
    now: Timestamp,
) -> Due {
    let Some(since) = since(decided, now) else { return Due::default() };
    let first = moments.after(since).map(|first| first.timestamp());
    if first.is_none_or(|first| first > now) {
        return Due::default();
    }
    let too_late = now.checked_sub(deadline).unwrap_or(since);
    // A moment that is exactly as late as is allowed is not too late.
    let before = too_late.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(too_late);
    let at = moments.last(since.max(before), now);
    let untold = missed_until.map_or(since, |until| until.max(since));
    let missed = moments.after(untold).map(|first| first.timestamp()).filter(|first| *first <= before);
    Due { at, missed }
}

/// What is decided once a run was started for a moment: all before it that may not be too late are made up for by it.
#[must_use]
pub fn started(
    moments: &Moments<'_>,
    decided: &[Decided],
    (at, deadline): (Timestamp, SignedDuration),
    now: Timestamp,
) -> Vec<Decided> {
    let mut spans = decided.to_vec();
    let Some(since) = since(decided, now) else { return begun(decided, at) };
    let too_late = now.checked_sub(deadline).unwrap_or(since);
    let first = moments.after(since).map_or(at, |first| first.timestamp());
    let last = spans.iter_mut().find(|span| span.to.0 == since);
    match last {
        // Nothing was left out since.
        Some(last) if first >= too_late => last.to = Time(whole_seconds(at)),
        _ => {
            let from = moments.after(since.max(too_late)).map_or(at, |first| first.timestamp()).min(at);
            spans.push(Decided { from: Time(whole_seconds(from)), to: Time(whole_seconds(at)) });
        }
    }
    kept(spans)
}

/// What is decided when a schedule begins, or begins anew with another spec: all until now.
#[must_use]
pub fn begun(decided: &[Decided], now: Timestamp) -> Vec<Decided> {
    let is_inside = decided.iter().any(|span| span.from.0 <= now && now <= span.to.0);
    let mut spans = decided.to_vec();
    if !is_inside {
        let now = Time(whole_seconds(now));
        spans.push(Decided { from: now.clone(), to: now });
    }
    kept(spans)
}

/// Whether the clock stands before all that is decided: then nothing is known of what comes next, and it begins anew.
#[must_use]
pub fn is_before_all(decided: &[Decided], now: Timestamp) -> bool {
    since(decided, now).is_none()
}

/// The spans in their order, and not too many.
fn kept(mut spans: Vec<Decided>) -> Vec<Decided> {
    spans.sort_by_key(|span| (span.from.0, span.to.0));
    while spans.len() > SPANS {
        let first = spans.remove(0);
        if let Some(second) = spans.first_mut() {
            *second = Decided { from: first.from, to: second.to.clone().max(first.to) };
        }
    }
    spans
}
