"""What a file of `az ml` is, and how Microsoft's client sends it.

In: the client of a workspace, a path. Out: what was sent. Knows nothing of the operator, and decides what a file is by its own
reading of it: the converter is not asked.
"""

import io
import pathlib

import yaml
from azure.ai.ml import (
    load_batch_endpoint,
    load_component,
    load_compute,
    load_data,
    load_environment,
    load_job,
)
from azure.ai.ml.entities import BatchEndpoint, PipelineComponentBatchDeployment
from azure.ai.ml.entities._load_functions import load_common, load_schedule  # not exported

# The last part of `$schema`, in lower case and without its ending: what the file is.
SCHEMAS = {
    "pipelinejob": "job",
    "commandjob": "step",
    "sweepjob": "step",
    "sparkjob": "step",
    "paralleljob": "step",
    "automljob": "step",
    "pipelinecomponent": "component",
    "commandcomponent": "component",
    "sparkcomponent": "component",
    "parallelcomponent": "component",
    "environment": "environment",
    "amlcompute": "compute",
    "data": "data",
    "schedule": "schedule",
    "batchendpoint": "endpoint",
    "pipelinecomponentbatchdeployment": "deployment",
}
STEPS = ("command", "sweep", "spark", "parallel", "automl")
# Keys of a job that stands alone which belong to the pipeline around it.
ABOVE = ("name", "display_name", "description", "experiment_name", "tags", "compute", "identity")


def kind(tree):
    """What a file is; with no known schema, by what it has."""
    schema = str(tree.get("$schema", "")).rsplit("/", 1)[-1].lower()
    schema = schema.removesuffix(".json").removesuffix(".schema")
    if schema in SCHEMAS:
        return SCHEMAS[schema]
    word = str(tree.get("type", ""))
    if "trigger" in tree:
        return "schedule"
    if word == "pipeline":
        return "deployment" if "endpoint_name" in tree else "job"
    by_type = {"amlcompute": "compute", "uri_file": "data", "uri_folder": "data", "mltable": "data"}
    if word in by_type:
        return by_type[word]
    if "jobs" in tree:
        return "job"
    if "command" in tree or word in STEPS:
        return "step"
    if "auth_mode" in tree:
        return "endpoint"
    return "environment"


def lifted(tree, word):
    """A pipeline of one step, which is the job: the operator's kinds have pipelines alone."""
    above = {key: tree[key] for key in ABOVE if key in tree}
    ports = {key: tree[key] for key in ("inputs", "outputs") if key in tree}
    step = {key: value for key, value in tree.items() if key not in ABOVE and key != "$schema"}
    for key, side in (("inputs", "inputs"), ("outputs", "outputs")):
        if key in ports:
            step[key] = {port: f"${{{{parent.{side}.{port}}}}}" for port in ports[key]}
    step["type"] = word
    if word == "sweep" and isinstance(step.get("trial"), dict):
        spaces = {name: _sampled(space) for name, space in tree.get("search_space", {}).items()}
        given = {name: _declared(value) for name, value in tree.get("inputs", {}).items()}
        step["trial"] = {"type": "command", "inputs": {**given, **spaces}, **step["trial"]}
        # The trial of a step is a component, to which what the sweep gives is an input like others.
        step["trial"]["command"] = step["trial"]["command"].replace("{{search_space.", "{{inputs.")
    where = {} if "compute" in above else {"settings": {"default_compute": "azureml:serverless"}}
    return {"type": "pipeline", **above, **where, **ports, "jobs": {"step": step}}


def _declared(value):
    """What a component says of an input that a job gives."""
    if isinstance(value, dict):
        return {"type": value.get("type", "uri_folder")}
    return {"type": {bool: "boolean", int: "integer", float: "number"}.get(type(value), "string")}


def _sampled(space):
    """What a component says of an input that a sweep gives."""
    if space["type"] == "choice":
        return _declared(space["values"][0])
    return {"type": "integer" if space["type"] == "randint" else "number"}


def job(path, tree):
    """The job of a file; one that is no pipeline, in a pipeline of its own."""
    if kind(tree) == "job":
        return load_job(path)
    word = tree.get("type") or "command"
    return load_job(io.StringIO(yaml.safe_dump(lifted(tree, word), sort_keys=False)), relative_origin=path)


def send(ml, path):
    """Sends a file as its command of `az ml` does; says what it is."""
    tree = yaml.safe_load(pathlib.Path(path).read_text())
    what = kind(tree)
    if what in ("job", "step"):
        ml.jobs.create_or_update(job(path, tree))
    elif what == "component":
        ml.components.create_or_update(load_component(path))
    elif what == "environment":
        ml.environments.create_or_update(load_environment(path))
    elif what == "compute":
        ml.compute.begin_create_or_update(load_compute(path)).result()
    elif what == "data":
        ml.data.create_or_update(load_data(path))
    elif what == "schedule":
        ml.schedules.begin_create_or_update(load_schedule(path)).result()
    elif what == "endpoint":
        ml.batch_endpoints.begin_create_or_update(load_batch_endpoint(path)).result()
    else:
        # A deployment needs its endpoint. `load_batch_deployment` does not know the settings of a pipeline's.
        ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name=tree["endpoint_name"])).result()
        deployment = load_common(PipelineComponentBatchDeployment, path)
        ml.batch_deployments.begin_create_or_update(deployment).result()
    return what
