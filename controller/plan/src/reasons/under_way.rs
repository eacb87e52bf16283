//! Reasons of the chapter "Work goes on": work goes on, here or in Azure.

use super::reason::{Reason, Turn, reasons};

reasons! {
    CREATING = "Creating", Azure,
        "The resource is being made in Azure.",
        "wait";
    UPDATING = "Updating", Azure,
        "The spec changed, and so is the resource.",
        "wait";
    CORRECTING_DRIFT = "CorrectingDrift", Azure,
        "Somebody changed the resource in Azure, and it is being put back.",
        "wait, or set driftPolicy: Report while you find out what else changes the resource";
    PROGRESSING = "Progressing", Azure,
        "A schedule is being changed in Azure.",
        "wait";
    RESIZING = "Resizing", Azure,
        "Azure's own word for a cluster whose nodes are changed. Other states of Azure are passed on in the same way.",
        "wait";
    BUILDING = "Building", Azure,
        "The image is being built by ACR Tasks.",
        "wait, or set timeout and cpu of build.builder.acr where builds take long";
    REGISTERING = "Registering", Azure,
        "A version of an environment, or of the components of a pipeline, is being registered.",
        "wait";
    RESTORING = "Restoring", Azure,
        "A version that is wanted was archived, and is brought back.",
        "wait";
    PUBLISHING = "Publishing", Azure,
        "An endpoint or a deployment is being made, or becomes the default.",
        "wait";
    PRUNING = "Pruning", Azure,
        "Deployments beyond `publish.keep` are being removed.",
        "wait";
    UNPUBLISHING = "Unpublishing", Azure,
        "An endpoint is being removed, since the spec does not publish any more or the object is being deleted.",
        "wait";
    SUBMITTING = "Submitting", Nobody,
        "The job of an MLRun is about to be sent.",
        "wait";
    IN_PROGRESS = "InProgress", Azure,
        "The condition `Succeeded` of an MLRun, or `LastRunSucceeded` of an MLSchedule, of which no run has ended yet.",
        "wait";
    ANNOTATED = "Annotated", User,
        "The condition `Paused`: nothing is changed in Azure while the annotation `azureml.dev/paused` is `\"true\"`.",
        "remove the annotation azureml.dev/paused";
}
