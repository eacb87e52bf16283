//! MLSchedule: when a pipeline runs. Azure ML fires, also while this cluster is down.

mod runs;

pub use self::runs::{KEPT, ScheduledRun};
use crate::cron;
use crate::shared::{Common, DeletionPolicy, DriftPolicy, Reference, ResolvedAsset, has_common};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::{Message, Rule};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// When a pipeline runs: exactly one of `cron` and `recurrence`. A schedule never fires because it was made or changed.
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
    doc = "When a pipeline runs. Azure Machine Learning fires it, also while this cluster is down; it follows the pipeline's current version by itself.",
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
    validation = crate::rules::exactly_one("spec", &["cron", "recurrence"]),
    validation = crate::rules::immutable("MLSchedule", "pipelineRef"),
    validation = crate::rules::immutable("MLSchedule", "azureName"),
    validation = end_after_start(),
)]
pub struct MLScheduleSpec {
    /// The MLPipeline.
    pub pipeline_ref: Reference,
    /// The schedule's name in Azure, where the generated one is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::rules::azure_name(), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// Five fields: minute, hour, day of month, month, day of week (0 is Sunday). Names such as MON are allowed; a range goes
    /// upwards. Day of month and month must be `*`: Azure ML ignores them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(
        validation = cron::five_fields(),
        validation = cron::takes(&cron::MINUTE),
        validation = cron::takes(&cron::HOUR),
        validation = cron::every_day_of_every_month(),
        validation = cron::takes(&cron::DAY_OF_WEEK),
        validation = cron::goes_upwards(&cron::MINUTE),
        validation = cron::goes_upwards(&cron::HOUR),
        validation = cron::goes_upwards(&cron::DAY_OF_WEEK),
    )]
    pub cron: Option<String>,
    /// Every so many minutes, hours, days, weeks or months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// Where the times are read: an IANA name such as `Europe/Zurich`, or a Windows name such as `W. Europe Standard Time`. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(
        validation = zone_shape(),
        validation = Rule::new(format!("!self.matches('{IANA}') || timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0"))
            .message("timeZone: there is no such IANA time zone"),
    )]
    pub time_zone: Option<String>,
    /// Nothing fires before: `2026-01-31T06:00:00`, read in `timeZone`, or with Z or an offset. A recurrence counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = time("startTime"), validation = moment("startTime"))]
    pub start_time: Option<String>,
    /// Nothing fires after; written like `startTime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = time("endTime"), validation = moment("endTime"))]
    pub end_time: Option<String>,
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
    /// What happens in Azure when this object is deleted. Default: `Delete`, which leaves the jobs that it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What happens when somebody changes the schedule in Azure. Default: `Correct`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
    /// Takes over a schedule of this name that nobody else's operator owns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,
}

const IANA: &str = "^((Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)/[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)?|UTC|GMT)$";

fn zone_shape() -> Rule {
    Rule::new(format!(
        "self.matches('{IANA}') || self.matches('^([A-Z][A-Za-z0-9 .()+-]* Time( [(]Mexico[)])?|UTC[+-][0-9]{{2}})$')"
    ))
    .message("timeZone: write an IANA name such as Europe/Zurich, or a Windows name such as W. Europe Standard Time")
}

const TIME: &str =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-5][0-9])?(Z|[+-][01][0-9]:[0-5][0-9])?$";

fn time(field: &str) -> Rule {
    Rule::new(format!("self.matches('{TIME}')")).message(Message::Message(format!(
        "{field}: write a time such as 2026-01-31T06:00:00, which is read in timeZone, or one with Z or an offset"
    )))
}

/// What looks like a time is one: reading it fails otherwise, which refuses the object with this message.
fn moment(field: &str) -> Rule {
    let read = "timestamp(self.substring(0, 16) + ':00Z')";
    Rule::new(format!("!self.matches('{TIME}') || {read} == {read}")).message(Message::Message(format!(
        "{field}: there is no such day or hour; write one of the calendar, hours from 00 to 23"
    )))
}

/// Compares two times that are both local or both have an offset; the controller compares others, where it knows the zone.
fn end_after_start() -> Rule {
    let is_local = |field: &str| format!("self.{field}.matches('T[0-9:]*$')");
    // Seconds where there are none, and Z for a local time: two local times are read in the same zone.
    let read = |field: &str| {
        let (text, local) = (format!("self.{field}"), is_local(field));
        format!(
            "timestamp({text}.substring(0, 16) + ({text}.substring(16).startsWith(':') ? '' : ':00') + {text}.substring(16) + ({local} ? 'Z' : ''))"
        )
    };
    Rule::new(format!(
        "!has(self.startTime) || !has(self.endTime) || !self.startTime.matches('{TIME}') || !self.endTime.matches('{TIME}') \
         || {} != {} || {} < {}",
        is_local("startTime"), is_local("endTime"), read("startTime"), read("endTime")
    ))
    .message("endTime is not after startTime; move it")
    .field_path(".endTime")
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

/// What the controller found in Azure.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MLScheduleStatus {
    /// The part that every kind has; `azureId` is the schedule.
    #[serde(flatten)]
    pub common: Common,
    /// The MLWorkspace, kept so that the schedule can be deleted when the MLPipeline is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_ref: Option<Reference>,
    /// The version of the pipeline that the schedule runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// The time zone in force, by the name that Azure ML takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub time_zone: Option<String>,
    /// The next firing times, with their offset. Around a change of the clocks they are approximate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(max = 40)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub next: Vec<String>,
    /// What labels of data assets mean that `inputs` or the pipeline name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub resolved: Vec<ResolvedAsset>,
    /// The newest run: the first of `runs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<ScheduledRun>,
    /// The last five runs, the newest first. They are those of the jobs that carry this object's property.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub runs: Vec<ScheduledRun>,
    /// When a run succeeded last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Time>,
}
has_common!(MLScheduleStatus);
