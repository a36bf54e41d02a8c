"""What there is to see in MLflow's web UI: runs of all kinds, curves, files, models and their versions."""

import os
from concurrent.futures import ThreadPoolExecutor

import mlflow
import numpy
import pandas
from matplotlib.figure import Figure
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LogisticRegression

from flow import observe

client = MlflowClient()
experiment = mlflow.set_experiment("vision").experiment_id
mlflow.set_experiment_tag("mlflow.experimentKind", "custom_model_development")

trials = int(os.environ.get("TRIALS", "105"))


def trial(number):
    run = client.create_run(
        experiment,
        run_name=f"trial-{number:03}",
        start_time=1_700_000_000_000 + number,
        tags={"mlflow.user": "ada", "wave": str(number % 3)},
    )
    client.log_batch(
        run.info.run_id,
        metrics=[Metric("accuracy", number / 1000, 1_700_000_000_000, 0), Metric("f1", 1 - number / 1000, 1_700_000_000_000, 0)],
        params=[Param("rate", str(number / 100)), Param("layers", str(number % 5))],
    )
    client.set_terminated(run.info.run_id, end_time=1_700_000_060_000 + number)
    return run.info.run_id


with ThreadPoolExecutor(8) as pool:
    trial_ids = list(pool.map(trial, range(trials)))

with mlflow.start_run(run_name="sweep") as sweep:
    children = []
    for number in range(2):
        with mlflow.start_run(run_name=f"child-{number}", nested=True) as child:
            mlflow.log_metric("accuracy", 0.5 + number / 10)
            children.append(child.info.run_id)

frame = pandas.DataFrame({"width": [1.0, 2.0, 3.0, 4.0], "label": [0, 0, 1, 1]})
os.makedirs("files/deep", exist_ok=True)
figure = Figure(figsize=(2, 2))
figure.subplots().plot([1, 2, 3], [3, 1, 2])
figure.savefig("files/plot.png")
contents = {
    "files/report.html": "<!doctype html><h1>A report</h1><p id=x>no script ran</p>"
    "<script>let seen = 'its script ran'; try { seen += localStorage.length } catch { seen += ' kept apart' }"
    "document.getElementById('x').textContent = seen</script>",
    "files/table.csv": "name,score\nfirst,0.25\nsecond,0.75\n",
    "files/config.json": '{"optimizer": "adam", "layers": [1, 2]}',
    "files/notes.txt": "words of a text file\n",
    "files/model.yaml": "kind: yaml-file\n",
    "files/deep/inner.md": "# Inner heading\n",
    "files/empty.txt": "",
}
for name, content in contents.items():
    with open(name, "w") as file:
        file.write(content)
with open("files/large.log", "wb") as file:
    file.write(b"a line of a large log\n" * 2_500_000)

with mlflow.start_run(run_name="main", description="A run with *everything*.") as main:
    mlflow.log_params({"rate": 0.05, "layers": 4, "name with spaces": "value / with : signs"})
    mlflow.set_tags({"team": "red", "note": "x" * 600})
    points = [Metric("loss", 1 / (step + 1), 1_700_000_000_000 + step * 1000, step) for step in range(500)]
    client.log_batch(main.info.run_id, metrics=points)
    mlflow.log_metrics({"accuracy": 0.987, "odd/nan": float("nan"), "odd/plus": float("inf"), "odd/minus": float("-inf")})
    for step in range(5):
        mlflow.log_metrics({"system/cpu_utilization_percentage": 40.0 + step, "system/system_memory_usage_megabytes": 900.0}, step=step)
        mlflow.log_image(numpy.full((8, 8, 3), step * 40, dtype=numpy.uint8), key="sample", step=step)
    mlflow.log_input(mlflow.data.from_pandas(frame, name="petals"), context="training")
    mlflow.log_artifacts("files")
    model = LogisticRegression().fit(frame[["width"]], frame["label"])
    versions = []
    for number in range(2):
        info = mlflow.sklearn.log_model(
            model,
            name="classifier",
            registered_model_name="flowers",
            input_example=frame[["width"]].head(2),
            pip_requirements=[],
            serialization_format="cloudpickle",
        )
        versions.append(info.model_id)
    mlflow.log_metric("accuracy", 0.987, model_id=versions[0])

client.set_registered_model_alias("flowers", "champion", "1")
client.set_registered_model_tag("flowers", "family", "iris")
client.update_registered_model("flowers", "Tells flowers apart.")
client.transition_model_version_stage("flowers", "1", "Staging")
client.set_model_version_tag("flowers", "2", "checked", "yes")
for number in range(3):
    client.create_registered_model(f"other-{number}")

# What somebody writes who would like to run a script in the browser of whoever looks at it.
script = "<img src=x onerror='window.taken=1'><svg onload='window.taken=1'></svg><script>window.taken=1</script>"
os.makedirs("trap")
with open("trap/MLmodel", "w") as file:
    file.write(f"flavors: !!js/function 'function () {{ window.taken = 1 }}()'\nnote: \"{script}\"\n")
with open("trap/picture.svg", "w") as file:
    file.write("<svg xmlns='http://www.w3.org/2000/svg' onload='window.taken=1'><script>window.taken=1</script></svg>")
with open("trap/page.md", "w") as file:
    file.write(script)
with mlflow.start_run(run_name=script, description=script) as trap:
    mlflow.set_tag("hint", script)
    mlflow.log_param("rate", script)
    mlflow.log_artifacts("trap", "trap")
client.create_registered_model("trap", description=script, tags={"hint": script})
client.create_model_version("trap", f"runs:/{trap.info.run_id}/trap", trap.info.run_id, description=script)

gone = client.create_run(experiment, run_name="gone")
client.delete_run(gone.info.run_id)

speech = client.create_experiment("speech", tags={"mlflow.experimentKind": "custom_model_development"})
other = client.create_run(speech, run_name="listener", tags={"mlflow.user": "ada"})
client.log_batch(other.info.run_id, metrics=[Metric("accuracy", 0.4, 1, 0)], tags=[RunTag("team", "blue")])
client.set_terminated(other.info.run_id)

observe(
    experiment=experiment,
    speech=speech,
    main=main.info.run_id,
    sweep=sweep.info.run_id,
    children=children,
    trials=trial_ids,
    models=versions,
    other=other.info.run_id,
    gone=gone.info.run_id,
    trap=trap.info.run_id,
)
