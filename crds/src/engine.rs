//! What fires an MLSchedule: Azure ML, or this controller; and what goes with which of the two.
//!
//! In: nothing. Out: types of the spec and of the status, and CEL rules that refuse a field which an engine cannot honour.

use crate::zones;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use kube::core::{Message, Reason, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What fires a schedule.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum Engine {
    /// Azure ML, by a schedule of its own.
    #[default]
    Azure,
    /// This controller, by an MLRun for each firing time.
    Controller,
}

/// What happens at a firing time while a run of the schedule goes on.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum ConcurrencyPolicy {
    /// Another run starts beside it.
    #[default]
    Allow,
    /// The new run waits for its end.
    Forbid,
    /// It is cancelled, and the new run starts.
    Replace,
}

/// How many finished runs are kept.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryLimit {
    /// Number of MLRuns that succeeded. Default: `3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub successful: Option<i32>,
    /// Number of MLRuns that failed or were cancelled. Default: `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub failed: Option<i32>,
}

/// A span of firing times that never fire again.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decided {
    /// First firing time of the span.
    pub from: Time,
    /// Last firing time of the span.
    pub to: Time,
}

const OF_CONTROLLER: [&str; 4] = ["crons", "concurrencyPolicy", "startingDeadline", "historyLimit"];
const OF_AZURE: [&str; 4] = ["azureName", "description", "driftPolicy", "adopt"];

const IS_CONTROLLER: &str = "(has(self.engine) && self.engine == 'Controller')";

/// The fields of the other engine are not set.
fn only(free: &str, fields: &[&str], why: &str) -> Rule {
    let each: Vec<String> =
        fields.iter().map(|field| format!("has(self.{field}) ? '{field}' : ''")).collect();
    let set = format!("[{}].filter(x, x != '')", each.join(", "));
    Rule::new(format!("{free} || {set}.size() == 0"))
        .message(Message::Expression(format!("'engine: {why}; set now: %s'.format([{set}])")))
        .field_path(".engine")
}

/// What Azure ML has no word for.
pub(crate) fn only_of_the_controller() -> Rule {
    only(IS_CONTROLLER, &OF_CONTROLLER, "write Controller, since Azure ML has nothing like this")
}

/// What is said of a schedule in Azure, where there is none.
pub(crate) fn only_of_azure() -> Rule {
    let free = format!("!{IS_CONTROLLER}");
    only(
        &free,
        &OF_AZURE,
        "leave these out, since Controller makes no schedule in Azure that could have them",
    )
}

/// Another engine would leave the schedule in Azure behind, or fire a second time.
pub(crate) fn immutable_engine() -> Rule {
    let engine = |of: &str| format!("(has({of}.engine) ? {of}.engine : 'Azure')");
    Rule::new(format!("{} == {}", engine("self"), engine("oldSelf")))
        .message("engine cannot be changed; make a new MLSchedule, and suspend or delete this one")
        .field_path(".engine")
        .reason(Reason::FieldValueForbidden)
}

/// A zone that Azure ML has no name for.
pub(crate) fn known_to_azure() -> Rule {
    let zones: Vec<String> =
        zones::WITHOUT_WINDOWS_NAME.iter().map(|(zone, nearest)| format!("'{zone}': '{nearest}'")).collect();
    let zones = format!("{{{}}}", zones.join(", "));
    Rule::new(format!("{IS_CONTROLLER} || !has(self.timeZone) || !(self.timeZone in {zones})"))
        .message(Message::Expression(format!(
            "'timeZone: Azure ML has no name for %s; the nearest that it has is %s, or write engine: Controller'\
             .format([self.timeZone, {zones}[self.timeZone]])"
        )))
        .field_path(".timeZone")
}
