//! MLSchedule: when a pipeline runs. Azure ML fires, also while this cluster is down, or the controller does.

mod runs;
mod status;

pub use self::runs::{KEPT, ScheduledRun};
pub use self::status::MLScheduleStatus;
use crate::cron;
pub use crate::engine::{ConcurrencyPolicy, Decided, Engine, HistoryLimit};
use crate::shared::{DeletionPolicy, DriftPolicy, Reference};
use crate::times;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// When a pipeline runs: exactly one of `cron`, `crons` and `recurrence`. A schedule never fires because it was made or changed.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "azureml.dev",
    version = "v1alpha1",
    kind = "MLSchedule",
    plural = "mlschedules",
    namespaced,
    status = "MLScheduleStatus",
    shortname = "mlsched",
    category = "azureml",
    derive = "PartialEq",
    doc = "When a pipeline runs. Azure Machine Learning fires it, also while this cluster is down, or this controller does; it follows the pipeline's current version by itself.",
    selectable = ".spec.pipelineRef.name",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Pipeline","type":"string","jsonPath":".spec.pipelineRef.name"}"#,
    printcolumn = r#"{"name":"Last","type":"date","jsonPath":".status.lastRun.firedAt"}"#,
    printcolumn = r#"{"name":"Result","type":"string","jsonPath":".status.lastRun.phase"}"#,
    printcolumn = r#"{"name":"Next","type":"string","jsonPath":".status.next[0]"}"#,
    printcolumn = r#"{"name":"Suspended","type":"boolean","jsonPath":".spec.suspend"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Message","type":"string","jsonPath":".status.conditions[?(@.type==\"LastRunSucceeded\")].message","priority":1}"#,
    printcolumn = r#"{"name":"Azure-Id","type":"string","jsonPath":".status.azureId","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::exactly_one("spec", &["cron", "crons", "recurrence"]),
    validation = crate::rules::immutable("MLSchedule", "pipelineRef"),
    validation = crate::rules::immutable("MLSchedule", "azureName"),
    validation = times::end_after_start(),
    validation = cron::every_day_of_every_month(),
    validation = crate::engine::only_of_the_controller(),
    validation = crate::engine::only_of_azure(),
    validation = crate::engine::immutable_engine(),
    validation = crate::engine::known_to_azure(),
)]
pub struct MLScheduleSpec {
    /// The MLPipeline.
    pub pipeline_ref: Reference,
    /// The schedule's name in Azure, where the generated one is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::rules::azure_name(), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// What fires: `Azure`, also while this cluster is down, or `Controller`, which makes an MLRun for each firing time. Default: `Azure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Five fields: minute, hour, day of month, month, day of week (0 is Sunday). Names such as MON are allowed; a range goes
    /// upwards. Day of month and month must be `*` with engine `Azure`: Azure ML ignores them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(
        validation = cron::five_fields(),
        validation = cron::takes(&cron::MINUTE),
        validation = cron::takes(&cron::HOUR),
        validation = cron::takes(&cron::DAY_OF_MONTH),
        validation = cron::takes(&cron::MONTH),
        validation = cron::takes(&cron::DAY_OF_WEEK),
        validation = cron::goes_upwards(&cron::MINUTE),
        validation = cron::goes_upwards(&cron::HOUR),
        validation = cron::goes_upwards(&cron::DAY_OF_MONTH),
        validation = cron::goes_upwards(&cron::MONTH),
        validation = cron::goes_upwards(&cron::DAY_OF_WEEK),
    )]
    pub cron: Option<String>,
    /// Several of them, for engine `Controller`: it fires where any of them does, once where several do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 10), inner(length(min = 1, max = 100)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = cron::each_has_five_fields(),
        validation = cron::each_takes(&cron::MINUTE),
        validation = cron::each_takes(&cron::HOUR),
        validation = cron::each_takes(&cron::DAY_OF_MONTH),
        validation = cron::each_takes(&cron::MONTH),
        validation = cron::each_takes(&cron::DAY_OF_WEEK),
    )]
    pub crons: Vec<String>,
    /// Every so many minutes, hours, days, weeks or months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// Where the times are read: an IANA name such as `Europe/Zurich`, or a Windows name such as `W. Europe Standard Time`. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(
        validation = times::zone_shape(),
        validation = times::zone_exists(),
    )]
    pub time_zone: Option<String>,
    /// Nothing fires before: `2026-01-31T06:00:00`, read in `timeZone`, or with Z or an offset. A recurrence counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = times::time("startTime"), validation = times::moment("startTime"))]
    pub start_time: Option<String>,
    /// Nothing fires after; written like `startTime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = times::time("endTime"), validation = times::moment("endTime"))]
    pub end_time: Option<String>,
    /// With engine `Controller`, what happens at a firing time while an earlier run goes on: `Allow` starts another, `Forbid` waits
    /// for its end, `Replace` cancels it. Default: `Allow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_policy: Option<ConcurrencyPolicy>,
    /// With engine `Controller`, how late a run may start: after an outage, or behind another run. The last of several firing
    /// times that were missed is made up for. Default: `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("startingDeadline", "1m", "168h"))]
    pub starting_deadline: Option<String>,
    /// With engine `Controller`, how many finished MLRuns are kept; older ones are deleted, their jobs stay in Azure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_limit: Option<HistoryLimit>,
    /// `true` disables the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Values for the pipeline's inputs. `${{creation_context.trigger_time}}` is the time of the firing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::ml_run::scalars")]
    pub inputs: Option<BTreeMap<String, Value>>,
    /// The experiment under which studio lists the jobs. Default: `experiment` of the MLPipeline, else its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::ml_run::experiment_rule())]
    pub experiment: Option<String>,
    /// The name that studio shows for the jobs. Default: `displayName` of the MLPipeline, else the name of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Shown in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Tags of the schedule and of its jobs, beside and over those of the MLPipeline.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// What happens in Azure when this object is deleted. Default: `Delete`, which leaves the jobs that it started. With engine
    /// `Controller` its MLRuns are deleted with it: `Delete` cancels their running jobs, `Retain` lets them go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What happens when somebody changes the schedule in Azure. Default: `Correct`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
    /// Takes over a schedule of this name that nobody else's operator owns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,
}

/// Every so many minutes, hours, days, weeks or months.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.weekDays) || self.frequency == 'Week'")
        .message("recurrence.weekDays goes with frequency: Week").field_path(".weekDays"),
    validation = Rule::new("!has(self.monthDays) || self.frequency == 'Month'")
        .message("recurrence.monthDays goes with frequency: Month").field_path(".monthDays"),
    validation = Rule::new("!(has(self.weekDays) || has(self.monthDays)) || has(self.hours) && has(self.minutes)")
        .message("recurrence: give hours and minutes beside weekDays or monthDays"),
    validation = Rule::new("has(self.hours) == has(self.minutes)").message("recurrence: give hours and minutes together"),
    validation = Rule::new("!has(self.hours) || self.frequency in ['Day', 'Week', 'Month']")
        .message("recurrence: hours and minutes go with frequency: Day, Week or Month").field_path(".hours"),
)]
pub struct Recurrence {
    /// The unit.
    pub frequency: Frequency,
    /// How many of the unit.
    #[schemars(range(min = 1, max = 1000))]
    pub interval: i32,
    /// At which hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 24), inner(range(min = 0, max = 23)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub hours: Vec<i32>,
    /// At which minutes of these hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 60), inner(range(min = 0, max = 59)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub minutes: Vec<i32>,
    /// On which days of the week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 7))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub week_days: Vec<WeekDay>,
    /// On which days of the month.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 31), inner(range(min = 1, max = 31)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub month_days: Vec<i32>,
}

/// The unit of a recurrence.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Frequency {
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months.
    Month,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum WeekDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}
