"""Delete and restore of runs and experiments, and the errors that a client sees."""

import mlflow
from mlflow.entities import Param, ViewType
from mlflow.tracking import MlflowClient

from flow import error_of, observe, unique

client = MlflowClient()
name = unique("lifecycle flow")
experiment = client.create_experiment(name, tags={"team": "vision"})
client.set_experiment_tag(experiment, "stage", "test")
kept = client.create_run(experiment, run_name="kept").info.run_id
gone = client.create_run(experiment, run_name="gone").info.run_id
client.log_param(kept, "p", "1")


def names(view):
    return sorted(run.info.run_name for run in client.search_runs([experiment], run_view_type=view))


def stage(run_id):
    return client.get_run(run_id).info.lifecycle_stage


client.delete_run(gone)
after_delete = [names(ViewType.ACTIVE_ONLY), names(ViewType.DELETED_ONLY), names(ViewType.ALL)]
refused = error_of(client.log_metric, gone, "m", 1)
client.restore_run(gone)
after_restore = names(ViewType.ACTIVE_ONLY)

client.delete_experiment(experiment)
experiment_deleted = client.get_experiment(experiment).lifecycle_stage
runs_deleted = [stage(kept), stage(gone)]
taken = error_of(client.create_experiment, name)
use_deleted = error_of(mlflow.set_experiment, name)
client.restore_experiment(experiment)
experiment_restored = client.get_experiment(experiment).lifecycle_stage
runs_restored = [stage(kept), stage(gone)]
client.rename_experiment(experiment, name + " renamed")

unknown = "0" * 32
errors = {
    "unknown run": error_of(client.get_run, unknown),
    "unknown experiment": error_of(client.get_experiment, "999999999"),
    "bad experiment": error_of(client.get_experiment, "abc"),
    "taken name": error_of(client.create_experiment, name + " renamed"),
    "empty name": error_of(client.create_experiment, ""),
    "changed param": error_of(client.log_param, kept, "p", "2"),
    "same param": error_of(client.log_param, kept, "p", "1"),
    "changed param in a batch": error_of(client.log_batch, kept, params=[Param("p", "3")]),
    "param twice in a batch": error_of(client.log_batch, kept, params=[Param("q", "1"), Param("q", "2")]),
    "bad metric key": error_of(client.log_metric, kept, "../m", 1),
    "bad tag key": error_of(client.set_tag, kept, "/t", "1"),
    "missing tag": error_of(client.delete_tag, kept, "nobody"),
    "bad filter": error_of(client.search_runs, [experiment], "metrics.a >"),
    "bad order": error_of(client.search_runs, [experiment], order_by=["things.a"]),
    "bad comparator": error_of(client.search_runs, [experiment], "params.a > '1'"),
    "too many results": error_of(client.search_runs, [experiment], max_results=50001),
    "bad token": error_of(client.search_runs, [experiment], page_token="!!!"),
    "delete unknown run": error_of(client.delete_run, unknown),
    "delete experiment twice": [
        error_of(client.delete_experiment, experiment),
        error_of(client.delete_experiment, experiment),
    ],
    "run in a deleted experiment": error_of(client.create_run, experiment),
    "history of an unknown run": error_of(client.get_metric_history, unknown, "m"),
    "artifacts of an unknown run": error_of(client.list_artifacts, unknown),
}

observe(
    after_delete=after_delete,
    refused=refused,
    after_restore=after_restore,
    experiment_deleted=experiment_deleted,
    runs_deleted=runs_deleted,
    taken=taken,
    use_deleted=use_deleted is not None,
    experiment_restored=experiment_restored,
    runs_restored=runs_restored,
    name_after=client.get_experiment(experiment).name == name + " renamed",
    tags=client.get_experiment(experiment).tags.get("stage"),
    absent=client.get_experiment_by_name(unique("nobody")) is None,
    errors=errors,
)
