"""Pipelines as people write them, run by the real client: caching, artifacts, metadata, tags, models, failures, hooks."""

import json
import os
import sys
from typing import Annotated

import zenml
from zenml import ArtifactConfig, Model, Tag, add_tags, get_step_context, log_metadata, pipeline, remove_tags, step
from zenml.client import Client
from zenml.config.retry_config import StepRetryConfig
from zenml.enums import ModelStages

NAME = sys.argv[2]
NEW = zenml.__version__ == "0.98.0"
client = Client()
# More than one project may be there, and then a process has to say which one it is about.
client.set_active_project("default")
seen = {}


def told(work):
    """The exception that the client makes of an answer."""
    try:
        work()
    except Exception as error:
        return type(error).__name__
    return None


def latest(name):
    return client.get_pipeline(name).last_run


def steps_of(run):
    return {name: str(one.status) for name, one in sorted(client.get_pipeline_run(run.id).steps.items())}


@step
def make(seed: int) -> Annotated[int, ArtifactConfig(name="number", tags=["made"])]:
    log_metadata({"accuracy": 0.5, "rows": 3, "nested": {"a": [1, 2.0, None]}})
    return seed


@step
def double(number: int) -> Annotated[int, "doubled"]:
    log_metadata({"context": get_step_context().step_run.name})
    return number * 2


@pipeline(name="shared", tags=["nightly", Tag(name="cascading", cascade=True)], enable_cache=True)
def shared(seed: int):
    double(make(seed))


def two_steps():
    seed = int(NAME[1:])
    before = shared(seed)
    again = shared(seed)
    run = client.get_pipeline_run(again.id)
    first = client.get_pipeline_run(before.id)
    doubled = run.steps["double"].output
    return {
        "statuses": [str(first.status), str(run.status)],
        "steps": [steps_of(before), steps_of(again)],
        "loaded": [run.steps["make"].output.load(), doubled.load()],
        "same artifact": first.steps["double"].output.id == doubled.id,
        "original": run.steps["double"].original_step_run_id == first.steps["double"].id,
        "inputs": [one.id == first.steps["make"].output.id for one in flat(first.steps["double"].inputs["number"])],
        "metadata": {k: v for k, v in first.steps["make"].run_metadata.items()},
        "cached metadata": sorted(run.steps["make"].run_metadata),
        "tags": sorted(tag.name for tag in run.tags),
        "artifact tags": sorted(tag.name for tag in run.steps["make"].output.tags),
        "producer": doubled.producer_pipeline_run_id == first.id,
        "parameters": run.steps["make"].config.parameters == {"seed": seed},
        "found by tag": again.id in [one.id for one in client.list_pipeline_runs(tags=["nightly"], size=1000)],
        "pipeline": run.pipeline.name,
        "stack": run.stack.name,
        "by name": client.get_pipeline_run(run.name).id == run.id,
        "by filters": client.list_pipeline_runs(
            pipeline_id=run.pipeline.id, status="completed", user=run.user.id, name=f"contains:{run.name[:20]}", stack=run.stack.name
        ).total > 0,
    }


def flat(value):
    return value if isinstance(value, list) else [value]


@step
def breaks() -> int:
    raise ValueError("broken on purpose")


@step
def after(number: int) -> None:
    print("never", number)


@pipeline(enable_cache=False)
def failing():
    after(breaks())


def fails():
    error = told(failing.with_options(run_name=f"{NAME} fails"))
    run = client.get_pipeline_run(f"{NAME} fails")
    broken = run.steps["breaks"]
    info = getattr(broken, "exception_info", None)
    return {
        "raised": error is not None,
        "status": str(run.status),
        "steps": steps_of(run),
        "message": "broken on purpose" in (info.traceback if info else ""),
    }


@step(retry=StepRetryConfig(max_retries=2, delay=0, backoff=1))
def flaky() -> int:
    marker = os.path.join(os.environ["HOME"], "attempts")
    with open(marker, "a") as file:
        file.write("x")
    if os.path.getsize(marker) < 3:
        raise RuntimeError("not yet")
    return 7


@pipeline(enable_cache=False)
def retrying():
    flaky()


def retries():
    run = retrying.with_options(run_name=f"{NAME} retries")()
    run = client.get_pipeline_run(run.id)
    attempts = client.list_run_steps(pipeline_run_id=run.id, exclude_retried=False, sort_by="asc:created")
    return {
        "status": str(run.status),
        "steps": steps_of(run),
        "attempts": [[one.version, str(one.status)] for one in attempts],
        "loaded": run.steps["flaky"].output.load(),
    }


def on_failure(exception: BaseException):
    log_metadata({"hook": type(exception).__name__})


def on_success():
    log_metadata({"hook": "success"})


@step(on_success=on_success)
def good() -> int:
    return 1


@step(on_failure=on_failure)
def bad(number: int) -> int:
    raise KeyError("hooked")


@pipeline(enable_cache=False)
def hooked():
    bad(good())


def hooks():
    told(hooked.with_options(run_name=f"{NAME} hooks"))
    run = client.get_pipeline_run(f"{NAME} hooks")
    return {
        "steps": steps_of(run),
        "metadata": {name: one.run_metadata.get("hook") for name, one in run.steps.items()},
        "invocations": len(client.list_hook_invocations(pipeline_run_id=run.id).items) if NEW else None,
    }


@step
def train() -> Annotated[dict, ArtifactConfig(name=f"weights-{NAME}", version="best")]:
    log_metadata({"loss": 0.25}, infer_model=True)
    return {"w": [1.5, 2.5]}


@pipeline(enable_cache=False, model=Model(name=f"model-{NAME}", tags=["candidate"], license="MIT"))
def training():
    train()


def models():
    run = training()
    # An explicit version that is there already is refused.
    again = told(training)
    version = client.get_model_version(f"model-{NAME}", 1)
    staged = client.update_model_version(version.model.id, version.id, stage=ModelStages.STAGING)
    second = client.create_model_version(f"model-{NAME}", name="second", tags=["x"])
    taken = told(lambda: client.update_model_version(version.model.id, second.id, stage="staging", force=False))
    client.update_model_version(version.model.id, second.id, stage="staging", force=True)
    model = client.get_model(f"model-{NAME}")
    return {
        "again": again,
        "version": [version.name, version.number, str(staged.stage)],
        "loaded": Model(name=f"model-{NAME}", version="1").load_artifact(f"weights-{NAME}"),
        "runs": client.list_model_version_pipeline_run_links(model_version_id=version.id).total,
        "metadata": version.run_metadata.get("loss"),
        "taken": taken,
        "stages": {one.name: one.stage for one in client.list_model_versions(f"model-{NAME}")},
        "latest": model.latest_version_name,
        "by stage": client.get_model_version(f"model-{NAME}", "staging").name,
        "tags": sorted(tag.name for tag in model.tags),
        "run's model": client.get_pipeline_run(run.id).model_version.name,
        "wrong name": told(lambda: client.create_model_version(f"model-{NAME}", name="production")),
        "twice": told(lambda: client.create_model(f"model-{NAME}")),
    }


def artifacts():
    saved = zenml.save_artifact({"a": 1}, name=f"saved-{NAME}", tags=["kept"], user_metadata={"by": "hand"})
    more = [zenml.save_artifact(i, name=f"saved-{NAME}").version for i in range(2)]
    named = zenml.save_artifact([1, 2], name=f"saved-{NAME}", version="ten")
    twice = told(lambda: zenml.save_artifact(3, name=f"saved-{NAME}", version="ten"))
    add_tags(tags=["later", "kept"], artifact_version_id=saved.id)
    remove_tags(tags=["kept"], artifact_version_id=saved.id)
    client.update_artifact(f"saved-{NAME}", new_name=f"renamed-{NAME}", add_tags=["whole"])
    listed = client.list_artifact_versions(artifact=f"renamed-{NAME}", sort_by="asc:created")
    again = client.get_artifact_version(saved.id)
    client.delete_artifact_version(named.id, delete_metadata=True, delete_from_artifact_store=True)
    return {
        "versions": [saved.version, *more, named.version],
        "twice": twice,
        "tags": sorted(tag.name for tag in again.tags),
        "metadata": again.run_metadata,
        "listed": [one.version for one in listed],
        "loaded": zenml.load_artifact(f"renamed-{NAME}", version="2"),
        "latest": client.get_artifact(f"renamed-{NAME}").latest_version_name,
        "gone": told(lambda: client.get_artifact_version(named.id)),
    }


@step
def one(number: int) -> int:
    return number + 1


@pipeline(enable_cache=False)
def many():
    for index in range(20):
        one(index, id=f"one_{index}")


@step
def numbers(count: int) -> list:
    return list(range(count))


def fanned(count: int):
    one.map(number=numbers(count))


def fan_out():
    """As many steps as there are numbers, found out while it runs, some at once; 0.84 has no such pipelines."""
    if not NEW:
        return None
    count = int(os.environ.get("FAN_OUT", "200"))
    run = client.get_pipeline_run(pipeline(dynamic=True, enable_cache=False)(fanned)(count).id)
    steps = client.list_run_steps(pipeline_run_id=run.id, name="startswith:map:one", size=1000)
    return {
        "status": str(run.status),
        "steps": steps.total,
        "statuses": sorted({str(each.status) for each in steps}),
        "loaded": sorted(each.output.load() for each in steps.items[:2]) != [],
    }


def runs():
    run = client.get_pipeline_run(many.with_options(run_name=f"{NAME} many")().id)
    steps = client.list_run_steps(pipeline_run_id=run.id, size=1000)
    known = len(run.steps)
    client.delete_pipeline_run(run.id)
    return {
        "steps": [known, steps.total],
        "status": str(run.status),
        "gone": told(lambda: client.get_pipeline_run(run.id)),
        "steps gone": client.list_run_steps(pipeline_run_id=run.id).total,
    }


for part in (two_steps, fails, retries, hooks, models, artifacts, runs, fan_out):
    try:
        seen[part.__name__] = part()
    except Exception:
        import traceback

        seen[part.__name__] = traceback.format_exc()[-3000:]
print("OBSERVED " + json.dumps(seen, default=str))
