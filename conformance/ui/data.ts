// What conformance/mlflow/python/web_ui.py made.
import type { Observations } from "../src/python.ts";

export type Data = {
  readonly experiment: string;
  readonly speech: string;
  /** The run with everything. */
  readonly main: string;
  readonly sweep: string;
  readonly trials: readonly string[];
  readonly models: readonly string[];
  /** A run whose every text would like to be a script. */
  readonly trap: string;
};

export const readData = (seen: Observations): Data => seen as Data;

const parameter = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

/** Pages by name: the hash path, and texts that the page shows when all is there. */
export const pages: Readonly<
  Record<string, { path: (data: Data) => string; shows: readonly (string | RegExp)[] }>
> = {
  home: { path: () => "/", shows: ["Welcome to MLflow", "vision", "speech"] },
  experiments: { path: () => "/experiments", shows: ["vision", "speech", "Default"] },
  "experiment-overview": { path: ({ experiment }) => `/experiments/${experiment}`, shows: ["vision"] },
  runs: {
    path: ({ experiment }) => `/experiments/${experiment}/runs`,
    shows: ["main", "sweep", "trial-104", /petals \(/, "100"],
  },
  "runs-by-metric": {
    path: ({ experiment }) =>
      `/experiments/${experiment}/runs?orderByKey=${encodeURIComponent("metrics.`accuracy`")}&orderByAsc=false`,
    shows: ["Sort: accuracy", "child-1", "child-0"],
  },
  "runs-filtered": {
    path: ({ experiment }) =>
      `/experiments/${experiment}/runs?searchFilter=${encodeURIComponent(`params.layers = "3" and metrics.accuracy > 0.09`)}`,
    shows: ["trial-103", "trial-098", "trial-093"],
  },
  "runs-deleted": {
    path: ({ experiment }) => `/experiments/${experiment}/runs?lifecycleFilter=Deleted`,
    shows: ["gone"],
  },
  "runs-chart": {
    path: ({ experiment }) => `/experiments/${experiment}/runs?compareRunsMode=CHART`,
    shows: ["Model metrics", "odd", "trial-104", /^0\.99$/],
  },
  "runs-evaluation": {
    path: ({ experiment }) => `/experiments/${experiment}/runs?compareRunsMode=ARTIFACT`,
    shows: ["main"],
  },
  "compare-experiments": {
    path: ({ experiment, speech }) => `/compare-experiments/s?experiments=${parameter([experiment, speech])}`,
    shows: ["listener", "main"],
  },
  "compare-runs": {
    path: ({ experiment, trials }) =>
      `/compare-runs?runs=${parameter(trials.slice(0, 2))}&experiments=${parameter([experiment])}`,
    shows: ["Comparing 2 Runs from 1 Experiment", "trial-000", "trial-001", "Parallel Coordinates Plot"],
  },
  metric: {
    path: ({ experiment, main }) =>
      `/metric?runs=${parameter([main])}&metric=${parameter("loss")}&experiments=${parameter([experiment])}` +
      `&plot_metric_keys=${parameter(["loss"])}`,
    shows: ["Completed Runs", "0.002 (step=499)", "1 (step=0)"],
  },
  run: {
    path: ({ experiment, main }) => `/experiments/${experiment}/runs/${main}`,
    shows: [
      "A run with",
      "0.987",
      "1.7976931348623157e+308",
      "value / with : signs",
      "name with spaces",
      /petals \(/,
      "System metrics (2)",
    ],
  },
  "run-with-children": {
    path: ({ experiment, sweep }) => `/experiments/${experiment}/runs/${sweep}`,
    shows: ["child-0", "child-1"],
  },
  "run-model-metrics": {
    path: ({ experiment, main }) => `/experiments/${experiment}/runs/${main}/model-metrics`,
    shows: ["loss", "accuracy"],
  },
  "run-system-metrics": {
    path: ({ experiment, main }) => `/experiments/${experiment}/runs/${main}/system-metrics`,
    shows: ["cpu_utilization_percentage", "system_memory_usage_megabytes"],
  },
  "run-traces": {
    path: ({ experiment, main }) => `/experiments/${experiment}/runs/${main}/traces`,
    shows: ["Traces"],
  },
  "run-artifacts": {
    path: ({ experiment, main }) => `/experiments/${experiment}/runs/${main}/artifacts`,
    shows: ["report.html", "plot.png", "deep", "images", "large.log"],
  },
  "logged-models": {
    path: ({ experiment }) => `/experiments/${experiment}/models`,
    shows: ["classifier", "web_ui.py", "flowers"],
  },
  "logged-model": {
    path: ({ experiment, models }) => `/experiments/${experiment}/models/${models[0] ?? ""}`,
    shows: ["Metrics (8)", "0.987", "Ready", "Source run ID"],
  },
  "logged-model-artifacts": {
    path: ({ experiment, models }) => `/experiments/${experiment}/models/${models[0] ?? ""}/artifacts`,
    shows: ["MLmodel", "requirements.txt", "model.pkl"],
  },
  models: { path: () => "/models", shows: ["flowers", "Version 2", /champion/, "other-2"] },
  "registered-model": {
    path: () => "/models/flowers",
    shows: ["Tells flowers apart.", "Version 1", "Version 2", /champion/, "iris"],
  },
  "model-version": {
    path: () => "/models/flowers/versions/1",
    shows: ["Version 1", "Staging", /champion/, "Inputs (1)", "Outputs (1)", "Source Run"],
  },
  "compare-versions": {
    path: ({ main }) =>
      `/compare-model-versions?name=${parameter("flowers")}&runs=${parameter({ "1": main, "2": main })}`,
    shows: ["Comparing 2 Versions", "main"],
  },
  prompts: { path: () => "/prompts", shows: ["Prompts"] },
  "experiment-prompts": {
    path: ({ experiment }) => `/experiments/${experiment}/prompts`,
    shows: ["Prompts"],
  },
  traces: { path: ({ experiment }) => `/experiments/${experiment}/traces`, shows: ["Start tracing"] },
  sessions: { path: ({ experiment }) => `/experiments/${experiment}/chat-sessions`, shows: ["Sessions"] },
  datasets: { path: ({ experiment }) => `/experiments/${experiment}/datasets`, shows: ["Datasets"] },
  judges: {
    path: ({ experiment }) => `/experiments/${experiment}/judges`,
    shows: ["Create and manage judges"],
  },
  "evaluation-runs": {
    path: ({ experiment }) => `/experiments/${experiment}/evaluation-runs`,
    shows: ["Evaluation runs"],
  },
  "mcp-servers": { path: () => "/mcp-registry", shows: ["Register and catalog MCP servers"] },
  settings: { path: () => "/settings", shows: ["Theme preference"] },
};

/** Files of the run by name: what the page shows of each. */
export const files: Readonly<Record<string, { frame?: string; shows?: string | RegExp; image?: true }>> = {
  "plot.png": { image: true },
  "report.html": { frame: "its script ran kept apart" },
  "table.csv": { shows: "second" },
  "config.json": { shows: "optimizer" },
  "notes.txt": { shows: "words of a text file" },
  "model.yaml": { shows: "yaml-file" },
  "deep/inner.md": { shows: "Inner heading" },
  "empty.txt": { shows: "empty.txt" },
  "large.log": { shows: "too large to preview" },
};
