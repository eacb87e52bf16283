//! Schedules as Azure shows them: every key is there, null where nothing was said. Source: recorded answers (`facts/`). Pure.

use super::Schedule;
use serde_json::{Value, json};

/// The properties of a schedule, in the answer to a PUT too.
pub fn properties(schedule: &Schedule) -> Value {
    let mut shown = json!({
        "description": null, "tags": {}, "properties": {}, "displayName": null, "trigger": {}, "action": {},
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(schedule.properties.clone());
        shown.insert("isEnabled".into(), schedule.is_enabled().into());
        shown.insert("provisioningState".into(), schedule.state.word().into());
    }
    trigger_words(&mut shown["trigger"]);
    if let Some(job) = shown["action"].get_mut("jobDefinition") {
        *job = definition(job);
    }
    shown
}

/// A trigger as it comes back: times that were not given are null, words begin with a capital letter.
fn trigger_words(trigger: &mut Value) {
    let capital = |word: &mut Value| {
        let Some(text) = word.as_str() else { return };
        let mut letters = text.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase().to_string());
        *word = (first.unwrap_or_default() + letters.as_str()).into();
    };
    for key in ["startTime", "endTime"] {
        if trigger.get(key).is_none() {
            trigger[key] = Value::Null;
        }
    }
    if let Some(frequency) = trigger.get_mut("frequency") {
        capital(frequency);
    }
    if let Some(schedule) = trigger.get_mut("schedule").and_then(Value::as_object_mut) {
        schedule.entry("monthDays").or_insert(Value::Null);
        let days = schedule.get_mut("weekDays").and_then(Value::as_array_mut);
        days.into_iter().flatten().for_each(capital);
    }
}

/// The job of a schedule as it comes back: null is what was not sent, a map too.
fn definition(job: &Value) -> Value {
    let mut shown = json!({
        "description": null, "tags": null, "properties": null, "displayName": null, "status": "NotStarted",
        "experimentName": "Default", "services": null, "computeId": null, "isArchived": false, "identity": null,
        "componentId": null, "notificationSetting": null, "inputs": null, "outputs": null,
    });
    let own = if job["jobType"] == "Command" {
        json!({ "codeId": null, "distribution": null, "limits": null, "parameters": null,
                "environmentVariables": {}, "resources": {}, "queueSettings": null })
    } else {
        json!({ "settings": null, "jobs": null, "sourceJobId": null })
    };
    for more in [&own, job] {
        if let (Some(shown), Some(more)) = (shown.as_object_mut(), more.as_object()) {
            shown.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }
    let inputs = shown["inputs"].as_object_mut().into_iter().flat_map(|all| all.values_mut());
    for input in inputs.filter_map(Value::as_object_mut) {
        input.entry("description").or_insert(Value::Null);
    }
    shown
}
