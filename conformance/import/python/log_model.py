"""Logs a model that can be loaded, with its files, and registers it.

log_model.py TRACKING_URI: prints the addresses by which it is known, and what it predicts.
"""

import json
import sys

import mlflow
import numpy
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LinearRegression

uri = sys.argv[1]
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri(uri)
client = MlflowClient()
modern = hasattr(client, "create_logged_model")

inputs = numpy.array([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [4.0, 3.0]])
model = LinearRegression().fit(inputs, [1.0, 2.5, 2.0, 11.0])

with mlflow.start_run(run_name="trained") as run:
    named = {"name": "model"} if modern else {"artifact_path": "model"}
    logged = mlflow.sklearn.log_model(model, registered_model_name="regressor", **named)
    mlflow.log_metric("score", 0.75)
    mlflow.log_dict({"weights": [1, 2]}, "deep/weights.json")
client.set_registered_model_alias("regressor", "champion", "1")

uris = ["models:/regressor/1", "models:/regressor@champion"]
uris += [f"models:/{logged.model_id}"] if modern else [f"runs:/{run.info.run_id}/model"]
print(
    "LOGGED "
    + json.dumps({"run": run.info.run_id, "uris": uris, "predictions": model.predict(inputs).tolist()})
)
