"""Writes what the clients send and get into a file: a trace in the form of the recordings of real Azure.

One line is one exchange: `{"at", "request": {"method", "url", "body"}, "response": {"status", "headers", "body"}}`. Tokens
and signatures are left out.
"""

import datetime
import json
import os
import re

from requests.adapters import HTTPAdapter

SECRETS = re.compile(r"(sig=)[^&\"]+")


def content(raw, kind):
    """A body: JSON, text, or nothing."""
    if not raw:
        return None
    if "json" not in (kind or ""):
        return f"{{{len(raw)} bytes}}"
    return json.loads(SECRETS.sub(r"\1{sig}", raw.decode() if isinstance(raw, bytes) else raw))


def exchange(request, response):
    """One exchange as a line."""
    headers = {
        name: SECRETS.sub(r"\1{sig}", value)
        for name, value in response.headers.items()
        if name.lower() not in ("date", "server")
    }
    return {
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"),
        "request": {
            "method": request.method,
            "url": SECRETS.sub(r"\1{sig}", request.url),
            "body": content(request.body, request.headers.get("Content-Type")),
        },
        "response": {
            "status": response.status_code,
            "headers": headers,
            "body": content(response.content, response.headers.get("Content-Type")),
        },
    }


def start(folder):
    """Trace this process's requests from now on, into a file of its own in the folder."""
    send = HTTPAdapter.send

    def traced(self, request, stream=False, **options):
        response = send(self, request, stream=False, **options)
        if "/oauth2/v2.0/token" not in request.url:
            with open(os.path.join(folder, f"{os.getpid()}.jsonl"), "a", encoding="utf-8") as file:
                print(json.dumps(exchange(request, response)), file=file)
        return response

    HTTPAdapter.send = traced
