"""What the checks are made of: scripts, components and jobs as a data scientist writes them."""

import datetime
import textwrap

from azure.ai.ml import load_component, load_job
from azure.ai.ml.entities import AmlCompute, Environment

START = datetime.datetime(2026, 1, 10)
SCRIPT = "import sys\nprint(sys.argv[1:])\n"


def cluster(ml):
    """A cluster that the jobs run on; made once."""
    if "steps" not in [compute.name for compute in ml.compute.list()]:
        ml.compute.begin_create_or_update(
            AmlCompute(name="steps", size="Standard_DS3_v2", max_instances=4)
        ).result()
    return "azureml:steps"


def environment(ml):
    """An environment that the steps run in; made once, the same again does nothing."""
    ml.environments.create_or_update(Environment(name="steps", version="1", image="ubuntu:24.04"))
    return "azureml:steps:1"


def written(folder, name, text):
    """A file in the folder, with its indentation taken away."""
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(textwrap.dedent(text))
    return path


def command_component(ml, folder, name, version="1"):
    """A component of one script, with an input of each kind."""
    written(folder, "src/prepare.py", SCRIPT)
    text = f"""\
        $schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
        type: command
        name: {name}
        version: "{version}"
        display_name: Prepare
        description: Cleans the raw rows
        tags: {{team: a}}
        inputs:
          raw: {{type: uri_folder}}
          threshold: {{type: number, default: 0.5}}
          rows: {{type: integer, default: 3, min: 1, max: 9}}
          mode: {{type: string, default: fast, enum: [fast, full], optional: true}}
        outputs:
          prepared: {{type: uri_folder}}
        code: ./src
        environment: {environment(ml)}
        resources: {{instance_count: 1, shm_size: 2g}}
        command: >-
          python prepare.py --raw ${{{{inputs.raw}}}} --threshold ${{{{inputs.threshold}}}} --rows ${{{{inputs.rows}}}}
          $[[--mode ${{{{inputs.mode}}}}]] --out ${{{{outputs.prepared}}}}
        """
    return load_component(written(folder, f"{name}.yml", text))


def pipeline_component(folder, name, step, compute):
    """A pipeline of two registered steps, to be registered itself."""
    text = f"""\
        $schema: https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json
        type: pipeline
        name: {name}
        version: "1"
        display_name: Two steps
        inputs:
          raw: {{type: uri_folder}}
          threshold: {{type: number, default: 0.5}}
        outputs:
          rows: {{type: uri_folder}}
        jobs:
          first:
            type: command
            component: azureml:{step}:1
            compute: {compute}
            inputs: {{raw: "${{{{parent.inputs.raw}}}}", threshold: "${{{{parent.inputs.threshold}}}}"}}
          second:
            type: command
            component: azureml:{step}:1
            compute: {compute}
            inputs: {{raw: "${{{{parent.jobs.first.outputs.prepared}}}}"}}
            outputs: {{prepared: "${{{{parent.outputs.rows}}}}"}}
        """
    return load_component(written(folder, f"{name}.yml", text))


def pipeline_job(ml, folder, name, rows=3):
    """A pipeline of two steps that are written into it."""
    written(folder, "src/prepare.py", SCRIPT)
    text = f"""\
        $schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
        type: pipeline
        name: {name}
        display_name: Two steps
        experiment_name: checks
        description: prepare, then train
        tags: {{team: a}}
        inputs:
          raw: {{type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/raw/}}
          rows: {rows}
        outputs:
          model: {{type: uri_folder, mode: rw_mount}}
        settings:
          default_compute: {cluster(ml)}
          continue_on_step_failure: false
        jobs:
          prepare:
            type: command
            code: ./src
            environment: {environment(ml)}
            command: python prepare.py --raw ${{{{inputs.raw}}}} --rows ${{{{inputs.rows}}}} --out ${{{{outputs.rows}}}}
            inputs: {{raw: "${{{{parent.inputs.raw}}}}", rows: "${{{{parent.inputs.rows}}}}"}}
            outputs: {{rows: {{type: uri_folder}}}}
          train:
            type: command
            code: ./src
            environment: {environment(ml)}
            command: python prepare.py --rows ${{{{inputs.rows}}}} --out ${{{{outputs.model}}}}
            inputs: {{rows: "${{{{parent.jobs.prepare.outputs.rows}}}}"}}
            outputs: {{model: "${{{{parent.outputs.model}}}}"}}
            resources: {{instance_count: 2}}
            limits: {{timeout: 3600}}
            environment_variables: {{SEED: "1"}}
        """
    return load_job(written(folder, f"{name}.yml", text))
