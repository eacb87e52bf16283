"""Compares exchanges with the facts of the recordings, as the simulator itself does in debug builds. No side effects."""

import json
import pathlib

from exchange import seen

# Codes of the resource manager's own, which it gives before a provider is asked.
GATEWAY = {
    "AuthorizationFailed",
    "HttpResourceNotFound",
    "InvalidResourceNamespace",
    "InvalidResourceType",
    "MissingApiVersionParameter",
    "ParentResourceNotFound",
    "ResourceGroupNotFound",
    "ResourceNotFound",
    "SubscriptionNotFound",
}
# How many recorded answers it takes to say that a key does not exist.
ENOUGH = 2
# Headers whose presence without a recording is a difference.
TELLING = {"retry-after", "azure-asyncoperation"}


def fits(pattern, text):
    """Whether a place is meant: equal, an end after `*`, or a beginning before `*`."""
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


class Facts:
    """The facts, and the differences on purpose."""

    def __init__(self, facts, differences):
        """Sorts the facts by operation, outcome and variant."""
        self.by = {(one["operation"], one["outcome"], one.get("variant", "")): one for one in facts}
        self.differences = differences

    @classmethod
    def load(cls, folder):
        """Reads both files."""
        folder = pathlib.Path(folder)
        facts = json.loads((folder / "facts.json").read_text())["facts"]
        return cls(facts, json.loads((folder / "differences.json").read_text()))

    def compare(self, exchange):
        """By operation and outcome, the differences as (text, reason or nothing); nothing for what has no facts."""
        one = seen(exchange)
        if one is None:
            return {}
        outcome = "ok" if one["status"] < 400 else str(one["status"])
        fact = self.by.get((one["operation"], outcome, one["variant"] or ""))
        if fact is None or (outcome != "ok" and set(one["codes"][:1]) & GATEWAY):
            return {}
        key = f"{one['operation']} {outcome}"
        return {key: [(f"{what} {place}", self.reason(one["operation"], what, place)) for what, place in found(one, fact)]}

    def reason(self, operation, what, place):
        """Why a difference is one on purpose."""
        for one in self.differences:
            here = any(fits(name, operation) for name in one["operations"])
            if one["what"] == what and here and any(fits(at, place) for at in one["at"]):
                return one["reason"]
        return None


def found(one, fact):
    """The differences of what was seen: (what, where)."""
    yield from status(one, fact)
    headers = set(fact.get("headers", []))
    yield from (("Header", name) for name in sorted(headers - one["headers"]))
    known = headers | set(fact.get("headersSometimes", []))
    yield from (("Header", name) for name in sorted((one["headers"] & TELLING) - known))
    yield from keys(one["keys"], fact)


def status(one, fact):
    """A status or a chain of codes that no recording has; of refusals other than 404 the outer code counts."""
    recorded = [tuple(chain) for chain in fact.get("codes", [])]
    if one["status"] not in fact["statuses"]:
        yield "Status", str(one["status"])
    elif one["status"] >= 400 and (recorded or one["codes"]):
        chain = tuple(one["codes"])
        same = chain in recorded if one["status"] == 404 else chain[:1] in [known[:1] for known in recorded]
        if not same:
            yield "Codes", " > ".join(chain)


def keys(have, fact):
    """Keys that are missing, that no recording has, or whose values are of another kind."""
    recorded = {key.rstrip("?-"): (key[-1] if key[-1] in "?-" else "", kinds) for key, kinds in fact.get("keys", {}).items()}

    def there(key):
        holder = key.rpartition(".")[0].removesuffix("[]")
        return not holder or "map" in have.get(holder, ()) or any(other.startswith(f"{holder}[].") for other in have)

    for key, (mark, _) in recorded.items():
        if not mark and key not in have and there(key):
            yield "Missing", key
    for key, kinds in sorted(have.items()):
        mark, known = recorded.get(key, (None, ""))
        holder = key.rpartition(".")[0].removesuffix("[]")
        if mark is None:
            # Where all recordings have null, nothing is known of what is below.
            if fact["answers"] >= ENOUGH and (not holder or {"map", "list"} & set(recorded.get(holder, ("", ""))[1].split("|"))):
                yield "Extra", key
        elif mark == "-":
            yield "Extra", key
        elif known != "null" and kinds - set(known.split("|")) - {"null"}:
            yield "Kind", key
