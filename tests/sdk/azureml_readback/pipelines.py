"""Reads a pipeline back: its component, the component, code and environment of each step, endpoint and deployment.

In and out as the readers of the other kinds. The hash of inline files is computed by Microsoft's own function.
"""

import pathlib
import re
import subprocess
import tempfile

from azure.ai.ml._utils._asset_utils import get_ignore_file, get_content_hash

from azureml_readback.objects import asset
from azureml_readback.values import literal, number

INTERPRETERS = {"r": "Rscript", "python": "python"}


def read_pipeline(ml, objects, item, report):
    """A pipeline and all that is made of it."""
    spec, status = item["spec"], item["status"]
    component = ml.components.get(*asset(status["current"]["componentId"]))
    report.same("type", "pipeline", component.type)
    report.given("displayName", spec.get("displayName"), component.display_name)
    report.given("description", spec.get("description"), component.description)
    ports(spec, component, report)
    # Azure never shows the steps of a registered pipeline: what is read are the components that they run.
    own = {step["name"]: step for step in status["steps"]}
    report.same("steps", {step["name"] for step in spec["steps"]}, set(own))
    for step in spec["steps"]:
        # A search for the best model and a raw node have no component, and Azure shows no node.
        if "componentId" in own.get(step["name"], {}):
            read_step(ml, objects, item, step, asset(own[step["name"]]["componentId"]), report)
    if "publish" in spec:
        read_endpoint(ml, item, report)


def ports(spec, component, report):
    """The inputs and outputs of a pipeline."""
    report.same("inputs", set(spec.get("inputs", {})), set(component.inputs))
    report.same("outputs", set(spec.get("outputs", {})), set(component.outputs))
    for key, wanted in spec.get("inputs", {}).items():
        port, where = component.inputs[key], f"inputs.{key}"
        report.same(f"{where}.type", wanted["type"], port.type)
        report.same(f"{where}.default", literal(wanted.get("default")), literal(port.default))
        report.same(f"{where}.minimum", number(wanted.get("minimum")), number(port.min))
        report.same(f"{where}.maximum", number(wanted.get("maximum")), number(port.max))
        report.given(f"{where}.description", wanted.get("description"), port.description)
    for key, wanted in spec.get("outputs", {}).items():
        report.same(f"outputs.{key}.type", wanted["type"], component.outputs[key].type)


def read_step(ml, objects, item, step, version, report):
    """One step: the component that holds command, code and environment."""
    where, defaults = f"steps.{step['name']}", item["spec"].get("defaults", {})
    component = ml.components.get(*version)
    report.same(f"{where}.type", "command", component.type)
    command(step, component.command, report)
    environment = step.get("environment") or defaults["environment"]
    wanted = environment.get("id") or objects.azure_id("MLEnvironment", item, environment["ref"])
    report.same(f"{where}.environment", asset(wanted), asset(component.environment))
    report.same(f"{where}.deterministic", step.get("deterministic", True), component.is_deterministic)
    code(ml, step, step.get("code") or defaults.get("code"), component, report)


def command(step, line, report):
    """The command: as written, or the interpreter, the script and each argument as one word of the shell."""
    where = f"steps.{step['name']}"
    report.given(f"{where}.command", step.get("command"), line)
    for kind, interpreter in INTERPRETERS.items():
        if kind in step:
            words = [interpreter, step[kind]["script"], *arguments(step[kind].get("args", []))]
            report.same(f"{where}.{kind}", words, started(line))


def started(line):
    """The words that a shell hands to the interpreter. Each value stands for its binding; optional ones have a value."""
    text = re.sub(r"^\$\[\[(=.*)]]$", r"\1", line, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        for interpreter in INTERPRETERS.values():
            program = pathlib.Path(folder, interpreter)
            program.write_text('#!/bin/sh\nprintf "%s\\0" "${0##*/}" "$@"\n')
            program.chmod(0o755)
        shell = subprocess.run(["/bin/sh", "-c", text], env={"PATH": folder}, capture_output=True, check=True)
    return shell.stdout.decode().split("\0")[:-1]


def arguments(wanted):
    """The words of the arguments; an optional group has several."""
    for argument in wanted:
        if argument.startswith("$[[") and argument.endswith("]]"):
            yield from argument[3:-2].split()
        else:
            yield argument


def code(ml, step, wanted, component, report):
    """The uploaded files: the hash that Microsoft's client would give them."""
    if wanted is None or "files" not in wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, text in wanted["files"].items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        digest = get_content_hash(folder, get_ignore_file(folder))
    name, version = asset(component.code)
    version = ml._code._version_operation.get(
        name=name,
        version=version,
        resource_group_name=ml.resource_group_name,
        workspace_name=ml.workspace_name,
    )
    report.same(f"steps.{step['name']}.code", digest, version.properties.properties["hash_sha256"])


def read_endpoint(ml, item, report):
    """The endpoint, its default deployment, and the component that it runs."""
    spec, status = item["spec"]["publish"], item["status"]["endpoint"]
    endpoint = ml.batch_endpoints.get(status["name"])
    report.same("publish.endpoint", spec["endpoint"], endpoint.name)
    report.same("status.endpoint.scoringUri", status["scoringUri"], endpoint.scoring_uri)
    report.same("status.endpoint.default", status["default"], endpoint.defaults.deployment_name)
    # The client's own entity of a deployment that is read leaves the component out.
    deployment = ml.batch_deployments._batch_deployment.get(
        resource_group_name=ml.resource_group_name,
        workspace_name=ml.workspace_name,
        endpoint_name=endpoint.name,
        deployment_name=status["default"],
    )
    component = deployment.properties["deploymentConfiguration"]["componentId"]["assetId"]
    report.same("deployment.component", asset(item["status"]["current"]["componentId"]), asset(component))
    names = sorted(one.name for one in ml.batch_deployments.list(endpoint.name))
    report.same("status.endpoint.deployments", sorted(status["deployments"]), names)
