//! Reasons of the chapter "Azure refuses": azure said no: a permission, a rule, a name, the request itself.

use super::reason::{Reason, Turn, reasons};

reasons! {
    AUTHORIZATION_FAILED = "AuthorizationFailed", Platform,
        "The identity may not do this. A new assignment takes minutes to spread: it is tried six times before the object \
        stalls.",
        "grant the missing permission to the workspace's identity";
    LINKED_AUTHORIZATION_FAILED = "LinkedAuthorizationFailed", Platform,
        "The identity may write the resource, and not use another that it names: a subnet, an identity.",
        "grant the missing permission on the other resource to the workspace's identity";
    FORBIDDEN = "Forbidden", Platform,
        "Azure answered 403 without a code: a firewall of a registry or of a storage account, or a missing role there.",
        "open the firewall for the operator, or give its identity the role";
    UNAUTHORIZED = "Unauthorized", Platform,
        "Azure answered 401 without a code: the token is for another tenant or audience.",
        "correct the tenant of the MLWorkspace's identity, or the audiences of the cloud";
    SUBSCRIPTION_NOT_FOUND = "SubscriptionNotFound", Platform,
        "Azure does not show the subscription to the identity.",
        "correct the subscription of the MLWorkspace, or give the identity a role in it";
    MISSING_SUBSCRIPTION_REGISTRATION = "MissingSubscriptionRegistration", Platform,
        "The subscription has not registered the resource provider of Azure Machine Learning or of Container Registry.",
        "register the provider: az provider register --namespace Microsoft.MachineLearningServices";
    NO_REGISTERED_PROVIDER_FOUND = "NoRegisteredProviderFound", Platform,
        "The subscription has not registered the resource provider, or the cloud does not have this api-version.",
        "register the provider: az provider register --namespace Microsoft.MachineLearningServices";
    INVALID_RESOURCE_TYPE = "InvalidResourceType", Platform,
        "The cloud does not know a resource of this type under this api-version.",
        "set azure.apiVersions to versions that this cloud has";
    READ_ONLY_DISABLED_SUBSCRIPTION = "ReadOnlyDisabledSubscription", Platform,
        "The subscription is disabled, so nothing in it can be changed.",
        "enable the subscription again";
    REQUEST_DISALLOWED_BY_POLICY = "RequestDisallowedByPolicy", User,
        "An Azure Policy denies the request. `message` names the policy assignment.",
        "change the spec so that the policy allows it, or ask the owner of the policy for an exemption";
    SCOPE_LOCKED = "ScopeLocked", Platform,
        "A lock on the resource, its group or its subscription forbids the change.",
        "remove the lock from the scope that Azure names";
    TASKS_OPERATIONS_NOT_ALLOWED = "TasksOperationsNotAllowed", Platform,
        "ACR Tasks are not allowed for this registry. Free and trial subscriptions have none.",
        "build the image elsewhere and name it in spec.image, or move the registry to a subscription with ACR Tasks: free and \
        trial subscriptions have none";
    ENDPOINT_NAME_TAKEN = "EndpointNameTaken", User,
        "Somebody else in this region has an endpoint of this name, perhaps in another subscription.",
        "choose another name in publish.endpoint: endpoints have unique names in a region, also in other subscriptions";
    ALREADY_IN_USE = "AlreadyInUse", User,
        "Somebody else has this name, perhaps in another subscription.",
        "choose another name: somebody else has this one";
    USER_ASSIGNED_IDENTITY_NOT_FOUND = "UserAssignedIdentityNotFound", Platform,
        "The workspace does not know the identity that a job or cluster names.",
        "attach the identity to the workspace, or name another";
    KEY_BASED_AUTHENTICATION_NOT_PERMITTED = "KeyBasedAuthenticationNotPermitted", Platform,
        "The storage account takes no keys (`allowSharedKeyAccess: false`), and the files could not be uploaded by the \
        identity's own role either.",
        "give the identity the role Storage Blob Data Contributor on the storage account: it takes no keys";
    AUTHORIZATION_PERMISSION_MISMATCH = "AuthorizationPermissionMismatch", Platform,
        "The storage account takes no keys, and the identity has no role for its blobs.",
        "give the identity the role Storage Blob Data Contributor on the storage account";
    AUTHORIZATION_FAILURE = "AuthorizationFailure", Platform,
        "The network rules of the storage account keep the operator out.",
        "let the operator through the network rules of the storage account";
    DENIED = "DENIED", Platform,
        "The registry refuses the identity or the operator's address.",
        "let the operator through the network rules of the registry, and give the identity the role AcrPull";
    REGISTRY_UNAUTHORIZED = "RegistryUnauthorized", User,
        "The registry of `spec.image` is private, or it hides that it has no such image. The operator has no credentials for \
        it, or the registry does not take those of `spec.imagePullSecretRef`. With `rebuild` it may be the registry of an image in a \
        `FROM` line.",
        "name a Secret that may read it in imagePullSecretRef, write the image with its digest, which is not looked up, or import it into \
        the workspace's registry with az acr import";
    REGISTRY_NETWORK_RESTRICTED = "RegistryNetworkRestricted", Platform,
        "The registry has network rules that its own builds cannot pass: nothing was built.",
        "name an agent pool in the registry's network in build.builder.acr.agentPool, or let tasks pass the registry's network \
        rules";
    BAD_REQUEST = "BadRequest", User,
        "Azure refuses the request itself.",
        "change what Azure's words name";
    TOKEN_UNAVAILABLE = "TokenUnavailable", Platform,
        "Entra ID gave no token.",
        "give the identity a new secret, or a federated credential for the service account";
}
