//! Reasons of the chapter "Something else is missing": an object, a resource of Azure, a Secret or a grant that the spec needs is not there.

use super::reason::{Reason, Turn, reasons};

reasons! {
    REFERENCE_NOT_FOUND = "ReferenceNotFound", User,
        "The spec names an object that is not in this namespace.",
        "apply the object that is named, or correct the name";
    REFERENCE_NOT_PERMITTED = "ReferenceNotPermitted", Platform,
        "The spec names an MLWorkspace of another namespace that is not there, or does not allow this namespace.",
        "add the namespace to spec.allowedNamespaces of the MLWorkspace, or correct the name";
    REFERENCE_NOT_READY = "ReferenceNotReady", User,
        "The spec names an object that is there and has no version, or no cluster, yet.",
        "do what the conditions of the object that is named ask for";
    WORKSPACE_NOT_READY = "WorkspaceNotReady", Nobody,
        "The MLWorkspace has not been read yet, or Azure is still making the workspace.",
        "wait, or do what the conditions of the MLWorkspace ask for";
    WORKSPACE_NOT_FOUND = "WorkspaceNotFound", User,
        "Azure has no workspace under these ids, or the identity may not see it.",
        "make a new MLWorkspace with the right ids, or the workspace in Azure";
    RESOURCE_NOT_FOUND = "ResourceNotFound", User,
        "Azure says that something which a request needs is not there: somebody removed it in Azure.",
        "make what Azure misses again, or name another in the spec";
    NOT_FOUND = "NotFound", User,
        "Azure Machine Learning or a registry says that something which a request needs is not there.",
        "make what Azure misses again, or name another in the spec";
    PARENT_RESOURCE_NOT_FOUND = "ParentResourceNotFound", Platform,
        "What something is to be made in is not there: the registry, the workspace, or the endpoint of a deployment.",
        "make the workspace or registry that Azure names again, or correct the ids of the MLWorkspace";
    RESOURCE_GROUP_NOT_FOUND = "ResourceGroupNotFound", Platform,
        "The resource group is not there: of the workspace, of its registry, or of an identity.",
        "make the resource group again, or correct the ids of the MLWorkspace";
    LEGACY_MODE = "LegacyMode", Platform,
        "The workspace is in v1 legacy mode, which refuses the API.",
        "set v1LegacyMode of the workspace to false";
    REGISTRY_NOT_FOUND = "RegistryNotFound", User,
        "`registry.resourceId` names a registry that is not there, or that the identity may not see.",
        "correct registry.resourceId of the MLWorkspace, or make the registry";
    NO_REGISTRY = "NoRegistry", User,
        "An image is to be built, and the workspace has no registry.",
        "name a registry in registry.resourceId of the MLWorkspace";
    COMPONENT_NOT_FOUND = "ComponentNotFound", User,
        "A component that a schedule or a run needs is gone from Azure.",
        "make a new MLRun once the MLPipeline is ready";
    SECRET_NOT_FOUND = "SecretNotFound", User,
        "The Secret of `identity.secretRef`, or of a source, is not in this namespace.",
        "create the Secret with the keys that the message names";
    SECRET_INCOMPLETE = "SecretIncomplete", User,
        "The Secret lacks a key, or has an empty one, or a certificate that cannot be used, or is not for the host of the source.",
        "add to the Secret what the message names";
    SECRET_UNREADABLE = "SecretUnreadable", Platform,
        "Kubernetes refuses the Secret to the operator, or does not answer.",
        "set rbac.readSecrets of the chart, or sign in without a Secret";
    SOURCE_FAILED = "SourceFailed", User,
        "Files that the spec takes from elsewhere cannot be fetched, or are refused; the version in force goes on.",
        "do what the message says: correct the address, the reference or the Secret, or remove the entry that is refused";
    UNKNOWN_CLOUD = "UnknownCloud", Platform,
        "The MLWorkspace names a cloud that the configuration does not have.",
        "correct spec.cloud, or add the cloud to the configuration";
    IDENTITY_NOT_GRANTED = "IdentityNotGranted", Platform,
        "No grant lets the namespace use the operator's identity for this workspace, or lets its cluster have this identity. \
        The operator sent nothing to Azure.",
        "add the grant that the message shows, or bring an identity with a Secret";
    REGISTRY_NOT_GRANTED = "RegistryNotGranted", Platform,
        "The namespace may not build in this registry with the operator's identity.",
        "add the grant that the message shows, or name a registry that is granted";
    SUBNET_NOT_GRANTED = "SubnetNotGranted", Platform,
        "The namespace may not put clusters into this subnet with the operator's identity.",
        "add the grant that the message shows, or leave out subnetId";
    AGENT_POOL_NOT_GRANTED = "AgentPoolNotGranted", Platform,
        "The namespace may not build images on this agent pool with the operator's identity.",
        "add the grant that the message shows, or leave out build.builder.acr.agentPool";
    WORKSPACE_NOT_GRANTED = "WorkspaceNotGranted", Platform,
        "The object names an environment or data of another workspace, and no grant covers that workspace.",
        "add the grant that the message shows, or use a version in this workspace";
    STATUS_NOT_BELIEVED = "StatusNotBelieved", Platform,
        "The status of an MLPipeline or MLRun names something that is not its own. The operator did not write that.",
        "annotate the MLPipeline with azureml.dev/reconcile-requested-at, and let nobody but the operator write status";
}
