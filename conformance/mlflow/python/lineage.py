"""Trains with a dataset, registers the model, and asks the console API where the version comes from, and back."""

import mlflow
import mlflow.pyfunc
import pandas
import requests
from mlflow.tracking import MlflowClient

from flow import URL, observe, unique

major = int(mlflow.__version__.split(".")[0])
client = MlflowClient()
experiment = mlflow.set_experiment(unique("lineage"))
name = unique("lineage model")


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


with mlflow.start_run(run_name="parent") as parent:
    with mlflow.start_run(run_name="child", nested=True) as run:
        data = mlflow.data.from_pandas(pandas.DataFrame({"x": [1.0]}), source="table.csv", name=unique("table"))
        mlflow.log_input(data, context="training")
        place = {"name": "echo"} if major >= 3 else {"artifact_path": "echo"}
        info = mlflow.pyfunc.log_model(python_model=Echo(), registered_model_name=name, **place)
client.set_registered_model_alias(name, "best", "1")
model_id = getattr(info, "model_id", None)


def ask(path, **fields):
    answer = requests.get(f"{URL}/console/api/lineage/{path}", params=fields, timeout=30)
    answer.raise_for_status()
    return answer.json()


def back(**fields):
    return [[one["name"] == name, one["version"]] for one in ask("model-versions", **fields)["model_versions"]]


found = ask("model-version", name=name, alias="best")
observe(
    same=found == ask("model-version", name=name, version=1),
    version=[found["model_version"]["version"], found["model_version"]["aliases"]],
    run=found["run"]["run_id"] == run.info.run_id,
    parents=[one["run_id"] == parent.info.run_id for one in found["parent_runs"]],
    experiment=found["experiment"]["experiment_id"] == experiment.experiment_id,
    datasets=[[one["name"] == data.name, one["digest"] == data.digest, one["context"]] for one in found["datasets"]],
    logged_model=found["logged_model"] and found["logged_model"]["model_id"] == model_id,
    outputs=[one["model_id"] == model_id for one in found["output_models"]],
    back_from_run=back(run_id=run.info.run_id),
    back_from_parent=back(run_id=parent.info.run_id),
    back_from_experiment=back(experiment_id=experiment.experiment_id),
    back_from_dataset=back(dataset_name=data.name, dataset_digest=data.digest),
    back_from_model=back(model_id=model_id or "none"),
)
