//! What each recorded answer of Azure comes to. A row without a recording is an error, and so is a refusal without a row.

use azureml_client::Class;

/// Operations that the controller never asks for. Registries are asked in a test of their own.
pub const UNUSED: [&str; 23] = [
    "acr-agent-pool-get",
    "acr-catalog",
    "acr-manifest-delete",
    "acr-manifest-get",
    "acr-oauth2-exchange",
    "acr-oauth2-token",
    "acr-registry-put",
    "acr-run-cancel",
    "acr-run-get",
    "acr-runs-list",
    "acr-schedule-run",
    "acr-tag-get",
    "acr-task-run-delete",
    "acr-task-runs-list",
    "acr-v2",
    "acr-v2-manifest-get",
    "batch-invoke",
    "blob-put-metadata",
    "blobs-list",
    "data-version-get",
    "datastore-list-secrets",
    "entra-token",
    "run-data",
];

/// What an answer comes to.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// A success.
    Done,
    /// The target is not there.
    Gone,
    /// A refusal of this class.
    Of(Class),
    /// Throttling, with the seconds that the words ask for.
    Wait(u64),
}

use Outcome::{Gone, Of, Wait};

/// Each answer that is no success: operation, case, method, status, and what it comes to.
pub const REFUSED: [(&str, &str, &str, u64, Outcome); 35] = [
    ("acr-registry-get", "missing-404", "GET", 404, Gone),
    ("batch-deployment-put", "no-model-400", "PUT", 400, Of(Class::Invalid)),
    ("batch-endpoint", "create-update-delete", "GET", 404, Gone),
    ("batch-endpoint-get", "missing-404", "GET", 404, Gone),
    ("blob-get", "range-not-satisfiable-416", "GET", 416, Of(Class::Invalid)),
    ("blob-head", "missing-404", "HEAD", 404, Gone),
    ("blob-put", "conflict-409", "PUT", 409, Of(Class::Conflict)),
    ("code", "2026-upload-and-register", "HEAD", 404, Gone),
    ("code", "upload-and-register", "HEAD", 404, Gone),
    ("component-container-get", "missing-404", "GET", 404, Gone),
    ("component-version-get", "missing-404", "GET", 404, Gone),
    ("component-version-put", "immutable-code-400", "PUT", 400, Of(Class::Invalid)),
    ("component-version-put", "skip-if-no-change", "GET", 404, Gone),
    ("component-version-put", "throttled-429", "PUT", 429, Wait(20)),
    ("compute-delete", "workspace-gone-404", "DELETE", 404, Gone),
    ("compute-get", "missing-404", "GET", 404, Gone),
    ("datastore-get", "bad-gateway-502", "GET", 502, Of(Class::Unavailable)),
    ("datastore-get", "missing-404", "GET", 404, Gone),
    ("datastore-get", "service-error-500", "GET", 500, Of(Class::Unavailable)),
    ("datastore-get", "throttled-429", "GET", 429, Wait(20)),
    ("environment-container-get", "missing-404", "GET", 404, Gone),
    ("environment-version", "create-without-version", "GET", 404, Gone),
    ("environment-version-put", "conda-python-too-old-400", "PUT", 400, Of(Class::Invalid)),
    ("job-cancel", "terminal-400", "POST", 400, Of(Class::Invalid)),
    ("job-get", "missing-404", "GET", 404, Gone),
    ("job-put", "bad-expression-400", "PUT", 400, Of(Class::Invalid)),
    ("job-put", "bad-gateway-502", "PUT", 502, Of(Class::Unavailable)),
    ("job-put", "missing-component-404", "PUT", 404, Of(Class::Missing)),
    ("job-put", "missing-identity-404", "PUT", 404, Of(Class::Missing)),
    ("job-put", "service-unavailable-500", "PUT", 500, Of(Class::Unavailable)),
    ("job-put", "throttled-429", "PUT", 429, Wait(20)),
    ("job-put", "timeout-504", "PUT", 504, Of(Class::Unavailable)),
    ("job-put", "unknown-", "PUT", 400, Of(Class::Invalid)),
    ("schedule", "", "GET", 404, Gone),
    ("workspace", "", "", 404, Gone),
];

/// What operations say while they go on and at their end, with what that means.
pub const OPERATIONS: [(&str, &str); 6] = [
    ("Creating", "goes on"),
    ("Deleting", "goes on"),
    ("Failed", "failed"),
    ("InProgress", "goes on"),
    ("Succeeded", "ended"),
    ("Updating", "goes on"),
];
