#!/usr/bin/env python3
"""Reduce what Microsoft's client writes into the parts that Azure's definitions leave free: `client.json`.

    python client.py [--check]      with azure-ai-ml 1.35.2 installed and azure.json written

The nodes of `jobs`, `settings`, `componentSpec`: one closed set of keys for each kind of node, in exact case. Keys come
from the client's own code (the fields a node picks, the keys that its `_to_rest_object` writes), nested objects from its
generated models (their Python names are the wire names inside a node) and its marshmallow schemas, types from azure.json.
"""

import ast
import importlib.metadata
import inspect
import json
import pathlib
import textwrap
import warnings

from table import finish, reachable

warnings.filterwarnings("ignore")

from azure.ai.ml._restclient.arm_ml_service import models  # noqa: E402
from azure.ai.ml._schema.component.command_component import CommandComponentSchema  # noqa: E402
from azure.ai.ml._schema.component.parallel_component import ParallelComponentSchema  # noqa: E402
from azure.ai.ml._schema.component.spark_component import SparkComponentSchema  # noqa: E402
from azure.ai.ml._schema.pipeline import automl_node, component_job  # noqa: E402
from azure.ai.ml._schema.pipeline.pipeline_component import PipelineComponentSchema  # noqa: E402
from azure.ai.ml.constants._component import ControlFlowType, NodeType  # noqa: E402
from azure.ai.ml.entities import PipelineJobSettings, _builders  # noqa: E402
from azure.ai.ml.entities._component.pipeline_component import PipelineComponent  # noqa: E402
from marshmallow_types import Schemas  # noqa: E402

HERE = pathlib.Path(__file__).parent
WANTED = "1.35.2"
PUBLISHED = json.loads((HERE / "azure.json").read_text())["types"]
NODES = {
    "command": (_builders.Command, component_job.CommandSchema),
    "sweep": (_builders.Sweep, component_job.SweepSchema),
    "parallel": (_builders.Parallel, component_job.ParallelSchema),
    "spark": (_builders.Spark, component_job.SparkSchema),
    "pipeline": (_builders.Pipeline, component_job.BaseNodeSchema),
}
COMPONENTS = {
    "command": CommandComponentSchema,
    "parallel": ParallelComponentSchema,
    "spark": SparkComponentSchema,
    "pipeline": PipelineComponentSchema,
}
# Where a component is read back the client shows these; it never writes them.
ANSWERS = {
    "id",
    "creation_context",
    "latest_version",
    "auto_delete_setting",
    "intellectual_property",
    "additional_includes",
}
# Not part of what is defined: telemetry and the intellectual property of registries.
NOT_DEFINED = {"_source", "intellectualProperty"}
TEXT, TEXTS = {"type": "string"}, {"map": {"type": "string"}}
# Keys of nodes whose value is not what the schema says: references are resolved, nested objects are generated models.
NODE_VALUES = {
    "name": TEXT,
    "display_name": TEXT,
    "comment": TEXT,
    "computeId": TEXT,
    "componentId": TEXT,
    "tags": TEXTS,
    "properties": {"map": {"type": "any"}},
    "environment_variables": TEXTS,
    "partition_keys": TEXT,
    "inputs": {"map": {"ref": "node.input"}},
    "outputs": {"map": {"ref": "node.output"}},
    "trial": {"ref": "node.trial"},
}
# The schema says text, the entity keeps a number of bytes or files once it is parsed.
NODE_KEYS = {("parallel", "mini_batch_size"): {"anyOf": [TEXT, {"type": "integer"}]}}
NODE_MODELS = {
    ("command", "resources"): "JobResourceConfiguration",
    ("command", "distribution"): "DistributionConfiguration",
    ("command", "limits"): "CommandJobLimits",
    ("command", "services"): "JobService",
    ("parallel", "resources"): "JobResourceConfiguration",
    ("sweep", "resources"): "JobResourceConfiguration",
    ("sweep", "early_termination"): "EarlyTerminationPolicy",
    (None, "identity"): "IdentityConfiguration",
    (None, "queue_settings"): "QueueSettings",
}


# A search reads what is bound to it; what is sent for data in place is the text of a map of Python.
AUTOML_VALUES = {
    "name": TEXT,
    "compute": TEXT,
    "training_data": TEXT,
    "validation_data": TEXT,
    "test_data": TEXT,
    "outputs": {"map": {"ref": "node.output"}},
    # Spaces of images are texts, `choice(1,2)`, those of texts objects.
    "search_space": {"array": {"map": {"type": "any"}}},
    # The client writes a list as the text of a list of Python, which is one of its faults.
    "forecasting": {"map": {"type": "any"}},
    "properties": {"map": {"type": "any"}},
}
# Where a job is read back the client shows these; it never writes them.
AUTOML_SHOWN = {"$schema", "id", "creation_context", "status", "log_files", "services", "experiment_name", "description"}


class Reduction:
    """The types found so far."""

    def __init__(self):
        self.types = {}
        self.schemas = Schemas(self.types)

    def model(self, name):
        """A generated model as it appears inside a node: Python names as keys, types as published."""
        own = f"node.{name}"
        if own in self.types:
            return {"ref": own}
        self.types[own] = {}
        model = getattr(models, name)
        mapping = {value: entry.__name__ for value, entry in vars(model).get("__mapping__", {}).items()}
        if mapping:
            discriminator = next(attr for attr, field in fields_of(model).items() if field._is_discriminator)
            variants = {value: self.model(entry)["ref"] for value, entry in sorted(mapping.items())}
            self.types[own] = {"discriminator": discriminator, "variants": variants}
        else:
            published = PUBLISHED.get(name, {}).get("properties", {})
            self.types[own] = {
                "properties": {
                    attr: self.attribute(published.get(field._rest_name), field, model)
                    for attr, field in sorted(fields_of(model).items())
                }
            }
        return {"ref": own}

    def attribute(self, published, field, model):
        """The schema of one attribute of a model."""
        if field._is_discriminator:
            return {"type": "string", "enum": [discriminator_value(model)], "required": True}
        known = {
            key: value
            for key, value in (published or {"type": "any"}).items()
            if key not in ("createOnly", "since", "readOnly")
        }
        if "ref" in known:
            return known | self.model(known["ref"])
        return bindable(known)

    def ports(self):
        """The inputs and outputs of a node."""
        self.model("JobInput")
        self.model("JobOutput")
        self.types["node.input"] = self.types.pop("node.JobInput")
        self.types["node.output"] = self.types.pop("node.JobOutput") | {"default": "node.output.binding"}
        # `_to_rest_inputs` puts the mode of a bound input beside its literal, `_to_rest_outputs` names what to register.
        self.types["node.LiteralJobInput"]["properties"]["mode"] = self.types["node.UriFolderJobInput"][
            "properties"
        ]["mode"]
        mode = self.types["node.UriFolderJobOutput"]["properties"]["mode"]
        for name in self.types["node.output"]["variants"].values():
            properties = self.types[name]["properties"]
            for key in ("asset_name", "asset_version"):
                properties.pop(key, None)
            properties |= {"name": TEXT, "version": TEXT}
        literal = {"type": "string", "enum": ["literal"], "required": True}
        binding = {
            "type": literal,
            "value": TEXT | {"required": True},
            "mode": mode,
            "name": TEXT,
            "version": TEXT,
        }
        self.types["node.output.binding"] = {"properties": binding}

    def node(self, kind, entity, schema):
        """The keys of one kind of node."""
        keys = set(entity._picked_fields_from_dict_to_rest_object()) | written_keys(entity, "_to_rest_object")
        fields = schema(context={"base_path": HERE}).fields
        properties = {}
        for key in sorted(keys - NOT_DEFINED):
            model = NODE_MODELS.get((kind, key)) or NODE_MODELS.get((None, key))
            if key == "type":
                properties[key] = {"type": "string", "enum": [kind], "required": True}
            elif model:
                value = self.model(model)
                properties[key] = {"map": value} if key == "services" else value
            elif (kind, key) in NODE_KEYS or key in NODE_VALUES:
                properties[key] = dict(NODE_KEYS.get((kind, key)) or NODE_VALUES[key])
            else:
                properties[key] = bindable(self.schemas.field(fields[key], f"node.{kind}.{key}"))
        required = "trial" if "trial" in properties else "componentId"
        properties[required]["required"] = True
        self.types[f"node.{kind}"] = {"properties": properties}

    def automl(self):
        """The keys of a search for the best model, which has no component: its schemas are dumped as they are."""
        tasks = {}
        for field in automl_node.AutoMLNodeSchema():
            fields = field.nested(context={"base_path": HERE}).fields
            (task,) = fields["task_type"].allowed_values
            properties = {}
            for name, own in sorted(fields.items()):
                key = own.data_key or name
                if key in AUTOML_SHOWN:
                    continue
                value = AUTOML_VALUES.get(key) or self.schemas.field(own, f"node.automl.{task}.{key}")
                properties[key] = bindable(dict(value))
            properties["type"] = {"type": "string", "enum": ["automl"], "required": True}
            properties["task"] = {"type": "string", "enum": [task], "required": True}
            properties["training_data"]["required"] = True
            tasks[task] = f"node.automl.{task}"
            self.types[tasks[task]] = {"properties": properties}
        self.types["node.automl"] = {"discriminator": "task", "variants": dict(sorted(tasks.items()))}

    def component(self, kind, schema):
        """The keys of one kind of component."""
        fields = schema(context={"base_path": HERE}).fields
        name = f"component.{kind}"
        properties = {
            field.data_key or key: self.schemas.property(field, f"{name}.{key}")
            for key, field in sorted(fields.items())
            if key not in ANSWERS | {"jobs"}
        }
        properties["type"] = {"type": "string", "enum": [kind], "required": True}
        if kind == "pipeline":
            properties["jobs"] = {"map": {"ref": "node"}}
            written = written_keys(PipelineComponent, "_to_rest_object", inherited=False)
            for key in sorted(written - set(properties) - NOT_DEFINED):
                properties[key] = TEXT | {"nullable": True}
        if kind == "parallel":
            properties["partition_keys"] = TEXT
        self.types[name] = {"properties": properties}


def fields_of(model):
    """The generated fields of a model by Python name."""
    model()
    return model._attr_to_rest_field


def discriminator_value(model):
    """The value by which the base of a model knows it."""
    for base in model.__mro__[1:]:
        for value, entry in vars(base).get("__mapping__", {}).items():
            if entry is model:
                return value
    return model.__name__


def bindable(schema):
    """Inside a node a binding (`${{…}}`) may stand for a value that is not text."""
    if schema.get("type") in ("integer", "number", "boolean") or schema.keys() & {
        "enum",
        "format",
        "pattern",
    }:
        return schema | {"binding": True}
    return schema


def written_keys(entity, function, inherited=True):
    """The constant keys that a method writes into a dictionary, with those of the classes it extends."""
    found = set()
    for owner in entity.__mro__ if inherited else [entity]:
        if function in owner.__dict__:
            tree = ast.parse(textwrap.dedent(inspect.getsource(owner.__dict__[function])))
            for node in ast.walk(tree):
                if isinstance(node, ast.Dict):
                    found |= {key.value for key in node.keys if isinstance(key, ast.Constant)}
                elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dict":
                    found |= {keyword.arg for keyword in node.keywords if keyword.arg}
                elif (
                    isinstance(node, ast.Subscript)
                    and isinstance(node.ctx, ast.Store)
                    and isinstance(node.slice, ast.Constant)
                ):
                    found.add(node.slice.value)
    return found


def left_out(constants, known):
    """The names of a class of constants that have no type here."""
    values = [value for key, value in vars(constants).items() if key.isupper() and isinstance(value, str)]
    return {value: None for value in values if value not in known}


def main():
    """Collect the types and write them."""
    version = importlib.metadata.version("azure-ai-ml")
    if version != WANTED:
        raise SystemExit(f"azure-ai-ml {version} is installed, wanted {WANTED}")
    reduction = Reduction()
    reduction.ports()
    for kind, (entity, schema) in NODES.items():
        reduction.node(kind, entity, schema)
    reduction.automl()
    for kind, schema in COMPONENTS.items():
        reduction.component(kind, schema)
    types = reduction.types
    types["node.trial"] = {"properties": {"componentId": TEXT | {"required": True}}}
    kinds = [*NODES, "automl"]
    others = left_out(NodeType, kinds) | left_out(ControlFlowType, kinds)
    types["node"] = {"discriminator": "type", "variants": {kind: f"node.{kind}" for kind in kinds} | others}
    others = left_out(NodeType, COMPONENTS)
    types["component"] = {
        "discriminator": "type",
        "variants": {kind: f"component.{kind}" for kind in COMPONENTS} | others,
    }
    settings = sorted(key for key in vars(PipelineJobSettings()) if not key.startswith("_"))
    switches = {"continue_on_step_failure", "force_rerun"}
    types["settings.job"] = {
        "properties": {key: {"type": "boolean" if key in switches else "string"} for key in settings}
    }
    types["settings.deployment"] = {"properties": dict.fromkeys(settings, TEXT)}
    roots = [{"ref": name} for name in ("node", "component", "settings.job", "settings.deployment")]
    finish(HERE / "client.json", {"types": reachable(types, roots)}, "client.py")


if __name__ == "__main__":
    main()
