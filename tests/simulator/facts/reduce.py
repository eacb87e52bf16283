#!/usr/bin/env python3
"""Reduce recorded exchanges with Azure to facts: `facts.json`. No recorded body or value is copied.

    reduce.py FOLDER [--check]

FOLDER holds recordings: JSON files with source, recordedAt and exchanges. A fact is what all recordings of one operation
and outcome have in common: statuses, headers, chains of codes, and the keys of the answers with their kinds. A key ends
with `?` when some answers do not have it, and with `-` when no answer after a point in time has it any more. `seconds`
tells how long the operation behind an answer took. Sources are the recordings' repositories, paths and commits.
"""

import datetime
import json
import pathlib
import re
import sys

from exchange import seen

HERE = pathlib.Path(__file__).parent
# Answers without a key, after the last one with it, that make it one of the past.
LATER = 2
STATUSES = {"Succeeded", "Failed", "Canceled"}


def source(recording):
    """Where a recording comes from."""
    origin = recording["source"]
    return f"{origin['repo']}@{origin['commit'][:12]}:{origin['path']}"


def seconds(exchanges, at):
    """The time from an answer to the end of its operation, as far as it was polled."""
    headers = {key.lower(): value for key, value in (exchanges[at]["response"].get("headers") or {}).items()}
    url = headers.get("azure-asyncoperation")
    for later in exchanges[at + 1 :]:
        body = later["response"].get("body")
        ended = isinstance(body, dict) and body.get("status") in STATUSES
        timed = exchanges[at].get("at") and later.get("at")
        if url and ended and timed and later["request"]["url"].split("?")[0] == url.split("?")[0]:
            times = [datetime.datetime.fromisoformat(one["at"]) for one in (exchanges[at], later)]
            return round((times[1] - times[0]).total_seconds())
    return None


def restored(exchange, name):
    """An exchange whose URL has its type again, where the recorder took it for the registry's name."""
    request = exchange["request"]
    kind = "taskRuns" if name.startswith("acr-task-run") else "runs"
    url = re.sub(r"(registries/\{registry\})/\{registry\}(?=/[a-z]{2}\d+\b)", r"\1/runs", request["url"])
    url = url.replace("registries/{registry}/{registry}", f"registries/{{registry}}/{kind}")
    return exchange | {"request": request | {"url": url}}


def collect(folder):
    """Everything seen, by operation and outcome."""
    groups = {}
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        recording = json.loads(path.read_text())
        exchanges = recording["exchanges"]
        for at, exchange in enumerate(exchanges):
            one = seen(restored(exchange, path.name))
            if one is None:
                continue
            outcome = "ok" if one["status"] < 400 else str(one["status"])
            key = (one["operation"], outcome, one["variant"] or "")
            one |= {"at": (exchange.get("at") or recording["recordedAt"])[:10]}
            one |= {"source": source(recording), "seconds": seconds(exchanges, at)}
            groups.setdefault(key, []).append(one)
    return groups


def mark(key, group):
    """`?` for a key that is not always there where what holds it is, `-` for one of the past."""
    holder = key.rpartition(".")[0].removesuffix("[]")
    group = [one for one in group if not holder or one["keys"].get(holder, set()) & {"map", "list"}]
    with_it = [one["at"] for one in group if key in one["keys"]]
    later = [one for one in group if one["at"] > max(with_it)]
    if len(with_it) == len(group):
        return ""
    return "-" if len(later) >= LATER else "?"


def fact(key, group, sources):
    """What all of a group have in common."""
    names = sorted({name for one in group for name in one["keys"]})
    kinds = {name: sorted(set().union(*(one["keys"].get(name, set()) for one in group))) for name in names}
    times = sorted(one["seconds"] for one in group if one["seconds"] is not None)
    found = {
        "operation": key[0],
        "outcome": key[1],
        "variant": key[2],
        "answers": len(group),
        "from": min(one["at"] for one in group)[:7],
        "to": max(one["at"] for one in group)[:7],
        "statuses": sorted({one["status"] for one in group}),
        "codes": sorted({tuple(one["codes"]) for one in group if one["codes"]}),
        "headers": sorted(set.intersection(*(one["headers"] for one in group))),
        "headersSometimes": sorted(
            set.union(*(one["headers"] for one in group)) - set.intersection(*(one["headers"] for one in group))
        ),
        "keys": {name + mark(name, group): "|".join(kinds[name]) for name in names},
        "seconds": times,
        "sources": sorted({sources.setdefault(one["source"], len(sources)) for one in group}),
    }
    return {name: value for name, value in found.items() if value not in ([], {}, "")}


def main():
    """Reduce the folder and write the facts, or compare them."""
    folders = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(folders) != 1:
        raise SystemExit(__doc__)
    groups, sources = collect(folders[0]), {}
    facts = [fact(key, group, sources) for key, group in sorted(groups.items())]
    lines = [json.dumps(one, separators=(",", ":")) for one in facts]
    origins = [json.dumps(one) for one in sources]
    text = '{"facts":[\n' + ",\n".join(lines) + '\n],"sources":[\n' + ",\n".join(origins) + "\n]}\n"
    path = HERE / "facts.json"
    if "--check" not in sys.argv:
        path.write_text(text)
    elif path.read_text() != text:
        raise SystemExit(f"{path.name} is stale: run facts/reduce.py")


if __name__ == "__main__":
    main()
