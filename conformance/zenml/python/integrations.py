"""A stack whose artifacts lie on S3 and whose experiments lie in Plinth itself, by secrets and by a service connector."""

import json
import os
import sys
from typing import Annotated

import boto3
import requests

from zenml import get_step_context, pipeline, step
from zenml.client import Client
from zenml.enums import StackComponentType

URL, NAME, S3 = sys.argv[1:4]
client = Client()
client.set_active_project("default")
seen = {}

bucket = f"bucket-{NAME}"
s3 = boto3.client("s3", endpoint_url=S3, region_name="us-east-1", aws_access_key_id="test-key", aws_secret_access_key="test-secret")
s3.create_bucket(Bucket=bucket)

client.create_secret(f"s3-{NAME}", {"key": "test-key", "secret": "test-secret"})
client.create_secret(f"mlflow-{NAME}", {"user": os.environ["ZENML_STORE_USERNAME"], "password": os.environ["ZENML_STORE_PASSWORD"]})
store = client.create_stack_component(
    name=f"s3-{NAME}",
    flavor="s3",
    component_type=StackComponentType.ARTIFACT_STORE,
    configuration={
        "path": f"s3://{bucket}/zenml",
        "key": f"{{{{s3-{NAME}.key}}}}",
        "secret": f"{{{{s3-{NAME}.secret}}}}",
        "client_kwargs": {"endpoint_url": S3, "region_name": "us-east-1"},
    },
)
tracker = client.create_stack_component(
    name=f"mlflow-{NAME}",
    flavor="mlflow",
    component_type=StackComponentType.EXPERIMENT_TRACKER,
    configuration={
        "tracking_uri": URL,
        "tracking_username": f"{{{{mlflow-{NAME}.user}}}}",
        "tracking_password": f"{{{{mlflow-{NAME}.password}}}}",
        "experiment_name": f"zenml-{NAME}",
    },
)
stack = client.create_stack(
    name=f"stack-{NAME}",
    components={
        StackComponentType.ORCHESTRATOR: "default",
        StackComponentType.ARTIFACT_STORE: store.name,
        StackComponentType.EXPERIMENT_TRACKER: tracker.name,
    },
)
client.activate_stack(stack.id)


@step(experiment_tracker=f"mlflow-{NAME}", enable_cache=False)
def train(rate: float) -> Annotated[dict, "weights"]:
    import mlflow

    print("a line that the step prints")
    mlflow.log_param("rate", rate)
    mlflow.log_metric("loss", 0.25)
    return {"w": [rate], "run": mlflow.active_run().info.run_id}


@step
def judge(weights: dict) -> Annotated[str, "report"]:
    return f"{weights['w'][0]} by {get_step_context().stack.name if hasattr(get_step_context(), 'stack') else 'x'}"[:3]


@pipeline
def on_s3(rate: float = 0.5):
    judge(train(rate))


run = client.get_pipeline_run(on_s3().id)
weights = run.steps["train"].output
seen["run"] = [str(run.status), run.stack.name == stack.name]
seen["artifact"] = [weights.uri.startswith(f"s3://{bucket}/zenml/"), weights.load()["w"]]
seen["objects"] = s3.list_objects_v2(Bucket=bucket)["KeyCount"] > 1

import mlflow  # noqa: E402

os.environ["MLFLOW_TRACKING_USERNAME"] = os.environ["ZENML_STORE_USERNAME"]
os.environ["MLFLOW_TRACKING_PASSWORD"] = os.environ["ZENML_STORE_PASSWORD"]
mlflow.set_tracking_uri(URL)
tracked = mlflow.get_run(weights.load()["run"])
experiment = mlflow.get_experiment_by_name(f"zenml-{NAME}")
seen["tracked"] = [
    tracked.data.params,
    tracked.data.metrics,
    tracked.info.experiment_id == experiment.experiment_id,
    tracked.info.status,
    tracked.info.run_name == run.name,
]

# What the dashboard reads: the server finds the lines in the bucket by itself.
token = requests.post(f"{URL}/api/v1/login", data={"username": os.environ["ZENML_STORE_USERNAME"], "password": os.environ["ZENML_STORE_PASSWORD"]}).json()["access_token"]
import zenml  # noqa: E402

logs = requests.get(
    f"{URL}/api/v1/steps/{run.steps['train'].id}/logs",
    params={"source": "step"} if zenml.__version__ == "0.98.0" else {},
    headers={"Authorization": f"Bearer {token}", "User-Agent": f"zenml/{zenml.__version__}"},
)
seen["logs"] = [logs.status_code, "a line that the step prints" in logs.text]

client.activate_stack("default")
client.delete_stack(stack.id)
client.delete_stack_component(store.name, StackComponentType.ARTIFACT_STORE)
print("OBSERVED " + json.dumps(seen))
