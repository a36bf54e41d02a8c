"""log_model and load_model: by run, as a pyfunc, and by model id with a client that knows logged models."""

import json
import os

import mlflow
import mlflow.pyfunc
import mlflow.sklearn
import numpy
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient
from sklearn.ensemble import RandomForestClassifier

from flow import error_of, observe, unique

major = int(mlflow.__version__.split(".")[0])
experiment = mlflow.set_experiment(unique("models flow"))
random = numpy.random.default_rng(3)
features = random.normal(size=(80, 3))
labels = (features[:, 0] > 0).astype(int)
model = RandomForestClassifier(n_estimators=10, random_state=1).fit(features, labels)
expected = model.predict(features)
signature = infer_signature(features, expected)


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input * 2


with mlflow.start_run() as active:
    run_id = active.info.run_id
    place = {"name": "model"} if major >= 3 else {"artifact_path": "model"}
    # Both clients would rather check the serialization format than trust a pickle; say it where it can be said.
    more = {"serialization_format": "cloudpickle"}
    info = mlflow.sklearn.log_model(model, signature=signature, input_example=features[:2], **place, **more)
    place = {"name": "doubler"} if major >= 3 else {"artifact_path": "doubler"}
    mlflow.pyfunc.log_model(python_model=Doubler(), **place)

by_run = mlflow.sklearn.load_model(f"runs:/{run_id}/model")
as_pyfunc = mlflow.pyfunc.load_model(f"runs:/{run_id}/model")
doubler = mlflow.pyfunc.load_model(f"runs:/{run_id}/doubler")
client = MlflowClient()
folder = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/model")

seen = dict(
    by_run=bool((by_run.predict(features) == expected).all()),
    as_pyfunc=bool((as_pyfunc.predict(features) == expected).all()),
    doubled=doubler.predict(numpy.array([1, 2, 3])).tolist(),
    signature=as_pyfunc.metadata.signature is not None and as_pyfunc.metadata.signature == signature,
    has_mlmodel=os.path.exists(os.path.join(folder, "MLmodel")),
    missing=error_of(mlflow.sklearn.load_model, f"runs:/{run_id}/nobody") is not None,
)
if major >= 3:
    by_id = mlflow.sklearn.load_model(f"models:/{info.model_id}")
    logged = mlflow.get_logged_model(info.model_id)
    client.set_logged_model_tags(info.model_id, {"quality": "good", "extra": "1"})
    client.delete_logged_model_tag(info.model_id, "extra")
    client.log_model_params(info.model_id, {"trees": "10"})
    mlflow.log_metric("acc", 0.75, model_id=info.model_id)
    after = mlflow.get_logged_model(info.model_id)
    outside = mlflow.create_external_model(name="elsewhere", model_type="agent") if hasattr(mlflow, "create_external_model") else None
    temporary = mlflow.initialize_logged_model(name="half")
    mlflow.finalize_logged_model(temporary.model_id, status="FAILED")
    failed = str(mlflow.get_logged_model(temporary.model_id).status)
    client.delete_logged_model(temporary.model_id)
    seen["logged"] = dict(
        by_id=bool((by_id.predict(features) == expected).all()),
        name=logged.name,
        status=str(logged.status),
        source=logged.source_run_id == run_id,
        tags={key: value for key, value in after.tags.items() if not key.startswith("mlflow.")},
        params=after.params,
        metrics=[[metric.key, metric.value] for metric in after.metrics],
        artifacts=sorted(os.path.basename(one.path) for one in client.list_logged_model_artifacts(info.model_id)),
        outside=outside is not None,
        failed=failed,
        deleted=error_of(mlflow.get_logged_model, temporary.model_id),
    )
else:
    history = json.loads(client.get_run(run_id).data.tags["mlflow.log-model.history"])
    seen["history"] = [[one["artifact_path"], sorted(one["flavors"])] for one in history]

observe(**seen)
