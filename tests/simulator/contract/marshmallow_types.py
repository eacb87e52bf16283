"""Reduces the marshmallow fields of Microsoft's client to the table's schemas."""

from azure.ai.ml._schema.core.fields import ArmStr, RegistryStr
from marshmallow import fields

REFERENCES = (ArmStr, RegistryStr)


class Schemas:
    """Nested schemas become named types of the table that is given."""

    def __init__(self, types):
        self.types = types

    def property(self, field, name):
        """A field as a property, with its flags."""
        flags = {"required": True} if field.required else {}
        return self.field(field, name) | flags

    def field(self, field, name):
        """The schema of a field's value as it is dumped."""
        inner = getattr(field, "_experimental_field", None)
        if inner is not None:
            return self.field(inner, name)
        choices = getattr(field, "_union_fields", None)
        if choices is not None:
            return self.union(choices, name)
        if isinstance(field, fields.Nested):
            return {"ref": self.nested(field.schema)}
        if isinstance(field, fields.Dict):
            return {
                "map": self.field(field.value_field, f"{name}.*") if field.value_field else {"type": "any"}
            }
        if isinstance(field, fields.List):
            return {"array": self.field(field.inner, f"{name}[]")}
        return self.scalar(field)

    def scalar(self, field):
        """The schema of a field without parts."""
        if getattr(field, "allowed_values", None):
            return {"type": "string", "enum": list(field.allowed_values)}
        kinds = (
            (fields.Integer, "integer"),
            (fields.Number, "number"),
            (fields.Boolean, "boolean"),
            (fields.Raw, "any"),
        )
        for kind, name in kinds:
            if isinstance(field, kind):
                return {"type": name}
        return {"type": "string"}

    def union(self, choices, name):
        """One schema for several alternatives."""
        if any(isinstance(choice, REFERENCES) for choice in choices):
            # An object or a reference to one (code, environment, component): the client sends the reference.
            return {"type": "string"}
        choices = [getattr(choice, "_experimental_field", choice) for choice in choices]
        nested = [choice.schema for choice in choices if isinstance(choice, fields.Nested)]
        found = [self.field(choice, name) for choice in choices if not isinstance(choice, fields.Nested)]
        if len(nested) > 1:
            found.append({"ref": self.alternatives(nested, name)})
        elif nested:
            found.append({"ref": self.nested(nested[0])})
        distinct = [schema for index, schema in enumerate(found) if schema not in found[:index]]
        return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}

    def nested(self, schema):
        """A nested schema as a type, named after its class."""
        name = f"client.{type(schema).__name__.removesuffix('Schema')}"
        if name not in self.types:
            self.types[name] = {}
            entries = sorted(schema.fields.items())
            self.types[name] = {
                "properties": {
                    field.data_key or key: self.property(field, f"{name}.{key}") for key, field in entries
                }
            }
        return name

    def alternatives(self, schemas, name):
        """Several nested schemas as one type: by the values of `type`, or, without it, all keys together."""
        values = [getattr(schema.fields.get("type"), "allowed_values", None) for schema in schemas]
        if all(values) and len({value for some in values for value in some}) == sum(
            len(some) for some in values
        ):
            variants = {
                value: self.nested(schema)
                for schema, some in zip(schemas, values, strict=True)
                for value in some
            }
            self.types[name] = {"discriminator": "type", "variants": dict(sorted(variants.items()))}
        else:
            merged = {
                field.data_key or key: self.field(field, f"{name}.{key}")
                for schema in schemas
                for key, field in schema.fields.items()
            }
            self.types[name] = {"properties": dict(sorted(merged.items()))}
        return name
