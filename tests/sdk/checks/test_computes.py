"""Clusters as azure-ai-ml makes and shows them."""

import pytest
from azure.ai.ml.entities import AmlCompute
from azure.core.exceptions import ResourceNotFoundError


def cluster(name, **changes):
    """A cluster that costs nothing while nobody uses it."""
    values = {
        "size": "Standard_DS3_v2",
        "tier": "low_priority",
        "min_instances": 0,
        "max_instances": 4,
        "idle_time_before_scale_down": 300,
        "tags": {"team": "a"},
    }
    return AmlCompute(name=name, **values | changes)


def test_a_cluster_is_created_changed_listed_and_deleted(ml, name):
    made = ml.compute.begin_create_or_update(cluster(name)).result()
    assert (made.name, made.type, made.provisioning_state) == (name, "amlcompute", "Succeeded")
    assert (made.size.lower(), made.tier, made.min_instances, made.max_instances) == (
        "standard_ds3_v2",
        "low_priority",
        0,
        4,
    )
    assert (made.idle_time_before_scale_down, made.tags, made.location) == (300, {"team": "a"}, "westeurope")

    read = ml.compute.get(name)
    read.max_instances, read.tags = 8, {"team": "b"}
    changed = ml.compute.begin_update(read).result()
    assert (changed.max_instances, changed.tags, changed.size.lower()) == (
        8,
        {"team": "b"},
        "standard_ds3_v2",
    )

    assert name in [compute.name for compute in ml.compute.list()]
    assert name in [compute.name for compute in ml.compute.list(compute_type="amlcompute")]

    ml.compute.begin_delete(name).result()
    with pytest.raises(ResourceNotFoundError):
        ml.compute.get(name)


def test_a_cluster_has_the_identity_it_was_given(ml, connection, name):
    from azure.ai.ml.entities import IdentityConfiguration, ManagedIdentityConfiguration

    resource = (
        f"/subscriptions/{connection.subscription_id}/resourceGroups/rg-ml/providers"
        "/Microsoft.ManagedIdentity/userAssignedIdentities/train"
    )
    identity = IdentityConfiguration(
        type="user_assigned", user_assigned_identities=[ManagedIdentityConfiguration(resource_id=resource)]
    )
    made = ml.compute.begin_create_or_update(cluster(name, identity=identity)).result()
    assert made.identity.type == "user_assigned"
    assert [one.resource_id.lower() for one in made.identity.user_assigned_identities] == [resource.lower()]


def test_the_nodes_of_a_cluster_without_nodes_are_an_empty_list(ml, name):
    ml.compute.begin_create_or_update(cluster(name)).result()
    assert list(ml.compute.list_nodes(name)) == []


def test_a_cluster_with_a_node_at_least_shows_it(ml, name):
    ml.compute.begin_create_or_update(cluster(name, min_instances=1)).result()
    nodes = list(ml.compute.list_nodes(name))
    # The client fills its entity with the names of the wire.
    assert [vars(node)["nodeState"] for node in nodes] == ["idle"]
