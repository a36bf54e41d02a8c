"""Runs one pipeline after another through a proxy that loses one answer in each, then counts what there is."""

import json
import sys
from typing import Annotated

import requests

from zenml import ArtifactConfig, Model, Tag, log_metadata, pipeline, step
from zenml.client import Client

PROXY, FIRST, LAST = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


@step
def make(number: int) -> Annotated[int, ArtifactConfig(name="made-{number}", tags=["made"])]:
    log_metadata({"number": number})
    return number


@step
def use(value: int) -> Annotated[int, "used-{number}"]:
    log_metadata({"number": value}, infer_model=True)
    return value + 1


def lossy(number: int):
    use(make(number))


def run(number):
    """One run of a pipeline of its own: two steps, metadata, tags, a model."""
    options = {"tags": [Tag(name=f"tag-{number}")], "model": Model(name=f"model-{number}")}
    made = pipeline(name=f"lossy-{number}", enable_cache=False, substitutions={"number": str(number)}, **options)
    return made(lossy)(number=number)


client = Client()
client.set_active_project("default")
client.active_stack  # what every process asks for once
lost, errors, last = [], {}, 0
for number in range(FIRST, LAST + 1):
    if PROXY != "none":
        requests.get(f"{PROXY}/lossy/arm/{number}")
    try:
        run(number)
    except Exception as error:
        errors[number] = f"{type(error).__name__}: {error}"[:500]
    last = number
    if PROXY != "none":
        state = requests.get(f"{PROXY}/lossy/state").json()
        requests.get(f"{PROXY}/lossy/arm/0")
        # The run is shorter than that: every request of it has lost its answer once.
        if state["lost"] == "":
            break
        lost.append(state["lost"].split("?")[0])

found = {}
for number in range(FIRST, last + 1):
    runs = client.list_pipeline_runs(pipeline=f"lossy-{number}", hydrate=True)
    steps = [one for each in runs for one in client.list_run_steps(pipeline_run_id=each.id, exclude_retried=False, hydrate=True)]
    versions = [one for name in (f"made-{number}", f"used-{number}") for one in client.list_artifact_versions(artifact=name, hydrate=True)]
    models = client.list_model_versions(f"model-{number}", hydrate=True)
    found[number] = {
        "pipelines": client.list_pipelines(name=f"lossy-{number}").total,
        "runs": [str(one.status) for one in runs],
        "run tags": [[tag.name for tag in one.tags] for one in runs],
        "steps": sorted(f"{one.name} {one.status} {one.run_metadata.get('number')}" for one in steps),
        "artifacts": sorted(f"{one.name} {one.version}" for one in versions),
        "models": [f"{one.name} {one.number} {one.run_metadata}" for one in models],
    }
expected = lambda number: {
    "pipelines": 1,
    "runs": ["completed"],
    "run tags": [[f"tag-{number}"]],
    "steps": [f"make completed {number}", "use completed None"],
    "artifacts": [f"made-{number} 1", f"used-{number} 1"],
    "models": [f"1 1 {{'number': {number}}}"],
}
wrong = {number: one for number, one in found.items() if one != expected(number)}
print("OBSERVED " + json.dumps({"runs": len(found), "lost": lost, "errors": errors, "wrong": wrong}))
