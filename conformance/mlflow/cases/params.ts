import { get, newExperiment, newRun, post, type Scenario, type Step } from "../scenario.ts";

const log = (label: string, fields: Readonly<Record<string, unknown>>): Step =>
  post(label, "runs/log-parameter", { run_id: "{run}", key: "p", value: "1", ...fields });

const batch = (label: string, fields: Readonly<Record<string, unknown>>): Step =>
  post(label, "runs/log-batch", { run_id: "{run}", ...fields });

const metric = (key: string, step = 0) => ({ key, value: 1, timestamp: 1, step });
const many = <T>(length: number, make: (index: number) => T) =>
  Array.from({ length }, (_, index) => make(index));

export const params: readonly Scenario[] = [
  {
    name: "params: log one",
    steps: [
      newExperiment(),
      newRun(),
      log("one", {}),
      log("the same again", {}),
      log("another value", { value: "2" }),
      log("an empty value", { key: "empty", value: "" }),
      log("no value", { key: "none", value: undefined }),
      log("a null value", { key: "null", value: null }),
      log("a number as value", { key: "k", value: 5 }),
      log("a boolean as value", { key: "k", value: true }),
      log("no key", { key: undefined }),
      log("an empty key", { key: "" }),
      log("a key of 250 characters", { key: "k".repeat(250) }),
      log("a key of 251 characters", { key: "k".repeat(251) }),
      log("a value of 6000 characters", { key: "long", value: "v".repeat(6000) }),
      log("a value of 6001 characters", { key: "longer", value: "v".repeat(6001) }),
      log("the cut value again", { key: "longer", value: "v".repeat(6001) }),
      log("another that is cut to the same", { key: "longer", value: `${"v".repeat(6000)}x` }),
      log("a key in another script", { key: "ключ", value: "値" }),
      log("a key with a slash", { key: "model/depth" }),
      log("a key that climbs", { key: "a/../../b" }),
      log("a key with a hash", { key: "a#b" }),
      log("a value with a line end", { key: "lines", value: "a\nb\tc" }),
      log("a value with quotes", { key: "quotes", value: 'it\'s "so" -- ;' }),
      log("an unknown run", { run_id: "0".repeat(32) }),
      log("no run", { run_id: undefined }),
      log("by run_uuid", { run_id: undefined, run_uuid: "{run}", key: "by uuid" }),
      get("read back", "runs/get", { run_id: "{run}" }),
    ],
  },
  {
    name: "log-batch",
    steps: [
      newExperiment(),
      newRun(),
      batch("all kinds", {
        metrics: [metric("m", 1), metric("m", 2)],
        params: [{ key: "p", value: "1" }],
        tags: [{ key: "t", value: "1" }],
      }),
      batch("the same again", { metrics: [metric("m", 1)], params: [{ key: "p", value: "1" }] }),
      batch("nothing", {}),
      batch("empty lists", { metrics: [], params: [], tags: [] }),
      batch("a changed param", { metrics: [metric("not kept")], params: [{ key: "p", value: "2" }] }),
      batch("a param twice, equal", {
        params: [
          { key: "q", value: "1" },
          { key: "q", value: "1" },
        ],
      }),
      batch("a param twice, differing", {
        params: [
          { key: "q", value: "1" },
          { key: "q", value: "2" },
        ],
      }),
      batch("a tag twice", {
        tags: [
          { key: "twice", value: "1" },
          { key: "twice", value: "2" },
        ],
      }),
      batch("a metric twice", { metrics: [metric("twice"), metric("twice")] }),
      batch("one bad metric key", {
        metrics: [metric("good"), metric("../bad")],
        params: [{ key: "x", value: "1" }],
      }),
      batch("a metric without a step", { metrics: [{ key: "no step", value: 1, timestamp: 1 }] }),
      batch("a negative timestamp", { metrics: [{ key: "n", value: 1, timestamp: -1 }] }),
      batch("special values", {
        metrics: [
          { key: "nan", value: "NaN", timestamp: 1 },
          { key: "inf", value: "Infinity", timestamp: 1 },
          { key: "-inf", value: "-Infinity", timestamp: 1 },
        ],
      }),
      batch("a param without a value", { params: [{ key: "no value" }] }),
      batch("a param without a key", { params: [{ value: "v" }] }),
      batch("a tag without a value", { tags: [{ key: "no value" }] }),
      batch("a tag without a key", { tags: [{ value: "v" }] }),
      batch("a long param value", { params: [{ key: "long", value: "v".repeat(6001) }] }),
      batch("a long tag value", { tags: [{ key: "long", value: "v".repeat(8001) }] }),
      batch("a long param key", { params: [{ key: "k".repeat(251), value: "v" }] }),
      batch("a long tag key", { tags: [{ key: "k".repeat(251), value: "v" }] }),
      batch("a run name by tag", { tags: [{ key: "mlflow.runName", value: "by batch" }] }),
      batch("10 MB of tags", {
        tags: many(100, (one) => ({ key: `big${one}`, value: "v".repeat(100_000) })),
      }),
      batch("1000 metrics", { metrics: many(1000, (step) => metric("many", step)) }),
      batch("1001 metrics", { metrics: many(1001, (step) => metric("more", step)) }),
      batch("100 params", { params: many(100, (one) => ({ key: `p${one}`, value: "1" })) }),
      batch("101 params", { params: many(101, (one) => ({ key: `q${one}`, value: "1" })) }),
      batch("100 tags", { tags: many(100, (one) => ({ key: `t${one}`, value: "1" })) }),
      batch("101 tags", { tags: many(101, (one) => ({ key: `u${one}`, value: "1" })) }),
      batch("1001 together", {
        metrics: many(950, (step) => metric("together", step)),
        params: many(51, (one) => ({ key: `r${one}`, value: "1" })),
      }),
      post("an unknown run", "runs/log-batch", {
        run_id: "0".repeat(32),
        params: [{ key: "a", value: "1" }],
      }),
      post("no run", "runs/log-batch", { params: [{ key: "a", value: "1" }] }),
      post("no run and nothing", "runs/log-batch", {}),
      get("read back", "runs/get", { run_id: "{run}" }),
      get("history of many", "metrics/get-history", {
        run_id: "{run}",
        metric_key: "many",
        max_results: "3",
      }),
    ],
  },
  {
    name: "log-batch: items that cannot be read",
    steps: [
      newExperiment(),
      newRun(),
      batch("a number as param value", { params: [{ key: "k", value: 5 }] }),
      batch("no value", { metrics: [metric("good"), { key: "bad", timestamp: 1 }] }),
      batch("no timestamp", { metrics: [metric("good"), { key: "bad", value: 1 }] }),
      batch("a word as value", { metrics: [{ key: "bad", value: "high", timestamp: 1 }] }),
      batch("a metric without a key", { metrics: [{ value: 1, timestamp: 1 }] }),
      batch("metrics that are no list", { metrics: { key: "m" } }),
      batch("metrics of numbers", { metrics: [1, 2] }),
      batch("metrics null", { metrics: null }),
    ],
  },
  {
    name: "log-model, the older way",
    steps: [
      newExperiment(),
      newRun(),
      post("one", "runs/log-model", {
        run_id: "{run}",
        model_json:
          '{"artifact_path": "model", "flavors": {"python_function": {}}, "run_id": "{run}", "utc_time_created": "2024-01-01 00:00:00"}',
      }),
      post("a second", "runs/log-model", {
        run_id: "{run}",
        model_json:
          '{"artifact_path": "other", "flavors": {"sklearn": {}}, "run_id": "{run}", "utc_time_created": "2024-01-01 00:00:00"}',
      }),
      post("missing fields", "runs/log-model", { run_id: "{run}", model_json: '{"artifact_path": "x"}' }),
      post("not JSON", "runs/log-model", { run_id: "{run}", model_json: "{not json" }),
      post("JSON, but a list", "runs/log-model", { run_id: "{run}", model_json: "[]" }),
      post("no model", "runs/log-model", { run_id: "{run}" }),
      post("no run", "runs/log-model", { model_json: "{}" }),
      post("an unknown run", "runs/log-model", {
        run_id: "0".repeat(32),
        model_json: '{"artifact_path": "model", "flavors": {}, "run_id": "x", "utc_time_created": "now"}',
      }),
      get("read back", "runs/get", { run_id: "{run}" }),
    ],
  },
];
