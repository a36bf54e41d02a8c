"""What `Client` does that no command does: services, curated visualizations, templates, builds, schedules, events."""

import json
import sys
from typing import Annotated

import zenml
from zenml import pipeline, step
from zenml.client import Client
from zenml.config.schedule import Schedule
from zenml.enums import StackComponentType
from zenml.models import BuildItem, PipelineBuildRequest, ScheduleRequest, ScheduleUpdate
from zenml.services import ServiceConfig, ServiceType
from zenml.types import HTMLString

NAME = sys.argv[2]
NEW = zenml.__version__ == "0.98.0"
client = Client()
client.set_active_project("default")
store = client.zen_store
seen = {}


def told(work):
    try:
        work()
    except Exception as error:
        return type(error).__name__
    return None


@step
def page() -> Annotated[HTMLString, f"page-{NAME}"]:
    return HTMLString("<b>seen</b>")


@pipeline(name=f"grouped-{NAME}", enable_cache=False)
def grouped():
    page()


def schedules():
    """The local orchestrator takes none, and the client says so before it asks the server; others have them kept there."""
    refused = told(grouped.with_options(schedule=Schedule(name=f"schedule-{NAME}", cron_expression="0 3 * * *")))
    pipeline_id = grouped().pipeline.id
    request = {
        "project": client.active_project.id,
        "name": f"schedule-{NAME}",
        "active": True,
        "cron_expression": "0 3 * * *",
        "orchestrator_id": client.active_stack_model.components[StackComponentType.ORCHESTRATOR][0].id,
        "pipeline_id": pipeline_id,
    }
    made = store.create_schedule(ScheduleRequest(**request))
    read = client.get_schedule(f"schedule-{NAME}")
    after = [refused, read.id == made.id, read.cron_expression, read.active, read.catchup, read.pipeline_id == pipeline_id]
    after += [told(lambda: store.create_schedule(ScheduleRequest(**request)))]
    after += [client.list_schedules(pipeline_id=pipeline_id, active=True).total, client.list_schedules(pipeline_id=pipeline_id, active=False).total]
    store.update_schedule(made.id, ScheduleUpdate(cron_expression="0 4 * * *"))
    after += [client.get_schedule(made.id).cron_expression]
    client.delete_schedule(made.id)
    after += [told(lambda: client.get_schedule(made.id))]
    if NEW:
        client.delete_schedule(made.id, soft=False)
    return [*after, told(lambda: client.get_schedule(made.id))]


def services():
    config = ServiceConfig(name=f"service-{NAME}", description="serves", pipeline_name="p", pipeline_step_name="s", model_name="m")
    kind = ServiceType(type="model-serving", flavor="own", name="own", logo_url="")
    made = client.create_service(config=config, service_type=kind)
    changed = client.update_service(id=made.id, labels={"team": "a"}, admin_state="active", service_source="module.Class")
    again = client.get_service(made.id)
    seen = {
        "made": [made.name == config.service_name, made.service_type.flavor, again.config["description"]],
        "changed": [changed.labels, changed.admin_state and str(changed.admin_state), changed.service_source],
        "listed": [client.list_services(flavor="own", type="model-serving", service_name=made.name).total, client.list_services(running=True, service_name=made.name).total],
        "by name": client.get_service(made.name).id == made.id,
    }
    client.delete_service(made.id)
    seen["gone"] = told(lambda: client.get_service(made.id))
    return seen


def builds():
    stack = client.active_stack_model
    images = {"orchestrator": BuildItem(image="127.0.0.1:9/image:1", contains_code=True, requires_code_download=False)}
    known = {"zenml_version": zenml.__version__, "python_version": "3.11.7", "checksum": f"sum-{NAME}", "stack_checksum": f"stack-{NAME}"}
    request = PipelineBuildRequest(project=client.active_project.id, stack=stack.id, is_local=False, contains_code=True, images=images, **known)
    made = store.create_build(request)
    again = client.get_build(str(made.id)[:24])
    seen = {
        "images": {key: item.image for key, item in again.images.items()},
        "stack": again.stack.name,
        "flags": [again.is_local, again.contains_code, again.checksum == f"sum-{NAME}"],
        "listed": [client.list_builds(checksum=f"sum-{NAME}").total, client.list_builds(checksum=f"sum-{NAME}", is_local=True).total],
        "by stack": made.id in [one.id for one in client.list_builds(stack_id=stack.id, container_registry_id=None, size=100)],
    }
    run = client.get_pipeline_run(grouped.with_options(build=made.id)().id)
    seen["run's build"] = run.build.id == made.id
    # A template is run by the server, which reaches no stack that is local to somebody.
    source = {"snapshot_id": run.snapshot.id} if NEW else {"deployment_id": run.deployment_id}
    seen["template"] = told(lambda: client.create_run_template(name=f"template-{NAME}", **source))
    seen["templates"] = client.list_run_templates(name=f"template-{NAME}", pipeline_id=run.pipeline.id).total
    client.delete_build(str(made.id))
    seen["gone"] = told(lambda: client.get_build(str(made.id)))
    return seen


def shown_of(pipeline_id):
    return client.get_pipeline(pipeline_id).get_resources().visualizations


def visualizations():
    run = client.get_pipeline(f"grouped-{NAME}").last_run
    artifact = client.get_artifact_version(run.steps["page"].outputs[f"page-{NAME}"][0].id)
    shown = artifact.visualizations[0]
    if not NEW:
        return [str(shown.type)]
    from zenml.enums import VisualizationResourceTypes as Of

    made = client.create_curated_visualization(shown.id, resource_id=run.pipeline.id, resource_type=Of.PIPELINE, display_name="first")
    again = client.update_curated_visualization(made.id, display_name="changed", display_order=3, layout_size="half_width")
    on_run = client.create_curated_visualization(shown.id, resource_id=run.id, resource_type=Of.PIPELINE_RUN)
    seen = [
        [again.display_name, again.display_order, str(again.layout_size)],
        told(lambda: client.create_curated_visualization(shown.id, resource_id=run.pipeline.id, resource_type=Of.PIPELINE)),
        [one.display_name for one in shown_of(run.pipeline.id)],
        store.get_curated_visualization(on_run.id).artifact_visualization_id == shown.id,
    ]
    client.delete_curated_visualization(made.id)
    return [*seen, len(shown_of(run.pipeline.id))]


def events():
    """Event sources, actions and triggers of 0.84 are gone in 0.98; a server for both keeps none, and says so."""
    if NEW:
        return None
    from zenml.enums import PluginSubType

    made = told(lambda: client.create_event_source(f"events-{NAME}", {}, "github", PluginSubType.WEBHOOK))
    return [made, told(lambda: client.list_event_sources()), told(lambda: client.list_actions()), told(lambda: client.list_triggers())]


def repositories():
    from zenml.config.source import Source, SourceType

    source = Source(module="own_code_repository", attribute="OwnRepository", type=SourceType.USER)
    made = client.create_code_repository(f"code-{NAME}", config={"address": "http://127.0.0.1:9", "token": "hidden"}, source=source)
    changed = client.update_code_repository(made.id, name=f"code2-{NAME}", description="described", config={"address": "x", "token": None})
    seen = [changed.name, changed.description, changed.config, client.list_code_repositories(name=f"code2-{NAME}").total]
    client.delete_code_repository(made.id)
    return [*seen, told(lambda: client.get_code_repository(made.id))]


def secrets():
    """A private secret and a shared one may bear the same name."""
    client.create_secret(f"secret-{NAME}", {"a": "1"}, private=True)
    client.create_secret(f"secret-{NAME}", {"a": "2"}, private=False)
    twice = told(lambda: client.create_secret(f"secret-{NAME}", {"a": "3"}, private=False))
    first = [client.get_secret(f"secret-{NAME}").secret_values, client.get_secret(f"secret-{NAME}", private=False).secret_values]
    client.update_secret(f"secret-{NAME}", private=False, add_or_update_values={"b": "4"}, remove_values=["a"])
    by_private = {one.private: one.has_missing_values for one in client.list_secrets(name=f"secret-{NAME}")}
    changed = client.get_secret_by_name_and_private_status(f"secret-{NAME}", private=False).secret_values
    for private in (True, False):
        client.delete_secret(f"secret-{NAME}", private=private)
    return [twice, *first, changed, by_private, client.list_secrets(name=f"secret-{NAME}").total]


for part in (schedules, services, builds, visualizations, events, repositories, secrets):
    try:
        seen[part.__name__] = part()
    except Exception:
        import traceback

        seen[part.__name__] = traceback.format_exc()[-900:]
print("OBSERVED " + json.dumps(seen, default=str))
