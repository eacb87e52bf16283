//! Reasons of the chapter "The spec is wrong": the spec means nothing, or not what Azure has.

use super::reason::{Reason, Turn, reasons};

reasons! {
    INVALID_SPEC = "InvalidSpec", User,
        "The API server accepted it, and it means nothing all the same: times in the wrong order, a zone that is not there, a \
        reference that is no id; or an older release accepted it, and a newer one does not.",
        "change the spec";
    INVALID_DOCKERFILE = "InvalidDockerfile", User,
        "The Dockerfile of an MLEnvironment cannot be built: it takes a file that its context has not, or a stage that is not above the \
        line, has no `FROM`, or ends in the middle of an instruction.",
        "correct the line that the message names";
    IMAGE_OF_ANOTHER = "ImageOfAnother", User,
        "`image` or a `FROM` names an image that the operator built for another namespace, or for another cluster.",
        "build the image in this namespace, or take one that is meant to be shared";
    INVALID_INPUTS = "InvalidInputs", User,
        "A value of `inputs` does not fit the pipeline's input: another type, out of bounds, not in the list, missing, text \
        without quotes that YAML made a number of, an address that only clients resolve.",
        "make a new MLRun with other inputs, or change the MLSchedule";
    INPUTS_IGNORED = "InputsIgnored", User,
        "`inputs` of an MLRun were changed after its job was sent. The job goes on with the values before.",
        "make a new MLRun for other values";
    CANNOT_CHANGE = "CannotChange", User,
        "The cluster in Azure differs in something that cannot be changed there: size, priority, network.",
        "make a new MLCompute with what is there, or delete the cluster in Azure";
    WORKSPACE_CHANGED = "WorkspaceChanged", Platform,
        "The MLWorkspace of another namespace names another workspace in Azure than the one in which the object was made.",
        "let the MLWorkspace name the former workspace again, or make a new object under another name";
    OWNED_BY_ANOTHER = "OwnedByAnother", User,
        "The resource carries the owner's tag of another object, or of another cluster.",
        "give this object another azureName, or delete the other one; if that one is in another namespace or cluster, delete it \
        with deletionPolicy: Retain and remove the tags azureml-operator-*";
    IMAGE_NOT_FOUND = "ImageNotFound", User,
        "The registry has no such image or tag; or an image that was built vanished again.",
        "push the image, or write another; keep azureml-operator/* out of purge tasks";
    BUILD_FAILED = "BuildFailed", User,
        "The build ran and failed: a line of the Dockerfile, or `verify`.",
        "change build, or ask for another try with the annotation azureml.dev/reconcile-requested-at";
    TTL_IGNORED = "TtlIgnored", User,
        "An event of an MLRun: `ttlAfterFinished` is ignored, since Flux or Argo CD would make the object again.",
        "make runs with kubectl create, outside of what Flux or Argo CD applies";
}
