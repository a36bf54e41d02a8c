"""What runs write and make, read by the server: from a bucket, and from what a log store sent to Plinth itself."""

import io
import json
import logging
import sys
import tarfile
from typing import Annotated

import boto3
import requests

import zenml
from reading import pages_of, reader
from zenml import pipeline, step
from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.types import HTMLString

URL, NAME, S3, KEY = sys.argv[1:5]
client = Client()
client.set_active_project("default")
seen = {}
is_new = zenml.__version__ == "0.98.0"

bucket = f"logs-{NAME}"
s3 = boto3.client(
    "s3",
    endpoint_url=S3,
    region_name="us-east-1",
    aws_access_key_id="test-key",
    aws_secret_access_key="test-secret",
)
s3.create_bucket(Bucket=bucket)
client.create_secret(
    f"keys-{NAME}",
    {"aws_access_key_id": "test-key", "aws_secret_access_key": "test-secret"},
)
store = client.create_stack_component(
    name=f"store-{NAME}",
    flavor="s3",
    component_type=StackComponentType.ARTIFACT_STORE,
    configuration={
        "path": f"s3://{bucket}/zenml",
        "authentication_secret": f"keys-{NAME}",
        "client_kwargs": {"endpoint_url": S3, "region_name": "us-east-1"},
    },
)
components = {
    StackComponentType.ORCHESTRATOR: "default",
    StackComponentType.ARTIFACT_STORE: store.name,
}
client.create_stack(name=f"in-bucket-{NAME}", components=components)
if is_new:
    log_store = client.create_stack_component(
        name=f"plinth-{NAME}",
        flavor="otel",
        component_type=StackComponentType.LOG_STORE,
        configuration={
            "endpoint": f"{URL}/otlp/v1/logs",
            "headers": {"Authorization": f"Bearer {KEY}"},
            "compression": "gzip",
        },
    )
    client.create_stack(
        name=f"in-plinth-{NAME}",
        components={**components, StackComponentType.LOG_STORE: log_store.name},
    )


@step(enable_cache=False)
def talk(lines: int) -> Annotated[HTMLString, "page"]:
    for at in range(lines):
        print(f"line {at} of the step")
    logging.getLogger("zenml.step").error("something went wrong")
    return HTMLString("<h1>shown</h1>")


@pipeline
def talking(lines: int = 300):
    talk(lines)


get = reader(URL)


def observe(stack):
    client.activate_stack(stack)
    run = client.get_pipeline_run(talking().id)
    taken = run.steps["talk"]
    if not is_new:
        text = get(f"/steps/{taken.id}/logs", strip_timestamp=True)
        lines = [line for line in text.splitlines() if line.startswith("line ")]
        return run, [str(run.status), lines == [f"line {at} of the step" for at in range(300)]]
    own = next(logs for logs in taken.log_collection if logs.source == "step")
    entries = get(f"/steps/{taken.id}/logs", source="step")
    return run, [str(run.status), len(entries) >= 300, *pages_of(get, own.id)]


run, seen["bucket"] = observe(f"in-bucket-{NAME}")
page = run.steps["talk"].output
shown = get(f"/artifact_versions/{page.id}/visualize")
seen["shown"] = [shown["type"], "<h1>shown</h1>" in shown["value"]]
leave = get(f"/artifact_versions/{page.id}/download-token")
archive = requests.get(f"{URL}/api/v1/artifact_versions/{page.id}/data", params={"token": leave})
with tarfile.open(fileobj=io.BytesIO(archive.content)) as files:
    names = files.getnames()
    inside = {name: files.extractfile(name).read() for name in names}
prefix = page.uri.removeprefix(f"s3://{bucket}/") + "/"
there = {
    item["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
}
seen["downloaded"] = [len(names) > 0, inside == there]
if is_new:
    _, seen["plinth"] = observe(f"in-plinth-{NAME}")
print("OBSERVED " + json.dumps(seen))
