"""A scikit-learn training with autolog, as a data scientist writes it."""

import mlflow
import mlflow.sklearn
import numpy
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flow import observe, unique

experiment = mlflow.set_experiment(unique("sklearn flow"))
mlflow.sklearn.autolog()
random = numpy.random.default_rng(7)
features = random.normal(size=(120, 4))
labels = (features[:, 0] + features[:, 1] > 0).astype(int)

with mlflow.start_run() as active:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))
    model.fit(features[:100], labels[:100])
    score = model.score(features[100:], labels[100:])
    run_id = active.info.run_id

mlflow.sklearn.autolog(disable=True)
client = MlflowClient()
run = client.get_run(run_id)
major = int(mlflow.__version__.split(".")[0])
seen = dict(
    status=run.info.status,
    param=run.data.params.get("logisticregression__C"),
    has_training_score="training_score" in run.data.metrics,
    score=[value for key, value in run.data.metrics.items() if key.endswith("score_X") or "score-" in key or "_score_" in key],
    expected_score=score,
    datasets=sorted(tag.value for one in run.inputs.dataset_inputs for tag in one.tags),
    artifacts=sorted(one.path for one in client.list_artifacts(run_id)),
    estimator=run.data.tags.get("estimator_name"),
)

loaded = mlflow.sklearn.load_model(f"runs:/{run_id}/model")
seen["predictions_equal"] = bool((loaded.predict(features) == model.predict(features)).all())
if major >= 3:
    models = mlflow.search_logged_models(experiment_ids=[experiment.experiment_id], output_format="list")
    seen["logged_models"] = [
        [one.source_run_id == run_id, str(one.status), one.name, len(one.params) > 0] for one in models
    ]
    seen["outputs"] = [one.model_id == models[0].model_id for one in run.outputs.model_outputs]
    seen["model_metrics"] = sorted(metric.key for metric in models[0].metrics)[:1]

observe(**seen)
