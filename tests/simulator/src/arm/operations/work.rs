//! What an operation does when it ends, which part of Azure runs it, and the word for it while it goes on.

/// Which part of Azure runs an operation; they differ in ids, paths, headers and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Clusters.
    Compute,
    /// Schedules.
    Schedule,
    /// Batch endpoints.
    Endpoint,
    /// Deployments behind them.
    Deployment,
    /// Jobs: their cancellation and deletion.
    Job,
    /// Task runs of registries.
    Registry,
}

impl Service {
    /// The words in the paths of status and result.
    pub fn paths(self) -> (&'static str, &'static str) {
        match self {
            Self::Compute => ("computeOperationsStatus", "computeOperationResults"),
            Self::Schedule | Self::Endpoint | Self::Deployment | Self::Job => {
                ("mfeOperationsStatus", "mfeOperationResults")
            }
            Self::Registry => ("operationStatuses", "operationResults"),
        }
    }
}

/// What an operation does when it ends. Workspaces are named by their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A cluster is there, or changed.
    ComputeWritten(String, String),
    /// A cluster is gone.
    ComputeDeleted(String, String),
    /// A schedule is there, or changed.
    ScheduleWritten(String, String),
    /// A schedule is gone.
    ScheduleDeleted(String, String),
    /// An endpoint is there, or changed.
    EndpointWritten(String, String),
    /// An endpoint is gone.
    EndpointDeleted(String, String),
    /// A deployment is there, or changed: (workspace, endpoint, deployment).
    DeploymentWritten(String, String, String),
    /// A deployment is gone: (workspace, endpoint, deployment).
    DeploymentDeleted(String, String, String),
    /// A job has been cancelled.
    JobCanceled(String, String),
    /// A job is gone.
    JobDeleted(String, String),
    /// A task run's build has ended; nothing is left to do.
    BuildEnded,
}

impl Work {
    /// The part that carries it out.
    pub fn service(&self) -> Service {
        match self {
            Self::ComputeWritten(..) | Self::ComputeDeleted(..) => Service::Compute,
            Self::ScheduleWritten(..) | Self::ScheduleDeleted(..) => Service::Schedule,
            Self::EndpointWritten(..) | Self::EndpointDeleted(..) => Service::Endpoint,
            Self::DeploymentWritten(..) | Self::DeploymentDeleted(..) => Service::Deployment,
            Self::JobCanceled(..) | Self::JobDeleted(..) => Service::Job,
            Self::BuildEnded => Service::Registry,
        }
    }

    /// Azure's word for it while it goes on. Clusters alone say `InProgress`; a schedule is `Creating` when it is
    /// changed too, an endpoint `Updating` when it is made or removed too.
    pub fn word(&self) -> &'static str {
        match self {
            Self::ComputeWritten(..) | Self::ComputeDeleted(..) => "InProgress",
            Self::ScheduleWritten(..) | Self::BuildEnded => "Creating",
            Self::ScheduleDeleted(..) | Self::JobDeleted(..) => "Deleting",
            Self::EndpointWritten(..)
            | Self::EndpointDeleted(..)
            | Self::DeploymentWritten(..)
            | Self::DeploymentDeleted(..)
            | Self::JobCanceled(..) => "Updating",
        }
    }
}
