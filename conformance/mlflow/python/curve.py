"""A metric curve of 10,000 steps, logged in batches, and read back whole and in pages."""

from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from flow import observe, unique

client = MlflowClient()
experiment = client.create_experiment(unique("curve flow"))
run = client.create_run(experiment).info.run_id
steps = 10_000
points = [Metric("loss", 1 / (1 + step), 1_600_000_000_000 + step * 1000, step) for step in range(steps)]
for start in range(0, steps, 1000):
    client.log_batch(run, metrics=points[start : start + 1000])
# The same points again: exact duplicates count once.
client.log_batch(run, metrics=points[:1000])
client.log_metric(run, "loss", 99.0, timestamp=1, step=5)

history = client.get_metric_history(run, "loss")
ordered = sorted(history, key=lambda point: point.step)
latest = client.get_run(run).data.metrics["loss"]

observe(
    points=len(history),
    first=[ordered[0].value, ordered[0].step, ordered[0].timestamp],
    last=[ordered[-1].value, ordered[-1].step, ordered[-1].timestamp],
    distinct_steps=len({point.step for point in history}),
    total=round(sum(point.value for point in history), 9),
    expected_total=round(sum(point.value for point in points) + 99.0, 9),
    latest=latest,
    expected_latest=points[-1].value,
    empty=len(client.get_metric_history(run, "nobody")),
)
