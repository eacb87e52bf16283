"""The data of the simulator's contract that are taken from the client that is installed here."""

import os
import pathlib
import subprocess
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "simulator" / "contract"


def test_the_free_parts_are_what_this_client_writes():
    # The client has put the cloud of the other checks there.
    environ = {key: value for key, value in os.environ.items() if key != "AZUREML_CURRENT_CLOUD"}
    ended = subprocess.run(
        [sys.executable, SCRIPTS / "client.py", "--check"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
