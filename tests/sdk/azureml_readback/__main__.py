"""Command line of the reading back.

    python3 tests/sdk/run.py readback --endpoint https://127.0.0.1:1234 --ca ca.pem --tenant T objects.json

objects.json is what `kubectl get mlworkspaces,mlcomputes,… --all-namespaces --output json` prints: the manifests are
each object's `spec`, the names in Azure are in its `status`. Prints what was compared, a line for each difference, and
ends with 1 when there is one, or when an object has nothing in Azure.
"""

import argparse
import json
import pathlib
import sys

from azureml_readback.connection import Connection
from azureml_readback.kinds import READERS
from azureml_readback.objects import Objects
from azureml_readback.report import Report


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="azureml_readback", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--endpoint", required=True, help="where Azure is")
    parser.add_argument("--ca", required=True, help="the certificate authority of the endpoint, a PEM file")
    parser.add_argument("--tenant", required=True, help="the tenant to sign in to")
    parser.add_argument(
        "--kind", action="append", choices=READERS, help="read only this kind; may be repeated"
    )
    parser.add_argument("objects", type=pathlib.Path, help="the objects as JSON, or - for the standard input")
    return parser.parse_args()


def read(objects, connection, kinds, report):
    """Compare each object of the kinds with what Azure shows."""
    clients = {}
    for item in objects.items:
        if item["kind"] not in kinds:
            continue
        spec = objects.workspace_of(item)["spec"]
        where = (spec["subscriptionId"], spec["resourceGroup"], spec["workspaceName"])
        if where not in clients:
            clients[where] = connection.in_subscription(where[0]).ml(*where[1:])
        with report.about(item):
            READERS[item["kind"]](clients[where], objects, item, report)


def main():
    """Read, print, and say by the exit code whether all is the same."""
    options = arguments()
    text = sys.stdin.read() if str(options.objects) == "-" else options.objects.read_text()
    objects, report = Objects(json.loads(text)), Report()
    connection = Connection(options.endpoint, options.ca, options.tenant, "")
    read(objects, connection, options.kind or list(READERS), report)
    print(report)
    sys.exit(0 if report.is_same() else 1)


if __name__ == "__main__":
    main()
