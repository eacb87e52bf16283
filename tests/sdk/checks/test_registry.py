"""Builds in a container registry as azure-mgmt-containerregistrytasks starts and shows them."""

import io
import tarfile

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.containerregistrytasks.models import (
    DockerBuildRequest,
    PlatformProperties,
    TaskRun,
    TaskRunProperties,
)
from azure.storage.blob import BlobClient
from conftest import RESOURCE_GROUP, WORKSPACE

ENDED = ("Succeeded", "Failed", "Canceled", "Error", "Timeout")


@pytest.fixture(scope="session")
def tasks(connection):
    """Microsoft's client of the registries' builds."""
    return connection.registry_tasks()


@pytest.fixture(scope="session")
def registry(ml):
    """The name of the workspace's registry."""
    return ml.workspaces.get(WORKSPACE).container_registry.rpartition("/")[2]


def context(tasks, registry, dockerfile):
    """An uploaded build context with one file; its place."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(dockerfile)
        archive.addfile(entry, io.BytesIO(dockerfile.encode()))
    source = tasks.registries.get_build_source_upload_url(RESOURCE_GROUP, registry)
    BlobClient.from_blob_url(source.upload_url).upload_blob(packed.getvalue(), overwrite=True)
    return source.relative_path


def build(tasks, registry, name, dockerfile="FROM ubuntu:24.04\nRUN true\n"):
    """A request to build an image of the name."""
    return DockerBuildRequest(
        image_names=[f"{name}:1"],
        is_push_enabled=True,
        source_location=context(tasks, registry, dockerfile),
        docker_file_path="Dockerfile",
        platform=PlatformProperties(os="Linux", architecture="amd64"),
        timeout=3600,
    )


def ended(tasks, registry, run_id, polls=600):
    """The run once it has ended; each request takes its time, and the number of them is the deadline."""
    for _ in range(polls):
        run = tasks.runs.get(RESOURCE_GROUP, registry, run_id)
        if run.properties.status in ENDED:
            return run
    raise AssertionError(f"run {run_id} has not ended: {run.properties.status}")


def test_a_scheduled_build_ends_with_an_image_and_a_log(tasks, registry, name):
    run = tasks.registries.schedule_run(RESOURCE_GROUP, registry, build(tasks, registry, name))
    assert run.properties.run_type is None
    properties = ended(tasks, registry, run.properties.run_id).properties
    assert properties.run_type == "QuickRun"
    assert (properties.status, properties.platform.os.lower()) == ("Succeeded", "linux")
    image = properties.output_images[0]
    assert (image.repository, image.tag, image.digest.startswith("sha256:")) == (name, "1", True)
    link = tasks.runs.get_log_sas_url(RESOURCE_GROUP, registry, run.properties.run_id).log_link
    assert b"FROM ubuntu:24.04" in BlobClient.from_blob_url(link).download_blob().readall()
    assert run.properties.run_id in [
        one.properties.run_id for one in tasks.runs.list(RESOURCE_GROUP, registry)
    ]


def test_a_task_run_is_started_once_under_its_name(tasks, registry, name):
    wanted = TaskRun(
        location="westeurope", properties=TaskRunProperties(run_request=build(tasks, registry, name))
    )
    made = tasks.task_runs.begin_create(RESOURCE_GROUP, registry, name, wanted).result()
    assert (made.name, made.properties.provisioning_state) == (name, "Succeeded")
    run = ended(tasks, registry, made.properties.run_result.properties.run_id)
    assert run.properties.output_images[0].repository == name
    again = tasks.task_runs.begin_create(RESOURCE_GROUP, registry, name, wanted).result()
    assert again.properties.run_result.properties.run_id == run.properties.run_id
    assert name in [one.name for one in tasks.task_runs.list(RESOURCE_GROUP, registry)]
    tasks.task_runs.delete(RESOURCE_GROUP, registry, name)
    with pytest.raises(ResourceNotFoundError):
        tasks.task_runs.get(RESOURCE_GROUP, registry, name)


def test_a_run_is_cancelled(tasks, registry, name):
    run = tasks.registries.schedule_run(RESOURCE_GROUP, registry, build(tasks, registry, name))
    tasks.runs.cancel(RESOURCE_GROUP, registry, run.properties.run_id)
    assert ended(tasks, registry, run.properties.run_id).properties.status == "Canceled"
