"""Stops and refreshes runs from another process while they run, and looks at what is left of them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from own_local import OwnLocalFlavor

import zenml
from zenml import pipeline, step
from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunUpdate
from zenml.utils.run_utils import refresh_run_status, stop_run

URL, NAME = sys.argv[1:3]
NEW = zenml.__version__ == "0.98.0"
client = Client()
client.set_active_project("default")


def on_failure(exception: BaseException) -> None:
    print("a hook that a stop does not call")


@step
def first() -> int:
    return 1


@step(on_failure=on_failure)
def waits(number: int, go: str) -> int:
    for _ in range(6000):
        if Path(go).exists():
            break
        time.sleep(0.05)
    return number


@step
def after(number: int) -> int:
    return number


@pipeline(enable_cache=False)
def long(go: str):
    after(waits(first(), go))


def told(work):
    try:
        work()
    except Exception as error:
        return type(error).__name__
    return None


def state(run_id):
    run = client.get_pipeline_run(run_id)
    steps = client.list_run_steps(pipeline_run_id=run.id, size=100, sort_by="asc:created", hydrate=True)
    return {
        "run": str(run.status),
        "ended": run.end_time is not None,
        "steps": {one.name: [str(one.status), one.end_time is not None] for one in steps},
    }


def during(name, stack, work):
    """Runs the pipeline in a process of its own; `work` is done while its second step runs."""
    go = Path(f"{name}.go").absolute()
    command = [sys.executable, __file__, URL, NAME, name, stack, str(go)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=os.getcwd())
    until = time.monotonic() + 300
    run = None
    while time.monotonic() < until and child.poll() is None:
        found = client.list_pipeline_runs(name=name).items
        run = found[0] if found else None
        if run and any(one.name == "waits" for one in client.list_run_steps(pipeline_run_id=run.id, status="running")):
            break
        time.sleep(0.1)
    else:
        raise RuntimeError(f"{name} does not run")
    try:
        seen = work(client.get_pipeline_run(run.id))
    finally:
        go.write_text("go")
    code = child.wait(300)
    return {"work": seen, "ended well": code == 0, **state(run.id)}


def now(run):
    return client.get_pipeline_run(run.id)


def asked(run):
    """What the local orchestrator is asked, and what it leaves the run in."""
    refused = [told(lambda: refresh_run_status(run))]
    if not NEW:
        # It refuses before the server is asked; what orchestrators that can do it publish is published here.
        refused += [told(lambda: stop_run(run, graceful=graceful)) for graceful in (True, False)] + [str(now(run).status)]
        client.zen_store.update_run(run.id, PipelineRunUpdate(status=ExecutionStatus.STOPPING))
    else:
        refused.append(told(lambda: stop_run(run, graceful=False)))
    return [*refused, str(now(run).status), told(lambda: stop_run(now(run), graceful=True))]


def beating(run):
    """A step of an orchestrator that is not the local one beats its heart, and hears by it that it is to stop."""
    step_id = next(one.id for one in client.list_run_steps(pipeline_run_id=run.id, status="running"))
    for _ in range(600):
        if client.get_run_step(step_id).latest_heartbeat is not None:
            break
        time.sleep(0.1)
    raised = told(lambda: stop_run(now(run), graceful=True))
    for _ in range(600):
        if str(client.get_run_step(step_id).status) not in ("running", "stopping"):
            break
        time.sleep(0.1)
    return [client.get_run_step(step_id).latest_heartbeat is not None, raised]


def refreshed_to_failed(run):
    client_run = refresh_run_status(run, include_step_updates=True)
    return str(client_run.status)


if len(sys.argv) > 3:
    name, stack, go = sys.argv[3:6]
    client.activate_stack(stack)
    long.with_options(run_name=name)(go=go)
    sys.exit(0)

own = f"own-local-{NAME}"
client.create_flavor(source="own_local.OwnLocalFlavor", component_type="orchestrator")
client.create_stack_component(own, flavor=OwnLocalFlavor().name, component_type="orchestrator", configuration={})
client.create_stack(own, {"orchestrator": own, "artifact_store": "default"})
seen = {
    "asked": during(f"{NAME}-asked", "default", asked),
    "beating": during(f"{NAME}-beating", own, beating) if NEW else None,
    "refreshed": None if NEW else during(f"{NAME}-refreshed", own, refreshed_to_failed),
}
stopped = client.get_pipeline_run(f"{NAME}-asked")
seen["too late"] = [told(lambda: stop_run(stopped, graceful=graceful)) for graceful in (True, False)]
client.delete_pipeline_run(stopped.id)
seen["deleted"] = [told(lambda: client.get_pipeline_run(stopped.id)), client.list_run_steps(pipeline_run_id=stopped.id).total]
print("OBSERVED " + json.dumps(seen))
