"""Schedules as azure-ai-ml makes, switches and shows them."""

import pytest
from azure.ai.ml._restclient.arm_ml_service.models import ScheduleListViewType
from azure.ai.ml.constants import TimeZone
from azure.ai.ml.entities import CronTrigger, JobSchedule, RecurrencePattern, RecurrenceTrigger
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from samples import START, pipeline_job


def scheduled(ml, folder, name, trigger):
    """A schedule of a pipeline with two steps."""
    return JobSchedule(
        name=name,
        trigger=trigger,
        create_job=pipeline_job(ml, folder, name),
        display_name="Nightly",
        tags={"team": "a"},
    )


def removed(ml, name):
    """Disable and delete, as Azure wants it."""
    ml.schedules.begin_disable(name).result()
    ml.schedules.begin_delete(name).result()


def test_a_cron_schedule_keeps_what_it_was_given_and_is_switched_off_and_on(ml, tmp_path, name):
    trigger = CronTrigger(
        expression="0 6 * * 1-5", start_time=START, time_zone=TimeZone.W_EUROPE_STANDARD_TIME
    )
    ml.schedules.begin_create_or_update(scheduled(ml, tmp_path, name, trigger)).result()
    read = ml.schedules.get(name)
    assert (read.name, read.is_enabled, read.display_name, read.tags) == (
        name,
        True,
        "Nightly",
        {"team": "a"},
    )
    assert (read.trigger.expression, read.trigger.time_zone) == ("0 6 * * 1-5", "W. Europe Standard Time")
    assert (list(read.create_job.jobs), read.create_job.experiment_name) == (["prepare", "train"], "checks")
    assert ml.schedules.begin_disable(name).result().is_enabled is False
    assert ml.schedules.begin_enable(name).result().is_enabled is True
    removed(ml, name)


def test_a_recurrence_keeps_its_pattern(ml, tmp_path, name):
    pattern = RecurrencePattern(hours=[4, 5], minutes=[0, 30], week_days=["monday", "friday"])
    trigger = RecurrenceTrigger(
        frequency="week", interval=1, schedule=pattern, start_time=START, time_zone="Pacific Standard Time"
    )
    ml.schedules.begin_create_or_update(scheduled(ml, tmp_path, name, trigger)).result()
    read = ml.schedules.get(name).trigger
    assert (read.frequency.lower(), read.interval, read.time_zone) == ("week", 1, "Pacific Standard Time")
    assert (read.schedule.hours, read.schedule.minutes) == ([4, 5], [0, 30])
    assert [day.lower() for day in read.schedule.week_days] == ["monday", "friday"]
    removed(ml, name)


def test_an_enabled_schedule_is_not_deleted(ml, tmp_path, name):
    ml.schedules.begin_create_or_update(
        scheduled(ml, tmp_path, name, CronTrigger(expression="0 6 * * *", start_time=START))
    ).result()
    with pytest.raises(HttpResponseError) as refused:
        ml.schedules.begin_delete(name).result()
    assert f"Cannot delete an active trigger {name}" in str(refused.value)
    removed(ml, name)
    with pytest.raises(ResourceNotFoundError):
        ml.schedules.get(name)


def test_schedules_are_listed_by_whether_they_are_enabled(ml, tmp_path, name):
    def names(view):
        return [schedule.name for schedule in ml.schedules.list(list_view_type=view)]

    ml.schedules.begin_create_or_update(
        scheduled(ml, tmp_path, name, CronTrigger(expression="0 6 * * *", start_time=START))
    ).result()
    assert name in names(ScheduleListViewType.ENABLED_ONLY)
    ml.schedules.begin_disable(name).result()
    assert name not in names(ScheduleListViewType.ENABLED_ONLY)
    assert name in names(ScheduleListViewType.DISABLED_ONLY) and name in names(ScheduleListViewType.ALL)
    ml.schedules.begin_delete(name).result()


def test_a_schedule_is_triggered_now(ml, tmp_path, name):
    ml.schedules.begin_create_or_update(
        scheduled(ml, tmp_path, name, CronTrigger(expression="0 6 * * *", start_time=START))
    ).result()
    run = ml.schedules.trigger(name)
    job = ml.jobs.get(run.job_name)
    assert (job.experiment_name, list(job.jobs)) == ("checks", ["prepare", "train"])
    removed(ml, name)
    assert ml.jobs.get(run.job_name).name == run.job_name
