"""What one exchange with Azure shows: its operation, its outcome, and the shape of the answer. Pure functions.

The simulator reads answers in the same way in `src/facts/shape.rs`; `rules.json` has what both go by, and a test holds
both to the same facts.
"""

import json
import pathlib
import re
from urllib.parse import urlsplit

RULES = json.loads((pathlib.Path(__file__).parent / "rules.json").read_text())
# Headers whose presence is a fact; the others depend on the recorder, or say what no client decides by.
HEADERS = set(RULES["headers"])
# Maps whose keys people or graphs choose, or that depend on what was sent.
FREE = set(RULES["free"])
# What tells things of one operation apart.
VARIANTS = RULES["variants"]


def operation(method, url):
    """The method with the types of the path, without names: `PUT codes/versions`."""
    parts = urlsplit(url)
    path = [segment for segment in parts.path.split("/") if segment]
    lower = [segment.lower() for segment in path]
    if "runs" in lower and lower[0] == "history":
        below = path[lower.index("runs") + 2 :]
        return f"{method} history/runs" + "".join(f"/{segment}" for segment in below[:1])
    if ".blob." in parts.netloc or lower[:1] == ["blob"]:
        return f"{method} blob"
    if lower[:1] in (["v2"], ["oauth2"], ["acr"]):
        kinds = [word for word in lower if word in ("manifests", "tags", "exchange", "token", "_tags", "_manifests")]
        return f"{method} registry data{''.join(f' {kind}' for kind in kinds[:1])}"
    if "providers" not in lower or lower[0] != "subscriptions":
        return None
    provider, rest = lower[lower.index("providers") + 1], path[lower.index("providers") + 2 :]
    if not re.match(r"microsoft\.(machinelearning|containerreg)", provider):
        return None
    if rest and rest[0] == "locations":
        return f"{method} {rest[2]}" if len(rest) > 3 else None
    kinds = rest[2::2] or rest[:1]
    listed = " list" if method == "GET" and len(rest) % 2 else ""
    return f"{method} {'/'.join(kinds)}{listed}"


def variant(body):
    """What kind of thing an answer shows, where things of one operation differ in their keys."""
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(properties, dict):
        status = body.get("status") if isinstance(body, dict) and "name" in body and "id" in body else None
        if status is None:
            return None
        # Schedules and endpoints have operations of their own.
        whose = "schedule" if str(body["name"]).startswith("s:") else "endpoint"
        return f"{whose} {({'Succeeded': 'ended', 'Failed': 'failed'}).get(status, 'going on')}"
    spec, action = properties.get("componentSpec"), properties.get("action")
    if isinstance(spec, dict):
        return spec.get("type")
    if isinstance(action, dict):
        properties = action.get("jobDefinition") or {}
    if "build" in properties:
        return "build"
    return next((str(properties[key]) for key in VARIANTS if isinstance(properties.get(key), str)), None)


def kind(value):
    """The kind of a JSON value."""
    names = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "map"}
    return "null" if value is None else names[type(value)]


def keys(value, at="", found=None):
    """The places in a body with the kinds of what is there; the first three entries of a list stand for all."""
    found = {} if found is None else found
    if isinstance(value, dict) and not any("." in key for key in value):  # else these are the names of properties
        for key, entry in value.items():
            if key == "$schema":  # only the author's file has it
                continue
            place = f"{at}.{key}" if at else key
            found.setdefault(place, set()).add(kind(entry))
            people = key == "properties" and at.endswith(("properties", "jobDefinition"))
            if key not in FREE and not people:
                keys(entry, place, found)
    elif isinstance(value, list):
        for entry in value[:3]:
            keys(entry, f"{at}[]", found)
    return found


def codes(body):
    """The chain of error codes of an answer, the outer one first; those of `details` where there is no inner error."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        errors = body.get("errors") if isinstance(body, dict) else None
        first = errors[0] if isinstance(errors, list) and errors else None
        return [first["code"]] if isinstance(first, dict) and "code" in first else []
    chain = [error.get("code")]
    for entry in error.get("additionalInfo") or []:
        inner = entry["info"]["value"] if entry.get("type") == "InnerError" else None
        while isinstance(inner, dict):
            chain.append(inner.get("code"))
            inner = inner.get("innerError")
    if len(chain) == 1:
        chain += [entry["code"] for entry in (error.get("details") or [])[:1] if entry.get("code")]
    return [code for code in chain if code]


def seen(exchange):
    """The operation, variant and shape of an exchange; nothing for what is no operation of Azure's."""
    request, answer = exchange["request"], exchange["response"]
    name = operation(request["method"], request["url"])
    if name is None:
        return None
    body = answer.get("body")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            body = None
    headers = {key.lower() for key in answer.get("headers") or {}}
    return {
        "operation": name,
        "variant": variant(body),
        "status": answer["status"],
        "headers": headers & HEADERS,
        "codes": codes(body),
        "keys": keys(body) if isinstance(body, dict) else {},
    }
