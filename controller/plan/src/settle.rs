//! A resource that exists and differs: is it drift or a change, is it put back or only told?
//!
//! In: the differences, the hash of what is wanted, the status before. Out: a plan, the same for every kind.

use crate::action::{Action, Next, Plan, Verdict};
use crate::context::Ask;
use crate::diff::Difference;
use crate::failure;
use crate::reasons::Reason;
use azureml_crds::shared::{Common, Drift, DriftPolicy};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

/// A resource that differs from what is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Differing<'a> {
    /// The status before.
    pub common: Option<&'a Common>,
    /// What the user wants of drift.
    pub policy: Option<DriftPolicy>,
    /// The hash of what is wanted.
    pub hash: &'a str,
    /// Whether what is there was made by somebody else.
    pub is_foreign: bool,
    /// Whether what is there is a predecessor's: it is taken over whatever the policy says.
    pub is_inherited: bool,
    /// The differences.
    pub found: &'a [Difference],
}

impl Differing<'_> {
    /// What to do: under the hash that was applied last a difference is drift, under another one it is a change. Without any,
    /// what was there before us is drift, and what was just made is a change.
    #[must_use]
    pub fn plan(self, update: Action, next: Next, ask: &Ask) -> Plan {
        let paths =
            self.found.iter().map(|difference| difference.path.as_str()).collect::<Vec<_>>().join(", ");
        let is_drift = match self.common.and_then(|common| common.applied_hash.as_deref()) {
            _ if self.is_inherited => false,
            Some(applied) => applied == self.hash,
            None => self.is_foreign || self.common.is_none_or(|common| common.azure_id.is_none()),
        };
        if !is_drift {
            let verdict = Verdict::working(Reason::UPDATING, format!("being changed in Azure: {paths}"));
            return Plan::send(vec![update], verdict, next);
        }
        let drift = list(self.common, self.found, ask.now);
        if self.policy == Some(DriftPolicy::Report) {
            let verdict = Verdict::ready(
                Reason::DRIFTED,
                format!("changed in Azure and left so (driftPolicy: Report): {paths}"),
            );
            return Plan { drift, applied: Some(self.hash.to_owned()), ..Plan::say(verdict, Next::Tick) };
        }
        let verdict =
            Verdict::working(Reason::CORRECTING_DRIFT, format!("changed in Azure, being put back: {paths}"));
        Plan { drift, ..Plan::send(vec![update], verdict, next) }
    }
}

/// Differences for `status.drift`; one that was there before keeps its time.
#[must_use]
pub fn list(common: Option<&Common>, found: &[Difference], now: Timestamp) -> Vec<Drift> {
    let before = common.map(|common| common.drift.as_slice()).unwrap_or_default();
    let shown = |value: &Value| {
        let text = if value.is_null() { String::new() } else { value.to_string() };
        text.chars().take(1024).collect::<String>()
    };
    let entry = |difference: &Difference| {
        let (want, have) = (shown(&difference.want), shown(&difference.have));
        let is_known =
            |known: &&Drift| known.path == difference.path && known.want == want && known.have == have;
        let since = before.iter().find(is_known).map(|known| known.since.clone());
        let since = since.unwrap_or_else(|| Time(failure::whole_seconds(now)));
        Drift { path: difference.path.clone(), want, have, since }
    };
    found.iter().take(100).map(entry).collect()
}
