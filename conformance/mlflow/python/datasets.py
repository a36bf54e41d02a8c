"""Datasets and log_input: from pandas and numpy, shared between runs, with contexts."""

import mlflow
import numpy
import pandas
from mlflow.tracking import MlflowClient

from flow import observe, unique

experiment = mlflow.set_experiment(unique("datasets flow"))
frame = pandas.DataFrame({"length": [1.0, 2.0, 3.0], "kind": ["a", "b", "a"]})
table = mlflow.data.from_pandas(frame, source="https://example.com/iris.csv", name="iris", targets="kind")
array = mlflow.data.from_numpy(numpy.arange(12).reshape(4, 3), name="grid")

with mlflow.start_run(run_name="first") as first:
    mlflow.log_input(table, context="training")
    mlflow.log_input(array, context="validation", tags={"fold": "1"})
with mlflow.start_run(run_name="second") as second:
    mlflow.log_input(table, context="testing")

client = MlflowClient()


def inputs(run_id):
    return sorted(
        [
            one.dataset.name,
            one.dataset.digest,
            one.dataset.source_type,
            {tag.key: tag.value for tag in one.tags},
        ]
        for one in client.get_run(run_id).inputs.dataset_inputs
    )


def found(text):
    return sorted(run.info.run_name for run in client.search_runs([experiment.experiment_id], text))


read = client.get_run(first.info.run_id)
iris = next(one.dataset for one in read.inputs.dataset_inputs if one.dataset.name == "iris")
source = mlflow.data.get_source(iris)

observe(
    digests=[table.digest, array.digest],
    first=inputs(first.info.run_id),
    second=inputs(second.info.run_id),
    schema_has_columns="length" in iris.schema,
    profile_rows='"num_rows": 3' in iris.profile,
    source=source.to_json() if hasattr(source, "to_json") else str(source),
    by_name=found("datasets.name = 'iris'"),
    by_context=found("dataset.context = 'validation'"),
    by_digest=found(f"dataset.digest = '{table.digest}'"),
    by_like=found("datasets.name LIKE 'gr%'"),
    by_list=found("datasets.name IN ('grid', 'nobody')"),
)
