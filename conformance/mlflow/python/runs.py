"""Experiments by name, nested runs, params, metrics, tags and batches through the fluent API."""

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from flow import observe, unique

name = unique("runs flow")
experiment = mlflow.set_experiment(name)
again = mlflow.set_experiment(name)
client = MlflowClient()

with mlflow.start_run(run_name="parent", description="the whole day", tags={"team": "vision"}) as parent:
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"depth": 3, "nothing": None, "text": "ä 値", "long": "v" * 6000})
    mlflow.log_metric("loss", 1.5, step=0)
    mlflow.log_metrics({"loss": 0.5, "acc": 0.9}, step=1)
    mlflow.log_metric("odd", float("nan"))
    mlflow.log_metric("huge", float("inf"))
    mlflow.set_tag("stage", "test")
    mlflow.set_tags({"a/b": "1", "c d": "2"})
    mlflow.delete_tag("c d")
    children = []
    for index in range(3):
        with mlflow.start_run(run_name=f"child {index}", nested=True) as child:
            mlflow.log_metric("loss", index)
            with mlflow.start_run(nested=True) as grandchild:
                children.append([child.info.run_id, grandchild.info.run_id])

parent_id = parent.info.run_id
with mlflow.start_run(run_id=parent_id):
    status_resumed = client.get_run(parent_id).info.status
    mlflow.log_metric("loss", 0.25, step=2)

batched = client.create_run(experiment.experiment_id, run_name="batched", tags={"x": "y"}, start_time=1234)
client.log_batch(
    batched.info.run_id,
    metrics=[Metric("m", step / 10, 1000 + step, step) for step in range(500)],
    params=[Param(f"p{index}", str(index)) for index in range(100)],
    tags=[RunTag(f"t{index}", str(index)) for index in range(100)],
)
client.set_terminated(batched.info.run_id, status="FAILED", end_time=5678)
client.update_run(batched.info.run_id, name="renamed")

try:
    with mlflow.start_run(run_name="crashes") as crashed:
        raise ValueError("on purpose")
except ValueError:
    pass

run = client.get_run(parent_id)
big = client.get_run(batched.info.run_id)
tree = [
    [
        client.get_parent_run(child).info.run_id == parent_id,
        client.get_parent_run(grandchild).info.run_id == child,
    ]
    for child, grandchild in children
]

observe(
    same_experiment=experiment.experiment_id == again.experiment_id,
    experiment_name=client.get_experiment(experiment.experiment_id).name,
    by_name=client.get_experiment_by_name(name).experiment_id == experiment.experiment_id,
    artifact_uri_is_proxied=run.info.artifact_uri.startswith("mlflow-artifacts:/"),
    params={key: value for key, value in run.data.params.items() if key != "long"},
    long_param=len(run.data.params["long"]),
    metrics=run.data.metrics,
    tags={key: run.data.tags[key] for key in ("team", "stage", "a/b")},
    deleted_tag="c d" in run.data.tags,
    note=run.data.tags["mlflow.note.content"],
    status=run.info.status,
    status_resumed=status_resumed,
    lifecycle_stage=run.info.lifecycle_stage,
    tree=tree,
    loss_history=[[m.value, m.step] for m in client.get_metric_history(parent_id, "loss")],
    crashed=client.get_run(crashed.info.run_id).info.status,
    batched={
        "params": len(big.data.params),
        "tags": len([key for key in big.data.tags if key.startswith("t")]),
        "m": big.data.metrics["m"],
        "name": big.info.run_name,
        "status": big.info.status,
        "start": big.info.start_time,
        "end": big.info.end_time,
    },
)
