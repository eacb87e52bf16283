"""Holds what the simulator answers Microsoft's client against the recordings of real Azure.

    run.py recordings [--simulator PATH] [--trace FILE] [pytest's arguments]

It runs the checks and writes their exchanges down (`--trace` keeps them, in the form of the recordings). Each operation
and outcome that is recorded must agree with the facts of the recordings (`tests/simulator/facts`), or its differences be
in the table of differences, with a reason. Prints what differs, then `agree A/N`; ends with 1 when A is not N, or a check has failed.
"""

import argparse
import collections
import json
import pathlib
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
FACTS = HERE.parent / "simulator" / "facts"
sys.path.insert(0, str(FACTS))
from compare import Facts  # noqa: E402 (the simulator's scripts are no package)


def drive(arguments, folder):
    """Run the checks, each process with a trace of its own; whether one has failed, and the exchanges in their order."""
    options = ["--numprocesses", "4", "--rootdir", str(HERE), "--exchanges", folder, str(HERE / "checks")]
    failed = pytest.main([*options, *arguments]) != 0
    lines = [line for path in pathlib.Path(folder).glob("*.jsonl") for line in path.read_text().splitlines()]
    return failed, sorted((json.loads(line) for line in lines), key=lambda exchange: exchange["at"])


def main():
    """Drive, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulator", help="the simulator's binary; without it, it is built with cargo")
    parser.add_argument("--trace", help="a file for the exchanges")
    known, rest = parser.parse_known_args()
    given = ["--simulator", known.simulator] if known.simulator else []
    with tempfile.TemporaryDirectory() as folder:
        failed, exchanges = drive([*given, *rest], folder)
    if known.trace:
        text = "".join(json.dumps(exchange) + "\n" for exchange in exchanges)
        pathlib.Path(known.trace).write_text(text)
    facts = Facts.load(FACTS)
    found, explained = collections.defaultdict(set), collections.defaultdict(set)
    for exchange in exchanges:
        for key, differences in facts.compare(exchange).items():
            found[key].update(text for text, reason in differences if reason is None)
            explained[key].update(reason for _, reason in differences if reason is not None)
    for key in sorted(found):
        for text in sorted(found[key]):
            print(f"{key}: {text}")
    agree = sum(1 for key in found if not found[key])
    plain = sum(1 for key in found if not found[key] and not explained[key])
    print(f"agree {agree}/{len(found)}: {plain} without any difference, {agree - plain} with reasons in the table")
    raise SystemExit(1 if failed or agree != len(found) else 0)


if __name__ == "__main__":
    main()
