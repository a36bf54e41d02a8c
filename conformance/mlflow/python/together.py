"""One of two clients at work on one experiment at the same time: 'write', then 'read' what both wrote."""

import threading

import mlflow
from mlflow.tracking import MlflowClient

from flow import ARGS, observe

mode, name = ARGS
client = MlflowClient()
version = mlflow.__version__

if mode == "write":
    mlflow.set_experiment(name)
    experiment = client.get_experiment_by_name(name).experiment_id
    failures = []

    def work(worker):
        try:
            for index in range(5):
                run = client.create_run(experiment, run_name=f"{version} {worker} {index}", tags={"client": version})
                for step in range(10):
                    client.log_metric(run.info.run_id, "m", worker + step / 10, step=step)
                client.log_param(run.info.run_id, "worker", worker)
                client.log_text(run.info.run_id, f"{version} {worker} {index}", "note.txt")
                client.set_terminated(run.info.run_id)
        except Exception as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    observe(experiment=experiment, failures=failures)
else:
    experiment = client.get_experiment_by_name(name).experiment_id
    runs = client.search_runs([experiment], max_results=1000)
    observe(
        runs={
            client_version: sum(1 for run in runs if run.data.tags["client"] == client_version)
            for client_version in sorted({run.data.tags["client"] for run in runs})
        },
        complete=all(
            run.info.status == "FINISHED" and run.data.metrics["m"] == int(run.data.params["worker"]) + 0.9
            for run in runs
        ),
        histories=all(len(client.get_metric_history(run.info.run_id, "m")) == 10 for run in runs[:10]),
        notes=all(
            mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt") == run.info.run_name for run in runs[:10]
        ),
    )
