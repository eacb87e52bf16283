//! What a cluster must say, and what Azure adds to it: defaults, scale settings, identities. Pure.

use super::body::MUTABLE;
use crate::arm::errors::{Refusal, arm};
use crate::ids::uuid_of;
use http::StatusCode;
use jiff::{SignedDuration, Span};
use serde_json::{Map, Value, json};

fn bad(message: &str) -> Refusal {
    arm(StatusCode::BAD_REQUEST, "BadRequest", message)
}

/// An ISO 8601 duration as Azure writes it (`PT2M`).
pub fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()
}

/// Checks the properties of a cluster and fills in Azure's defaults.
pub fn complete(inner: &mut Map<String, Value>) -> Result<(), Refusal> {
    let size = inner
        .get("vmSize")
        .and_then(Value::as_str)
        .ok_or_else(|| bad("The property 'vmSize' is missing."))?;
    let size = size.to_ascii_uppercase();
    if !size.starts_with("STANDARD_") || size.contains(' ') {
        return Err(arm(
            StatusCode::BAD_REQUEST,
            "InvalidVmSize",
            &format!("The VM size '{size}' is not supported."),
        ));
    }
    inner.insert("vmSize".into(), size.into());
    // `NotSpecified` is a word of creation only: afterwards the port is open, or closed in a virtual network (Azure
    // REST API, `AmlComputeProperties.remoteLoginPortPublicAccess`).
    if inner.get("remoteLoginPortPublicAccess").is_none_or(|access| access == "NotSpecified") {
        let closed = inner.get("subnet").is_some_and(|subnet| !subnet.is_null());
        let access = if closed { "Disabled" } else { "Enabled" };
        inner.insert("remoteLoginPortPublicAccess".into(), access.into());
    }
    for (key, value) in [
        ("osType", json!("Linux")),
        ("vmPriority", json!("Dedicated")),
        ("enableNodePublicIp", json!(true)),
        ("isolatedNetwork", json!(false)),
    ] {
        inner.entry(key).or_insert(value);
    }
    let settings = inner.entry(MUTABLE).or_insert_with(|| json!({ "maxNodeCount": 1 }));
    *settings = scale_settings(settings)?;
    Ok(())
}

/// Checks scale settings and fills in what they leave out.
pub fn scale_settings(settings: &Value) -> Result<Value, Refusal> {
    let number = |key: &str| settings.get(key).and_then(Value::as_u64);
    let max =
        number("maxNodeCount").ok_or_else(|| bad("The property 'scaleSettings.maxNodeCount' is missing."))?;
    let min = number("minNodeCount").unwrap_or(0);
    if min > max {
        return Err(bad(&format!("minNodeCount ({min}) must not be greater than maxNodeCount ({max}).")));
    }
    let idle = settings.get("nodeIdleTimeBeforeScaleDown").and_then(Value::as_str).unwrap_or("PT120S");
    if duration(idle).is_none() {
        return Err(bad(&format!("nodeIdleTimeBeforeScaleDown must be an ISO 8601 duration, not '{idle}'.")));
    }
    Ok(json!({ "minNodeCount": min, "maxNodeCount": max, "nodeIdleTimeBeforeScaleDown": idle }))
}

/// An identity with the ids that Azure adds.
pub fn identities(workspace: &str, identity: &Value) -> Value {
    let kind = identity.get("type").and_then(Value::as_str).unwrap_or("None");
    let canonical = ["None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"];
    let plain = kind.replace(' ', "");
    let kind = canonical.into_iter().find(|word| word.eq_ignore_ascii_case(&plain)).unwrap_or("None");
    let mut shown = json!({ "type": kind });
    if kind.starts_with("SystemAssigned") {
        shown["principalId"] = uuid_of(&format!("{workspace}/principal")).into();
        shown["tenantId"] = uuid_of("tenant").into();
    }
    if let Some(assigned) = identity.get("userAssignedIdentities").and_then(Value::as_object) {
        let ids =
            |id: &String| json!({ "principalId": uuid_of(id), "clientId": uuid_of(&format!("{id}/client")) });
        shown["userAssignedIdentities"] =
            assigned.keys().map(|id| (id.clone(), ids(id))).collect::<Map<_, _>>().into();
    }
    shown
}
