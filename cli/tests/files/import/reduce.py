"""Reduces recorded answers of Azure to what an import reads of them: recorded.json.

In: the folder of recordings as its argument, as Microsoft's SDK publishes them with its tests. Out: path to body, on standard output.
Prose, times, people and whatever no import reads are left out; no value is changed.
"""

import json
import pathlib
import sys

FILES = [
    "batch-deployment-get--found--2023-04-09-api2022-05-01",
    "batch-endpoint-get--found--2023-04-09-api2022-05-01",
    "component-version-get--command--2022-11-18-api2022-05-01",
    "component-version-get--pipeline--2023-04-14-api2022-10-01",
    "compute-get--cluster-steady--2023-06-02-api2022-10-01-preview",
    "environment-version-get--found--2023-03-09-api2022-05-01",
    "schedule-get--found--2023-01-18-api2022-10-01-preview",
    "schedule-get--found--2023-02-21-api2022-10-01-preview",
]
# Keys that stay at any depth; maps of names stay whole.
KEYS = set(
    "id name type tags properties isAnonymous isEnabled computeType vmSize vmPriority scaleSettings maxNodeCount minNodeCount "
    "nodeIdleTimeBeforeScaleDown subnet osType environmentType image condaFile componentSpec is_deterministic code environment "
    "trigger endTime startTime timeZone triggerType frequency interval schedule expression action actionType jobDefinition "
    "experimentName computeId identity identityType componentId jobType settings default_compute default_datastore "
    "continue_on_step_failure jobs sourceJobId defaults deploymentName model referenceType assetId job_input_type jobInputType "
    "value default optional hours minutes weekDays monthDays".split()
)
NAMED = {"jobs", "inputs", "outputs"}


def reduced(value: object, whole: bool = False) -> object:
    """A value without the keys that no import reads."""
    if isinstance(value, dict):
        kept = {key: own for key, own in value.items() if whole or key in KEYS | NAMED}
        return {key: reduced(own, key in NAMED and not whole) for key, own in kept.items()}
    return [reduced(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    """Reads the recordings and prints what is left of them."""
    folder, found = pathlib.Path(sys.argv[1]), {}
    for name in FILES:
        recording = json.loads((folder / f"{name}.json").read_text())
        for exchange in recording["exchanges"]:
            url, status = exchange["request"]["url"], exchange["response"]["status"]
            if exchange["request"]["method"] == "GET" and status == 200 and "/workspaces/" in url:
                path = url.split("/workspaces/")[1].split("?")[0].split("/", 1)[1]
                found[path] = reduced(exchange["response"]["body"])
    print(json.dumps(found, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
