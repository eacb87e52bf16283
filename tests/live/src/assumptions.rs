//! What we assume of Azure and no public source tells: data. Each has the question, what follows from it, what changes our
//! behaviour, and a probe. From this list come the page in the docs, the table of a check, and the answers in a recording.

use crate::ground::Ground;
pub use crate::observed::{Observed, Verdict};
use crate::probes::{assets, invocation, jobs, open, passive, schedules};
use anyhow::Result;
use futures::future::BoxFuture;

/// A probe: asks Azure, and cleans up what it can.
pub type Probe = for<'a> fn(&'a Ground<'a>) -> BoxFuture<'a, Result<Observed>>;

/// One assumption.
pub struct Assumption {
    /// Its name.
    pub id: &'static str,
    /// The question.
    pub question: &'static str,
    /// What we assume.
    pub assumed: &'static str,
    /// Why.
    pub source: &'static str,
    /// What in our behaviour depends on it.
    pub depends: &'static str,
    /// What changes our behaviour: a setting, a field, or a place in the code.
    pub switch: &'static str,
    /// How `cargo xtask live` answers it.
    pub method: &'static str,
    /// What answers it.
    pub probe: Probe,
}

/// All of them, in the order of their probes.
pub const ASSUMPTIONS: [Assumption; 19] = [
    Assumption {
        id: "component-of-a-job",
        question: "Does a pipeline job take the ARM id of a registered pipeline component as `componentId`?",
        assumed: "It does.",
        source: "recorded jobs of real workspaces: 50 of 50 were taken",
        depends: "Runs name the pipeline component with `jobs: {}`, since Azure does not show the steps of one.",
        switch: "code: `controller/plan/src/job/mod.rs`, `properties`",
        method: "submits such a job and cancels it",
        probe: |ground| Box::pin(jobs::component_id(ground)),
    },
    Assumption {
        id: "schedule-of-a-component",
        question: "Does a schedule take a job that names a registered pipeline component, with `jobs: {}`?",
        assumed: "It does.",
        source: "Microsoft's client sends it; no recording shows one, but jobs that do are recorded",
        depends: "Whether an MLSchedule can be made. Under the other setting its job has one node of type `pipeline`, a form \
                  that is recorded in jobs.",
        switch: "setting `azure.scheduleByComponent`",
        method: "makes such a schedule, disabled, and removes it",
        probe: |ground| Box::pin(schedules::of_component(ground)),
    },
    Assumption {
        id: "archive-of-a-pipeline",
        question: "Does Azure take a pipeline component back as it is read, without its `jobs`, to archive it?",
        assumed: "It does.",
        source: "Microsoft's client sends it so; command components are recorded, a pipeline component is not",
        depends: "Whether an MLPipeline can be deleted with `deletionPolicy: Delete`. One that is wanted again is sent whole.",
        switch: "field `spec.deletionPolicy` of MLPipeline; code: `controller/plan/src/asset.rs`, `changed`",
        method: "makes a version of the story's pipeline component, archives it as it is read, and reads it again",
        probe: |ground| Box::pin(assets::archive_of_pipeline(ground)),
    },
    Assumption {
        id: "settings-of-a-deployment",
        question: "Of which type are the values in `deploymentConfiguration.settings`, and is `default_compute` an ARM id?",
        assumed: "All are text, and `default_compute` is an ARM id.",
        source: "the definition says a map of strings; Microsoft's client sends ARM ids",
        depends: "Whether a published pipeline can be invoked, and on which cluster it runs.",
        switch: "code: `controller/plan/src/publish.rs`, `deployment_body`",
        method: "looks at the story's own deployment: that it succeeded, and what Azure shows of its settings",
        probe: |ground| Box::pin(passive::deployment_settings(ground)),
    },
    Assumption {
        id: "schedule-invokes-endpoint",
        question: "Does a schedule with the action `InvokeBatchEndpoint` run a deployment of a pipeline component?",
        assumed: "It cannot be relied on.",
        source: "the action is defined for batch deployments; no example with a pipeline component is public",
        depends: "A schedule starts its job itself (`CreateJob`), so a new version means a PUT of the schedule.",
        switch: "none is needed: right under either answer; code that would gain: `controller/plan/src/schedule/body.rs`, `body`",
        method: "makes such a schedule, disabled, and removes it: only whether it is taken can be seen",
        probe: |ground| Box::pin(schedules::invokes_endpoint(ground)),
    },
    Assumption {
        id: "cron-days",
        question: "Does a cron schedule refuse day of month and month, or ignore them?",
        assumed: "It takes and ignores them, so the schedule runs every day.",
        source: "the reference of the schedule's YAML says so of both fields",
        depends: "Such an expression is refused when an MLSchedule is applied; `recurrence` has days of the month.",
        switch: "none is needed: right under either answer; code that would gain: `crds/src/ml_schedule.rs`, the rule of `cron`",
        method: "makes such a schedule, disabled, and removes it",
        probe: |ground| Box::pin(schedules::cron_days(ground)),
    },
    Assumption {
        id: "job-token",
        question: "Has the header `x-azureml-token` to be sent with a pipeline job of a service principal?",
        assumed: "A job is taken without it too; sending it does no harm.",
        source: "Microsoft's client sends it with every pipeline job",
        depends: "It is sent with every job, so a token of Azure ML's own audience is asked for.",
        switch: "setting `azure.sendJobToken`",
        method: "submits the story's job again under another name without the header, and cancels it",
        probe: |ground| Box::pin(jobs::without_token(ground)),
    },
    Assumption {
        id: "environment-immutable",
        question: "With which code is another image for an existing environment version refused?",
        assumed: "With 409, or with 400 and an inner code that says immutable; it is never taken silently.",
        source: "the definition marks `image` as set at creation alone; codes from threads about other assets",
        depends: "A version's name is a hash of its content, so it is never sent another image. If it were, the refusal would \
                  be shown and not be repeated.",
        switch: "none is needed: a version is never sent another image; code: `controller/azure/src/refusal.rs`, `class`",
        method: "makes an environment version, and sends it with another image",
        probe: |ground| Box::pin(assets::immutable(ground)),
    },
    Assumption {
        id: "environment-freed",
        question: "Is the name of a deleted environment version free again?",
        assumed: "It cannot be relied on.",
        source: "the operation exists; what is deleted of other assets keeps its name",
        depends: "`deletionPolicy: Delete` archives versions and deletes none; an archived one is taken back by its name.",
        switch: "none is needed: right under either answer; code that would gain: `controller/plan/src/environment/leave.rs`, `archive`",
        method: "deletes that version, and makes it again with the other image",
        probe: |ground| Box::pin(assets::freed(ground)),
    },
    Assumption {
        id: "schedule-past-start",
        question: "Does a PUT of an enabled schedule whose `startTime` is past and unchanged ever start a run?",
        assumed: "It does not: the schedule waits for its next time.",
        source: "documentation: a start in the past counts from the next time on; without a start it runs at once",
        depends: "A schedule without `startTime` is sent with one in the past, so that a new version does not start a run.",
        switch: "field `spec.startTime` of MLSchedule; code: `controller/plan/src/schedule/body.rs`, `LONG_AGO`",
        method: "sends such a schedule, due in half a day, twice, and looks for runs of it",
        probe: |ground| Box::pin(schedules::past_start(ground)),
    },
    Assumption {
        id: "invocation-idempotent",
        question: "Does a batch endpoint that is invoked twice with the same name run once?",
        assumed: "It runs twice.",
        source: "no public definition of the invocation names a key",
        depends: "The operator invokes nothing. Callers that repeat a request have to expect a second run.",
        switch: "none in the operator; the caller's own policy of retries",
        method: "invokes the story's endpoint twice with one name, and cancels both",
        probe: |ground| Box::pin(invocation::twice(ground)),
    },
    Assumption {
        id: "provider-limits",
        question: "From how many requests on does Azure ML itself answer 429, beside Resource Manager?",
        assumed: "From more than Resource Manager lets through.",
        source: "the provider publishes no limit",
        depends: "The budget has Resource Manager's limits; a 429 closes it for as long as Azure says.",
        switch: "setting `azure.budget`",
        method: "looks for 429 and for `x-ms-ratelimit-remaining-resource` in all answers of the check",
        probe: |ground| Box::pin(std::future::ready(Ok(passive::limits(ground)))),
    },
    Assumption {
        id: "schedule-count",
        question: "How many schedules may a workspace have?",
        assumed: "More than anybody needs; if not, Azure's refusal says so.",
        source: "none",
        depends: "Nothing is counted; a refusal is shown in `status` and tried again slowly.",
        switch: "setting `intervals.stalled`",
        method: "counts those that are there; none are made to find the limit",
        probe: |ground| Box::pin(passive::schedule_count(ground)),
    },
    Assumption {
        id: "task-run-repeated",
        question: "Is a task run that is sent again, unchanged, while its build goes on, one build or two?",
        assumed: "One.",
        source: "definition of `forceUpdateTag`: what is unchanged is not run again",
        depends: "After a lost answer or a restart the operator sends the same task run again; a second build would cost time \
                  and give another digest.",
        switch: "setting `azure.apiVersions.tasks`; code: `controller/plan/src/environment/build.rs`",
        method: "sends the operator's own task run again as soon as it was taken, and compares the runs",
        probe: |ground| Box::pin(std::future::ready(Ok(passive::task_run(ground)))),
    },
    Assumption {
        id: "schedule-while-made",
        question: "What does a GET of a schedule say while it is being made?",
        assumed: "Perhaps 404: it may be absent until its operation has ended.",
        source: "recorded operations took up to 22 seconds, and the time of creation that Azure shows is at their end",
        depends: "A schedule that is absent soon after its PUT is waited for, and not sent a second time.",
        switch: "none is needed: right under either answer",
        method: "makes a schedule, disabled, looks for it at once and until it is there, and removes it",
        probe: |ground| Box::pin(schedules::while_made(ground)),
    },
    Assumption {
        id: "job-again",
        question: "Is a job taken that is sent again under its name with other content?",
        assumed: "It cannot be relied on.",
        source: "recordings show the same content sent again, which is taken, and no other",
        depends: "A job's name belongs to its MLRun, whose spec cannot be changed, so what is sent again is the same.",
        switch: "none is needed: right under either answer",
        method: "submits the story's job under another name twice, the second with another display name, and cancels it",
        probe: |ground| Box::pin(open::job_again(ground)),
    },
    Assumption {
        id: "job-list",
        question: "How many jobs has a page of the list of jobs, and what leads to the next?",
        assumed: "As many as Azure likes; `nextLink` is followed as it is.",
        source: "recordings show this of other lists, and none of jobs",
        depends: "Whether a schedule started its job is looked up in this list.",
        switch: "none is needed: right under either answer",
        method: "reads the first page, and says which parameters `nextLink` has",
        probe: |ground| Box::pin(open::job_list(ground)),
    },
    Assumption {
        id: "task-run-missing",
        question: "How is a task run answered that is not there?",
        assumed: "With 404.",
        source: "every other resource of Resource Manager; no recording shows a task run",
        depends: "A build that is not there is started.",
        switch: "setting `azure.apiVersions.tasks`; code: `controller/azure/src/refusal.rs`, `class`",
        method: "reads a task run that nobody made",
        probe: |ground| Box::pin(open::missing_task_run(ground)),
    },
    Assumption {
        id: "upload-without-keys",
        question: "What does `startPendingUpload` give where the storage account allows no account keys?",
        assumed: "No SAS: the credential is absent, or of type `None`.",
        source: "the definition has this type; no recording of such a workspace is public",
        depends: "With a SAS, code is uploaded with it. Without one, it is uploaded with the operator's own token, which needs \
                  the role Storage Blob Data Contributor.",
        switch: "none is needed: what the answer holds decides",
        method: "looks at the answers to the story's own uploads; in a workspace with account keys it stays open",
        probe: |ground| Box::pin(std::future::ready(Ok(open::upload(ground)))),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_says_everything() {
        let mut ids: Vec<&str> = ASSUMPTIONS.iter().map(|assumption| assumption.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ASSUMPTIONS.len());
        for one in &ASSUMPTIONS {
            for text in [one.question, one.assumed, one.source, one.depends, one.switch, one.method] {
                assert!(
                    !text.is_empty() && !text.contains('|') && !text.contains('\n'),
                    "{}: {text}",
                    one.id
                );
            }
        }
    }

    #[test]
    fn what_a_switch_names_is_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let settings = std::fs::read_to_string(root.join("docs/configuration.yaml")).unwrap();
        for one in &ASSUMPTIONS {
            let named = one.switch.split('`').skip(1).step_by(2);
            let mut file = None;
            for name in named {
                if name.contains('/') {
                    let text = std::fs::read_to_string(root.join(name));
                    file = Some(text.unwrap_or_else(|error| panic!("{}: {name}: {error}", one.id)));
                } else if let Some(text) = &file {
                    // What follows a file is in it.
                    let is_there = [format!("fn {name}("), format!("const {name}:"), format!("pub {name}:")];
                    assert!(is_there.iter().any(|item| text.contains(item)), "{}: no {name}", one.id);
                } else if let Some(setting) = one.switch.starts_with("setting").then_some(name) {
                    let last = setting.rsplit('.').next().unwrap();
                    assert!(settings.contains(&format!("{last}:")), "{}: no setting {setting}", one.id);
                }
            }
        }
    }
}
