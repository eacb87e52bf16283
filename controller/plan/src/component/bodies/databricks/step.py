"""One run on Azure Databricks, as a step of Azure Machine Learning: started, followed, and cancelled with the step.

In: what to run, as base64 of JSON, then the values of inputs and outputs as `inputs.<name>=<value>`. Out: 0 when the run succeeded, else
words for people. The body of the request is decided before, in Rust; here values are put into it.
"""

import base64
import hashlib
import json
import os
import re
import signal
import sys
import time

from web import HASTE, Azure, Failed, Identity, Refused, Waits, Web, say

# The application of Azure Databricks, the same in every cloud.
DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
# The most seconds between two looks at a run.
LOOK = 20
BINDING = re.compile(r"\$\{\{((?:inputs|outputs)\.[A-Za-z0-9_]+)\}\}")


class Jobs:
    """The Jobs API of Databricks."""

    def __init__(self, web, identity, host, secret):
        self.web, self.identity, self.host, self.secret = web, identity, host, secret
        self.is_renewed = False

    def headers(self):
        return {"Authorization": "Bearer " + (self.secret or self.identity.token(DATABRICKS))}

    def is_sure(self, status):
        """A token may have ended before its time: a new one is tried, once."""
        if status != 401 or self.secret or self.is_renewed:
            return True
        self.is_renewed = True
        self.identity.forget(DATABRICKS)
        return False

    def call(self, what, path, body=None):
        url = "https://{}/api/2.2/jobs/{}".format(self.host, path)
        try:
            answer = self.web.ask(what, url, self.headers, body, is_sure=self.is_sure)
        except Refused as error:
            remedy = ""
            if error.status in (401, 403):
                who = "the owner of the token" if self.secret else "the identity {}".format(self.identity.client or "of the step")
                remedy = "; let {} into the Databricks workspace, with the right to what is run".format(who)
            raise Failed("Databricks refused {} ({}){}".format(what, error, remedy)) from None
        self.is_renewed = False
        return answer


def texts(given, values):
    """Arguments with the values of inputs and outputs. A group whose input has no value is left out."""
    done = []
    for text in given:
        is_group = text.startswith("$[[") and text.endswith("]]")
        words = text[3:-2].split() if is_group else [text]
        if not is_group or all(name in values for word in words for name in BINDING.findall(word)):
            done += [BINDING.sub(lambda found: values[found.group(1)], word) for word in words]
    return done


def parameters(given, values):
    filled = {}
    for name, text in given.items():
        is_group = text.startswith("$[[") and text.endswith("]]")
        text = text[3:-2] if is_group else text
        if not is_group or all(port in values for port in BINDING.findall(text)):
            filled[name] = BINDING.sub(lambda found: values[found.group(1)], text)
    return filled


def put_in(spec, values):
    """The body of the request, with its parameters."""
    body, place = spec["body"], spec.get("place")
    if place:
        target = body
        for key in place[:-1]:
            target = target[key]
        given = spec["given"]
        target[place[-1]] = texts(given, values) if isinstance(given, list) else parameters(given, values)
    return body


class Step:
    """The run of this step, from its start to its end."""

    def __init__(self, spec, jobs, waits):
        self.spec, self.jobs, self.waits = spec, jobs, waits
        self.run = None

    def start(self, values):
        job = os.environ.get("AZUREML_RUN_ID")
        if not job:
            raise Failed("AZUREML_RUN_ID is not set: this runs as a step of Azure Machine Learning alone")
        body = put_in(self.spec, values)
        # Of the step's run, so that a node that starts again finds what the one before it started.
        body["idempotency_token"] = hashlib.sha256(job.encode()).hexdigest()
        if self.spec["call"] == "runs/submit":
            body["run_name"] = "{} ({})".format(self.spec["name"], job)
        self.run = self.jobs.call("the start of the run", self.spec["call"], body)["run_id"]

    def look(self):
        return self.jobs.call("a look at the run", "runs/get?run_id={}".format(self.run))

    def cancel(self):
        self.jobs.call("the cancelling of run {}".format(self.run), "runs/cancel", {"run_id": self.run})

    def follow(self):
        """The run at its end, and why it was cancelled if it was."""
        told, wait, why = None, 1, None
        while True:
            run = self.look()
            state = run.get("state", {})
            if told is None:
                say("Databricks run {}: {}".format(self.run, run.get("run_page_url", "")))
            now = state.get("life_cycle_state")
            if now != told:
                say("Databricks run {} is {} {}".format(self.run, now, state.get("state_message") or "").rstrip())
                told, wait = now, 1
            if now in ("TERMINATED", "SKIPPED", "INTERNAL_ERROR"):
                return run, why
            if why is None:
                why = self.reason_to_cancel(run)
                if why is not None:
                    say("Databricks run {} is cancelled: {}".format(self.run, why))
                    self.cancel()
            elif self.waits.stopped is not None and time.monotonic() - self.waits.stopped > HASTE:
                return run, why
            self.waits.pause(wait)
            wait = min(wait * 2, LOOK)

    def abandon(self):
        """Nothing follows the run any more, so it is cancelled if that can be done."""
        self.waits.hurry()
        try:
            self.cancel()
        except Failed as error:
            say(error)

    def reason_to_cancel(self, run):
        if self.waits.stopped is not None:
            return "the step was cancelled"
        limit, start = self.spec.get("timeout"), run.get("start_time")
        # Databricks ends a submitted run itself, and knows no limit for one run of a job.
        if self.spec["call"] == "run-now" and limit and start and time.time() - start / 1000 > limit:
            return "it took longer than {} seconds".format(limit)
        return None

    def why_it_failed(self, run):
        """What the tasks say, the longest of it in the log alone."""
        found = []
        for task in run.get("tasks") or []:
            if (task.get("state") or {}).get("result_state") in (None, "SUCCESS"):
                continue
            try:
                output = self.jobs.call("the output of a task", "runs/get-output?run_id={}".format(task["run_id"]))
            except Failed as error:
                say(error)
                continue
            if output.get("error_trace"):
                say(output["error_trace"])
            if output.get("error"):
                found.append(output["error"])
        return found

    def end(self, run, why):
        state, page = run.get("state", {}), run.get("run_page_url", "")
        result = state.get("result_state") or state.get("life_cycle_state")
        if result in ("SUCCESS", "SUCCESS_WITH_FAILURES"):
            say("Databricks run {} succeeded ({})".format(self.run, result))
            return 0
        if self.waits.stopped is not None:
            say("Databricks run {} was cancelled with the step ({}): {}".format(self.run, result, page))
            return 128 + signal.SIGTERM
        said = [text for text in [why, state.get("state_message")] + self.why_it_failed(run) if text]
        raise Failed("Databricks run {} ended as {}: {}. Its page: {}".format(self.run, result, "; ".join(said), page))


def main(arguments):
    waits = Waits()
    spec = json.loads(base64.b64decode(arguments[0]).decode())
    web = Web(waits)
    identity = Identity(web, spec.get("clientId"))
    azure = Azure(web, identity, spec["host"])
    values = {name: azure.address(value) for name, _, value in (argument.partition("=") for argument in arguments[1:])}
    for name, value in values.items():
        if name.startswith("outputs.") and "://" not in value:
            raise Failed("{} is the path {}, which Databricks cannot reach; give the output mode: Direct".format(name, value))
    secret = azure.secret(spec["secret"]) if spec.get("secret") else None
    step = Step(spec, Jobs(web, identity, spec["host"], secret), waits)
    step.start(values)
    try:
        run, why = step.follow()
    except Failed:
        step.abandon()
        raise
    return step.end(run, why)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failed as failure:
        sys.exit("azureml-operator: {}".format(failure))
