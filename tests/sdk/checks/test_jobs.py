"""Jobs as azure-ai-ml submits, follows and shows them."""

import pytest
from azure.ai.ml import Input
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azureml_readback.objects import asset, last
from samples import cluster, command_component, pipeline_component, pipeline_job

DONE = ("Completed", "Failed", "Canceled")


def test_a_pipeline_with_inline_steps_runs_to_its_end(ml, tmp_path, name, capsys):
    made = ml.jobs.create_or_update(pipeline_job(ml, tmp_path, name))
    assert (made.name, made.type, made.status in DONE) == (name, "pipeline", False)
    assert name in made.studio_url
    ml.jobs.stream(name)
    assert f"RunId: {name}" in capsys.readouterr().out
    read = ml.jobs.get(name)
    assert (read.status, read.display_name, read.experiment_name) == ("Completed", "Two steps", "checks")
    assert (read.description, read.tags["team"], list(read.jobs)) == (
        "prepare, then train",
        "a",
        ["prepare", "train"],
    )
    assert read.inputs["rows"]._data == "3"
    assert last(read.settings.default_compute) == "steps"
    train = read.jobs["train"]
    assert (train.resources.instance_count, train.limits.timeout, train.environment_variables) == (
        2,
        3600,
        {"SEED": "1"},
    )
    assert train.inputs["rows"]._data == "${{parent.jobs.prepare.outputs.rows}}"


def test_the_steps_of_a_pipeline_are_its_children(ml, tmp_path, name):
    ml.jobs.create_or_update(pipeline_job(ml, tmp_path, name))
    ml.jobs.stream(name)
    children = list(ml.jobs.list(parent_job_name=name))
    assert sorted(child.display_name for child in children) == ["prepare", "train"]
    assert {child.status for child in children} == {"Completed"}


def test_the_same_job_again_is_the_same_and_another_under_its_name_is_refused(ml, tmp_path, name):
    first = ml.jobs.create_or_update(pipeline_job(ml, tmp_path, name))
    assert ml.jobs.create_or_update(pipeline_job(ml, tmp_path, name)).id == first.id
    with pytest.raises(HttpResponseError) as refused:
        ml.jobs.create_or_update(pipeline_job(ml, tmp_path, name, rows=4))
    assert refused.value.status_code == 400
    assert "A job with this name already exists" in str(refused.value)


def test_a_pipeline_of_registered_components_runs(ml, tmp_path, name):
    from azure.ai.ml.dsl import pipeline

    component = ml.components.create_or_update(command_component(ml, tmp_path, name))

    @pipeline(default_compute=cluster(ml).removeprefix("azureml:"))
    def two(raw):
        first = component(raw=raw, rows=5)
        second = component(raw=first.outputs.prepared)
        second.outputs.prepared.mode = "upload"

    job = two(raw=Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/raw/"))
    job.name = name
    ml.jobs.create_or_update(job, experiment_name="checks")
    ml.jobs.stream(name)
    read = ml.jobs.get(name)
    assert (read.status, list(read.jobs)) == ("Completed", ["first", "second"])
    assert asset(read.jobs["first"].component) == (name, "1")
    assert read.jobs["second"].outputs["prepared"].mode == "upload"


def test_a_registered_pipeline_component_runs_as_a_job(ml, tmp_path, name):
    ml.components.create_or_update(command_component(ml, tmp_path, name))
    registered = ml.components.create_or_update(
        pipeline_component(tmp_path, f"{name}_pipe", name, cluster(ml))
    )
    raw = Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/raw/")
    job = registered(raw=raw)
    from azure.ai.ml.entities import PipelineJob

    submitted = PipelineJob(component=registered.id, inputs={"raw": raw}, name=name, experiment_name="checks")
    assert job.type == "pipeline"
    ml.jobs.create_or_update(submitted)
    ml.jobs.stream(name)
    assert ml.jobs.get(name).status == "Completed"


def test_a_running_job_is_cancelled_and_a_finished_one_is_not(ml, tmp_path, name):
    ml.jobs.create_or_update(pipeline_job(ml, tmp_path, name))
    try:
        ml.jobs.begin_cancel(name).result()
        assert ml.jobs.get(name).status in ("CancelRequested", "Canceled")
    except HttpResponseError as ended:
        assert "is in terminal status, it can't be canceled" in str(ended)


def test_jobs_are_listed_until_they_are_archived(ml, tmp_path, name):
    ml.jobs.create_or_update(pipeline_job(ml, tmp_path, name))
    ml.jobs.stream(name)
    assert name in [job.name for job in ml.jobs.list()]
    ml.jobs.archive(name)
    assert name not in [job.name for job in ml.jobs.list()]
    ml.jobs.restore(name)
    assert name in [job.name for job in ml.jobs.list()]


def test_a_job_that_is_not_there_is_not_found(ml, name):
    with pytest.raises(ResourceNotFoundError):
        ml.jobs.get(name)
