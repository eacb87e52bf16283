//! What a schedule in Azure still has although the spec says nothing of it any more.
//!
//! In: the properties that are wanted and those that are there. Out: differences. Only parts that are the spec's as a whole
//! count: the trigger, what the job runs, and its inputs, outputs and settings. What Azure adds by itself is not listed.

use crate::diff::Difference;
use serde_json::{Value, json};

/// Values that the spec sets or leaves out.
const VALUES: [&str; 6] = [
    "/trigger/endTime",
    "/trigger/schedule/hours",
    "/trigger/schedule/minutes",
    "/trigger/schedule/weekDays",
    "/trigger/schedule/monthDays",
    "/action/jobDefinition/componentId",
];

/// Maps of which the spec sets every key; `jobs` only where it gives any: what Azure makes of a component is its own.
const MAPS: [&str; 3] =
    ["/action/jobDefinition/jobs", "/action/jobDefinition/inputs", "/action/jobDefinition/outputs"];

/// Settings that the pipeline sets or leaves out.
const SETTINGS: [&str; 2] =
    ["/action/jobDefinition/settings/default_compute", "/action/jobDefinition/settings/default_datastore"];

/// What is there and not wanted.
#[must_use]
pub fn leftovers(want: &Value, have: &Value) -> Vec<Difference> {
    let values = VALUES.into_iter().chain(SETTINGS).map(str::to_owned);
    let is_ours =
        |map: &&str| !map.ends_with("/jobs") || want.pointer(map).is_some_and(|jobs| *jobs != json!({}));
    let keys = MAPS.into_iter().filter(is_ours).flat_map(|map| {
        let there = have.pointer(map).and_then(Value::as_object).into_iter().flatten();
        there.map(move |(key, _)| format!("{map}/{}", key.replace('~', "~0").replace('/', "~1")))
    });
    values.chain(keys).filter_map(|place| leftover(&place, want, have)).collect()
}

fn leftover(place: &str, want: &Value, have: &Value) -> Option<Difference> {
    let there = have.pointer(place).filter(|value| is_said(value))?;
    let is_wanted = want.pointer(place).is_some_and(is_said);
    let path = place.trim_start_matches('/').replace('/', ".");
    (!is_wanted).then(|| Difference { path, want: Value::Null, have: there.clone() })
}

fn is_said(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_spec_says_no_more_is_found_and_what_azure_adds_is_not() {
        let want = json!({
            "trigger": {"triggerType": "Cron"},
            "action": {"jobDefinition": {"componentId": "/c", "jobs": {}, "inputs": {"a": {}}, "settings": {}}},
        });
        let have = json!({
            "trigger": {"endTime": "2030-01-01 00:00:00", "schedule": {"hours": [], "weekDays": null}},
            "action": {"jobDefinition": {
                "componentId": "/c", "jobs": {"a": {}}, "inputs": {"a": {}, "b": {}}, "outputs": null,
                "settings": {"default_compute": "/x", "_source": "REMOTE.WORKSPACE.COMPONENT"}, "services": {},
            }},
        });
        let paths: Vec<String> = leftovers(&want, &have).into_iter().map(|one| one.path).collect();
        let job = "action.jobDefinition";
        assert_eq!(
            paths,
            [
                "trigger.endTime".to_owned(),
                format!("{job}.settings.default_compute"),
                format!("{job}.inputs.b")
            ],
            "what Azure shows of a component's steps is no leftover"
        );
        let one = |jobs: Value| json!({"action": {"jobDefinition": {"jobs": jobs}}});
        let (want, have) = (one(json!({"pipeline": {}})), one(json!({"pipeline": {}, "a": {}})));
        assert_eq!(leftovers(&want, &have)[0].path, format!("{job}.jobs.a"), "one node, and another");
        assert!(leftovers(&want, &want).is_empty());
    }
}
