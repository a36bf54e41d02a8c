"""An XGBoost training with autolog: a metric per round, importances, the model."""

import mlflow
import mlflow.xgboost
import numpy
import xgboost
from mlflow.tracking import MlflowClient

from flow import observe, unique

experiment = mlflow.set_experiment(unique("xgboost flow"))
mlflow.xgboost.autolog(model_format="json") if "model_format" in mlflow.xgboost.autolog.__code__.co_varnames else mlflow.xgboost.autolog()
random = numpy.random.default_rng(7)
features = random.normal(size=(200, 5))
labels = (features[:, 0] * 2 - features[:, 3] > 0).astype(int)
rounds = 25

with mlflow.start_run() as active:
    train = xgboost.DMatrix(features[:150], label=labels[:150], feature_names=list("abcde"))
    test = xgboost.DMatrix(features[150:], label=labels[150:], feature_names=list("abcde"))
    results = {}
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3},
        train,
        num_boost_round=rounds,
        evals=[(train, "train"), (test, "test")],
        evals_result=results,
        verbose_eval=False,
    )
    run_id = active.info.run_id

mlflow.xgboost.autolog(disable=True)
client = MlflowClient()
run = client.get_run(run_id)
history = sorted(client.get_metric_history(run_id, "test-logloss"), key=lambda point: point.step)
loaded = mlflow.xgboost.load_model(f"runs:/{run_id}/model")

observe(
    status=run.info.status,
    depth=run.data.params.get("max_depth"),
    history=len(history),
    history_equal=bool(numpy.allclose([point.value for point in history], results["test"]["logloss"])),
    last=run.data.metrics["test-logloss"],
    expected_last=results["test"]["logloss"][-1],
    artifacts=sorted(one.path for one in client.list_artifacts(run_id)),
    predictions_equal=bool(numpy.allclose(loaded.predict(test), booster.predict(test))),
)
