//! Reasons of the chapter "A run failed": an MLRun, or a run of an MLSchedule, has failed.

use super::reason::{Reason, Turn, reasons};

reasons! {
    FAILED = "Failed", User,
        "The job failed. `message` has the step and what it said.",
        "correct the code or the data, and make a new MLRun";
    JOB_GONE = "JobGone", User,
        "The job was deleted in Azure before its end was seen. Or the MLRun was restored from a backup, and Azure does not have the job \
        that it had.",
        "make a new MLRun";
    RUN_FAILED = "RunFailed", User,
        "The newest run of an MLSchedule that has ended failed. `message` has the step and what it said. The schedule itself is well, and \
        fires on.",
        "correct the code or the data; the next run that succeeds clears it";
    RUN_CANCELED = "RunCanceled", Nobody,
        "The newest run of an MLSchedule that has ended was cancelled in Azure.",
        "start a run with kubectl create, if this one must not be missed";
    RUNS_UNREAD = "RunsUnread", Platform,
        "Azure refuses the list of jobs, so nobody here knows how the runs of the schedule ended; or, as a code of a run that failed, its \
        steps, which are read again later. The schedule fires on.",
        "give the operator's identity the right that message names";
}
