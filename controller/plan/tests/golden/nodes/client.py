#!/usr/bin/env python3
"""What Microsoft's client (azure-ai-ml 1.35.2) sends for the nodes of `pipeline.yml`: `nodes.json`.

    client.py [--check]      with azure-ai-ml 1.35.2 installed

No request is made. What the client would ask the service for, the ids of computes, is set as its resolver sets it.
"""

import importlib.metadata
import json
import pathlib
import sys
import types
import warnings

warnings.filterwarnings("ignore")

from azure.ai.ml import automl, load_job  # noqa: E402

HERE = pathlib.Path(__file__).parent
WANTED = "1.35.2"
WORKSPACE = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-mlops/providers/"
    "Microsoft.MachineLearningServices/workspaces/mlw-prod"
)


def repaired():
    """In 1.35.2 the sweep of an automl node ends with an AttributeError: `conversion` wants an object, and gets a map.

    The object has what the map has, under the names that the schema of a sweep dumps.
    """
    for settings in (automl.NlpSweepSettings, automl.ImageSweepSettings):
        settings._to_rest_object = lambda self: types.SimpleNamespace(
            sampling_algorithm=self.sampling_algorithm
        )


def plain(value):
    """A generated model as the map that is sent."""
    return value.as_dict() if hasattr(value, "as_dict") else str(value)


def nodes():
    """The nodes of the pipeline by their names."""
    job = load_job(HERE / "pipeline.yml")
    for node in job.jobs.values():
        if node.type == "automl" and node.compute:
            node.compute = f"{WORKSPACE}/computes/{node.compute}"
    for name, node in job._to_rest_object().properties.jobs.items():
        sent = json.loads(json.dumps(node, default=plain))
        # Telemetry, and the component that the client registers first, which other files show.
        sent.pop("_source", None)
        sent.pop("componentId", None)
        yield name, sent


def main():
    """Write the nodes, or compare them with the committed ones."""
    version = importlib.metadata.version("azure-ai-ml")
    if version != WANTED:
        raise SystemExit(f"azure-ai-ml {version} is installed, wanted {WANTED}")
    repaired()
    text = json.dumps(dict(nodes()), indent=2, sort_keys=True) + "\n"
    file = HERE / "nodes.json"
    if "--check" not in sys.argv:
        file.write_text(text)
    if file.read_text() != text:
        raise SystemExit("nodes.json is stale: run client.py")


if __name__ == "__main__":
    main()
