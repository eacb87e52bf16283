"""Workspaces as azure-ai-ml shows them."""

from conftest import RESOURCE_GROUP, WORKSPACE


def test_a_workspace_is_read(ml):
    workspace = ml.workspaces.get(WORKSPACE)
    assert (workspace.name, workspace.resource_group, workspace.location) == (
        WORKSPACE,
        RESOURCE_GROUP,
        "westeurope",
    )
    assert "/Microsoft.Storage/storageAccounts/" in workspace.storage_account
    assert "/Microsoft.ContainerRegistry/registries/" in workspace.container_registry
    assert workspace.discovery_url.startswith("https://")


def test_workspaces_are_listed(ml):
    assert [workspace.name for workspace in ml.workspaces.list()] == [WORKSPACE]
    assert [workspace.name for workspace in ml.workspaces.list(scope="subscription")] == [WORKSPACE]


def test_the_datastore_for_uploads_is_the_default(ml):
    store = ml.datastores.get_default()
    assert (store.name, store.type) == ("workspaceblobstore", "AzureBlob")
    assert "workspaceblobstore" in [store.name for store in ml.datastores.list()]
