"""One reader for each kind: what the manifest wants against what Microsoft's client shows.

In: the client of the workspace, all objects, the object, a report. A reader only reads.
"""

import json
import pathlib

from azureml_readback.objects import asset, azure_id, last
from azureml_readback.pipelines import read_pipeline
from azureml_readback.values import folded, literal, seconds, shown

ZONES = pathlib.Path(__file__).resolve().parents[3] / "controller/plan/data/windows-zones.json"
TIERS = {"Dedicated": "dedicated", "LowPriority": "low_priority"}
PHASES = {"Succeeded": "Completed", "Failed": "Failed", "Canceled": "Canceled"}


def ownership(item, tags, report):
    """The tags by which a person finds the manifest, and the operator its own."""
    meta = item["metadata"]
    wanted = {"azureml-operator-namespace": meta["namespace"], "azureml-operator-name": meta["name"]}
    report.holds("tags", item["spec"].get("tags", {}) | wanted, tags)
    report.same("tags.azureml-operator-owner is set", True, "azureml-operator-owner" in (tags or {}))


def read_workspace(ml, objects, item, report):
    """A workspace is only named: it is there, and the status says where."""
    workspace, status = ml.workspaces.get(item["spec"]["workspaceName"]), item["status"]
    report.same("resourceGroup", folded(item["spec"]["resourceGroup"]), folded(workspace.resource_group))
    report.same("status.region", status["region"], workspace.location)
    wanted = item["spec"].get("registry", {}).get("resourceId") or workspace.container_registry
    report.same("status.registry", folded(wanted), folded(status["registry"]["resourceId"]))


def read_compute(ml, objects, item, report):
    """A cluster."""
    spec, cluster = item["spec"], ml.compute.get(last(azure_id(item)))
    report.same("vmSize", folded(spec["vmSize"]), folded(cluster.size))
    report.given("priority", TIERS.get(spec.get("priority")), cluster.tier)
    report.same("scale.min", spec["scale"].get("min", 0), cluster.min_instances)
    report.same("scale.max", spec["scale"]["max"], cluster.max_instances)
    report.given("scale.idle", seconds(spec["scale"].get("idle")), cluster.idle_time_before_scale_down)
    report.given("publicIp", spec.get("publicIp"), cluster.enable_node_public_ip)
    if "identity" in spec:
        assigned = [folded(one.resource_id) for one in cluster.identity.user_assigned_identities or []]
        report.same(
            "identity.type", folded(spec["identity"]["type"]), folded(cluster.identity.type).replace("_", "")
        )
        report.same(
            "identity.userAssigned",
            sorted(map(folded, spec["identity"].get("userAssigned", []))),
            sorted(assigned),
        )
    if "subnetId" in spec:
        report.same("subnetId", folded(spec["subnetId"]), folded(cluster.network_settings.subnet))
    ownership(item, cluster.tags, report)


def read_environment(ml, objects, item, report):
    """The version of an environment that is current."""
    spec, status = item["spec"], item["status"]
    environment = ml.environments.get(*asset(azure_id(item)))
    report.same("status.version", status["version"], environment.version)
    report.same("status.image", status["image"], environment.image)
    report.same("image is pinned", True, "@sha256:" in environment.image)
    if "image" in spec:
        repository = spec["image"].partition("@")[0].rpartition("/")[2].partition(":")[0]
        report.same("image", True, f"/{repository}@" in f"/{environment.image}")
    report.given("description", spec.get("description"), environment.description)
    report.same("osType", "linux", folded(environment.os_type))
    ownership(item, environment.tags, report)


def read_data(ml, objects, item, report):
    """The version of a data asset that is current."""
    spec, status = item["spec"], item["status"]
    data = ml.data.get(*asset(azure_id(item)))
    report.same("status.version", status["version"], data.version)
    report.same("status.path", status["path"], data.path)
    report.same("type", spec["type"], data.type)
    # Files of a source are where the operator says that it has put them.
    path = spec.get("path") or status["path"]
    report.same("path", True, data.path.endswith(path.removeprefix("azureml://")))
    report.given("description", spec.get("description"), data.description)
    ownership(item, data.tags, report)


def read_schedule(ml, objects, item, report):
    """A schedule: when, and what it runs."""
    spec, schedule = item["spec"], ml.schedules.get(last(azure_id(item)))
    trigger = schedule.trigger
    report.same("suspend", spec.get("suspend", False), not schedule.is_enabled)
    report.given("cron", spec.get("cron"), getattr(trigger, "expression", None))
    if "recurrence" in spec:
        recurrence(spec["recurrence"], trigger, report)
    zone = spec.get("timeZone", "UTC")
    report.same(
        "timeZone",
        True,
        zone in [trigger.time_zone, *json.loads(ZONES.read_text()).get(trigger.time_zone, [])],
    )
    report.given(
        "startTime", spec.get("startTime"), trigger.start_time and str(trigger.start_time).replace(" ", "T")
    )
    report.given("description", spec.get("description"), schedule.description)
    job = schedule.create_job
    report.given("experiment", spec.get("experiment"), job.experiment_name)
    report.given("displayName", spec.get("displayName"), job.display_name)
    pipeline = objects.pipeline_of(item)
    runs(pipeline, job, report)
    inputs_of(pipeline, spec, job, report)
    ownership(item, schedule.tags, report)


def recurrence(wanted, trigger, report):
    """A recurrence and its pattern."""
    pattern = trigger.schedule
    report.same("recurrence.frequency", folded(wanted["frequency"]), folded(trigger.frequency))
    report.same("recurrence.interval", wanted["interval"], trigger.interval)
    for key, shown_as in (("hours", "hours"), ("minutes", "minutes"), ("monthDays", "month_days")):
        report.given(f"recurrence.{key}", wanted.get(key) or None, getattr(pattern, shown_as, None))
    if wanted.get("weekDays"):
        report.same(
            "recurrence.weekDays",
            sorted(map(folded, wanted["weekDays"])),
            sorted(map(folded, pattern.week_days)),
        )


def inputs_of(pipeline, spec, job, report):
    """The inputs of a run or schedule: its own, else the pipeline's."""
    own = spec.get("inputs") or {}
    for key, declared in pipeline["spec"].get("inputs", {}).items():
        wanted = own.get(key, declared.get("default", declared.get("path")))
        if wanted is not None:
            report.same(
                f"inputs.{key}", literal(wanted), shown(job.inputs[key]) if key in job.inputs else None
            )


def read_run(ml, objects, item, report):
    """A job and its steps."""
    spec, status = item["spec"], item["status"]
    job, pipeline = ml.jobs.get(status["jobName"]), objects.pipeline_of(item)
    if status["phase"] in PHASES:
        report.same("status.phase", PHASES[status["phase"]], job.status)
    report.given("experiment", spec.get("experiment"), job.experiment_name)
    report.given("displayName", spec.get("displayName"), job.display_name)
    report.same(
        "status.studioUrl", True, job.studio_url.startswith(status["studioUrl"].partition("&tid=")[0])
    )
    inputs_of(pipeline, spec, job, report)
    runs(pipeline, job, report)
    children = {child.display_name: child.status for child in ml.jobs.list(parent_job_name=job.name)}
    finished = {step["name"]: PHASES[step["phase"]] for step in status["steps"] if step["phase"] in PHASES}
    report.holds("status.steps", finished, children)
    ownership(item, job.tags, report)


def runs(pipeline, job, report):
    """A job names the component of its pipeline, whose steps it runs, or has the steps itself."""
    component = job.component if isinstance(job.component, str) else getattr(job.component, "id", None)
    if component:
        report.same("component", asset(pipeline["status"]["current"]["componentId"]), asset(component))
    else:
        report.same("steps", {step["name"] for step in pipeline["spec"]["steps"]}, set(job.jobs))


READERS = {
    "MLWorkspace": read_workspace,
    "MLCompute": read_compute,
    "MLEnvironment": read_environment,
    "MLData": read_data,
    "MLPipeline": read_pipeline,
    "MLSchedule": read_schedule,
    "MLRun": read_run,
}
