"""Sends files of `az ml` with Microsoft's client, each to a workspace of its own.

    python3 tests/sdk/run.py differential --endpoint https://127.0.0.1:1234 --ca ca.pem --tenant T \
        --subscription S --group G FILE=WORKSPACE…

Prints a line of JSON for each file as soon as it is done: `{"file", "sent": …, "requests": […]}` with what the file is and
what it made the client send, or `{"file", "refused": …}` with what the client says.
"""

import argparse
import json
import logging
import warnings

from azure.core.polling.base_polling import LROBasePolling
from azureml_readback.connection import Connection

from differential.files import send
from differential.recorder import recorded

# Azure asks for no wait, and the client's own is made for Azure's times: the simulator is a hundred times as fast.
LROBasePolling._extract_delay = lambda self: 0.05


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="differential", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--endpoint", required=True, help="where Azure is")
    parser.add_argument("--ca", required=True, help="the certificate authority of the endpoint, a PEM file")
    parser.add_argument("--tenant", required=True, help="the tenant to sign in to")
    parser.add_argument("--subscription", required=True, help="the subscription of the workspaces")
    parser.add_argument("--group", required=True, help="their resource group")
    parser.add_argument("files", nargs="+", metavar="FILE=WORKSPACE")
    return parser.parse_args()


def main():
    """Send each file; what the client refuses is no failure of this program."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    options = arguments()
    connection = Connection(options.endpoint, options.ca, options.tenant, options.subscription)
    for pair in options.files:
        file, _, workspace = pair.rpartition("=")
        try:
            with recorded() as requests:
                what = send(connection.ml(options.group, workspace), file)
            said = {"sent": what, "requests": requests}
        # Whatever the client raises is its answer to this file.
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            said = {"refused": f"{type(error).__name__}: {error}"}
        print(json.dumps({"file": file, **said}), flush=True)


if __name__ == "__main__":
    main()
