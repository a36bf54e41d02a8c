"""Fills a store of MLflow, of any version from 2.9 on, with one of everything that an import must bring over.

fill_store.py TRACKING_URI [RUNS]: prints what it made as one line of JSON.
"""

import json
import math
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

uri = sys.argv[1]
runs_wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 12
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri(uri)
client = MlflowClient()
modern = hasattr(client, "create_logged_model")


def fill_run(run_id, index):
    metrics = [
        Metric("loss", 1.0 / (step + 1) + index, 1_700_000_000_000 + step * 1000, step) for step in range(40)
    ]
    metrics += [Metric("val/accuracy x", math.sin(step + index), 1_700_000_000_000 + step, step) for step in range(15)]
    metrics += [
        Metric("odd", math.nan, 1_700_000_000_001, 1),
        Metric("odd", math.inf, 1_700_000_000_002, 2),
        Metric("odd", -math.inf, 1_700_000_000_003, 3),
        Metric("odd", 0.1 + 0.2, 1_700_000_000_004, 0),
        Metric("ends_in_nan", 1.5, 1_700_000_000_000, 0),
        Metric("ends_in_nan", math.nan, 1_700_000_000_001, 1),
        Metric("same_step", 2.0, 1_700_000_000_000, 7),
        Metric("same_step", 3.0, 1_700_000_000_000, 7),
        Metric("same_step", 1.0, 1_700_000_000_005, 7),
        Metric("far", -1e300, 1, 2**40 + index),
        Metric("before", 5e-324, 1_700_000_000_000, -5),
    ]
    params = [Param("alpha", str(index)), Param("text", "späße \U0001f680 'quoted' \\ \n line"), Param("empty", "")]
    params += [Param(f"p{number}", "x" * number) for number in range(10)]
    tags = [RunTag("team", f"team-{index % 3}"), RunTag("mlflow.note.content", "# Note\n" + "long " * 500)]
    client.log_batch(run_id, metrics=metrics, params=params, tags=tags)


experiments = [client.create_experiment(f"exp {name}", tags={"kind": name, "n": "1"}) for name in ("a", "ü/b", "gone")]
made = []
for index in range(runs_wanted):
    experiment = ["0", *experiments][index % 4]
    run = client.create_run(experiment, run_name=f"run {index}", start_time=1_700_000_000_000 + index)
    fill_run(run.info.run_id, index)
    status = ["FINISHED", "FAILED", "KILLED", None][index % 4]
    if status:
        client.set_terminated(run.info.run_id, status=status, end_time=1_700_000_100_000 + index)
    made.append(run.info.run_id)
bare = client.create_run(experiments[0], run_name="bare")
made.append(bare.info.run_id)
client.delete_run(made[0])

# Datasets: one that two runs share, one with a schema and profile.
import numpy
from mlflow.entities import Dataset, DatasetInput, InputTag

shared = Dataset(name="shared", digest="d1", source_type="local", source='{"uri": "file:/x"}', schema="{}", profile='{"n": 1}')
other = Dataset(name="other", digest="d2", source_type="http", source='{"url": "http://x"}')
client.log_inputs(made[1], [DatasetInput(shared, [InputTag("mlflow.data.context", "training")])])
client.log_inputs(made[5], [DatasetInput(shared, [InputTag("mlflow.data.context", "eval"), InputTag("k", "v")]), DatasetInput(other, [])])

models = []
if modern:
    from mlflow.entities import LoggedModelInput, LoggedModelOutput, LoggedModelParameter, LoggedModelStatus

    for index in range(3):
        model = client.create_logged_model(
            experiments[0],
            name=f"net-{index}",
            source_run_id=made[1],
            tags={"size": "small"},
            params={"depth": str(index)},
            model_type="agent" if index == 0 else None,
        )
        client.finalize_logged_model(model.model_id, LoggedModelStatus.READY if index else LoggedModelStatus.FAILED)
        models.append(model.model_id)
    client.log_metric(made[1], "model_metric", 0.5, step=3, model_id=models[1])
    client.log_outputs(made[1], [LoggedModelOutput(models[0], 0), LoggedModelOutput(models[1], 4)])
    client.log_inputs(made[5], models=[LoggedModelInput(models[1])])
    client.delete_logged_model(models[2])

# Files, where the store keeps them on this machine.
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "notes.txt"
    file.write_text("some words")
    client.log_artifact(made[1], str(file))
    client.log_artifact(made[1], str(file), "deep/er")

client.create_registered_model("churn", tags={"owner": "me"}, description="Who leaves")
slashes = not modern and not uri.startswith("file")
client.create_registered_model("empty/less" if slashes else "empty-less")
for index in range(4):
    version = client.create_model_version(
        "churn",
        f"runs:/{made[1]}/model" if not uri.startswith("http") else client.get_run(made[1]).info.artifact_uri + "/model",
        run_id=made[1],
        tags={"n": str(index)},
        description=f"version {index}",
    )
if hasattr(client, "transition_model_version_stage"):
    client.transition_model_version_stage("churn", "1", "Production")
    client.transition_model_version_stage("churn", "2", "Staging")
client.set_registered_model_alias("churn", "champion", "3")
client.set_registered_model_alias("churn", "shadow", "1")
client.delete_model_version("churn", "4")
client.delete_experiment(experiments[2])
print("FILLED " + json.dumps({"experiments": ["0", *experiments], "runs": made, "logged_models": models}))
