#!/usr/bin/env python3
"""Reduce captured requests of real clients to the ones that the contract's tests replay: `requests.json`.

    recordings.py FOLDER… [--check]

Each FOLDER holds captures of Microsoft's clients (azure-ai-ml, az, management packages): JSON files with a request, a
list of them or `{"client", "requests"}`, each with method, url and body. Kept are those to Azure ML and ACR through
Azure Resource Manager, each once, without host and headers; one line each, so that the tests can name it.
"""

import json
import pathlib
import re
import sys
from urllib.parse import urlsplit

from table import finish

HERE = pathlib.Path(__file__).parent
PROVIDERS = re.compile(
    r"^/subscriptions/.*/providers/Microsoft\.(MachineLearningServices|ContainerRegistry)/", re.IGNORECASE
)
GENERATED = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}")


def requests(path):
    """The requests of a capture."""
    content = json.loads(path.read_text())
    content = content.get("requests", [content]) if isinstance(content, dict) else content
    return [entry for entry in content if isinstance(entry, dict) and "url" in entry]


def reduced(request):
    """Method, path with query, and body of a request through Azure Resource Manager; nothing for another."""
    url = urlsplit(request["url"])
    if not PROVIDERS.match(url.path):
        return None
    target = url.path + (f"?{url.query}" if url.query else "")
    body = {"body": request["body"]} if request.get("body") is not None else {}
    return {"method": request["method"], "target": target} | body


def main():
    """Collect the requests and write them."""
    folders = [argument for argument in sys.argv[1:] if argument != "--check"]
    if not folders:
        raise SystemExit(__doc__)
    found = {}
    for path in sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*.json")):
        for request in filter(None, map(reduced, requests(path))):
            # Polling and look-ups differ in ids alone.
            key = request if "body" in request else [request["method"], GENERATED.sub("", request["target"])]
            found.setdefault(json.dumps(key), {"from": path.name.partition(".")[0]} | request)
    finish(HERE / "requests.json", {"requests": list(found.values())}, "recordings.py")


if __name__ == "__main__":
    main()
