"""Logs what an export can hold with the real client, and writes down what the client then sees: expected.json."""

import json
import sys

import mlflow
import pandas
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

url, target = sys.argv[1:]
mlflow.set_tracking_uri(url)
client = MlflowClient()


def log(name, learning_rate, points):
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_params({"learning_rate": learning_rate, "note": 'é "日本"\n\\ 😀', "only of " + name: "1"})
        mlflow.log_metrics({"zero": 0.0, "whole": 3.0})
        mlflow.log_metric("not a number", float("nan"))
        mlflow.log_metric("endless", float("inf"))
        mlflow.log_metric("endless", float("-inf"), step=1)
        mlflow.set_tags({"team": "vision", "empty": ""})
        data = mlflow.data.from_pandas(pandas.DataFrame({"x": [1.0, 2.0]}), name="table", source="table.csv")
        mlflow.log_input(data, context="training")
        run_id = run.info.run_id
    some = [Metric("loss", 1 / (1 + step), 1_700_000_000_000 + step * 250, step) for step in range(points)]
    for start in range(0, points, 1000):
        client.log_batch(run_id, metrics=some[start : start + 1000])
    return run_id


for number, name in enumerate(["first é", "second", "third"]):
    experiment = mlflow.set_experiment(f"{name} experiment")
    client.set_experiment_tag(experiment.experiment_id, "owner", "me")
    for index in range(3):
        last = log(f"{name} {index}", 10.0 ** -index, 2500 if number == 0 else 7)
# Integers that doubles cannot hold, a value stored twice, keys that differ in case alone.
odd = Metric("odd", 0.1 + 0.2, 9007199254740993, 2**62 + 1)
client.log_batch(last, metrics=[odd, Metric("odd", -5e-324, 4, -(2**62)), Metric("Loss", 1.5, 5, 0)])
client.log_batch(last, metrics=[odd], params=[Param("Note", "x" * 6000)], tags=[RunTag("t.a/b c", "1")])
gone = log("gone", 1.0, 3)
client.delete_run(gone)
kept = client.create_run(experiment.experiment_id, run_name="running").info.run_id

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


with mlflow.start_run(run_name="model"):
    info = mlflow.pyfunc.log_model(python_model=Echo(), name="echo", registered_model_name="echo", params={"depth": "3"})
    mlflow.log_metric("quality", 0.75, model_id=info.model_id, step=2)
client.update_registered_model("echo", description="says it again")
client.set_registered_model_tag("echo", "kind", "toy")
client.set_registered_model_alias("echo", "best", "1")
client.set_model_version_tag("echo", "1", "checked", "yes")
client.create_registered_model("empty")


def milliseconds(time):
    return None if pandas.isna(time) else time.value // 1_000_000


experiments = client.search_experiments(view_type=ViewType.ACTIVE_ONLY)
ids = [one.experiment_id for one in experiments]
wide = mlflow.search_runs(ids, max_results=1000)
runs = [client.get_run(run_id) for run_id in wide.run_id]
for name in ("start_time", "end_time"):
    wide[name] = pandas.Series([milliseconds(time) for time in wide[name]], dtype=object)
rows = []
for record in wide.to_dict("records"):
    present = {
        key: value for key, value in record.items() if key.startswith("metrics.") or not pandas.isna(value)
    }
    run = next(one for one in runs if one.info.run_id == record["run_id"])
    # pandas shows the same for a metric that is NaN and one that is not there.
    missing = {key for key in present if key.startswith("metrics.") and key[8:] not in run.data.metrics}
    rows.append({key: value for key, value in present.items() if key not in missing})


def points(run):
    for key in run.data.metrics:
        for point in client.get_metric_history(run.info.run_id, key):
            yield [run.info.run_id, point.key, point.value, point.timestamp, point.step]


models = client.search_logged_models(ids)
versions = [version for version in client.search_model_versions()]
expected = {
    "runs_wide": rows,
    "metrics": [point for run in runs for point in points(run)],
    "params": [[run.info.run_id, key, value] for run in runs for key, value in run.data.params.items()],
    "tags": [[run.info.run_id, key, value] for run in runs for key, value in run.data.tags.items()],
    "runs": [
        [run.info.run_id, run.info.run_name, run.info.user_id, run.info.status, run.info.start_time, run.info.end_time]
        for run in runs
    ],
    "experiments": [
        [one.experiment_id, one.name, one.artifact_location, one.creation_time, one.last_update_time]
        for one in experiments
    ],
    "experiment_tags": [[one.experiment_id, key, value] for one in experiments for key, value in one.tags.items()],
    "inputs": [
        [run.info.run_id, one.dataset.name, one.dataset.digest, next(tag.value for tag in one.tags)]
        for run in runs
        for one in run.inputs.dataset_inputs
    ],
    "datasets": sorted(
        {
            (run.info.experiment_id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile)
            for run in runs
            for d in (one.dataset for one in run.inputs.dataset_inputs)
        }
    ),
    "run_models": [[run.info.run_id, one.model_id, "output", one.step] for run in runs for one in run.outputs.model_outputs],
    "logged_models": [
        [m.model_id, m.experiment_id, m.name, m.artifact_location, str(m.status), m.source_run_id, m.creation_timestamp]
        for m in models
    ],
    "logged_model_params": [[m.model_id, key, value] for m in models for key, value in m.params.items()],
    "logged_model_tags": [[m.model_id, key, value] for m in models for key, value in m.tags.items()],
    "logged_model_metrics": [
        [m.model_id, one.run_id, one.key, one.value, one.timestamp, one.step] for m in models for one in m.metrics
    ],
    "registered_models": [
        [m.name, m.description or "", m.creation_timestamp, m.last_updated_timestamp]
        for m in client.search_registered_models()
    ],
    "registered_model_tags": [["echo", key, value] for key, value in client.get_registered_model("echo").tags.items()],
    "registered_model_aliases": [["echo", "best", 1]],
    "model_versions": [
        [v.name, int(v.version), v.current_stage, v.status, v.source, v.run_id, v.source[8:], v.creation_timestamp]
        for v in versions  # "models:/m-...": the client does not show the model id of a version
    ],
    "model_version_tags": [
        [v.name, int(v.version), key, value] for v in versions for key, value in v.tags.items()
    ],
}
with open(target, "w", encoding="utf-8") as file:
    json.dump(expected, file)
print("\nOBSERVED " + json.dumps({table: len(rows) for table, rows in expected.items()}))
