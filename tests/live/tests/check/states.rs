//! What of an answer changes with time or from one service to the next: states, and names that a service gives.

use serde_json::Value;

/// The states that an answer tells, of the thing itself or of each in a list, by name.
pub fn states(answer: &Value) -> Vec<String> {
    let of = |item: &Value| {
        let places = [
            "/properties/provisioningState",
            "/properties/status",
            "/properties/runResult/properties/status",
        ];
        let states = places.map(|place| item.pointer(place).cloned().unwrap_or_default());
        format!("{}: {states:?}", item["name"])
    };
    let mut states: Vec<String> =
        answer["value"].as_array().map_or_else(|| vec![of(answer)], |items| items.iter().map(of).collect());
    states.sort();
    states
}

/// Whether text is a name that a service gives: with digits in it, no time, and nothing of the check's own.
pub fn is_id(text: &str) -> bool {
    let is_own = text.contains("live-") || text.contains("live_");
    !is_own
        && text.len() >= 6
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<jiff::Timestamp>().is_err()
}
