"""What people and other programs do with stacks that Terraform made, and beside it; the actions come as arguments."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

ACTION, *ARGS = sys.argv[2:]


def cli(*args):
    zenml = str(Path(sys.executable).parent / "zenml")
    done = subprocess.run([zenml, *args], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"zenml {args} ended with {done.returncode}: {done.stdout}{done.stderr}")


if ACTION == "use":
    # In processes of their own, before this one reads what is set.
    project, *command = ARGS
    cli("project", "set", project)
    cli(*command)

from zenml import pipeline, step  # noqa: E402
from zenml.client import Client  # noqa: E402
from zenml.enums import StackComponentType  # noqa: E402

client = Client()


@step(enable_cache=False)
def make() -> Annotated[dict, "made"]:
    return {"three": [1, 2]}


@step
def count(made: dict) -> Annotated[int, "counted"]:
    return len(made["three"])


@pipeline
def small():
    count(make())


def use(*_):
    """Runs on the stack that is set."""
    stack = client.active_stack_model
    run = client.get_pipeline_run(small().id)
    counted = run.steps["count"].output
    return {
        "stack": stack.name,
        "components": {kind.value: [one.name for one in those] for kind, those in stack.components.items()},
        "labels": stack.labels,
        "status": str(run.status),
        "on": run.stack.name,
        "uri": counted.uri,
        "value": counted.load(),
    }


def secret(command):
    """The line of the guide, by the client's own command."""
    cli(*json.loads(command))
    return None


def drift(stack, component):
    """Somebody changes by hand what is described in files."""
    client.set_active_project("default")
    first = client.get_stack(stack)
    client.update_stack(stack, name=f"{stack}-renamed", labels={"owner": "somebody"})
    kind = StackComponentType.ARTIFACT_STORE
    client.update_stack_component(component, kind, configuration={"path": "s3://ml-bucket/elsewhere"}, labels={"owner": "somebody"})
    return [first.labels, client.get_stack(first.id).labels]


def forget(component):
    """Takes a key out of a configuration."""
    client.set_active_project("default")
    kind = StackComponentType.EXPERIMENT_TRACKER
    client.update_stack_component(component, kind, configuration={"experiment_name": None})
    return sorted(client.get_stack_component(kind, component).configuration)


def delete(stack):
    client.set_active_project("default")
    client.delete_stack(stack)
    return [one.name for one in client.list_stacks(name=stack)]


def by_hand():
    """A stack as people make it, for Terraform to take over."""
    client.set_active_project("default")
    orchestrator = client.create_stack_component(
        "by-hand", "local", StackComponentType.ORCHESTRATOR, configuration={}, labels={"owner": "somebody"}
    )
    kinds = {StackComponentType.ORCHESTRATOR: "by-hand", StackComponentType.ARTIFACT_STORE: "default"}
    stack = client.create_stack("by-hand", kinds)
    store = stack.components[StackComponentType.ARTIFACT_STORE][0]
    return {"component_id": str(orchestrator.id), "stack_id": str(stack.id), "artifact_store_id": str(store.id)}


def owned(script, team):
    """What the guide's script prints."""
    client.set_active_project("default")
    said = io.StringIO()
    sys.argv = ["owned.py", team]
    with contextlib.redirect_stdout(said):
        exec(compile(script, "owned.py", "exec"), {})
    lines = [" ".join(line.split(" ")[:2]) for line in said.getvalue().splitlines()]
    return sorted(lines, key=lambda line: (not line.startswith("Stack"), line))


print("OBSERVED " + json.dumps({"seen": globals()[ACTION](*ARGS)}))
