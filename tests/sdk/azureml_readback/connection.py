"""Connects Microsoft's clients to an Azure that is not a public cloud, for example the simulator.

In: where it is, and how to sign in. Out: clients. The certificate authority is set for the whole process, as is the
cloud's name by azure-ai-ml itself: one connection for each process.
"""

import contextlib
import dataclasses
import io
import logging
import os
import socket
from urllib.parse import urlsplit

# Left by another connection whose process started this one; the client would look for that cloud at import.
os.environ.pop("AZUREML_CURRENT_CLOUD", None)
with contextlib.redirect_stderr(io.StringIO()):
    from azure.ai.ml import MLClient
from azure.identity import ClientSecretCredential
from azure.mgmt.containerregistrytasks import ContainerRegistryTasksMgmtClient

# The client warns about every experimental class it imports.
logging.getLogger("azure").setLevel(logging.ERROR)
_getaddrinfo = socket.getaddrinfo


def _loopback(host, *args, **kwargs):
    """Names below `localhost` are this machine (RFC 6761), which the C library does not know everywhere.

    Storage accounts are `<account>.blob.<endpoint>` to the client, and the simulator's endpoint is `localhost`.
    """
    below = isinstance(host, str) and host.endswith(".localhost")
    return _getaddrinfo("127.0.0.1" if below else host, *args, **kwargs)


socket.getaddrinfo = _loopback
# Any audience does, as long as the token is for it.
AUDIENCE = "https://ml.azure.sim"


@dataclasses.dataclass(frozen=True)
class Connection:
    """An Azure, and the application to sign in as."""

    endpoint: str
    ca_file: str
    tenant_id: str
    subscription_id: str
    client_id: str = "33333333-3333-3333-3333-333333333333"
    client_secret: str = "any"

    def __post_init__(self):
        """Every client below reads the certificate authority from here."""
        os.environ["REQUESTS_CA_BUNDLE"] = self.ca_file

    def credential(self):
        """Signs in with a secret, without asking the public cloud which clouds there are."""
        return ClientSecretCredential(
            self.tenant_id,
            self.client_id,
            self.client_secret,
            authority=self.endpoint,
            disable_instance_discovery=True,
        )

    def in_subscription(self, subscription_id):
        """The same Azure, another subscription."""
        return dataclasses.replace(self, subscription_id=subscription_id)

    def ml(self, resource_group, workspace):
        """The client of a workspace."""
        cloud = {
            "azure_portal": self.endpoint,
            "resource_manager": self.endpoint,
            "active_directory": self.endpoint,
            "aml_resource_id": AUDIENCE,
            "storage_endpoint": f"localhost:{urlsplit(self.endpoint).port}",
            "registry_discovery_endpoint": self.endpoint,
        }
        return MLClient(
            self.credential(),
            self.subscription_id,
            resource_group,
            workspace,
            cloud="AzureSimulated",
            cloud_metadata=cloud,
            enable_telemetry=False,
            show_progress=False,
        )

    def registry_tasks(self):
        """The client of the builds of registries."""
        return ContainerRegistryTasksMgmtClient(
            self.credential(),
            self.subscription_id,
            base_url=self.endpoint,
            credential_scopes=[f"{self.endpoint}/.default"],
        )
