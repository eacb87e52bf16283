"""Values as manifests and Azure write them, made comparable. Pure."""

import re

from azure.ai.ml import Input

UNITS = {"h": 3600, "m": 60, "s": 1}


def seconds(duration):
    """The seconds of `90s`, `5m` or `1h30m`; nothing for nothing."""
    if duration is None:
        return None
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", duration))


def literal(value):
    """A scalar of a manifest as Azure stores it: text, and booleans as Python writes them."""
    return None if value is None else str(value)


def shown(port):
    """What is bound to an input or output of a job or a step."""
    data = getattr(port, "_data", port)
    if isinstance(data, Input):
        data = data.path if data.path is not None else data.default
    return literal(getattr(data, "path", data))


def number(value):
    """A number however it is written."""
    return None if value is None else float(value)


def folded(text):
    """An id or a name of Azure, whose case does not count."""
    return None if text is None else text.casefold()
