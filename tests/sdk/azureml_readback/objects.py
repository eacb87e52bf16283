"""The objects of a cluster, and how they refer to each other. In: the JSON of kubectl. Out: look-ups. Reads no Azure."""


class Objects:
    """All objects that were given."""

    def __init__(self, document):
        self.items = document.get("items", [document])
        self.index = {
            (item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]): item
            for item in self.items
        }

    def referred(self, kind, item, reference):
        """The object of a kind that an object names in its own namespace."""
        key = (kind, item["metadata"]["namespace"], reference["name"])
        if key not in self.index:
            raise SystemExit(
                f"{kind} {key[1]}/{key[2]}, named by {item['kind']} {item['metadata']['name']}, is not among the objects"
            )
        return self.index[key]

    def pipeline_of(self, item):
        """The pipeline that a schedule or a run is of."""
        return self.referred("MLPipeline", item, item["spec"]["pipelineRef"])

    def workspace_of(self, item):
        """The workspace that an object is in."""
        if item["kind"] == "MLWorkspace":
            return item
        if "pipelineRef" in item["spec"]:
            item = self.pipeline_of(item)
        return self.referred("MLWorkspace", item, item["spec"]["workspaceRef"])

    def azure_id(self, kind, item, name):
        """The id in Azure of an object of the same namespace."""
        return azure_id(self.referred(kind, item, {"name": name}))


def azure_id(item):
    """The id that the operator wrote into the status."""
    found = item.get("status", {}).get("azureId")
    if not found:
        raise SystemExit(
            f"{item['kind']} {item['metadata']['name']} has no status.azureId: nothing was made in Azure yet"
        )
    return found


def last(identifier):
    """The last name of an id, or of the client's short form `azureml:name`."""
    return identifier.replace(":", "/").rpartition("/")[2]


def asset(reference):
    """Name and version of an asset: of an id of Azure, or of the client's short form `azureml:name:version`."""
    if "/versions/" in reference:
        parts = reference.split("/")
        return parts[-3], parts[-1]
    name, version = reference.removeprefix("azureml:").rsplit(":", 1)
    return name, version
