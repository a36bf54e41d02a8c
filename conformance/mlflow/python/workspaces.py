"""Workspaces with the client's own calls: the same names in two of them, and nothing of one seen in the other."""

import os

import mlflow
import mlflow.pyfunc
import numpy
from mlflow.tracking import MlflowClient

from flow import error_of, observe

suffix = os.urandom(3).hex()
red, blue, gone = f"red-{suffix}", f"blue-{suffix}", f"gone-{suffix}"


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input * 2


def names():
    return [one.name for one in mlflow.list_workspaces() if one.name == "default" or one.name.endswith(suffix)]


created = mlflow.create_workspace(red, description="Red team")
mlflow.create_workspace(blue, default_artifact_root="mlflow-artifacts:/blue/things")
mlflow.create_workspace(gone)
updated = mlflow.update_workspace(red, description="The red team")
crud = dict(
    created=[created.name, created.description],
    updated=[updated.name, updated.description],
    got=mlflow.get_workspace(red).description,
    listed=[name.removesuffix(f"-{suffix}") for name in names()],
    taken=error_of(mlflow.create_workspace, red),
    unknown=error_of(mlflow.get_workspace, "nobody-there"),
    bad_name=error_of(mlflow.create_workspace, "Not_A_Name"),
    reserved=error_of(mlflow.create_workspace, "default"),
)


def work(workspace):
    """The same work under the same names in each workspace."""
    mlflow.set_workspace(workspace)
    experiment = mlflow.set_experiment("shared experiment")
    with mlflow.start_run(run_name=f"run in {workspace}") as run:
        mlflow.log_param("where", workspace)
        mlflow.log_metric("loss", 0.5)
        mlflow.log_text(f"text of {workspace}", "notes/note.txt")
        model = mlflow.pyfunc.log_model(
            name="doubler", python_model=Doubler(), registered_model_name="shared model"
        )
    client = MlflowClient()
    client.set_registered_model_alias("shared model", "best", "1")
    loaded = mlflow.pyfunc.load_model("models:/shared model@best").predict(numpy.array([1, 2]))
    return dict(
        run=run.info.run_id,
        experiment=experiment.experiment_id,
        workspace=client.get_experiment(experiment.experiment_id).workspace,
        place=experiment.artifact_location.replace(suffix, "x").replace(experiment.experiment_id, "ID"),
        model=model.model_id,
        artifact=run.info.artifact_uri,
        text=mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/note.txt").replace(suffix, "x"),
        files=sorted(one.path for one in client.list_artifacts(run.info.run_id)),
        runs=[one.data.params["where"].replace(suffix, "x") for one in client.search_runs([experiment.experiment_id])],
        versions=[one.version for one in client.search_model_versions("name = 'shared model'")],
        loaded=loaded.tolist(),
    )


in_red, in_blue = work(red), work(blue)


def look(of):
    """What is seen of another workspace's work."""
    client = MlflowClient()
    return dict(
        run=error_of(client.get_run, of["run"]),
        experiment=error_of(client.get_experiment, of["experiment"]),
        found=len(client.search_runs([of["experiment"]])),
        model=error_of(client.get_logged_model, of["model"]),
        load=error_of(mlflow.pyfunc.load_model, f"models:/{of['model']}") is not None,
        metric=error_of(client.log_metric, of["run"], "loss", 1),
        download=error_of(mlflow.artifacts.download_artifacts, f"{of['artifact']}/notes/note.txt") is not None,
        upload=error_of(client.log_text, of["run"], "x", "x.txt") is not None,
        history=len(client.get_metric_history(of["run"], "loss")),
    )


mlflow.set_workspace(blue)
red_from_blue = look(in_red)
location = error_of(MlflowClient().create_experiment, "placed", artifact_location="mlflow-artifacts:/red")
mlflow.set_workspace(None)
client = MlflowClient()
from_default = look(in_red) | dict(
    experiments=[one.name for one in client.search_experiments() if one.name == "shared experiment"],
    models=[one.name for one in client.search_registered_models() if one.name == "shared model"],
)

mlflow.set_workspace(red)
unchanged = MlflowClient().get_run(in_red["run"]).data.metrics
mlflow.set_workspace("nobody-there")
stranger = error_of(MlflowClient().search_experiments)

mlflow.set_workspace(None)
deleted = dict(
    empty=error_of(mlflow.delete_workspace, gone),
    filled=error_of(mlflow.delete_workspace, red),
    default=error_of(mlflow.delete_workspace, "default"),
    cascade=error_of(mlflow.delete_workspace, blue, mode="CASCADE"),
    to_default=error_of(mlflow.delete_workspace, red, mode="SET_DEFAULT"),
    left=names(),
)
moved = dict(
    params=client.get_run(in_red["run"]).data.params["where"] == red,
    text=mlflow.artifacts.load_text(f"{in_red['artifact']}/notes/note.txt").replace(suffix, "x"),
    loaded=mlflow.pyfunc.load_model("models:/shared model@best").predict(numpy.array([3])).tolist(),
    blue=error_of(client.get_run, in_blue["run"]),
)
hidden = ("run", "experiment", "model", "artifact")
observe(
    crud=crud,
    red={key: value for key, value in in_red.items() if key not in hidden},
    blue={key: value for key, value in in_blue.items() if key not in hidden},
    red_from_blue=red_from_blue,
    from_default=from_default,
    unchanged=unchanged,
    location=location,
    stranger=stranger,
    deleted=deleted,
    moved=moved,
)
