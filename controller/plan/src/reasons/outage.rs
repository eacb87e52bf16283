//! Reasons of the chapter "Azure could not": azure failed, was busy or did not answer.

use super::reason::{Reason, Turn, reasons};

reasons! {
    STARTING_DEADLINE_PASSED = "StartingDeadlinePassed", User,
        "An event of an MLSchedule with engine `Controller`: firing times passed, and no MLRun could be made for them within \
        `startingDeadline`. The operator did not run, the pipeline was not ready, or another run was in the way.",
        "make an MLRun with kubectl create where the missed run is needed, or set a longer startingDeadline";
    FIRING_MISSED = "FiringMissed", User,
        "An event of an MLSchedule: its time came, and Azure ML made no job. The operator only looks; it starts nothing in its \
        place.",
        "start a run with kubectl create, if this one must not be missed";
    PROVISIONING_FAILED = "ProvisioningFailed", User,
        "Azure began to make the resource, and ended with a failure.",
        "do what Azure's words say";
    QUOTA_EXCEEDED = "QuotaExceeded", Platform,
        "A quota of cores, clusters or endpoints is used up.",
        "ask Azure for more quota, or lower what the spec asks for";
    ALLOCATION_FAILED = "AllocationFailed", User,
        "The cluster exists, and Azure cannot give it the nodes that it needs: jobs wait. A quota says `QuotaExceeded`.",
        "do what Azure says, or choose another vmSize";
    BUILD_ERROR = "BuildError", Nobody,
        "ACR ended the build with an error of its own.",
        "wait";
    BUILD_TIMEOUT = "BuildTimeout", User,
        "The build took longer than `build.builder.acr.timeout`.",
        "set a longer build.builder.acr.timeout or more cpu, or install fewer packages in one image";
    BUILD_CANCELED = "BuildCanceled", Nobody,
        "Somebody cancelled the build in ACR.",
        "wait";
    AZURE_UNREACHABLE = "AzureUnreachable", Platform,
        "No answer came: a name that does not resolve, a connection that failed, a timeout. The request may have had its \
        effect; the next pass looks.",
        "open the way from the operator to the address in the message";
    REQUEST_TIMEOUT = "RequestTimeout", Nobody,
        "Azure, or a gateway before it, answered 408: it did not wait for the request. What was asked for may have been done.",
        "wait";
    TOO_EARLY = "TooEarly", Nobody,
        "Azure, or a gateway before it, answered 425: it did not want to take the request yet.",
        "wait";
    SERVICE_UNAVAILABLE = "ServiceUnavailable", Azure,
        "Azure answered 503.",
        "wait";
    GATEWAY_TIMEOUT = "GatewayTimeout", Azure,
        "Azure answered 504.",
        "wait";
    SERVER_ERROR = "ServerError", Azure,
        "Azure answered with another 5xx.",
        "wait, or open a support case with the request id of the log";
    TOO_MANY_REQUESTS = "TooManyRequests", Nobody,
        "Azure answered 429. Requests wait for as long as it asks, an hour at most: those of the namespace, or all where Resource Manager itself answered.",
        "wait, or give the operator an identity of its own";
    CONFLICT = "Conflict", Nobody,
        "Something else is going on with the resource.",
        "wait, or look in the activity log for what else changes the resource";
    PRECONDITION_FAILED = "PreconditionFailed", Nobody,
        "Azure answered 412: the resource changed while it was being written.",
        "wait";
}
