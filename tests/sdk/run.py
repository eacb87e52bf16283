#!/usr/bin/env python3
"""Run something with Microsoft's pinned clients installed: the checks of the simulator, or the reading back.

    run.py checks [--simulator PATH] [pytest's arguments]     without a path the simulator is built with cargo
    run.py recordings [--simulator PATH] [--trace FILE]       the checks' exchanges against the recordings of Azure
    run.py readback --help                                    see azureml_readback
    run.py differential --help                                what the client sends for files of az ml
    run.py python [arguments]                                 the interpreter itself

The packages are installed once, in a virtual environment in the user's cache folder whose name is made of the locked
requirements and the version of Python. Needs Python 3.10 or later with `venv`.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
LOCK = HERE / "requirements.txt"
COMMANDS = {
    "checks": ["-m", "pytest", "--numprocesses", "4", "--rootdir", str(HERE), str(HERE / "checks")],
    "recordings": [str(HERE / "recordings.py")],
    "readback": ["-m", "azureml_readback"],
    "differential": ["-m", "differential"],
    "python": [],
}


def cache():
    """The folder of this project below the user's cache folder."""
    return (
        pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "azureml-operator"
    )


def environment():
    """The virtual environment with what is locked; made when it is not there."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(LOCK.read_bytes() + version.encode()).hexdigest()[:12]
    folder = cache() / f"sdk-{version}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    # One at a time: tests that run side by side all ask for it.
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            install(folder)
    return folder / "bin" / "python"


def install(folder):
    """Make the virtual environment and install into it; what an interrupted run has left is removed."""
    started = time.monotonic()
    print(f"installing Microsoft's clients into {folder}; this is done once", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [
        folder / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
    ]
    subprocess.run([*pip, "--requirement", LOCK], check=True)
    (folder / "complete").touch()
    print(f"installed in {time.monotonic() - started:.0f} s", file=sys.stderr)


def main():
    """Run the command in the virtual environment, in place of this process."""
    if sys.version_info < (3, 10):  # noqa: UP036 (an older one is told)
        raise SystemExit(
            f"Python {sys.version.split()[0]} is too old for the locked packages: run this with Python 3.10 or later"
        )
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        raise SystemExit(__doc__)
    python = environment()
    environ = dict(os.environ, PYTHONPATH=str(HERE), PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore")
    os.execve(python, [str(python), *COMMANDS[sys.argv[1]], *sys.argv[2:]], environ)


if __name__ == "__main__":
    main()
