"""What runs write to Azure's blob storage, read by the server: by an account's key, and by a shared access signature."""

import io
import json
import logging
import sys
import tarfile
import time
from datetime import datetime, timedelta, timezone
from typing import Annotated

import requests
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    generate_account_sas,
)

import zenml
from reading import messages, pages_of, reader
from zenml import pipeline, step
from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.types import HTMLString

URL, NAME, CONNECTION, LINES = sys.argv[1:5]
client = Client()
client.set_active_project("default")
get = reader(URL)
seen = {}
is_new = zenml.__version__ == "0.98.0"

blobs = BlobServiceClient.from_connection_string(CONNECTION)
container = blobs.create_container(f"logs-{NAME}")
signature = generate_account_sas(
    account_name=blobs.account_name,
    account_key=blobs.credential.account_key,
    resource_types=ResourceTypes(service=True, container=True, object=True),
    permission=AccountSasPermissions(read=True, write=True, list=True, delete=True, add=True, create=True),
    expiry=datetime.now(timezone.utc) + timedelta(hours=1),
)
connections = {
    "key": (CONNECTION, "az"),
    "signature": (f"BlobEndpoint={blobs.url};SharedAccessSignature={signature}", "abfs"),
}


def register(kind, connection, scheme):
    client.create_secret(f"{kind}-{NAME}", {"connection_string": connection})
    store = client.create_stack_component(
        name=f"{kind}-{NAME}",
        flavor="azure",
        component_type=StackComponentType.ARTIFACT_STORE,
        configuration={
            "path": f"{scheme}://{container.container_name}/zenml/{kind}",
            "authentication_secret": f"{kind}-{NAME}",
        },
    )
    components = {
        StackComponentType.ORCHESTRATOR: "default",
        StackComponentType.ARTIFACT_STORE: store.name,
    }
    client.create_stack(name=store.name, components=components)


@step(enable_cache=False)
def talk(lines: int) -> Annotated[HTMLString, "page"]:
    for at in range(lines):
        print(f"line {at} of the step")
    logging.getLogger("zenml.step").error("something went wrong")
    return HTMLString("<h1>shown</h1>")


@pipeline
def talking(lines: int = 300):
    talk(lines)


def logs_of(taken):
    if not is_new:
        text = get(f"/steps/{taken.id}/logs", strip_timestamp=True)
        lines = [line for line in text.splitlines() if line.startswith("line ")]
        return lines == [f"line {at} of the step" for at in range(300)]
    own = next(logs for logs in taken.log_collection if logs.source == "step")
    return pages_of(get, own.id)


def blobs_below(uri):
    _, path = uri.split("://")
    prefix = path.removeprefix(container.container_name + "/")
    return {
        name[len(prefix) + 1 :]: container.download_blob(name).readall()
        for name in container.list_blob_names(name_starts_with=prefix + "/")
    }


def downloaded(artifact):
    leave = get(f"/artifact_versions/{artifact.id}/download-token")
    archive = requests.get(f"{URL}/api/v1/artifact_versions/{artifact.id}/data", params={"token": leave})
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as files:
        inside = {name: files.extractfile(name).read() for name in files.getnames()}
    return len(inside) > 0 and inside == blobs_below(artifact.uri)


for kind, (connection, scheme) in connections.items():
    register(kind, connection, scheme)
    client.activate_stack(f"{kind}-{NAME}")
    run = client.get_pipeline_run(talking().id)
    taken = run.steps["talk"]
    page = taken.output
    shown = get(f"/artifact_versions/{page.id}/visualize")
    seen[kind] = [
        str(run.status),
        page.uri.startswith(f"{scheme}://"),
        logs_of(taken),
        shown["type"] == "html" and "<h1>shown</h1>" in shown["value"],
        downloaded(page),
    ]

if is_new:
    # The same log once more, far longer than what is held in memory.
    own = next(logs for logs in taken.log_collection if logs.source == "step")
    path = own.uri.split("://")[1].removeprefix(container.container_name + "/")
    for name in list(container.list_blob_names(name_starts_with=path)):
        container.delete_blob(name)
    count = int(LINES)
    text = "".join(f"line {at} of a long log, which says little in many words\n" for at in range(count))
    container.upload_blob(path, text.encode(), max_concurrency=4)
    # The files of a log are remembered for two seconds.
    time.sleep(2.5)
    newest = get(f"/logs/{own.id}/entries", limit=100, start="newest")
    before = get(f"/logs/{own.id}/entries", limit=100, before=newest["before"])
    oldest = get(f"/logs/{own.id}/entries", limit=100)
    numbers = [
        [int(line.split()[1]) for line in (messages(page)[0], messages(page)[-1])]
        for page in (newest, before, oldest)
    ]
    seen["long"] = [[first - count, last - count] for first, last in numbers[:2]] + [numbers[2]]

answer = requests.delete(
    f"{URL}/api/v1/artifact_versions/{page.id}",
    params={"delete_metadata": False, "delete_from_artifact_store": True},
    headers=get.headers,
)
seen["deleted"] = [answer.status_code, blobs_below(page.uri)]

# A key that is no longer the account's.
client.update_secret(
    f"key-{NAME}",
    add_or_update_values={"connection_string": CONNECTION.replace("AccountKey=E", "AccountKey=F")},
)
first = client.list_pipeline_runs(stack=f"key-{NAME}").items[0].steps["talk"]
status, text = get(f"/artifact_versions/{first.output.id}/visualize")
seen["refused"] = [status, "AuthorizationFailure" in text]
print("OBSERVED " + json.dumps(seen))
