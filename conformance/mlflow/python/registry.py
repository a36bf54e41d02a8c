"""The model registry from the client: register, load in each way, change, search, copy, delete."""

import json
import os

import mlflow
import mlflow.pyfunc
from mlflow.tracking import MlflowClient

from flow import error_of, observe, unique

major = int(mlflow.__version__.split(".")[0])
client = MlflowClient()
experiment = mlflow.set_experiment(unique("registry flow"))
name = unique("adder")
place = "name" if major >= 3 else "artifact_path"


class Adder(mlflow.pyfunc.PythonModel):
    def __init__(self, number):
        self.number = number

    def predict(self, context, model_input, params=None):
        return [value + self.number for value in model_input]


def log(number, **more):
    with mlflow.start_run() as active:
        info = mlflow.pyfunc.log_model(python_model=Adder(number), **{place: "model"}, **more)
    return active.info.run_id, info


def answer(uri):
    return mlflow.pyfunc.load_model(uri).predict([0])[0]


# By log_model itself, by register_model from a run, by create_model_version with all the client knows.
first_run, first = log(1, registered_model_name=name)
second_run, second = log(2)
registered = mlflow.register_model(f"runs:/{second_run}/model", name, tags={"made": "by hand"})
third_run, third = log(3)
created = client.create_model_version(
    name,
    f"models:/{third.model_id}" if major >= 3 else f"runs:/{third_run}/model",
    description="the third",
    tags={"quality": "good"},
    **({"model_id": third.model_id} if major >= 3 else {}),
)
seen = dict(
    numbers=[registered.version, created.version],
    runs=[
        client.get_model_version(name, str(number)).run_id == run
        for number, run in enumerate([first_run, second_run, third_run], start=1)
    ],
    described=[created.description, created.tags, created.status, created.current_stage],
    registered_again=error_of(client.create_registered_model, name),
)

client.set_registered_model_alias(name, "champion", "2")
client.transition_model_version_stage(name, "1", "Production")
client.transition_model_version_stage(name, "3", "Staging")
seen["loaded"] = dict(
    number=answer(f"models:/{name}/1"),
    alias=answer(f"models:/{name}@champion"),
    production=answer(f"models:/{name}/Production"),
    staging=answer(f"models:/{name}/staging"),
    latest=answer(f"models:/{name}/latest"),
)
if major >= 3:
    seen["loaded_by_id"] = answer(f"models:/{third.model_id}")
    tags = mlflow.get_logged_model(third.model_id).tags
    seen["linked"] = json.loads(tags["mlflow.modelVersions"]) == [{"name": name, "version": 3}]
folder = mlflow.artifacts.download_artifacts(f"models:/{name}/2")
one = mlflow.artifacts.download_artifacts(f"models:/{name}/2/MLmodel")
seen["downloaded"] = [os.path.exists(os.path.join(folder, "MLmodel")), os.path.basename(one)]
seen["missing"] = [
    error_of(mlflow.pyfunc.load_model, f"models:/{name}/9"),
    error_of(mlflow.pyfunc.load_model, f"models:/{name}@nobody"),
    error_of(mlflow.pyfunc.load_model, f"models:/{name} of nobody/1"),
]

# Stages and aliases.
moved = client.transition_model_version_stage(name, "3", "Production", archive_existing_versions=True)
seen["stages"] = {one.version: one.current_stage for one in client.search_model_versions(f"name = '{name}'")}
seen["latest"] = [
    sorted((one.current_stage, str(one.version)) for one in client.get_latest_versions(name)),
    [str(one.version) for one in client.get_latest_versions(name, stages=["Production"])],
]
seen["production_now"] = answer(f"models:/{name}/Production")
client.set_registered_model_alias(name, "champion", "3")
client.set_registered_model_alias(name, "second", "2")
seen["by_alias"] = str(client.get_model_version_by_alias(name, "champion").version)
seen["aliases"] = [
    {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()},
    list(client.get_model_version(name, "3").aliases),
]
client.delete_registered_model_alias(name, "second")
seen["alias_gone"] = error_of(client.get_model_version_by_alias, name, "second")
seen["reserved"] = error_of(client.set_registered_model_alias, name, "latest", "1")
seen["bad_stage"] = error_of(client.transition_model_version_stage, name, "1", "nowhere")

# Descriptions and tags.
client.update_registered_model(name, "adds")
client.update_model_version(name, "1", "adds one")
client.set_registered_model_tag(name, "team", "vision")
client.set_registered_model_tag(name, "extra", "1")
client.delete_registered_model_tag(name, "extra")
client.set_model_version_tag(name, "1", "quality", "fair")
client.set_model_version_tag(name, "1", "quality", "poor")
client.set_model_version_tag(name, "1", "extra", "1")
client.delete_model_version_tag(name, "1", "extra")
model = client.get_registered_model(name)
version = client.get_model_version(name, "1")
seen["changed"] = [model.description, model.tags, version.description, version.tags]

# A copy; 2.9.2 leaves the run out when it makes one.
other = unique("copies")
copied = client.copy_model_version(f"models:/{name}/2", other)
again = client.copy_model_version(f"models:/{name}@champion", other)
seen["copied"] = [
    [str(copied.version), copied.source == f"models:/{name}/2", copied.run_id == second_run],
    [str(again.version), again.source == f"models:/{name}/3", again.run_id == third_run],
    answer(f"models:/{other}/1"),
    answer(f"models:/{other}/2"),
]

# A rename keeps all of it; a version, then the whole model, is deleted.
renamed = unique("renamed")
client.rename_registered_model(name, renamed)
seen["renamed"] = [answer(f"models:/{renamed}@champion"), error_of(client.get_registered_model, name)]
seen["copy_of_renamed"] = answer(f"models:/{other}/1")
seen["taken"] = error_of(client.rename_registered_model, renamed, other)
client.delete_model_version(renamed, "3")
seen["deleted_version"] = [
    error_of(client.get_model_version, renamed, "3"),
    error_of(client.get_model_version_by_alias, renamed, "champion"),
]
fourth = client.create_model_version(renamed, f"runs:/{second_run}/model", second_run)
seen["after_deletion"] = str(fourth.version)
client.delete_registered_model(renamed)
seen["deleted"] = [
    error_of(client.get_registered_model, renamed),
    error_of(client.get_model_version, renamed, "1"),
]

observe(**seen)
