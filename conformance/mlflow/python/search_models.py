"""search_logged_models with every comparator family, by metrics on datasets, ordered, and all pages (3.x)."""

import mlflow
from mlflow.entities import LoggedModelInput, LoggedModelOutput
from mlflow.tracking import MlflowClient

from flow import observe, unique

client = MlflowClient()
experiment = mlflow.set_experiment(unique("logged models flow")).experiment_id
models = []
with mlflow.start_run() as active:
    for index in range(12):
        model = client.create_logged_model(
            experiment,
            name=f"model-{index:02}",
            source_run_id=active.info.run_id,
            model_type="tree" if index % 2 else "net",
            params={"depth": str(index)},
            tags={"team": "vision" if index % 3 else "speech"},
        )
        models.append(model)
        if index < 6:
            client.finalize_logged_model(model.model_id, "READY")
        client.log_metric(active.info.run_id, "acc", index / 10, step=index, model_id=model.model_id)
        client.log_metric(
            active.info.run_id,
            "acc",
            1 - index / 10,
            step=index,
            model_id=model.model_id,
            dataset_name="held out",
            dataset_digest="d1",
        )
    client.log_outputs(active.info.run_id, [LoggedModelOutput(model.model_id, step=3) for model in models[:3]])
    client.log_inputs(active.info.run_id, models=[LoggedModelInput(models[0].model_id)])


def found(text, **more):
    page = client.search_logged_models([experiment], filter_string=text, max_results=100, **more)
    return sorted(one.name for one in page)


filters = {
    "name =": found("name = 'model-03'"),
    "name LIKE": len(found("name LIKE 'model-0%'")),
    "name IN": found("name IN ('model-01', 'model-02')"),
    "name NOT IN": len(found("name NOT IN ('model-01', 'model-02')")),
    "model_type": len(found("model_type = 'tree'")),
    "source_run_id": len(found(f"source_run_id = '{active.info.run_id}'")),
    "creation_timestamp": len(found("creation_timestamp > 0")),
    "params": found("params.depth = '11'"),
    "tags": len(found("tags.team = 'speech'")),
    "tags ILIKE": len(found("tags.team ILIKE 'VIS%'")),
    "metrics >": found("metrics.acc > 1.05"),
    "metrics on a dataset and digest": found(
        "metrics.acc >= 0.95", datasets=[{"dataset_name": "held out", "dataset_digest": "d1"}]
    ),
    "metrics on another dataset": found("metrics.acc >= 0.95", datasets=[{"dataset_name": "nobody"}]),
    "joined": found("model_type = 'tree' AND tags.team = 'vision' AND params.depth LIKE '1%'"),
}


def ordered(*order):
    page = client.search_logged_models([experiment], order_by=list(order), max_results=3)
    return [one.name for one in page]


orders = {
    "name down": ordered({"field_name": "name", "ascending": False}),
    "metric down": ordered({"field_name": "metrics.acc", "ascending": False}),
    "metric on a dataset down": ordered({"field_name": "metrics.acc", "ascending": False, "dataset_name": "held out"}),
    "created": ordered({"field_name": "creation_time", "ascending": True}),
}

names, token, sizes = [], None, []
while True:
    page = client.search_logged_models(
        [experiment], max_results=5, order_by=[{"field_name": "name", "ascending": True}], page_token=token
    )
    sizes.append(len(page))
    names.extend(one.name for one in page)
    token = page.token
    if not token:
        break

run = client.get_run(active.info.run_id)
frame = mlflow.search_logged_models([experiment], filter_string="params.depth = '5'")
observe(
    filters=filters,
    orders=orders,
    sizes=sizes,
    names_ordered=names == sorted(names) and len(set(names)) == 12,
    outputs=sorted(one.step for one in run.outputs.model_outputs),
    inputs=[one.model_id == models[0].model_id for one in run.inputs.model_inputs],
    frame=[len(frame), frame.iloc[0]["name"]],
    metrics_of_one=sorted([one.value, one.dataset_name or ""] for one in client.get_logged_model(models[2].model_id).metrics),
)
