#!/usr/bin/env python3
"""Reduce Azure's published definitions to the small table that the simulator checks requests and answers against.

    definitions.py FOLDER [--check]

FOLDER holds `specification/` (from azure-rest-api-specs: Azure ML 2024-04-01, container registry 2023-07-01 and its
tasks 2019-06-01-preview, common types), `bicep-types/mls-2025-12-01.types.json` (from bicep-types-az) and
`arm-schemas/2025-03-01-preview/` (from azure-resource-manager-schemas: RegistryTasks). Written is `azure.json`: types,
required, enums, patterns, flags and routes, no prose; what only the newer version has carries `since`.
"""

import pathlib
import re
import sys

from newer import ArmSchema, Bicep, Merge
from swagger import Swagger
from table import finish, reachable

HERE = pathlib.Path(__file__).parent
AML, ACR = "Microsoft.MachineLearningServices", "Microsoft.ContainerRegistry"
AML_2024 = f"specification/machinelearningservices/resource-manager/{AML}/stable/2024-04-01"
ACR_FOLDER = f"specification/containerregistry/resource-manager/{ACR}"
ROUTES = {
    f"{AML_2024}/mfe.json": (
        "aml",
        r"/workspaces/\{workspaceName\}/((batchEndpoints|codes|components|data|datastores|environments|jobs|models|schedules)(?!.*publish)|onlineEndpoints$)",
    ),
    f"{AML_2024}/machineLearningServices.json": (
        "aml",
        r"/workspaces(/\{workspaceName\}(/computes(/\{computeName\}(/listNodes)?)?)?)?$|/locations/\{location\}/usages$",
    ),
    f"{ACR_FOLDER}/preview/2019-06-01-preview/containerregistry_build.json": (
        "tasks",
        r"/(scheduleRun|listBuildSourceUploadUrl|runs|taskRuns)",
    ),
    f"{ACR_FOLDER}/stable/2023-07-01/containerregistry.json": ("registry", r"/registries/\{registryName\}$"),
}
# The methods of a workspace and of a registry that change it are not part of the table: nobody here makes one.
READ_ONLY = re.compile(r"/(workspaces/\{workspaceName\}|registries/\{registryName\})$")
# Subtypes that exist in Azure and are left out here keep their name without a type: the check says so by name.
LEFT_OUT = {
    "Compute": {
        "AKS",
        "DataFactory",
        "DataLakeAnalytics",
        "Databricks",
        "HDInsight",
        "VirtualMachine",
    },
    "DatastoreCredentials": {"Certificate"},
    "Datastore": {"AzureDataLakeGen1", "AzureDataLakeGen2", "OneLake"},
    "JobBase": {"AutoML", "Spark", "Sweep"},
    "ScheduleActionBase": {"CreateMonitor"},
    "DataVersionBase": set(),
    "Webhook": {"AzureDevOps"},
}
# Parts that the definitions leave free: what Microsoft's client puts there, in `client.json`.
FREE = {
    ("PipelineJob", "jobs"): {"map": {"ref": "node"}},
    ("PipelineJob", "settings"): {"ref": "settings.job"},
    ("ComponentVersion", "componentSpec"): {"ref": "component"},
    ("BatchPipelineComponentDeploymentConfiguration", "settings"): {"ref": "settings.deployment"},
}
# Where the versions of a type differ by more than an addition, as the newer one says it; the older one is kept.
KNOWN_DIFFERENCES = [
    "ComputeInstanceLastOperation.operationName also Resize",
    "ComputeInstanceLastOperation.operationStatus also ResizeFailed",
    "ComputeInstanceProperties.state also Resizing",
    "EncryptionKeyVaultProperties.keyIdentifier pattern: [a-zA-Z0-9_]",
    "EncryptionKeyVaultProperties.keyVaultArmId pattern: [a-zA-Z0-9_]",
    "FqdnOutboundRule.status also Provisioning, Deleting, Failed",
    "PrivateEndpointConnectionProperties.privateLinkServiceConnectionState required: False",
    "PrivateEndpointDestination.sparkStatus also Provisioning, Deleting, Failed",
    "PrivateEndpointOutboundRule.status also Provisioning, Deleting, Failed",
    "ServiceTagOutboundRule.status also Provisioning, Deleting, Failed",
    "TaskRun.properties required: True",
    "Workspace.properties required: True",
]
# The version whose types an api-version is checked against: the nearest one that is described.
VERSIONS = {
    "aml": {
        "2024-04-01": [
            "2020-08-01",
            "2022-10-01",
            "2023-02-01-preview",
            "2023-04-01",
            "2023-04-01-preview",
            "2023-06-01-preview",
            "2023-08-01-preview",
            "2023-10-01",
            "2024-01-01-preview",
            "2024-04-01",
            "2024-10-01",
            "2024-10-01-preview",
            "2025-01-01-preview",
        ],
        "2025-12-01": [
            "2025-04-01",
            "2025-06-01",
            "2025-09-01",
            "2025-12-01",
            "2026-03-01",
            "2026-05-01",
            "2026-07-01",
            "2026-09-01",
        ],
    },
    "tasks": {"2019-06-01-preview": ["2019-06-01-preview"], "2025-03-01-preview": ["2025-03-01-preview"]},
    "registry": {"2023-07-01": ["2023-07-01"], "2025-11-01": ["2025-11-01", "2026-09-01-preview"]},
}
# What a version has that is not among the files: the models of azure-mgmt-containerregistry 15.0.0.
ADDED = {
    "RegistryProperties": {
        "networkRuleBypassAllowedForTasks": {"type": "boolean", "since": "2025-11-01"},
        "roleAssignmentMode": {
            "type": "string",
            "enum": ["LegacyRegistryPermissions", "AbacRepositoryPermissions"],
            "since": "2025-11-01",
        },
    },
}


def polling(swagger, folder):
    """The routes of running operations: Azure names them in headers only, the definitions have no paths for them."""
    common = pathlib.Path(folder, "specification/common-types/resource-management/v3/types.json").resolve()
    status = swagger.schema(common, {"$ref": "#/definitions/OperationStatusResult"}, None, "answer")["ref"]
    error = swagger.schema(common, {"$ref": "#/definitions/ErrorResponse"}, None, "answer")["ref"]
    location = "/subscriptions/{subscriptionId}/providers/%s/locations/{location}/%s/{operationId}"
    registry = f"/subscriptions/{{subscriptionId}}/resourceGroups/{{resourceGroupName}}/providers/{ACR}/registries/{{registryName}}"
    states = [
        ("aml", location % (AML, "mfeOperationsStatus")),
        ("aml", location % (AML, "computeOperationsStatus")),
    ]
    states += [
        ("tasks", location % (ACR, "operationStatuses")),
        ("tasks", f"{registry}/operationStatuses/{{operationId}}"),
    ]
    for service, path in states:
        yield {
            "service": service,
            "path": path,
            "methods": {"GET": {"responses": {"200": status, "202": status, "default": error}}},
        }
    for service, path in [
        ("aml", location % (AML, "mfeOperationResults")),
        ("aml", location % (AML, "computeOperationResults")),
    ]:
        responses = {"200": "any", "201": "any", "202": None, "204": None, "default": error}
        yield {"service": service, "path": path, "methods": {"GET": {"responses": responses}}}


def trigger(swagger):
    """`Schedules_Trigger` of 2024-01-01-preview, in no other version and in none of the files that are read."""
    submission = {
        "scheduleActionType": {"type": "string", "readOnly": True},
        "submissionId": {"type": "string", "readOnly": True},
    }
    swagger.types["TriggerRunSubmissionDto"] = {"properties": submission}
    swagger.types["TriggerOnceRequest"] = {
        "properties": {"scheduleTime": {"type": "string", "format": "date-time", "required": True}}
    }
    workspace = f"/subscriptions/{{subscriptionId}}/resourceGroups/{{resourceGroupName}}/providers/{AML}/workspaces/{{workspaceName}}"
    responses = {"200": "TriggerRunSubmissionDto", "default": "ErrorResponse"}
    post = {
        "body": "TriggerOnceRequest",
        "bodyRequired": True,
        "only": ["2024-01-01-preview"],
        "responses": responses,
    }
    return {"service": "aml", "path": f"{workspace}/schedules/{{name}}/trigger", "methods": {"POST": post}}


def merge_newer(swagger, routes, newer, since):
    """Lay the newer bodies over the resources of the routes; return the differences that are more than additions."""
    merge = Merge(swagger.types, newer, since)
    known = {
        resource_type(route["path"]): route["methods"] for route in routes if route["path"].endswith("}")
    }
    for name, body in newer.resources():
        if name in known:
            merge.type(known[name]["GET"]["responses"]["200"], body)
            pattern = newer.properties(body)["name"][0].get("pattern")
            if pattern and "PUT" in known[name]:
                known[name]["PUT"]["name"].setdefault("pattern", pattern)
    posts = {
        resource_type(route["path"]): route["methods"]["POST"]
        for route in routes
        if "POST" in route["methods"]
    }
    for name, body in newer.actions():
        if name in posts and "body" not in posts[name]:
            posts[name] |= {"body": merge.new(body, body["name"])["ref"], "bodyRequired": False}
    return merge.differences


def resource_type(path):
    """`Microsoft.X/a/b` of a path `…/providers/Microsoft.X/a/{…}/b/{…}`, and `Microsoft.X/a/act` of `…/a/{…}/act`."""
    parts = path.rpartition("/providers/")[2].split("/")
    return "/".join([parts[0], *parts[1::2]])


def main():
    """Reduce, and compare the differences between the versions with the known ones."""
    folders = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(folders) != 1:
        raise SystemExit(__doc__)
    folder = pathlib.Path(folders[0])
    swagger = Swagger(LEFT_OUT, FREE)
    routes = [*polling(swagger, folder), trigger(swagger)]
    for file, (service, wanted) in ROUTES.items():
        routes.extend(swagger.routes(folder / file, service, re.compile(wanted), READ_ONLY))
    differences = merge_newer(
        swagger, routes, Bicep(folder / "bicep-types/mls-2025-12-01.types.json"), "2025-12-01"
    )
    tasks = ArmSchema(
        folder / "arm-schemas/2025-03-01-preview/Microsoft.ContainerRegistry.RegistryTasks.json"
    )
    differences += merge_newer(swagger, routes, tasks, "2025-03-01-preview")
    for name, properties in ADDED.items():
        swagger.types[name]["properties"] |= properties
    if sorted(differences) != sorted(KNOWN_DIFFERENCES):
        raise SystemExit(
            "differences between the versions are not the known ones:\n"
            + "\n".join(sorted(set(differences) ^ set(KNOWN_DIFFERENCES)))
        )
    routes.sort(key=lambda route: route["path"])
    finish(
        HERE / "azure.json",
        {"versions": VERSIONS, "routes": routes, "types": reachable(swagger.types, routes)},
        "definitions.py",
    )


if __name__ == "__main__":
    main()
