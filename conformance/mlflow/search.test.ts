import { expect } from "vitest";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";

const plinth = plinthOfThisFile();
const everySeventh = ["00", "07", "14", "21", "28", "35", "42", "49", "56"].map((number) => `run ${number}`);

testFlow(plinth, {
  script: "search",
  checks: {
    "answers every comparator of runs": (seen) =>
      expect(seen["filters"]).toEqual({
        "metric >": 29,
        "metric >=": 30,
        "metric <": 30,
        "metric <=": 31,
        "metric =": 1,
        "metric !=": 59,
        "metric in backticks": 8,
        "param =": 30,
        "param !=": 30,
        "param LIKE": 10,
        "param LIKE is case-sensitive": 0,
        "param ILIKE": 30,
        "tag =": 20,
        "tag !=": 40,
        "tag LIKE": 40,
        "tag ILIKE": 40,
        // Only five runs have the tag: a run without it matches nothing, not even !=.
        "tag missing": 5,
        "status =": 15,
        "status !=": 45,
        start_time: 10,
        end_time: 9,
        "run_name LIKE": 10,
        "run_name ILIKE": 10,
        "run_id =": 1,
        "run_id IN": 2,
        "run_id NOT IN": 58,
        artifact_uri: 60,
        joined: 10,
      }),
    "orders runs by metrics, params, tags and attributes": (seen) =>
      expect(seen["orders"]).toEqual({
        "metric down": ["run 59", "run 58", "run 57"],
        "metric up": ["run 00", "run 01", "run 02"],
        "NaN last, up": everySeventh,
        "NaN last, down": everySeventh,
        param: ["run 59", "run 58", "run 57"],
        "param then metric": ["run 59", "run 57", "run 55"],
        tag: ["run 01", "run 02", "run 04"],
        "missing tag last": ["run 04", "run 03", "run 02", "run 01", "run 00", "run 59"],
        start_time: ["run 00", "run 01", "run 02"],
        end_time: ["run 59", "run 58", "run 57"],
        default: ["run 59", "run 58", "run 57"],
      }),
    "pages through all runs once": (seen) => {
      expect(seen["sizes"]).toEqual([7, 7, 7, 7, 7, 5]);
      expect(seen).toMatchObject({ pages_distinct: 40, pages_ordered: true });
    },
    "makes the data frame of mlflow.search_runs": (seen) =>
      expect(seen).toMatchObject({ frame_rows: 5, frame_first: "run 59", frame_metric: 59 / 60 }),
    "answers every comparator of experiments": (seen) =>
      expect(seen["experiment_filters"]).toEqual({
        all: ["a", "b", "c", "d", "e", "f"],
        tag: ["a", "b", "c"],
        "tag !=": ["d", "e", "f"],
        "tag ILIKE": ["a"],
        "name ILIKE": ["b"],
        creation_time: 6,
        deleted: ["g"],
        "every stage": 7,
        down: ["f", "e", "d", "c", "b", "a"],
      }),
    "pages through experiments": (seen) =>
      expect(seen["experiment_pages"]).toEqual([
        ["a", "b"],
        ["c", "d"],
        ["e", "f"],
      ]),
  },
});

testFlow(plinth, {
  script: "search_models",
  // 2.9.2 knows no logged models.
  versions: ["3.17.2"],
  checks: {
    "answers every comparator of logged models": (seen) =>
      expect(seen["filters"]).toEqual({
        "name =": ["model-03"],
        "name LIKE": 10,
        "name IN": ["model-01", "model-02"],
        "name NOT IN": 10,
        model_type: 6,
        source_run_id: 12,
        creation_timestamp: 12,
        params: ["model-11"],
        tags: 4,
        "tags ILIKE": 8,
        "metrics >": ["model-11"],
        "metrics on a dataset and digest": ["model-00"],
        "metrics on another dataset": [],
        joined: ["model-01", "model-11"],
      }),
    "orders logged models": (seen) =>
      expect(seen["orders"]).toEqual({
        "name down": ["model-11", "model-10", "model-09"],
        "metric down": ["model-00", "model-01", "model-02"],
        "metric on a dataset down": ["model-00", "model-01", "model-02"],
        created: ["model-00", "model-01", "model-02"],
      }),
    "pages through logged models": (seen) => {
      expect(seen["sizes"]).toEqual([5, 5, 2]);
      expect(seen["names_ordered"]).toBe(true);
    },
    "links models to runs as inputs and outputs": (seen) =>
      expect(seen).toMatchObject({ outputs: [3, 3, 3], inputs: [true], frame: [1, "model-05"] }),
    "keeps a model's metrics by dataset": (seen) =>
      expect(seen["metrics_of_one"]).toEqual([
        [0.2, ""],
        [0.8, "held out"],
      ]),
  },
});
