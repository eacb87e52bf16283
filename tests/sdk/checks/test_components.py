"""Components as azure-ai-ml uploads, registers and shows them."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from samples import cluster, command_component, pipeline_component, written


def test_a_component_keeps_what_it_was_given(ml, tmp_path, name):
    ml.components.create_or_update(command_component(ml, tmp_path, name))
    read = ml.components.get(name, "1")
    assert (read.name, read.version, read.type, read.display_name) == (name, "1", "command", "Prepare")
    assert (read.description, read.tags, read.is_deterministic) == (
        "Cleans the raw rows",
        {"team": "a"},
        True,
    )
    assert (
        read.command.startswith("python prepare.py --raw ${{inputs.raw}}")
        and "$[[--mode ${{inputs.mode}}]]" in read.command
    )
    assert read.environment.endswith("/environments/steps/versions/1")
    assert {key: port.type for key, port in read.inputs.items()} == {
        "raw": "uri_folder",
        "threshold": "number",
        "rows": "integer",
        "mode": "string",
    }
    assert (float(read.inputs["threshold"].default), int(read.inputs["rows"].default)) == (0.5, 3)
    assert (read.inputs["mode"].enum, read.inputs["mode"].optional) == (["fast", "full"], True)
    assert read.outputs["prepared"].type == "uri_folder"
    assert (read.resources.instance_count, read.resources.shm_size) == (1, "2g")


def test_the_same_code_is_uploaded_once(ml, tmp_path, name):
    first, second = (
        ml.components.create_or_update(command_component(ml, tmp_path, name, version))
        for version in ("1", "2")
    )
    assert first.code == second.code
    written(tmp_path, "src/prepare.py", f"# {name}\n")
    other = ml.components.create_or_update(command_component_without_write(ml, tmp_path, name))
    assert other.code != first.code


def command_component_without_write(ml, folder, name):
    """The component again, with the script as it lies there."""
    script = (folder / "src/prepare.py").read_text()
    component = command_component(ml, folder, name, "3")
    (folder / "src/prepare.py").write_text(script)
    return component


def test_an_uploaded_script_is_in_the_container_that_the_code_names(ml, tmp_path, name):
    component = ml.components.create_or_update(command_component(ml, tmp_path, name))
    *_, container, _, version = component.code.split("/")
    code = ml._code.get(container, version)
    assert code.path.startswith("https://") and code.path.endswith("/src")


def test_versions_are_listed_archived_and_restored(ml, tmp_path, name):
    for version in ("1", "2"):
        ml.components.create_or_update(command_component(ml, tmp_path, name, version))
    assert sorted(component.version for component in ml.components.list(name)) == ["1", "2"]
    ml.components.archive(name, "1")
    assert [component.version for component in ml.components.list(name)] == ["2"]
    ml.components.restore(name, "1")
    assert sorted(component.version for component in ml.components.list(name)) == ["1", "2"]
    assert name in [component.name for component in ml.components.list()]


def test_a_pipeline_component_never_shows_its_steps(ml, tmp_path, name):
    ml.components.create_or_update(command_component(ml, tmp_path, name))
    ml.components.create_or_update(pipeline_component(tmp_path, f"{name}_pipe", name, cluster(ml)))
    read = ml.components.get(f"{name}_pipe", "1")
    assert (read.type, read.display_name, list(read.jobs)) == ("pipeline", "Two steps", [])
    assert set(read.inputs) == {"raw", "threshold"} and set(read.outputs) == {"rows"}


def test_a_component_with_an_unknown_environment_is_refused(ml, tmp_path, name):
    component = command_component(ml, tmp_path, name)
    component.environment = "azureml:nowhere:1"
    with pytest.raises((HttpResponseError, ResourceNotFoundError)):
        ml.components.create_or_update(component)


def test_a_version_that_is_not_there_is_not_found(ml, name):
    with pytest.raises(ResourceNotFoundError):
        ml.components.get(name, "1")
