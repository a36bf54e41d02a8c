import {
  get,
  newExperiment,
  newModel,
  newRun,
  post,
  postRaw,
  type Scenario,
  type Step,
} from "../scenario.ts";

const log = (label: string, fields: Readonly<Record<string, unknown>>): Step =>
  post(label, "runs/log-metric", { run_id: "{run}", key: "m", value: 1, timestamp: 1, ...fields });

const logRaw = (label: string, value: string, more = '"timestamp": 1'): Step =>
  postRaw(label, "runs/log-metric", `{"run_id": "{run}", "key": "raw", "value": ${value}, ${more}}`);

const history = (label: string, query: Readonly<Record<string, string>>): Step =>
  get(label, "metrics/get-history", { run_id: "{run}", metric_key: "m", ...query });

export const metrics: readonly Scenario[] = [
  {
    name: "metrics: log one",
    steps: [
      newExperiment(),
      newRun(),
      log("a point", {}),
      log("the same point again", {}),
      log("another value at the same time", { value: 2 }),
      log("with a step", { value: 0.5, step: 3, timestamp: 5 }),
      log("an older step", { value: 9, step: 1, timestamp: 9 }),
      log("a negative step", { key: "negative", step: -7 }),
      log("step at int64's end", { key: "big step", step: "9223372036854775807" }),
      log("step at int64's start", { key: "big step", step: "-9223372036854775808" }),
      log("timestamp at int64's end", { key: "late", timestamp: "9223372036854775807" }),
      log("a negative timestamp", { timestamp: -1 }),
      log("timestamp 0", { key: "zero", timestamp: 0 }),
      log("step as text", { key: "text", step: "4" }),
      log("step as a word", { step: "four" }),
      log("value as text", { key: "text", value: "1.5" }),
      log("value as a word", { value: "high" }),
      log("value NaN", { key: "nan", value: "NaN" }),
      log("value Infinity", { key: "inf", value: "Infinity" }),
      log("value -Infinity", { key: "-inf", value: "-Infinity" }),
      log("value true", { value: true }),
      log("value null", { value: null }),
      log("value list", { value: [1] }),
      logRaw("a very large double", "1e308"),
      logRaw("the smallest double", "5e-324"),
      logRaw("seventeen digits", "0.1234567890123456789"),
      logRaw("negative zero", "-0.0"),
      logRaw("a large integer", "9007199254740993"),
      logRaw("int64 timestamp bare", "1", '"timestamp": 9223372036854775807'),
      logRaw("timestamp 1e3", "1", '"timestamp": 1e3'),
      log("no value", { value: undefined }),
      log("no timestamp", { timestamp: undefined }),
      log("no key", { key: undefined }),
      log("an empty key", { key: "" }),
      log("a key of 250 characters", { key: "k".repeat(250) }),
      log("a key of 251 characters", { key: "k".repeat(251) }),
      log("a key in another script", { key: "точность 精度" }),
      log("a key with a slash", { key: "train/loss" }),
      log("a key that climbs", { key: "../loss" }),
      log("a key with brackets", { key: "loss[0]" }),
      log("a key that is a number", { key: 5 }),
      log("an unknown run", { run_id: "0".repeat(32) }),
      log("no run", { run_id: undefined }),
      log("by run_uuid", { run_id: undefined, run_uuid: "{run}", key: "by uuid" }),
      get("the latest ones", "runs/get", { run_id: "{run}" }),
      history("history of m", {}),
      history("history of an int64 step", { metric_key: "big step" }),
      history("history of raw values", { metric_key: "raw" }),
    ],
  },
  {
    name: "metrics: values that cannot be read",
    steps: [
      newExperiment(),
      newRun(),
      log("step beyond int64", { step: "9223372036854775808" }),
      log("timestamp beyond int64", { timestamp: "9223372036854775808" }),
      log("a fractional timestamp", { key: "fraction", timestamp: 5.5 }),
      log("a fractional step", { key: "fraction", step: 2.5 }),
      log("value nan in lower case", { key: "nan2", value: "nan" }),
      log("value inf in short", { key: "inf2", value: "inf" }),
      logRaw("bare NaN", "NaN"),
      logRaw("bare Infinity", "Infinity"),
      logRaw("beyond double", "1e309"),
    ],
  },
  {
    name: "metrics: the latest",
    steps: [
      newExperiment(),
      newRun(),
      log("step 5 first", { key: "by step", value: 1, step: 5, timestamp: 10 }),
      log("step 3 later", { key: "by step", value: 2, step: 3, timestamp: 20 }),
      log("time 10", { key: "by time", value: 5, step: 1, timestamp: 10 }),
      log("time 9", { key: "by time", value: 6, step: 1, timestamp: 9 }),
      log("value 5", { key: "by value", value: 5, step: 1, timestamp: 1 }),
      log("value 4", { key: "by value", value: 4, step: 1, timestamp: 1 }),
      log("NaN beside 4", { key: "nan or not", value: 4, step: 1, timestamp: 1 }),
      log("NaN beside 4, now", { key: "nan or not", value: "NaN", step: 1, timestamp: 1 }),
      log("NaN first", { key: "nan first", value: "NaN", step: 1, timestamp: 1 }),
      log("then 4", { key: "nan first", value: 4, step: 1, timestamp: 1 }),
      log("negative step", { key: "negative", value: 1, step: -5, timestamp: 1 }),
      get("all latest", "runs/get", { run_id: "{run}" }),
      history("both are kept", { metric_key: "nan or not" }),
    ],
  },
  {
    name: "metrics: for models and datasets",
    steps: [
      newExperiment(),
      newRun(),
      newModel(),
      log("of a model", { key: "acc", value: 0.9, model_id: "{model}" }),
      log("of a model and a dataset", {
        key: "acc",
        value: 0.8,
        step: 2,
        model_id: "{model}",
        dataset_name: "train",
        dataset_digest: "abc",
      }),
      log("of a dataset only", { key: "f1", dataset_name: "train", dataset_digest: "abc" }),
      log("of a dataset without a digest", { key: "f3", step: 1, dataset_name: "train" }),
      log("of an unknown model", { key: "f2", model_id: `m-${"0".repeat(32)}` }),
      get("the run", "runs/get", { run_id: "{run}" }),
      get("the model", "logged-models/{model}"),
      history("the history", { metric_key: "acc" }),
      post("in a batch", "runs/log-batch", {
        run_id: "{run}",
        metrics: [
          { key: "b", value: 1, timestamp: 1, step: 0, model_id: "{model}" },
          {
            key: "b",
            value: 2,
            timestamp: 2,
            step: 1,
            model_id: "{model}",
            dataset_name: "t",
            dataset_digest: "1",
          },
        ],
      }),
      get("the model after the batch", "logged-models/{model}"),
    ],
  },
  {
    name: "metrics: history",
    steps: [
      newExperiment(),
      newRun(),
      newRun("second"),
      post("given points", "runs/log-batch", {
        run_id: "{run}",
        metrics: Array.from({ length: 30 }, (_, step) => ({
          key: "m",
          value: step / 4,
          timestamp: 1000 - step,
          step,
        })),
      }),
      post("given points of the second", "runs/log-batch", {
        run_id: "{second}",
        metrics: [
          { key: "m", value: "NaN", timestamp: 5, step: 2 },
          { key: "m", value: "Infinity", timestamp: 5, step: 1 },
        ],
      }),
      history("whole", {}),
      history("five", { max_results: "5" }),
      get(
        "five, kept",
        "metrics/get-history",
        { run_id: "{run}", metric_key: "m", max_results: "5" },
        { token: "next_page_token" },
      ),
      history("the next five", { max_results: "5", page_token: "{token}" }),
      history("exactly all", { max_results: "30" }),
      history("one less", { max_results: "29" }),
      history("more than the client asks", { max_results: "26000" }),
      history("max_results 0", { max_results: "0" }),
      history("max_results -1", { max_results: "-1" }),
      history("max_results as a word", { max_results: "five" }),
      history("max_results beyond int32", { max_results: "3000000000" }),
      history("a broken token", { max_results: "5", page_token: "!!!" }),
      history("an unknown metric", { metric_key: "nobody" }),
      history("an empty metric", { metric_key: "" }),
      get("no metric", "metrics/get-history", { run_id: "{run}" }),
      get("no run", "metrics/get-history", { metric_key: "m" }),
      get("by run_uuid", "metrics/get-history", { run_uuid: "{second}", metric_key: "m" }),
      get("an unknown run", "metrics/get-history", { run_id: "0".repeat(32), metric_key: "m" }),
      ...bulk(),
      ...interval(),
    ],
  },
];

function bulk(): readonly Step[] {
  const route = "/ajax-api/2.0/mlflow/metrics/get-history-bulk";
  return [
    get("bulk of one run", route, { run_id: ["{run}"], metric_key: "m" }),
    {
      ...get("bulk of two runs", route, { run_id: ["{run}", "{second}"], metric_key: "m" }),
      asSet: ["metrics"],
    },
    get("bulk, five", route, { run_id: ["{run}"], metric_key: "m", max_results: "5" }),
    get("bulk of an unknown run", route, { run_id: "0".repeat(32), metric_key: "m" }),
    get("bulk without a run", route, { metric_key: "m" }),
    get("bulk without a metric", route, { run_id: "{run}" }),
    get("bulk of 101 runs", route, { run_id: Array.from({ length: 101 }, () => "{run}"), metric_key: "m" }),
    get("bulk, max_results 0", route, { run_id: "{run}", metric_key: "m", max_results: "0" }),
    get("bulk, max_results as a word", route, { run_id: "{run}", metric_key: "m", max_results: "x" }),
  ];
}

function interval(): readonly Step[] {
  const route = "metrics/get-history-bulk-interval";
  const ask = (label: string, query: Readonly<Record<string, string | readonly string[]>>) =>
    get(`interval ${label}`, route, { run_ids: ["{run}"], metric_key: "m", ...query });
  return [
    ask("whole", {}),
    ask("of two runs", { run_ids: ["{run}", "{second}"] }),
    ask("sampled to five", { max_results: "5" }),
    ask("sampled to one", { max_results: "1" }),
    ask("of steps 3 to 9", { start_step: "3", end_step: "9" }),
    ask("of steps 0 to 0", { start_step: "0", end_step: "0" }),
    ask("of steps 3 to 29, sampled to four", { start_step: "3", end_step: "29", max_results: "4" }),
    ask("of a start only", { start_step: "3" }),
    ask("of an end only", { end_step: "3" }),
    ask("of steps the wrong way round", { start_step: "9", end_step: "3" }),
    ask("with max_results 0", { max_results: "0" }),
    ask("with max_results 2501", { max_results: "2501" }),
    ask("with max_results 2500", { max_results: "2500" }),
    ask("with max_results as a word", { max_results: "x" }),
    ask("of an unknown run", { run_ids: ["0".repeat(32)] }),
    ask("of no run", { run_ids: [] }),
    ask("of 101 runs", { run_ids: Array.from({ length: 101 }, () => "{run}") }),
    ask("of an unknown metric", { metric_key: "nobody" }),
    get("interval without a metric", route, { run_ids: ["{run}"] }),
    get("interval under ajax-api", `/ajax-api/2.0/mlflow/${route}`, {
      run_ids: ["{second}"],
      metric_key: "m",
      max_results: "320",
    }),
  ];
}
