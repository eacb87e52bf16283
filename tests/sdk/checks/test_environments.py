"""Environment versions as azure-ai-ml makes and shows them."""

import pytest
from azure.ai.ml.constants import ListViewType
from azure.ai.ml.entities import Environment
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

IMAGE = "team01.azurecr.io/r-gbm@sha256:" + "9" * 64
CONDA = {
    "name": "score",
    "channels": ["conda-forge"],
    "dependencies": ["python=3.11", {"pip": ["pandas==2.3.3"]}],
}


def test_a_version_of_an_image_keeps_what_it_was_given(ml, name):
    wanted = Environment(name=name, version="1", image=IMAGE, description="five packages", tags={"team": "a"})
    made = ml.environments.create_or_update(wanted)
    read = ml.environments.get(name, "1")
    for environment in (made, read):
        assert (environment.name, environment.version, environment.image) == (name, "1", IMAGE)
        assert (environment.description, environment.tags, environment.os_type.lower()) == (
            "five packages",
            {"team": "a"},
            "linux",
        )
        assert environment.id.endswith(f"/environments/{name}/versions/1")


def test_a_conda_file_comes_back_as_it_was_written(ml, name):
    ml.environments.create_or_update(
        Environment(name=name, version="1", image="ubuntu:24.04", conda_file=CONDA)
    )
    read = ml.environments.get(name, "1")
    assert (read.image, read.conda_file) == ("ubuntu:24.04", CONDA)


def test_the_same_version_again_is_the_same_and_other_content_is_a_conflict(ml, name):
    wanted = Environment(name=name, version="1", image=IMAGE)
    assert ml.environments.create_or_update(wanted).id == ml.environments.create_or_update(wanted).id
    with pytest.raises(ResourceExistsError) as refused:
        ml.environments.create_or_update(Environment(name=name, version="1", image="ubuntu:24.04"))
    assert refused.value.status_code == 409


def test_a_version_that_is_not_given_is_the_next_one(ml, name):
    versions = [
        ml.environments.create_or_update(Environment(name=name, image=f"ubuntu:{tag}")).version
        for tag in ("22.04", "24.04")
    ]
    # The service proposes the time as the next version.
    assert versions[0] == "1" and versions[1].startswith("20")
    assert ml.environments.get(name, label="latest").version == versions[1]
    assert sorted(environment.version for environment in ml.environments.list(name)) == versions


def test_an_archived_version_is_not_listed_and_still_read_until_it_is_restored(ml, name):
    def versions(view):
        return [environment.version for environment in ml.environments.list(name, list_view_type=view)]

    ml.environments.create_or_update(Environment(name=name, version="1", image=IMAGE))
    ml.environments.archive(name, "1")
    assert (versions(ListViewType.ACTIVE_ONLY), versions(ListViewType.ARCHIVED_ONLY)) == ([], ["1"])
    assert ml.environments.get(name, "1").image == IMAGE
    ml.environments.restore(name, "1")
    assert (versions(ListViewType.ACTIVE_ONLY), versions(ListViewType.ARCHIVED_ONLY)) == (["1"], [])


def test_an_archived_environment_is_not_listed(ml, name):
    ml.environments.create_or_update(Environment(name=name, version="1", image=IMAGE))
    assert name in [environment.name for environment in ml.environments.list()]
    ml.environments.archive(name)
    assert name not in [environment.name for environment in ml.environments.list()]
    ml.environments.restore(name)
    assert name in [environment.name for environment in ml.environments.list()]


def test_a_version_that_is_not_there_is_not_found(ml, name):
    with pytest.raises(ResourceNotFoundError):
        ml.environments.get(name, "1")


def test_a_request_that_is_not_azure_s_is_refused_with_the_place(ml, name):
    from azure.ai.ml._restclient.arm_ml_service.models import EnvironmentVersion, EnvironmentVersionProperties

    body = EnvironmentVersion(properties=EnvironmentVersionProperties(image=IMAGE))
    body["properties"]["imageName"] = IMAGE
    operations = ml.environments._version_operations
    with pytest.raises(HttpResponseError) as refused:
        operations.create_or_update(
            resource_group_name=ml.resource_group_name,
            workspace_name=ml.workspace_name,
            name=name,
            version="1",
            body=body,
        )
    assert refused.value.status_code == 400
    assert "Could not find member 'imageName' on object of type 'EnvironmentVersion'" in str(refused.value)
