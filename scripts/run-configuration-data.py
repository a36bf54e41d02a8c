"""Writes `server/data/zenml-run-configuration.json`: what can be said when a snapshot of ZenML's is run.

Run it with the Python of an environment that has ZenML's own server, such as the one that the conformance suites make:

    .venv/zenml-server/bin/python scripts/run-configuration-data.py

The schemas are what that version itself says, asked once for each flavor that comes with it, without descriptions.
"""

import json
from pathlib import Path
from types import SimpleNamespace

from zenml.config.pipeline_configurations import PipelineConfiguration
from zenml.config.step_configurations import Step
from zenml.stack.flavor_registry import FlavorRegistry
from zenml.zen_stores.template_utils import generate_config_schema

OUTPUT = Path(__file__).parent.parent / "server" / "data" / "zenml-run-configuration.json"
# What the server itself puts in, by the snapshot and its stack.
OF_SNAPSHOT = {"settings", "steps", "parameters", "experiment_tracker", "step_operator"}
STEP = Step.model_validate(
    {
        "spec": {"source": "module.step", "upstream_steps": [], "invocation_id": "step"},
        "config": {"name": "step"},
        "step_config_overrides": {"name": "step"},
    }
)


def schema_of(*flavors):
    """What upstream says for a dynamic snapshot of one step, on a stack with a component of each flavor."""
    components = [
        SimpleNamespace(
            type=flavor.type,
            name="component",
            flavor_schema=SimpleNamespace(to_model=lambda flavor=flavor: response_of(flavor)),
        )
        for flavor in flavors
    ]
    snapshot = SimpleNamespace(
        is_dynamic=True, build=SimpleNamespace(stack=SimpleNamespace(components=components))
    )
    configuration = PipelineConfiguration(name="pipeline")
    return without_texts(generate_config_schema(snapshot, configuration, {"step": STEP}))


def response_of(flavor):
    """As much of an answer about a flavor as its class is found by."""
    request = flavor.to_model(is_custom=False)
    return SimpleNamespace(**{name: getattr(request, name) for name in type(request).model_fields})


def without_texts(schema):
    """Of a schema; the names below `properties` and `$defs` are no keywords."""
    if isinstance(schema, list):
        return [without_texts(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        keyword: {name: without_texts(one) for name, one in value.items()}
        if keyword in ("properties", "$defs")
        else without_texts(value)
        for keyword, value in schema.items()
        if keyword not in ("description", "examples")
    }


def without(properties):
    return {name: schema for name, schema in properties.items() if name not in OF_SNAPSHOT}


common = schema_of()
made = {"Settings", "Steps", "Parameters", "step", "ExperimentTrackers", "StepOperators"}
definitions = {name: one for name, one in common["$defs"].items() if name not in made}
settings, flavors = {}, {}
registry = FlavorRegistry()
for flavor in (one() for one in registry.builtin_flavors + registry.integration_flavors):
    defs = schema_of(flavor)["$defs"]
    own = defs["Settings"]["properties"].get(f"{flavor.type}:component")
    if own is None:
        continue
    name = own["anyOf"][0]["$ref"].removeprefix("#/$defs/")
    uses = [one for one in defs if one not in definitions and one not in made and one != name]
    settings.update({one: defs[one] for one in [*uses, name]})
    flavors[f"{flavor.type}:{flavor.name}"] = {"class": name, "uses": uses}

parts = {
    "result": without(common["properties"]),
    "step": without(common["$defs"]["step"]["properties"]),
    "definitions": definitions,
    "settings": settings,
    "flavors": flavors,
}


def lines(part):
    """An entry a line, so that changes are seen."""
    entries = (
        f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'), ensure_ascii=False)}"
        for name, value in part.items()
    )
    return "{\n" + ",\n".join(entries) + "\n}"


text = ",\n".join(f"{json.dumps(name)}: {lines(part)}" for name, part in parts.items())
OUTPUT.write_text("{\n" + text + "\n}\n", encoding="utf-8")
