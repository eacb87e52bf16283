"""Reads OpenAPI 2 definitions of Azure Resource Manager and reduces operations and the types they need."""

import json
import pathlib

from table import facets


class Swagger:
    """The definitions below one folder, and the types reduced so far."""

    def __init__(self, left_out, free):
        """`left_out`: base type to the subtypes that are only named; `free`: schemas for parts without a definition."""
        self.left_out, self.free = left_out, free
        self.files, self.types, self.home = {}, {}, {}

    def load(self, path):
        """The parsed file, read once."""
        path = pathlib.Path(path).resolve()
        if path not in self.files:
            self.files[path] = json.loads(path.read_text())
        return self.files[path]

    def resolve(self, file, node):
        """Follow references: the file, the node, and the name of the last definition on the way."""
        name = None
        while "$ref" in node:
            target, _, fragment = node["$ref"].partition("#")
            file = (file.parent / target).resolve() if target else file
            node = self.load(file)
            for key in fragment.strip("/").split("/"):
                name, node = key, node[key]
        return file, node, name

    def routes(self, file, service, wanted, read_only):
        """The routes of a file whose path matches."""
        file = pathlib.Path(file).resolve()
        for path, operations in sorted(self.load(file)["paths"].items()):
            if wanted.search(path):
                methods = {
                    method.upper(): self.operation(file, operation)
                    for method, operation in sorted(operations.items())
                    if method == "get" or not read_only.search(path)
                }
                yield {"service": service, "path": path, "methods": methods}

    def parameters(self, file, operation):
        """Each parameter of an operation, resolved."""
        return [self.resolve(file, parameter)[:2] for parameter in operation.get("parameters", [])]

    def operation(self, file, operation):
        """Name, query, body and answers of one operation; an answer without a body is null."""
        result, query = {}, {}
        for where, node in self.parameters(file, operation):
            if node["in"] == "query" and node["name"] != "api-version":
                required = {"required": True} if node.get("required") else {}
                query[node["name"]] = self.schema(where, node, None, node["name"]) | required
            elif node["in"] == "body":
                result["body"] = self.schema(where, node["schema"], None, "body")["ref"]
                result["bodyRequired"] = bool(node.get("required"))
            elif node["in"] == "path" and operation["operationId"].endswith(("CreateOrUpdate", "_Create")):
                # The last name in the path is the one that is given to what is made.
                result["name"] = facets(node)
        if query:
            result["query"] = query
        result["responses"] = {}
        for status, answer in operation["responses"].items():
            schema = answer.get("schema")
            result["responses"][status] = self.schema(file, schema, None, "answer")["ref"] if schema else None
        return result

    def schema(self, file, node, owner, key):
        """The reduced schema of a node; an object becomes a named type."""
        if (owner, key) in self.free:
            return dict(self.free[(owner, key)])
        file, node, name = self.resolve(file, node)
        kind = node.get("type")
        if "properties" in node or "allOf" in node or "discriminator" in node:
            return {"ref": self.define(file, node, self.unique(file, name or f"{owner}.{key}"))}
        if kind == "array":
            return {"array": self.schema(file, node["items"], owner, f"{key}[]")} | facets(node)
        if kind == "object" and isinstance(node.get("additionalProperties"), dict):
            values = node["additionalProperties"]
            nullable = {"nullable": True} if values.get("x-nullable") else {}
            return {"map": self.schema(file, values, owner, f"{key}.*") | nullable}
        if "enum" in node:
            return {"type": kind, "enum": node["enum"]}
        # A plain object without properties is any JSON value in these definitions.
        return {"type": "any"} if kind in (None, "object") else {"type": kind} | facets(node)

    def unique(self, file, name):
        """The name, with the folder of its file when another file has a type of that name."""
        return name if self.home.setdefault(name, file) == file else f"{name}@{file.parent.name}"

    def define(self, file, node, name):
        """Reduce an object definition to a named type and return the name."""
        if name not in self.types:
            self.types[name] = {}
            if "discriminator" in node:
                variants = {
                    value: self.variant(found, name)
                    for value, found in sorted(self.subtypes(file, name).items())
                }
                if not variants:
                    self.types[name] = self.object(file, node, name)
                else:
                    self.types[name] = {"discriminator": node["discriminator"], "variants": variants}
            else:
                self.types[name] = self.object(file, node, name)
        return name

    def variant(self, found, base):
        """The type name of a subtype, or nothing when it is left out."""
        file, node, name, value = found
        return (
            None if value in self.left_out.get(base, ()) else self.define(file, node, self.unique(file, name))
        )

    def subtypes(self, file, base):
        """The subtypes of a polymorphic definition, by the value of the discriminator."""
        found = {}
        for name, node in self.load(file)["definitions"].items():
            if any(parent.get("$ref") == f"#/definitions/{base}" for parent in node.get("allOf", [])):
                value = node.get("x-ms-discriminator-value", name)
                found[value] = (file, node, name, value)
                found.update(self.subtypes(file, name))
        return found

    def object(self, file, node, name):
        """Properties of a definition and of all it inherits from."""
        properties, required, values, discriminator = self.flat(file, node)
        reduced = {}
        for key, (where, child) in sorted(properties.items()):
            reduced[key] = self.schema(where, child, name, key) | flags(child)
            if key in required:
                reduced[key]["required"] = True
        if discriminator in reduced:
            reduced[discriminator] = {
                "type": "string",
                "enum": [node.get("x-ms-discriminator-value", name)],
                "required": True,
            }
        result = {"properties": reduced}
        if isinstance(values, dict):
            result["map"] = self.schema(file, values, name, "*")
        return result

    def flat(self, file, node):
        """Properties, required names, free values and discriminator, inherited ones first."""
        properties, required, values, discriminator = {}, set(), None, node.get("discriminator")
        for parent in node.get("allOf", []):
            where, resolved, _ = self.resolve(file, parent)
            inherited = self.flat(where, resolved)
            properties.update(inherited[0])
            required |= inherited[1]
            values, discriminator = inherited[2] or values, inherited[3] or discriminator
        properties.update({key: (file, child) for key, child in node.get("properties", {}).items()})
        return (
            properties,
            required | set(node.get("required", [])),
            node.get("additionalProperties", values),
            discriminator,
        )


def flags(node):
    """The flags of a property, as written next to it."""
    found = {}
    if node.get("readOnly"):
        found["readOnly"] = True
    if sorted(node.get("x-ms-mutability", [])) == ["create", "read"]:
        found["createOnly"] = True
    if node.get("x-nullable"):
        found["nullable"] = True
    return found
