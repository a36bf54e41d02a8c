"""Reads an export with DuckDB and with pandas and compares every value with what MLflow's client saw."""

import json
import math
import os
import sys

import duckdb
import pandas

folder, form, expected_file = sys.argv[1:]
with open(expected_file, encoding="utf-8") as file:
    expected = json.load(file)

# The columns to compare, in the order of expected.json. `:t` is a time, `:n` a number.
COLUMNS = {
    "metrics": "run_id key value:n timestamp:t step",
    "params": "run_id key value",
    "tags": "run_id key value",
    "runs": "run_id run_name user_id status start_time:t end_time:t",
    "experiments": "experiment_id name artifact_location creation_time:t last_update_time:t",
    "experiment_tags": "experiment_id key value",
    "inputs": "run_id dataset_name dataset_digest context",
    "datasets": "experiment_id name digest source_type source schema profile",
    "run_models": "run_id model_id direction step",
    "logged_models": "model_id experiment_id name artifact_location status source_run_id creation_time:t",
    "logged_model_params": "model_id key value",
    "logged_model_tags": "model_id key value",
    "logged_model_metrics": "model_id run_id key value:n timestamp:t step",
    "registered_models": "name description creation_time:t last_update_time:t",
    "registered_model_tags": "name key value",
    "registered_model_aliases": "name alias version",
    "model_versions": "name version stage status source run_id model_id creation_time:t",
    "model_version_tags": "name version key value",
}
TEXTS = {"experiment_id", "value", "key"}
# Milliseconds of the years 1 to 9999: other times are in JSON lines alone.
SHOWN = range(-62_135_596_800_000, 253_402_300_800_000)


def path(table):
    return os.path.join(folder, f"{table}.{form}")


def with_pandas(table, columns):
    if form == "parquet":
        frame = pandas.read_parquet(path(table))
        return frame, [[plain(value) for value in row] for row in frame[columns].itertuples(index=False)]
    with open(path(table), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    if os.path.getsize(path(table)) > 0:
        assert len(pandas.read_json(path(table), lines=True, dtype=False, convert_dates=False)) == len(rows)
    return rows, [[row.get(column) for column in columns] for row in rows]


def with_duckdb(table, columns):
    if form == "jsonl" and os.path.getsize(path(table)) == 0:
        return []
    names = ", ".join('"' + column + '"' for column in columns)
    kinds = ""
    if form == "jsonl":
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            files = json.load(file)["files"]
        types = {"text": "VARCHAR", "integer": "BIGINT", "timestamp": "BIGINT", "number": "DOUBLE"}
        own = next(one["columns"] for one in files if one["table"] == table)
        kinds = ", ".join(f"'{one['name']}': '{types[one['type']]}'" for one in own)
    source = f"'{path(table)}'" if form == "parquet" else f"read_json('{path(table)}', format = 'newline_delimited', columns = {{{kinds}}})"
    return [[plain(value) for value in row] for row in duckdb.sql(f"select {names} from {source}").fetchall()]


def plain(value):
    if hasattr(value, "timestamp"):
        if pandas.isna(value):
            return None
        time = pandas.Timestamp(value)
        time = time.tz_localize("UTC") if time.tzinfo is None else time
        return (time - pandas.Timestamp(0, tz="UTC")) // pandas.Timedelta(milliseconds=1)
    if value is pandas.NaT or value is pandas.NA:
        return None
    return value.item() if hasattr(value, "item") else value


def canonical(rows, kinds, is_expected=False):
    def cell(value, kind):
        if kind == "n":
            value = float(value)
            return "NaN" if math.isnan(value) else value.hex()
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if kind == "t":
            return None if is_expected and form == "parquet" and value not in SHOWN else int(value)
        return value

    return sorted(
        ([cell(value, kind) for value, kind in zip(row, kinds)] for row in rows), key=lambda row: json.dumps(row)
    )


wrong = {}
for table, spec in COLUMNS.items():
    columns = [column.split(":")[0] for column in spec.split()]
    kinds = [column.partition(":")[2] for column in spec.split()]
    wanted = canonical(expected[table], kinds, is_expected=True)
    for reader, rows in (("pandas", with_pandas(table, columns)[1]), ("duckdb", with_duckdb(table, columns))):
        found = canonical(rows, kinds)
        if found != wanted:
            differing = [pair for pair in zip(found, wanted) if pair[0] != pair[1]][:3]
            wrong[f"{table} by {reader}"] = [len(found), len(wanted), str(differing)[:2000]]

# The wide table, against the frame of search_runs: the same columns, the same values, nothing more.
frame, _ = with_pandas("runs_wide", ["run_id"])
found = frame.to_dict("records") if form == "parquet" else frame
if form == "parquet":
    # pandas shows the same for NaN and for what is missing; DuckDB tells them apart.
    relation = duckdb.sql(f"select * from '{path('runs_wide')}'")
    named = dict(zip((name.lower() for name in relation.columns), relation.columns))
    assert len(relation.columns) == len(frame.columns), (relation.columns, list(frame.columns))
    found = [dict(zip(frame.columns, map(plain, row))) for row in relation.fetchall()]
    both = pandas.DataFrame(found)[list(frame.columns)]
    for column in frame.columns:
        mine = [None if pandas.isna(value) else plain(value) for value in frame[column]]
        theirs = [None if pandas.isna(value) else plain(value) for value in both[column]]
        if mine != theirs:
            wrong[f"runs_wide {column}"] = [str(mine)[:500], str(theirs)[:500]]


def wide_row(row):
    kept = {key: value for key, value in row.items() if value is not None}
    for key, value in kept.items():
        if key.startswith("metrics."):
            kept[key] = "NaN" if math.isnan(float(value)) else float(value).hex()
    for key in ("start_time", "end_time"):
        if key in kept:
            kept[key] = int(kept[key])
    return kept


mine = sorted((wide_row(row) for row in found), key=lambda row: row["run_id"])
theirs = sorted((wide_row(row) for row in expected["runs_wide"]), key=lambda row: row["run_id"])
if mine != theirs:
    keys = [
        (a.get("run_id"), {key: (a.get(key), b.get(key)) for key in a.keys() | b.keys() if a.get(key) != b.get(key)})
        for a, b in zip(mine, theirs)
        if a != b
    ]
    wrong["runs_wide"] = [len(mine), len(theirs), str(keys)[:3000]]
print("\nOBSERVED " + json.dumps({"wrong": wrong}))
