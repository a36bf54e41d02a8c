"""search_runs and search_experiments with every comparator family, every order, and all pages."""

import mlflow
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

from flow import observe, unique

client = MlflowClient()
prefix = unique("search flow")
experiment = client.create_experiment(prefix)
count = 60
for index in range(count):
    run = client.create_run(experiment, run_name=f"run {index:02}", start_time=1000 + index)
    client.log_batch(
        run.info.run_id,
        metrics=[Metric("acc", index / count, 1, 0), Metric("odd name", float("nan") if index % 7 == 0 else index, 1, 0)],
        params=[Param("lr", f"0.{index:02}"), Param("kind", "Tree" if index % 2 else "net")],
        tags=[RunTag("team", "vision" if index % 3 else "speech")] + ([RunTag("rare", "yes")] if index < 5 else []),
    )
    client.set_terminated(run.info.run_id, status="FINISHED" if index % 4 else "FAILED", end_time=9000 - index)


def found(text, **more):
    return [run.info.run_name for run in client.search_runs([experiment], text, max_results=1000, **more)]


def total(text):
    return len(found(text))


ids = {run.info.run_name: run.info.run_id for run in client.search_runs([experiment], max_results=1000)}
filters = {
    "metric >": total("metrics.acc > 0.5"),
    "metric >=": total("metrics.acc >= 0.5"),
    "metric <": total("metrics.acc < 0.5"),
    "metric <=": total("metrics.acc <= 0.5"),
    "metric =": total("metrics.acc = 0.5"),
    "metric !=": total("metrics.acc != 0.5"),
    "metric in backticks": total("metrics.`odd name` > 50"),
    "param =": total("params.kind = 'Tree'"),
    "param !=": total("params.kind != 'Tree'"),
    "param LIKE": total("params.lr LIKE '0.1%'"),
    "param LIKE is case-sensitive": total("params.kind LIKE 'tree'"),
    "param ILIKE": total("params.kind ILIKE 'tree'"),
    "tag =": total("tags.team = 'speech'"),
    "tag !=": total("tags.team != 'speech'"),
    "tag LIKE": total("tags.team LIKE 'v%'"),
    "tag ILIKE": total("tags.team ILIKE 'VISION'"),
    "tag missing": total("tags.rare != 'no'"),
    "status =": total("attributes.status = 'FAILED'"),
    "status !=": total("status != 'FAILED'"),
    "start_time": total("attributes.start_time >= 1050"),
    "end_time": total("end_time < 8950"),
    "run_name LIKE": total("run_name LIKE 'run 1_'"),
    "run_name ILIKE": total("attributes.run_name ILIKE 'RUN 2%'"),
    "run_id =": total(f"run_id = '{ids['run 07']}'"),
    "run_id IN": total(f"run_id IN ('{ids['run 07']}', '{ids['run 08']}')"),
    "run_id NOT IN": total(f"run_id NOT IN ('{ids['run 07']}', '{ids['run 08']}')"),
    "artifact_uri": total("artifact_uri LIKE '%artifacts'"),
    "joined": total("metrics.acc > 0.5 AND params.kind = 'Tree' AND tags.team = 'vision' AND status = 'FINISHED'"),
}
orders = {
    "metric down": found("", order_by=["metrics.acc DESC"])[:3],
    "metric up": found("", order_by=["metrics.acc ASC"])[:3],
    "NaN last, up": found("", order_by=["metrics.`odd name` ASC", "run_name"])[-9:],
    "NaN last, down": found("", order_by=["metrics.`odd name` DESC", "run_name"])[-9:],
    "param": found("", order_by=["params.lr DESC"])[:3],
    "param then metric": found("", order_by=["params.kind ASC", "metrics.acc DESC"])[:3],
    "tag": found("", order_by=["tags.team DESC", "attributes.start_time ASC"])[:3],
    "missing tag last": found("", order_by=["tags.rare ASC", "run_name DESC"])[:6],
    "start_time": found("", order_by=["attributes.start_time ASC"])[:3],
    "end_time": found("", order_by=["end_time ASC"])[:3],
    "default": found("")[:3],
}

pages, token, sizes = [], None, []
while True:
    page = client.search_runs([experiment], "tags.team = 'vision'", max_results=7, order_by=["metrics.acc DESC"], page_token=token)
    sizes.append(len(page))
    pages.extend(run.info.run_name for run in page)
    token = page.token
    if not token:
        break

frame = mlflow.search_runs([experiment], filter_string="metrics.acc > 0.9", order_by=["metrics.acc DESC"])

made = [client.create_experiment(f"{prefix} {letter}", tags={"letter": letter, "half": "first" if letter < "d" else "second"}) for letter in "abcdefg"]
client.delete_experiment(made[6])


def experiments(text, **more):
    own = f"name LIKE '{prefix} %'"
    return [one.name[len(prefix) + 1 :] for one in client.search_experiments(filter_string=f"{own} AND {text}" if text else own, **more)]


experiment_filters = {
    "all": sorted(experiments("")),
    "tag": sorted(experiments("tags.half = 'first'")),
    "tag !=": sorted(experiments("tags.half != 'first'")),
    "tag ILIKE": sorted(experiments("tags.letter ILIKE 'A'")),
    "name ILIKE": sorted(experiments("name ILIKE '% B'")),
    "creation_time": len(experiments("creation_time > 0")),
    "deleted": experiments("", view_type=ViewType.DELETED_ONLY),
    "every stage": len(experiments("", view_type=ViewType.ALL)),
    "down": experiments("", order_by=["name DESC"]),
}
experiment_pages, token = [], None
while True:
    page = client.search_experiments(filter_string=f"name LIKE '{prefix} %'", max_results=2, order_by=["name ASC"], page_token=token)
    experiment_pages.append([one.name[len(prefix) + 1 :] for one in page])
    token = page.token
    if not token:
        break

observe(
    filters=filters,
    orders=orders,
    sizes=sizes,
    pages_distinct=len(set(pages)),
    pages_ordered=pages == sorted(pages, reverse=True),
    frame_rows=len(frame),
    frame_first=frame.iloc[0]["tags.mlflow.runName"],
    frame_metric=float(frame.iloc[0]["metrics.acc"]),
    experiment_filters=experiment_filters,
    experiment_pages=experiment_pages,
)
