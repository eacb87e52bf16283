"""A simulator for the checks, and Microsoft's clients connected to it."""

import json
import os
import pathlib
import ssl
import subprocess
import urllib.request
import uuid

import pytest
import trace_requests as trace
from azure.core.polling.base_polling import LROBasePolling
from azureml_readback.connection import Connection

# Azure asks for no wait, and the clients' own is made for Azure's times: the simulator is a hundred times as fast.
LROBasePolling._extract_delay = lambda self: 0.3

RESOURCE_GROUP, WORKSPACE = "rg-ml", "team-a"
REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


def pytest_addoption(parser):
    """The binary to check, and where to write what it answers."""
    parser.addoption("--simulator", help="the simulator's binary; without it, it is built with cargo")
    parser.addoption("--exchanges", help="a folder for what is sent and answered, in the form of the recordings")


def pytest_configure(config):
    """The trace begins before the first client is made."""
    if config.getoption("--exchanges"):
        trace.start(config.getoption("--exchanges"))


def binary(config):
    """The path of the simulator."""
    given = config.getoption("--simulator")
    if given:
        return given
    # With the features of the whole workspace, as everything else is built.
    subprocess.run(
        ["cargo", "build", "--workspace", "--bin", "azureml-simulator"], cwd=REPOSITORY, check=True
    )
    target = os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target"
    return pathlib.Path(target) / "debug" / "azureml-simulator"


def unpublished_answers(connection):
    """What the simulator has answered that Azure would not."""
    trust = ssl.create_default_context(cafile=connection.ca_file)
    with urllib.request.urlopen(f"{connection.endpoint}/_simulator/requests", context=trust) as answer:
        log = json.load(answer)
    return [
        f"{entry['method']} {entry['url']}: {text}"
        for entry in log["value"]
        for text in entry["answerViolations"]
    ]


@pytest.fixture(scope="session")
def connection(request, tmp_path_factory):
    """A running simulator with one workspace."""
    folder = tmp_path_factory.mktemp("simulator")
    command = [
        binary(request.config),
        "--listen",
        "127.0.0.1:0",
        "--dir",
        folder,
        "--workspace",
        f"{RESOURCE_GROUP}/{WORKSPACE}",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            ready = json.loads(process.stdout.readline())
            connection = Connection(
                ready["endpoint"], ready["caFile"], ready["tenantId"], ready["subscriptionId"]
            )
            yield connection
            unpublished = unpublished_answers(connection)
            assert not unpublished, "\n".join(unpublished)
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def ml(connection):
    """Microsoft's client of the workspace."""
    return connection.ml(RESOURCE_GROUP, WORKSPACE)


@pytest.fixture
def name():
    """A name that no other check has: letters and digits, with a letter at both ends."""
    return f"n{uuid.uuid4().hex[:10]}z"
