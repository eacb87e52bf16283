"""Keeps the changes that the client asks Azure for, with the id under which Azure keeps what was made.

In: nothing. Out: requests as they left, one list for each file. Reads, tokens and blobs are left out: what a code version
holds is told by the hash in its own request.
"""

import contextlib
import json
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter


@contextlib.contextmanager
def recorded():
    """A list that fills with the changes that are asked for meanwhile."""
    requests = []
    send = HTTPAdapter.send

    def kept(self, request, stream=False, **options):
        response = send(self, request, stream=False, **options)
        path = urlsplit(request.url).path
        if request.method != "GET" and "/providers/" in path:
            requests.append(
                {
                    "method": request.method,
                    "path": path,
                    "body": _json(request.body),
                    "id": (_json(response.content) or {}).get("id") or path,
                }
            )
        return response

    HTTPAdapter.send = kept
    try:
        yield requests
    finally:
        HTTPAdapter.send = send


def _json(raw):
    """A body as JSON; nothing where it is none."""
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
