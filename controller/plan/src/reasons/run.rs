//! Reasons of the chapter "A run failed": an MLRun has failed.

use super::reason::{Reason, Turn, reasons};

reasons! {
    FAILED = "Failed", User,
        "The job failed. `message` has the step and what it said.",
        "correct the code or the data, and make a new MLRun";
    JOB_GONE = "JobGone", User,
        "The job was deleted in Azure before its end was seen.",
        "make a new MLRun";
}
