"""A client that knows nothing of workspaces, on a server that has one with an experiment of the same name."""

import json
import urllib.request

import mlflow
from mlflow.tracking import MlflowClient

from flow import URL, error_of, observe, unique

workspace = "beside-" + mlflow.__version__.replace(".", "-")
name = unique("beside workspaces")


def send(path, body, headers=None):
    request = urllib.request.Request(
        URL + path,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", **(headers or {})},
    )
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


send("/api/3.0/mlflow/workspaces", {"name": workspace})
other = send("/api/2.0/mlflow/experiments/create", {"name": name}, {"x-mlflow-workspace": workspace})

experiment = mlflow.set_experiment(name)
with mlflow.start_run() as run:
    mlflow.log_metric("loss", 0.25)
    mlflow.log_text("a text", "note.txt")
client = MlflowClient()
placed = client.create_experiment(name + " placed", artifact_location="mlflow-artifacts:/chosen/place")
observe(
    own=experiment.experiment_id != other["experiment_id"],
    place=experiment.artifact_location == f"mlflow-artifacts:/{experiment.experiment_id}",
    chosen=client.get_experiment(placed).artifact_location,
    found=[one.info.run_id == run.info.run_id for one in client.search_runs([experiment.experiment_id])],
    text=mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt"),
    names=[one.name == name for one in client.search_experiments(filter_string=f"name = '{name}'")],
    other=error_of(client.get_experiment, other["experiment_id"]),
)
