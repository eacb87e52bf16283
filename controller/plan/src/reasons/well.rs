//! Reasons of the chapter "All is well": nothing is to do: Azure holds what the spec says, or a run has ended.

use super::reason::{Reason, Turn, reasons};

reasons! {
    SUCCEEDED = "Succeeded", Nobody,
        "Azure holds what the spec says. Of an MLPipeline, `message` has the address that serves it.",
        "nothing";
    NOT_OWNED = "NotOwned", User,
        "There is a resource of this name in Azure that no operator made. `Ready`: a cluster, used as it is and never written. \
        `Stalled`: a schedule or an endpoint, which is left alone.",
        "set adopt: true on an MLCompute or MLSchedule, or give the object another name in Azure";
    DRIFTED = "Drifted", User,
        "Somebody changed the resource in Azure, and `driftPolicy: Report` leaves it so.",
        "write what is in Azure into the spec, or set driftPolicy: Correct";
    COMPUTE_INSTANCE_TARGET = "ComputeInstanceTarget", User,
        "The MLPipeline is ready, but a step of it, or its default, names a compute instance. An instance does not scale, has to be started, \
        and is one user's, so runs of a schedule wait or fail.",
        "name an MLCompute with compute.ref, or a cluster that exists with compute.name";
    DATA_PLANE_UNREACHABLE = "DataPlaneUnreachable", Platform,
        "The workspace is ready, but the address of its data plane cannot be found. Clusters, environments and pipelines work; \
        steps and failures of runs cannot be followed.",
        "open the way from the operator to the workspace's discoveryUrl, and name its host in clouds[].hosts";
    SUBMITTED = "Submitted", Nobody,
        "The job of an MLRun is in Azure.",
        "nothing";
    COMPLETED = "Completed", Nobody,
        "The job of an MLRun succeeded.",
        "nothing";
    RUN_SUCCEEDED = "RunSucceeded", Nobody,
        "The newest run of an MLSchedule that has ended succeeded.",
        "nothing";
    CANCELED = "Canceled", User,
        "The MLRun was cancelled, by `spec.cancel` or in Azure.",
        "make a new MLRun, if it is to run after all";
}
