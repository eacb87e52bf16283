"""The reading back finds what is the same and what is not, on objects made here as the operator would make them."""

import json
import subprocess
import sys

import pytest
from azure.ai.ml import load_component
from azure.ai.ml.entities import (
    AmlCompute,
    BatchEndpoint,
    CronTrigger,
    Environment,
    JobSchedule,
    PipelineComponentBatchDeployment,
)
from conftest import RESOURCE_GROUP, WORKSPACE
from samples import START, written

SCRIPT = "args <- commandArgs(TRUE)\n"
IMAGE = "team01.azurecr.io/azureml-operator/default/r-gbm@sha256:" + "9" * 64


def owner(name):
    """The tags that say whose something is."""
    return {
        "azureml-operator-owner": "c/1",
        "azureml-operator-namespace": "default",
        "azureml-operator-name": name,
    }


def manifest(kind, name, spec, status):
    """An object as kubectl shows it."""
    return {"kind": kind, "metadata": {"namespace": "default", "name": name}, "spec": spec, "status": status}


def make_pipeline(ml, folder, name, environment, compute):
    """A step, the pipeline of it, an endpoint with a deployment."""
    written(folder, "code/train.R", SCRIPT)
    step = ml.components.create_or_update(
        load_component(
            written(
                folder,
                "step.yml",
                f"""\
        type: command
        name: {name}_train
        version: "1"
        command: |-
          {{ IFS= read -r rate && IFS= read -r trees && IFS= read -r model; }} <<-'\tend'; exec Rscript train.R --trees "${{trees#=}}" 'it'\\''s' ${{rate:+--rate "${{rate#=}}"}} --model "${{model#=}}"
          $[[=${{{{inputs.rate}}}}]]
          =${{{{inputs.trees}}}}
          =${{{{outputs.model}}}}
        code: ./code
        environment: azureml:{environment.name}:{environment.version}
        inputs: {{trees: {{type: integer}}, rate: {{type: number, optional: true}}}}
        outputs: {{model: {{type: custom_model}}}}
        """,
            )
        )
    )
    component = ml.components.create_or_update(
        load_component(
            written(
                folder,
                "pipeline.yml",
                f"""\
        type: pipeline
        name: {name}
        version: "1"
        inputs: {{trees: {{type: integer, default: 500, min: 1}}}}
        outputs: {{model: {{type: custom_model}}}}
        jobs:
          train:
            type: command
            component: azureml:{step.name}:1
            compute: azureml:{compute.name}
            inputs: {{trees: "${{{{parent.inputs.trees}}}}"}}
            outputs: {{model: "${{{{parent.outputs.model}}}}"}}
            limits: {{timeout: 7200}}
        """,
            )
        )
    )
    ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name, tags=owner("gbm"))).result()
    ml.batch_deployments.begin_create_or_update(
        PipelineComponentBatchDeployment(
            name="blue",
            endpoint_name=name,
            component=component.id,
            settings={"default_compute": compute.name},
        )
    ).result()
    endpoint = ml.batch_endpoints.get(name)
    endpoint.defaults.deployment_name = "blue"
    return step, component, ml.batch_endpoints.begin_create_or_update(endpoint).result()


def pipeline_manifest(name, step, component, endpoint):
    """The manifest of the pipeline."""
    spec = {
        "workspaceRef": {"name": "team"},
        "inputs": {"trees": {"type": "integer", "default": 500, "minimum": 1}},
        "outputs": {"model": {"type": "custom_model"}},
        "steps": [
            {
                "name": "train",
                "timeout": "2h",
                "compute": {"ref": "cpu"},
                "environment": {"ref": "r-gbm"},
                "r": {
                    "script": "train.R",
                    "args": [
                        "--trees",
                        "${{inputs.trees}}",
                        "it's",
                        "$[[--rate ${{inputs.rate}}]]",
                        "--model",
                        "${{outputs.model}}",
                    ],
                },
                "code": {"files": {"train.R": SCRIPT}},
                "inputs": {"trees": "${{parent.inputs.trees}}"},
                "outputs": {"model": {"path": "${{parent.outputs.model}}"}},
            }
        ],
        "publish": {"endpoint": name},
    }
    shown = {"name": name, "scoringUri": endpoint.scoring_uri, "default": "blue", "deployments": ["blue"]}
    status = {
        "current": {"componentId": component.id},
        "steps": [{"name": "train", "componentId": step.id}],
        "endpoint": shown,
    }
    return manifest("MLPipeline", "gbm", spec, status)


def make_run(ml, name, component):
    """A job of the pipeline with its step inline, run to its end, and a schedule of it."""
    from azure.ai.ml.dsl import pipeline

    step = ml.components.get(f"{name}_train", "1")

    @pipeline
    def gbm(trees):
        train = step(trees=trees)
        return {"model": train.outputs.model}

    job = gbm(trees=500)
    job.name, job.experiment_name, job.settings.default_compute, job.tags = (
        name,
        "gbm",
        f"{name}c",
        owner("once"),
    )
    ml.jobs.create_or_update(job)
    ml.jobs.stream(name)
    nightly = gbm(trees=1000)
    nightly.experiment_name, nightly.settings.default_compute = "nightly", f"{name}c"
    trigger = CronTrigger(expression="0 6 * * 1-5", start_time=START, time_zone="W. Europe Standard Time")
    ml.schedules.begin_create_or_update(
        JobSchedule(name=name, trigger=trigger, create_job=nightly, tags=owner("nightly"))
    ).result()
    return ml.jobs.get(name), ml.schedules.get(name)


@pytest.fixture
def objects(ml, connection, tmp_path, name):
    """All six kinds, made in Azure and written as kubectl shows them."""
    workspace = ml.workspaces.get(WORKSPACE)
    compute = ml.compute.begin_create_or_update(
        AmlCompute(
            name=f"{name}c",
            size="Standard_DS3_v2",
            max_instances=4,
            idle_time_before_scale_down=120,
            tags=owner("cpu"),
        )
    ).result()
    environment = ml.environments.create_or_update(
        Environment(name=name, version="a-9", image=IMAGE, tags=owner("r-gbm"))
    )
    step, component, endpoint = make_pipeline(ml, tmp_path, name, environment, compute)
    job, schedule = make_run(ml, name, component)
    team = {
        "subscriptionId": connection.subscription_id,
        "resourceGroup": RESOURCE_GROUP,
        "workspaceName": WORKSPACE,
    }
    status = {"region": workspace.location, "registry": {"resourceId": workspace.container_registry}}
    scale = {"vmSize": "standard_ds3_v2", "scale": {"max": 4, "idle": "2m"}, "priority": "Dedicated"}
    ran = {
        "jobName": name,
        "phase": "Succeeded",
        "studioUrl": job.studio_url,
        "steps": [{"name": "train", "phase": "Succeeded"}],
    }
    return [
        manifest("MLWorkspace", "team", team, status),
        manifest("MLCompute", "cpu", {"workspaceRef": {"name": "team"}} | scale, {"azureId": compute.id}),
        manifest(
            "MLEnvironment",
            "r-gbm",
            {"workspaceRef": {"name": "team"}, "build": {"dockerfile": "FROM scratch"}},
            {
                "azureId": environment.id,
                "version": "a-9",
                "image": IMAGE,
            },
        ),
        pipeline_manifest(name, step, component, endpoint),
        manifest(
            "MLSchedule",
            "nightly",
            {
                "pipelineRef": {"name": "gbm"},
                "cron": "0 6 * * 1-5",
                "timeZone": "Europe/Zurich",
                "inputs": {"trees": 1000},
                "experiment": "nightly",
            },
            {"azureId": f"{workspace.id}/schedules/{schedule.name}"},
        ),
        manifest("MLRun", "once", {"pipelineRef": {"name": "gbm"}, "experiment": "gbm"}, ran),
    ]


def read_back(connection, items):
    """Exit code and output of the reading back."""
    command = [
        sys.executable,
        "-m",
        "azureml_readback",
        "--endpoint",
        connection.endpoint,
        "--ca",
        connection.ca_file,
    ]
    command += ["--tenant", connection.tenant_id, "-"]
    ended = subprocess.run(
        command, input=json.dumps({"items": items}), capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_what_is_the_same_is_found_the_same(connection, objects):
    code, output = read_back(connection, objects)
    assert code == 0, output
    assert "6 objects" in output and "all the same" in output


WRONG = {
    "MLCompute": ("scale.max", lambda item: item["spec"]["scale"].update(max=5)),
    "MLEnvironment": ("status.image", lambda item: item["status"].update(image="other@sha256:1")),
    "MLPipeline": (
        "steps.train.code",
        lambda item: item["spec"]["steps"][0]["code"]["files"].update({"train.R": "other\n"}),
    ),
    "MLSchedule": ("timeZone", lambda item: item["spec"].update(timeZone="Europe/Helsinki")),
    "MLRun": ("inputs.trees", lambda item: item["spec"].update(inputs={"trees": 7})),
}


def test_each_difference_is_found_and_named(connection, objects):
    for kind, (_, spoil) in WRONG.items():
        spoil(next(item for item in objects if item["kind"] == kind))
    code, output = read_back(connection, objects)
    assert code == 1, output
    for kind, (what, _) in WRONG.items():
        assert any(
            line.startswith(kind) and f": {what}: the manifest says" in line for line in output.splitlines()
        ), output


def test_what_is_not_in_azure_is_a_difference(connection, objects):
    objects[1]["status"]["azureId"] += "-gone"
    code, output = read_back(connection, objects[:2])
    assert code == 1 and "MLCompute default/cpu: cannot be read" in output
