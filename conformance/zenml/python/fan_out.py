"""Two hundred steps beside each other, and what is made of all of them: found while it runs (0.98), or planned (0.84)."""

import importlib.util
import json
import sys
import time
from pathlib import Path

import zenml
from zenml import pipeline, step
from zenml.client import Client
from zenml.models.v2.misc.pipeline_run_dag import PipelineRunDAG

NAME, COUNT = sys.argv[2], int(sys.argv[3])
NEW = zenml.__version__ == "0.98.0"
client = Client()
# More than one project may be there, and then a process has to say which one it is about.
client.set_active_project("default")


@step
def numbers(count: int) -> list[int]:
    return list(range(count))


@step
def squared(number: int) -> int:
    return number * number


@step
def total(values: list[int]) -> int:
    return sum(values)


def found_while_it_runs():
    total(squared.map(number=numbers(COUNT)))


def one_by_one():
    """A step of 0.84 takes one artifact per input, so the one that joins them has as many inputs as there are numbers."""
    inputs = ", ".join(f"v{index}: int" for index in range(COUNT))
    values = ", ".join(f"v{index}" for index in range(COUNT))
    module = Path("joining.py")
    module.write_text(f"from zenml import step\n\n\n@step\ndef joined({inputs}) -> int:\n    return sum([{values}])\n")
    spec = importlib.util.spec_from_file_location("joining", module)
    sys.modules["joining"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["joining"])
    sys.modules["joining"].joined(**{f"v{index}": squared(index, id=f"squared_{index}") for index in range(COUNT)})


options = {"dynamic": True} if NEW else {}
fanned = pipeline(name=f"fanned-{NAME}", enable_cache=False, enable_step_logs=False, **options)
started = time.monotonic()
run = client.get_pipeline_run(fanned(found_while_it_runs if NEW else one_by_one)().id)
seconds = time.monotonic() - started

started = time.monotonic()
steps = {one.name: one for one in client.list_run_steps(pipeline_run_id=run.id, size=1000, hydrate=True)}
listed = time.monotonic() - started
fans = [one for name, one in steps.items() if "squared" in name]
last = steps["total" if NEW else "joined"]


def output(of):
    """The one artifact that a step made."""
    return of.outputs["output"][0]


inputs = [one for each in last.inputs.values() for one in (each if isinstance(each, list) else [each])]
started = time.monotonic()
answer = client.zen_store.get(f"/runs/{run.id}/dag")
drawn = time.monotonic() - started
dag = PipelineRunDAG.model_validate(answer)
nodes = {one.node_id: one for one in dag.nodes}
by_type = {kind: [one for one in dag.nodes if one.type == kind] for kind in {one.type for one in dag.nodes}}
pairs = [(nodes[edge.source], nodes[edge.target]) for edge in dag.edges]
fan_ids = {str(one.id) for one in fans}
made = {str(output(one).id): str(one.id) for one in fans}

print(
    "OBSERVED "
    + json.dumps(
        {
            "status": [str(run.status), str(dag.status), dag.id == run.id],
            "steps": [len(steps), len(fans), sorted({str(one.status) for one in steps.values()})],
            "values": sorted(output(one).load() for one in fans) == [index * index for index in range(COUNT)],
            "total": output(last).load() == sum(index * index for index in range(COUNT)),
            "joined": sorted(str(one.id) for one in inputs) == sorted(made),
            "nodes": {kind: len(found) for kind, found in sorted(by_type.items())},
            "step nodes": sorted(str(one.id) for one in by_type["step"]) == sorted(str(one.id) for one in steps.values()),
            "node states": sorted({one.metadata["status"] for one in by_type["step"]}),
            # Each of them made what the last one took in, and nothing goes around them.
            "made by": sum(1 for a, b in pairs if str(a.id) in fan_ids and made.get(str(b.id)) == str(a.id)),
            "taken in": sum(1 for a, b in pairs if str(a.id) in made and b.id == last.id),
            "edges": len(pairs),
            "known nodes": len(nodes) == len(dag.nodes),
            "seconds": {"run": round(seconds, 1), "listed": round(listed, 2), "drawn": round(drawn, 2)},
        },
        default=str,
    )
)
