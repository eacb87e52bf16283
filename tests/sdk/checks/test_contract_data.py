"""The data of the simulator's contract that are taken from the client that is installed here."""

import pathlib
import subprocess
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "simulator" / "contract"


def test_the_free_parts_are_what_this_client_writes():
    ended = subprocess.run(
        [sys.executable, SCRIPTS / "client.py", "--check"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
