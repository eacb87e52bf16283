//! Compute instances among the computes that a pipeline names: machines for one user's notebooks, and no clusters.
//!
//! In: the computes as Azure shows them. Out: a warning in the words of `Ready`. Refuses nothing: Azure takes such a job.

use super::seen::Seen;
use crate::action::{Plan, State};
use crate::reasons::Reason;
use azureml_crds::MLPipeline;
use azureml_crds::step::Compute;
use serde_json::Value;
use std::collections::BTreeSet;

/// How many places are named.
const SHOWN: usize = 5;

/// The computes that exist and that a pipeline names, with the places that name them.
fn places(pipeline: &MLPipeline) -> impl Iterator<Item = (String, &str)> {
    let default = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.compute.as_ref());
    let default = default.map(|compute| ("defaults.compute".to_owned(), compute));
    let own = pipeline.spec.steps.iter();
    let own = own.filter_map(|step| Some((format!("step {}", step.name), step.compute.as_ref()?)));
    default.into_iter().chain(own).filter_map(|(place, Compute { name, .. })| Some((place, name.as_deref()?)))
}

/// The names of the computes that exist and that a pipeline names.
#[must_use]
pub fn existing(pipeline: &MLPipeline) -> BTreeSet<String> {
    places(pipeline).map(|(_, name)| name.to_owned()).collect()
}

/// Whether Azure shows a compute instance. Source: Azure REST API, `ComputeType`.
#[must_use]
pub fn is_instance(compute: &Value) -> bool {
    compute["properties"]["computeType"] == "ComputeInstance"
}

/// Whether a pipeline's status says so of a compute.
#[must_use]
pub fn was_instance(pipeline: &MLPipeline, name: &str) -> bool {
    let conditions = pipeline.status.iter().flat_map(|status| &status.common.conditions);
    let mut warnings = conditions.filter(|one| one.reason == Reason::COMPUTE_INSTANCE_TARGET.word());
    warnings.any(|one| one.message.contains(&format!("names {name}")))
}

/// A pipeline that is ready says that it runs on an instance.
pub(super) fn warned(pipeline: &MLPipeline, seen: &Seen, plan: Plan) -> Plan {
    let found: Vec<(String, &str)> = places(pipeline)
        .filter(|(_, name)| seen.instances.iter().any(|instance| instance.eq_ignore_ascii_case(name)))
        .collect();
    let is_well = plan.verdict.state == State::Ready && plan.verdict.reason == Reason::SUCCEEDED;
    if found.is_empty() || !is_well {
        return plan;
    }
    let shown: Vec<String> =
        found.iter().take(SHOWN).map(|(place, name)| format!("{place} names {name}")).collect();
    let more = found.len().checked_sub(SHOWN).filter(|more| *more > 0);
    let more = more.map_or_else(String::new, |more| format!(" and {more} more do"));
    let mut plan = plan;
    plan.verdict.reason = Reason::COMPUTE_INSTANCE_TARGET.into();
    plan.verdict.message = format!(
        "{}; name a cluster instead of a compute instance, which does not scale, has to be started, and is one user's: {}{more}",
        plan.verdict.message,
        shown.join(", ")
    );
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Next, Verdict};
    use crate::pipeline::Presence;
    use crate::publish::Publication;
    use serde_json::json;

    fn pipeline(steps: usize) -> MLPipeline {
        let steps: Vec<Value> = (0..steps)
            .map(|number| json!({"name": format!("s{number}"), "command": "x", "compute": {"name": "ci"}}))
            .chain([json!({"name": "own", "command": "x", "compute": {"ref": "cpu"}})])
            .collect();
        let spec =
            json!({"workspaceRef": {"name": "w"}, "defaults": {"compute": {"name": "big"}}, "steps": steps});
        serde_json::from_value(json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLPipeline",
            "metadata": {"name": "p"}, "spec": spec}))
        .unwrap()
    }

    fn said(steps: usize, instances: &[&str], verdict: Verdict) -> String {
        let seen = Seen {
            instances: instances.iter().map(|name| (*name).to_owned()).collect(),
            ..Seen::of(Presence::Here, Publication::default())
        };
        let plan = warned(&pipeline(steps), &seen, Plan::say(verdict, Next::Tick));
        format!("{} {}", plan.verdict.reason, plan.verdict.message)
    }

    #[test]
    fn a_pipeline_that_is_ready_says_which_step_runs_on_an_instance() {
        let ready = || Verdict::ready(Reason::SUCCEEDED, "it serves");
        assert_eq!(existing(&pipeline(2)), BTreeSet::from(["big", "ci"].map(str::to_owned)));
        assert_eq!(said(2, &[], ready()), "Succeeded it serves");
        assert_eq!(
            said(1, &["CI"], ready()),
            "ComputeInstanceTarget it serves; name a cluster instead of a compute instance, which does not scale, has to be \
             started, and is one user's: step s0 names ci"
        );
        assert!(said(1, &["big", "ci"], ready()).ends_with(": defaults.compute names big, step s0 names ci"));
        assert!(said(9, &["ci"], ready()).ends_with("step s4 names ci and 4 more do"));
        let working = Verdict::working(Reason::PUBLISHING, "it is made");
        assert_eq!(said(1, &["ci"], working), "Publishing it is made");
    }

    #[test]
    fn only_an_instance_is_one() {
        for (kind, expected) in
            [("ComputeInstance", true), ("AmlCompute", false), ("Kubernetes", false), ("SynapseSpark", false)]
        {
            assert_eq!(is_instance(&json!({"properties": {"computeType": kind}})), expected, "{kind}");
        }
    }
}
