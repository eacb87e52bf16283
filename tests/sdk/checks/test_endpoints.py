"""Batch endpoints and pipeline deployments as azure-ai-ml makes, calls and shows them."""

import pytest
from azure.ai.ml import Input
from azure.ai.ml.entities import BatchEndpoint, PipelineComponentBatchDeployment
from azure.core.exceptions import ResourceNotFoundError
from azureml_readback.objects import asset, last
from samples import cluster, command_component, pipeline_component


@pytest.fixture
def published(ml, tmp_path, name):
    """An endpoint with two deployments of the same pipeline."""
    ml.components.create_or_update(command_component(ml, tmp_path, name))
    component = ml.components.create_or_update(
        pipeline_component(tmp_path, f"{name}_pipe", name, cluster(ml))
    )
    ml.batch_endpoints.begin_create_or_update(
        BatchEndpoint(name=name, description="trains", tags={"team": "a"})
    ).result()
    for deployment in ("blue", "green"):
        made = ml.batch_deployments.begin_create_or_update(
            PipelineComponentBatchDeployment(
                name=deployment,
                endpoint_name=name,
                component=component.id,
                settings={"default_compute": "steps", "continue_on_step_failure": False},
            )
        ).result()
        assert asset(made.component) == (f"{name}_pipe", "1")
    return name


def test_an_endpoint_has_an_address_and_a_default(ml, published):
    endpoint = ml.batch_endpoints.get(published)
    assert (endpoint.name, endpoint.description, endpoint.tags, endpoint.provisioning_state) == (
        published,
        "trains",
        {"team": "a"},
        "Succeeded",
    )
    assert endpoint.auth_mode.lower() in ("aad_token", "aadtoken")
    assert endpoint.scoring_uri.startswith("https://")
    before = endpoint.scoring_uri
    endpoint.defaults.deployment_name = "green"
    ml.batch_endpoints.begin_create_or_update(endpoint).result()
    endpoint = ml.batch_endpoints.get(published)
    assert (endpoint.defaults.deployment_name, endpoint.scoring_uri, endpoint.tags) == (
        "green",
        before,
        {"team": "a"},
    )
    assert published in [one.name for one in ml.batch_endpoints.list()]


def test_a_deployment_says_what_it_runs_with(ml, published):
    deployment = ml.batch_deployments.get("blue", published)
    shown = (deployment.name, deployment.endpoint_name, deployment.provisioning_state)
    assert shown == ("blue", published, "Succeeded")
    assert deployment.properties["deployment_configuration_type"] == "PipelineComponent"
    assert last(deployment.properties["default_compute"]) == "steps"
    assert sorted(one.name for one in ml.batch_deployments.list(published)) == ["blue", "green"]


def test_an_invoked_endpoint_runs_its_default_deployment(ml, published):
    endpoint = ml.batch_endpoints.get(published)
    endpoint.defaults.deployment_name = "green"
    ml.batch_endpoints.begin_create_or_update(endpoint).result()
    raw = Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/raw/")
    job = ml.batch_endpoints.invoke(
        published, inputs={"raw": raw, "threshold": Input(type="number", default=0.7)}
    )
    ml.jobs.stream(job.name)
    assert ml.jobs.get(job.name).status == "Completed"
    assert job.name in [one.name for one in ml.batch_endpoints.list_jobs(published)]


def test_deployments_and_endpoints_are_deleted(ml, published):
    ml.batch_deployments.begin_delete("blue", published).result()
    assert [one.name for one in ml.batch_deployments.list(published)] == ["green"]
    ml.batch_endpoints.begin_delete(published).result()
    for missing in (
        lambda: ml.batch_endpoints.get(published),
        lambda: ml.batch_deployments.get("green", published),
    ):
        with pytest.raises(ResourceNotFoundError):
            missing()
