import { get, newExperiment, newModel, newRun, post, type Scenario, type Step } from "../scenario.ts";

type Fields = Readonly<Record<string, unknown>>;

const dataset = (fields: Fields = {}) => ({
  name: "iris",
  digest: "d1",
  source_type: "local",
  source: '{"uri": "iris.csv"}',
  schema: '{"columns": []}',
  profile: '{"rows": 150}',
  ...fields,
});

const log = (label: string, datasets: unknown, fields: Fields = {}): Step =>
  post(label, "runs/log-inputs", { run_id: "{run}", datasets, ...fields });

const context = [{ key: "mlflow.data.context", value: "training" }];

export const inputs: readonly Scenario[] = [
  {
    name: "inputs: datasets",
    steps: [
      newExperiment(),
      newRun(),
      newRun("second"),
      log("one", [{ dataset: dataset(), tags: context }]),
      log("the same again", [{ dataset: dataset(), tags: context }]),
      log("the same with another tag", [{ dataset: dataset(), tags: [{ key: "extra", value: "1" }] }]),
      log("the same, a changed tag value", [{ dataset: dataset(), tags: [{ key: "extra", value: "2" }] }]),
      log("two", [
        { dataset: dataset({ name: "wine", digest: "d2" }) },
        { dataset: dataset({ name: "wine", digest: "d3" }), tags: context },
      ]),
      log("the least a dataset needs", [
        { dataset: { name: "bare", digest: "b", source_type: "code", source: "s" } },
      ]),
      log("no datasets", []),
      log("absent datasets", undefined),
      log("a dataset without a name", [{ dataset: dataset({ name: undefined }) }]),
      log("a dataset without a digest", [{ dataset: dataset({ digest: undefined }) }]),
      log("a dataset without a source type", [{ dataset: dataset({ source_type: undefined }) }]),
      log("a dataset without a source", [{ dataset: dataset({ source: undefined }) }]),
      log("an empty name", [{ dataset: dataset({ name: "" }) }]),
      log("an empty digest", [{ dataset: dataset({ digest: "" }) }]),
      log("an input without a dataset", [{ tags: context }]),
      log("a name of 500 characters", [{ dataset: dataset({ name: "n".repeat(500), digest: "n500" }) }]),
      log("a name of 501 characters", [{ dataset: dataset({ name: "n".repeat(501) }) }]),
      log("a digest of 36 characters", [{ dataset: dataset({ digest: "d".repeat(36) }) }]),
      log("a digest of 37 characters", [{ dataset: dataset({ digest: "d".repeat(37) }) }]),
      log("a source of 65536 characters", [
        { dataset: dataset({ digest: "src", source: "s".repeat(65_536) }) },
      ]),
      log("a tag key of 256 characters", [
        { dataset: dataset({ digest: "k" }), tags: [{ key: "k".repeat(256), value: "v" }] },
      ]),
      log("a tag value of 501 characters", [
        { dataset: dataset({ digest: "v" }), tags: [{ key: "k", value: "v".repeat(501) }] },
      ]),
      log("a tag without a key", [{ dataset: dataset({ digest: "t" }), tags: [{ value: "v" }] }]),
      log("datasets that are no list", { dataset: dataset() }),
      log("a number as name", [{ dataset: dataset({ name: 5 }) }]),
      log("an unknown run", [{ dataset: dataset() }], { run_id: "0".repeat(32) }),
      log("no run", [{ dataset: dataset() }], { run_id: undefined }),
      log("a second run shares it", [{ dataset: dataset() }], { run_id: "{second}" }),
      get("read back", "runs/get", { run_id: "{run}" }),
      get("read the second back", "runs/get", { run_id: "{second}" }),
      ...searchDatasets(),
    ],
  },
  {
    name: "inputs and outputs: models",
    steps: [
      newExperiment(),
      newRun(),
      newModel(),
      newModel("another"),
      post("an input", "runs/log-inputs", { run_id: "{run}", models: [{ model_id: "{model}" }] }),
      post("the input again", "runs/log-inputs", { run_id: "{run}", models: [{ model_id: "{model}" }] }),
      post("an unknown input", "runs/log-inputs", {
        run_id: "{run}",
        models: [{ model_id: `m-${"0".repeat(32)}` }],
      }),
      post("an input without an id", "runs/log-inputs", { run_id: "{run}", models: [{}] }),
      post("an output", "runs/outputs", { run_id: "{run}", models: [{ model_id: "{model}", step: 3 }] }),
      post("the output again", "runs/outputs", {
        run_id: "{run}",
        models: [{ model_id: "{model}", step: 3 }],
      }),
      post("the output at another step", "runs/outputs", {
        run_id: "{run}",
        models: [{ model_id: "{model}", step: 4 }],
      }),
      post("two outputs", "runs/outputs", {
        run_id: "{run}",
        models: [
          { model_id: "{another}", step: 0 },
          { model_id: "{another}", step: 1 },
        ],
      }),
      post("an output without a step", "runs/outputs", {
        run_id: "{run}",
        models: [{ model_id: "{another}" }],
      }),
      post("an output without an id", "runs/outputs", { run_id: "{run}", models: [{ step: 1 }] }),
      post("an output of an unknown model", "runs/outputs", {
        run_id: "{run}",
        models: [{ model_id: `m-${"0".repeat(32)}`, step: 0 }],
      }),
      post("outputs of nothing", "runs/outputs", { run_id: "{run}", models: [] }),
      post("outputs absent", "runs/outputs", { run_id: "{run}" }),
      post("outputs without a run", "runs/outputs", { models: [{ model_id: "{model}", step: 1 }] }),
      post("outputs of an unknown run", "runs/outputs", {
        run_id: "0".repeat(32),
        models: [{ model_id: "{model}", step: 1 }],
      }),
      post("outputs under ajax-api", "/ajax-api/2.0/mlflow/runs/outputs", {
        run_id: "{run}",
        models: [{ model_id: "{model}", step: 9 }],
      }),
      get("read back", "runs/get", { run_id: "{run}" }),
    ],
  },
];

function searchDatasets(): readonly Step[] {
  const ask = (label: string, body: unknown) =>
    post(`search datasets: ${label}`, "/ajax-api/2.0/mlflow/experiments/search-datasets", body);
  return [
    ask("of one experiment", { experiment_ids: ["{experiment}"] }),
    ask("of an unknown experiment", { experiment_ids: ["999999999"] }),
    ask("of no experiment", { experiment_ids: [] }),
    ask("without a body", {}),
    ask("of 20 experiments", { experiment_ids: Array.from({ length: 20 }, () => "{experiment}") }),
    ask("of 21 experiments", { experiment_ids: Array.from({ length: 21 }, () => "{experiment}") }),
    ask("of a word", { experiment_ids: ["abc"] }),
    ask("of a text", { experiment_ids: "{experiment}" }),
    post("search datasets: under api", "experiments/search-datasets", { experiment_ids: ["{experiment}"] }),
  ];
}
