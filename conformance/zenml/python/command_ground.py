"""What the commands are about that no command makes: runs with models, hooks and a failure, schedules, deployments."""

import json
import os
import sys
import threading
import webbrowser
from urllib.parse import parse_qs, urlparse

import click
import requests
from command_pipelines import failing, training

import zenml
from zenml.cli.cli import cli
from zenml.cli.login import web_login
from zenml.client import Client
from zenml.models import ScheduleRequest

URL, NAME = sys.argv[1], os.environ["OWN_NAME"]
NEW = zenml.__version__ == "0.98.0"
client = Client()
client.set_active_project("default")
store = client.zen_store
project = client.active_project.id


def leaves(command, words=()):
    """Every command that the CLI has, by its words."""
    if isinstance(command, click.Group):
        return [leaf for name in sorted(command.commands) for leaf in leaves(command.commands[name], [*words, name])]
    return [" ".join(words)]


def approve(address):
    """What a person does who opens the page that `zenml login` shows."""
    query = parse_qs(urlparse(address).query)
    path = f"/devices/{query['device_id'][0]}/verify"
    token = store.get_or_generate_api_token()
    body = {"user_code": query["user_code"][0], "trusted_device": False}
    requests.put(f"{URL}/api/v1{path}", json=body, headers={"Authorization": f"Bearer {token}"}).raise_for_status()


def open_page(address, *_, **__):
    threading.Timer(0.1, approve, [address]).start()
    return True


run = client.get_pipeline_run(training.with_options(run_name=f"{NAME}-trained-run")().id)
try:
    failing.with_options(run_name=f"{NAME}-failed-run")()
except Exception as error:
    print(type(error).__name__)
orchestrator = client.active_stack_model.components["orchestrator"][0].id
schedule = store.create_schedule(
    ScheduleRequest(
        project=project,
        name=f"{NAME}-schedule",
        active=True,
        cron_expression="0 3 * * *",
        orchestrator_id=orchestrator,
        pipeline_id=run.pipeline.id,
    )
)
version = client.get_artifact_version(f"{NAME}-data")
config = os.path.join(os.path.dirname(os.path.abspath(__file__)), "github-trigger.yaml")
made = {"config": config, "run": run.id, "pipeline": run.pipeline.id, "schedule": schedule.id, "artifact": version.id}
if NEW:
    from command_pipelines import waiting

    from zenml.models import BuildItem, DeploymentRequest, PipelineBuildRequest, PipelineSnapshotRequest

    paused = client.get_pipeline_run(waiting.with_options(run_name=f"{NAME}-waiting-run")().id)
    made["condition"] = paused.active_wait_condition.id
    made["paused"] = str(paused.status)
    # Only what has been built for other machines, on a stack that is not local, is run for a trigger.
    far = client.create_stack_component(f"{NAME}-far", flavor="kubernetes", component_type="orchestrator", configuration={})
    bucket = client.create_stack_component(f"{NAME}-far", flavor="s3", component_type="artifact_store", configuration={"path": "s3://far"})
    stack = client.create_stack(f"{NAME}-far", {"orchestrator": far.id, "artifact_store": bucket.id})
    image = BuildItem(image="127.0.0.1:9/image", contains_code=True, requires_code_download=False)
    build = PipelineBuildRequest(
        project=project, stack=stack.id, is_local=False, contains_code=True, images={"orchestrator": image}, python_version="3.11", zenml_version="0.98.0"
    )
    local = client.get_snapshot(run.snapshot.id)
    same = ("run_name_template", "pipeline_configuration", "step_configurations", "client_environment", "pipeline_spec")
    snapshot = PipelineSnapshotRequest(
        project=project,
        name=f"{NAME}-built",
        pipeline=run.pipeline.id,
        stack=stack.id,
        build=store.create_build(build).id,
        is_dynamic=False,
        client_version="0.98.0",
        server_version="0.98.0",
        **{name: getattr(local, name) for name in same},
    )
    store.create_snapshot(snapshot)
    made["hook"] = client.list_hook_invocations(pipeline_run_id=run.id).items[0].id
    deployer = client.create_stack_component(f"{NAME}-local", flavor="local", component_type="deployer", configuration={})
    request = DeploymentRequest(project=project, name=f"{NAME}-deployment", snapshot_id=run.snapshot.id, deployer_id=deployer.id)
    made["deployment"] = store.create_deployment(request).id

webbrowser.open = open_page
made["device"] = web_login(url=URL).device_id
print("OBSERVED " + json.dumps({"commands": leaves(cli), "ids": made}, default=str))
