"""Adds what newer definitions have to types reduced from older ones, marked with `since`.

Two published forms are read: the types of bicep-types-az (requests and answers, with read-only flags) and the JSON
Schemas of azure-resource-manager-schemas (request bodies). What both versions have must agree; what differs otherwise
is returned as text, for the caller to compare with the differences it knows.
"""

import json

# Bits of a property's flags in bicep-types-az.
REQUIRED, READ_ONLY = 1, 2
# In ARM templates these stand beside the body; on the wire they are in the URL or read-only.
IN_THE_URL = {"apiVersion", "id", "name", "type"}


class Bicep:
    """The types of one provider and version."""

    def __init__(self, path):
        self.types = json.loads(path.read_text())

    def at(self, reference):
        """The type that a reference points to."""
        return self.types[int(reference["$ref"].rpartition("/")[2])]

    def resources(self):
        """Each resource type with its body."""
        for entry in self.types:
            if entry["$type"] == "ResourceType":
                yield entry["name"].partition("@")[0], self.at(entry["body"])

    def actions(self):
        """Each action of a resource that takes a body, with the body."""
        for entry in self.types:
            if entry["$type"] == "ResourceFunctionType" and "input" in entry:
                yield f"{entry['resourceType']}/{entry['name']}", self.at(entry["input"])

    def properties(self, node):
        """Name to node and flags."""
        own = {**node.get("baseProperties", {}), **node.get("properties", {})}
        return {
            name: (
                self.at(entry["type"]),
                {"required": bool(entry["flags"] & REQUIRED), "readOnly": bool(entry["flags"] & READ_ONLY)},
            )
            for name, entry in own.items()
        }

    def variants(self, node):
        """Value of the discriminator to node."""
        return {value: self.at(entry) for value, entry in node.get("elements", {}).items()}

    def inner(self, node):
        """The node of a list's entries or a map's values."""
        reference = node.get("itemType") or node.get("additionalProperties")
        return self.at(reference) if reference else None

    def enum(self, node):
        """The values of an enumeration, or nothing."""
        values = (
            [self.at(element) for element in node.get("elements", [])]
            if node["$type"] == "UnionType"
            else [node]
        )
        return [value["value"] for value in values if value["$type"] == "StringLiteralType"]

    def scalar(self, node):
        """The reduced schema of a node that is new."""
        kinds = {"StringType": "string", "IntegerType": "integer", "BooleanType": "boolean", "AnyType": "any"}
        enum = self.enum(node)
        if enum:
            return {"type": "string", "enum": enum}
        return {"type": kinds[node["$type"]]} | {
            key: node[key] for key in ("pattern", "minLength", "maxLength") if key in node
        }

    def is_object(self, node):
        """Whether the node has properties."""
        return node["$type"] in ("ObjectType", "DiscriminatedObjectType") and bool(self.properties(node))

    def is_list(self, node):
        """Whether the node is a list."""
        return node["$type"] == "ArrayType"


class ArmSchema:
    """The JSON Schemas of one provider and version."""

    def __init__(self, path):
        self.document = json.loads(path.read_text())

    def resources(self):
        """Each resource type with its body."""
        for entry in self.document["resourceDefinitions"].values():
            yield entry["properties"]["type"]["enum"][0], entry

    def actions(self):
        """These definitions have no actions."""
        return []

    def plain(self, node):
        """The node without the alternative of a template expression."""
        while True:
            choices = [one for one in node.get("oneOf", []) if "expression" not in one.get("$ref", "")]
            if "$ref" in node:
                node = self.document["definitions"][node["$ref"].rpartition("/")[2]]
            elif len(choices) == 1:
                node = choices[0]
            else:
                return node

    def properties(self, node):
        """Name to node and flags."""
        required = node.get("required", [])
        return {
            name: (self.plain(child), {"required": name in required, "readOnly": False})
            for name, child in node.get("properties", {}).items()
        }

    def variants(self, node):
        """Value of the discriminator to node."""
        found = {}
        for choice in (self.plain(one) for one in node.get("oneOf", [])):
            for child in choice.get("properties", {}).values():
                if len(child.get("enum", [])) == 1:
                    found[child["enum"][0]] = choice
        return found

    def inner(self, node):
        """The node of a list's entries or a map's values."""
        child = node.get("items") or node.get("additionalProperties")
        return self.plain(child) if isinstance(child, dict) else None

    def enum(self, node):
        """The values of an enumeration, or nothing."""
        return node.get("enum", [])

    def scalar(self, node):
        """The reduced schema of a node that is new."""
        return {
            key: node[key] for key in ("type", "enum", "pattern", "minLength", "maxLength") if key in node
        }

    def is_object(self, node):
        """Whether the node has properties."""
        return bool(node.get("properties"))

    def is_list(self, node):
        """Whether the node is a list."""
        return node.get("type") == "array"


class Merge:
    """One newer set of definitions laid over reduced types."""

    def __init__(self, types, newer, since):
        self.types, self.newer, self.since = types, newer, since
        self.seen, self.differences = set(), []
        # New objects whose properties are being read: name by node.
        self.within = {}

    def type(self, name, node):
        """Lay a node over a type."""
        if (name, id(node)) in self.seen or name not in self.types:
            return
        self.seen.add((name, id(node)))
        known = self.types[name]
        for value, child in self.newer.variants(node).items():
            if known.get("variants", {}).get(value):
                merged = self.newer.properties(node) | self.newer.properties(child)
                self.properties(known["variants"][value], merged, known["discriminator"])
        if "properties" in known:
            self.properties(name, self.newer.properties(node), None)

    def properties(self, name, newer, discriminator):
        """Lay named nodes over the properties of a type."""
        known = self.types[name]["properties"]
        for key, (node, flag) in sorted(newer.items()):
            if key in IN_THE_URL or key == discriminator:
                continue
            if key not in known:
                known[key] = self.new(node, f"{name}.{key}") | {
                    flag_name: True for flag_name, on in flag.items() if on
                }
                known[key]["since"] = self.since
            else:
                if bool(known[key].get("required")) != flag["required"]:
                    self.differences.append(f"{name}.{key} required: {flag['required']}")
                self.schema(known[key], node, f"{name}.{key}")

    def schema(self, known, node, where):
        """Lay a node over a schema."""
        if "ref" in known:
            self.type(known["ref"], node)
        elif "array" in known or "map" in known:
            inner = self.newer.inner(node)
            if inner is not None:
                self.schema(known.get("array") or known["map"], inner, f"{where}[]")
        elif "enum" in known:
            added = [value for value in self.newer.enum(node) if value not in known["enum"]]
            # One value is the discriminator of a subtype that is referred to directly.
            if added and len(known["enum"]) > 1:
                self.differences.append(f"{where} also {', '.join(added)}")
        elif known.get("pattern") != node.get("pattern") and "format" not in known:
            self.differences.append(f"{where} pattern: {node.get('pattern')}")

    def new(self, node, name):
        """The reduced schema of a node that the older definitions do not have."""
        if self.newer.is_list(node):
            return {"array": self.new(self.newer.inner(node), f"{name}[]")}
        if self.newer.is_object(node):
            # One that is in itself, as the details of an error, is the same type again.
            if id(node) in self.within:
                return {"ref": self.within[id(node)]}
            self.within[id(node)] = name
            entries = self.newer.properties(node).items()
            self.types[name] = {
                "properties": {
                    key: self.new(child, f"{name}.{key}")
                    | {flag_name: True for flag_name, on in flag.items() if on}
                    for key, (child, flag) in sorted(entries)
                }
            }
            del self.within[id(node)]
            return {"ref": name}
        inner = self.newer.inner(node)
        return {"map": self.new(inner, f"{name}.*")} if inner is not None else self.newer.scalar(node)
