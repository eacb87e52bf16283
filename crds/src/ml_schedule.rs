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

/// When a pipeline runs: exactly one of `cron`, `crons` and `recurrence`. Making or changing a schedule never fires it.
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
    doc = "A schedule that runs the current version of a pipeline. Azure Machine Learning fires it, also while this cluster is down, or the controller does.",
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
    /// The MLPipeline to run. Immutable.
    pub pipeline_ref: Reference,
    /// Name of the schedule in Azure. Default: `<namespace>-<name>-<8 hex digits>`. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::rules::azure_name(), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// What fires the schedule. Default: `Azure`, which also fires while this cluster is down. `Controller` makes an MLRun for each firing
    /// time. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Firing times as five fields, such as `0 6 * * MON-FRI`: minute, hour, day of month, month, day of week (0 is Sunday). A range goes
    /// upwards. With engine `Azure`, day of month and month must be `*`.
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
    /// Several `cron` texts, such as `["0 6 * * *", "30 18 1 * *"]`; where some meet, the schedule fires once. For engine `Controller`
    /// only.
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
    /// Firing times at an interval of minutes, hours, days, weeks or months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// Time zone of the times: an IANA name such as `Europe/Zurich`, or a Windows name such as `W. Europe Standard Time`. Default: `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(
        validation = times::zone_shape(),
        validation = times::zone_exists(),
    )]
    pub time_zone: Option<String>,
    /// Time before which nothing fires, such as `2026-01-31T06:00:00`. Default: the past, `2020-01-01T00:00:00`. It is read in `timeZone`,
    /// unless it has `Z` or an offset. A recurrence counts from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = times::time("startTime"), validation = times::moment("startTime"))]
    pub start_time: Option<String>,
    /// Time after which nothing fires, written like `startTime`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = times::time("endTime"), validation = times::moment("endTime"))]
    pub end_time: Option<String>,
    /// What happens at a firing time while a run goes on. Default: `Allow`, which starts another; `Forbid` waits for its end, `Replace`
    /// cancels it. For engine `Controller` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_policy: Option<ConcurrencyPolicy>,
    /// How late a run may start, such as `2h`, after an outage or behind another run. Default: `30m`. Of several missed firing times, the
    /// last is made up for. For engine `Controller` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("startingDeadline", "1m", "168h"))]
    pub starting_deadline: Option<String>,
    /// Number of finished MLRuns to keep. Older ones are deleted; their jobs stay in Azure. For engine `Controller` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_limit: Option<HistoryLimit>,
    /// Whether the schedule is disabled. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Values for the pipeline's inputs, such as `{trees: 500}`. `${{creation_context.trigger_time}}` is the firing time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::ml_run::scalars")]
    pub inputs: Option<BTreeMap<String, Value>>,
    /// Experiment under which studio lists the jobs. Default: `experiment` of the MLPipeline, else its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::ml_run::experiment_rule())]
    pub experiment: Option<String>,
    /// Name that studio shows for the jobs. Default: `displayName` of the MLPipeline, else the name of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Description, shown in studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Tags of the schedule and its jobs: name to value. They add to those of the MLPipeline and replace equal names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// What happens in Azure when this object is deleted. Default: `Delete`, which leaves the jobs that it started. With engine
    /// `Controller` its MLRuns are deleted too: `Delete` cancels their running jobs, `Retain` lets them go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What happens when somebody changes the schedule in Azure. Default: `Correct`, which restores the spec; `Report` only lists the
    /// change in `status.drift`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
    /// Whether to take over an existing schedule of this name that no other operator owns. Default: `false`.
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
    /// Unit of `interval`.
    pub frequency: Frequency,
    /// Number of units from one firing to the next.
    #[schemars(range(min = 1, max = 1000))]
    pub interval: i32,
    /// Hours of the day, such as `[6, 18]`, together with `minutes`. Default: the time of `startTime`. For days, weeks and months only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 24), inner(range(min = 0, max = 23)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub hours: Vec<i32>,
    /// Minutes of these hours, such as `[0, 30]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 60), inner(range(min = 0, max = 59)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub minutes: Vec<i32>,
    /// Days of the week. For weeks only. Default: the day of `startTime`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 7))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub week_days: Vec<WeekDay>,
    /// Days of the month, such as `[1, 15]`. For months only. Default: the day of `startTime`.
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
