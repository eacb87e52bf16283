"""The reduced form that both scripts write: named types of properties, one line each, and the same for routes.

A schema is `type` (string, integer, number, boolean, any), `ref`, `array`, `map` or `anyOf`, with enum, pattern, lengths,
bounds and format, and as a property with the flags required, readOnly, createOnly, nullable, since and binding. A type
has `properties` (and `map` when other names are allowed), or a `discriminator` with `variants` (null: known to Azure,
left out here) and a `default` for an object without it.
"""

import json
import sys

FACETS = ("pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "format")
# Formats that are checked; the others say nothing about the text on the wire.
FORMATS = {"date-time", "duration", "uuid", "int32", "int64"}


def facets(node):
    """The facets of a primitive schema that are checked."""
    kept = {key: node[key] for key in FACETS if key in node}
    if kept.get("format") not in FORMATS:
        kept.pop("format", None)
    return kept


def references(value):
    """All type names that a schema, type or route refers to."""
    if isinstance(value, list):
        for entry in value:
            yield from references(entry)
    if isinstance(value, dict):
        for key, entry in value.items():
            if key in ("ref", "body", "default") and isinstance(entry, str):
                yield entry
            elif key in ("variants", "responses"):
                yield from (name for name in entry.values() if name)
            else:
                yield from references(entry)


def reachable(types, roots):
    """The types that the roots need, sorted by name."""
    found, queue = set(), list(references(roots))
    while queue:
        name = queue.pop()
        if name in types and name not in found:
            found.add(name)
            queue.extend(references(types[name]))
    return {name: types[name] for name in sorted(found)}


def lines(entries):
    """JSON text of a list or map, one entry a line."""

    def short(entry):
        return json.dumps(entry, separators=(",", ":"), ensure_ascii=False)

    if isinstance(entries, list):
        return "[\n" + ",\n".join(short(entry) for entry in entries) + "\n]"
    return "{\n" + ",\n".join(f"{short(key)}:{short(entry)}" for key, entry in entries.items()) + "\n}"


def finish(path, sections, script):
    """Write the sections to the file, or, with `--check`, fail when the file differs."""
    text = "{\n" + ",\n".join(f'"{name}":{lines(entries)}' for name, entries in sections.items()) + "\n}\n"
    if "--check" not in sys.argv:
        path.write_text(text)
    elif path.read_text() != text:
        raise SystemExit(f"{path.name} is stale: run {script}")
