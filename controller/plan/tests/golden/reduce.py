#!/usr/bin/env python3
"""Reduce captured requests of Microsoft's client (azure-ai-ml 1.35.2 and its siblings) to golden bodies.

    reduce.py FOLDER [--check]

FOLDER holds one capture per operation, as a recording HTTP transport wrote it: `<name>.request.json` for the main
request, `<name>.sequence.json` and `trace/<name>.http.json` for all requests in order, each with method, url, headers
and body. Written is `<name>.json`: method, path, query without api-version, body, and the blob headers where a blob is
put; several requests are a list.
"""

import json
import pathlib
import sys
from urllib.parse import parse_qsl, urlsplit

HERE = pathlib.Path(__file__).parent
SINGLE = [
    "acr-listBuildSourceUploadUrl",
    "acr-run-cancel",
    "acr-run-get",
    "acr-run-listLogSasUrl",
    "acr-runs-list",
    "acr-scheduleRun-DockerBuildRequest",
    "acr-scheduleRun-EncodedTaskRunRequest",
    "acr-scheduleRun-FileTaskRunRequest",
    "batch-deployment-pipeline",
    "batch-endpoint",
    "batch-endpoint-default",
    "batch-invoke",
    "component-prep",
    "compute-amlcompute",
    "compute-delete",
    "compute-nodes",
    "compute-update",
    "data-asset",
    "environment-archive",
    "environment-build",
    "environment-conda",
    "environment-image",
    "job-cancel",
    "job-get",
    "job-list",
    "pipeline-component",
    "pipeline-from-component",
    "pipeline-literals",
    "pipeline-multistep",
    "pipeline-other-nodes",
    "pipeline-serverless-node",
    "schedule-cron",
    "schedule-delete",
    "schedule-disable",
    "schedule-existing-job",
    "schedule-list",
    "schedule-pipeline-component",
    "schedule-recurrence",
    "schedule-trigger",
]
SEQUENCES = {"code-upload": "code-upload.sequence.json"}
# The components that a pipeline job with inline steps registers first.
COMPONENTS_OF = ["pipeline-multistep", "pipeline-other-nodes", "pipeline-serverless-node"]
BLOB_HEADERS = {
    "if-none-match",
    "content-md5",
    "x-ms-blob-type",
    "x-ms-meta-upload_status",
    "x-ms-meta-name",
    "x-ms-meta-version",
}


def reduced(request):
    """One request without host, api-version, signature and the headers that every request has."""
    url = urlsplit(request["url"])
    signed = "sig" in dict(parse_qsl(url.query))
    result = {"method": request["method"], "path": url.path}
    query = {
        key: value
        for key, value in parse_qsl(url.query)
        if key == "comp" or not signed and key != "api-version"
    }
    headers = {key.lower(): value for key, value in request["headers"].items() if key.lower() in BLOB_HEADERS}
    if query:
        result["query"] = query
    if signed and headers:
        result["headers"] = headers
    if request["body"] is not None:
        result["body"] = request["body"]
    return result


def task_run(schedule):
    """A build under a name: azure-mgmt-containerregistrytasks 1.0.0b1 puts the body of `scheduleRun` into `runRequest`."""
    path = schedule["path"].replace("/scheduleRun", "/taskRuns/churn-py-9f2c1a7b")
    return {
        "method": "PUT",
        "path": path,
        "body": {"location": "westeurope", "properties": {"runRequest": schedule["body"]}},
    }


def read(path):
    """The capture in a file."""
    return json.loads(path.read_text())


def golden(folder):
    """The content of each golden file."""
    for name in SINGLE:
        yield name, reduced(read(folder / f"{name}.request.json"))
    yield "acr-taskRun", task_run(reduced(read(folder / "acr-scheduleRun-DockerBuildRequest.request.json")))
    for name, file in SEQUENCES.items():
        yield name, [reduced(request) for request in read(folder / file)]
    for name in COMPONENTS_OF:
        trace = read(folder / "trace" / f"{name}.http.json")
        requests = [
            request for request in trace if request["method"] == "PUT" and "/components/" in request["url"]
        ]
        yield f"{name}-components", [reduced(request) for request in requests]


def main():
    """Write the golden files, or compare them with the committed ones."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    wanted = {
        f"{name}.json": json.dumps(content, indent=2) + "\n"
        for name, content in golden(pathlib.Path(arguments[0]))
    }
    if "--check" not in sys.argv:
        for name, text in wanted.items():
            (HERE / name).write_text(text)
    actual = {path.name: path.read_text() for path in HERE.glob("*.json")}
    stale = sorted(name for name in wanted.keys() | actual.keys() if wanted.get(name) != actual.get(name))
    if stale:
        raise SystemExit(
            f"stale or without a capture: {', '.join(stale)}: run {pathlib.Path(__file__).name} FOLDER"
        )


if __name__ == "__main__":
    main()
