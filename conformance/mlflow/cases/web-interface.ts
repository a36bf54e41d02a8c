import { get, newExperiment, newRun, post, type Scenario, type Step } from "../scenario.ts";

const ui = "/ajax-api/3.0/mlflow/";
const old = "/ajax-api/2.0/mlflow/";

const ask = (label: string, query: string, variables?: unknown, operationName?: string): Step =>
  post(label, "/graphql", { query, variables, operationName });

const runFields = `
  info { runName status endTime lifecycleStage startTime userId }
  experiment { lifecycleStage tags { key value } }
  modelVersions { status version name source }
  data { metrics { key value step timestamp } params { key value } tags { key value } }
  inputs {
    datasetInputs { dataset { digest name profile schema source sourceType } tags { key value } }
    modelInputs { modelId }
  }
  outputs { modelOutputs { modelId step } }`;

const traceMetrics = (label: string, fields: Readonly<Record<string, unknown>>): Step =>
  post(label, `${ui}traces/metrics`, {
    experiment_ids: ["{experiment}"],
    view_type: "TRACES",
    metric_name: "trace_count",
    aggregations: [{ aggregation_type: "COUNT" }],
    ...fields,
  });

export const webInterface: readonly Scenario[] = [
  {
    name: "web interface: graphql",
    steps: [
      newExperiment(),
      newRun(),
      post("given data", "runs/log-batch", {
        run_id: "{run}",
        metrics: [
          { key: "loss", value: 0.5, timestamp: 10, step: 1 },
          { key: "nan", value: "NaN", timestamp: 10, step: 2 },
          { key: "endless", value: "-Infinity", timestamp: 10, step: 9007199254740 },
        ],
        params: [{ key: "rate", value: "0.1" }],
        tags: [{ key: "team", value: "red" }],
      }),
      post("given a dataset", "runs/log-inputs", {
        run_id: "{run}",
        datasets: [{ dataset: { name: "d", digest: "1", source_type: "local", source: "{}" } }],
      }),
      ask(
        "an experiment",
        `query Q($input: MlflowGetExperimentInput!) @component(name: "x") { mlflowGetExperiment(input: $input) {
          apiError { code message } experiment { effectiveTraceArchivalRetention lifecycleStage workspace
          tags { key value } __typename } __typename } }`,
        { input: { experimentId: "{experiment}" } },
        "Q",
      ),
      ask(
        "a run",
        `query GetRun($data: MlflowGetRunInput!) { mlflowGetRun(input: $data) { apiError { helpUrl code message }
          run { ${runFields} __typename } } }`,
        { data: { runId: "{run}" } },
        "GetRun",
      ),
      ask(
        "a run by its old name",
        `{ mlflowGetRun(input: {runUuid: "{run}"}) { run { info { runName } } } }`,
      ),
      ask(
        "runs",
        `{ mlflowSearchRuns(input: {experimentIds: ["{experiment}"]}) { runs { ${runFields} } nextPageToken } }`,
      ),
      ask(
        "a history",
        `{ mlflowGetMetricHistoryBulkInterval(input: {runIds: ["{run}"], metricKey: "loss", maxResults: 10}) {
          metrics { key value step timestamp } } }`,
      ),
      ask(
        "files",
        `{ mlflowListArtifacts(input: {runId: "{run}"}) { files { path isDir fileSize } nextPageToken } }`,
      ),
      ask(
        "versions",
        `{ mlflowSearchModelVersions(input: {filter: "run_id = '{run}'"}) { modelVersions { name } nextPageToken } }`,
      ),
      ask(
        "datasets",
        `mutation { mlflowSearchDatasets(input: {experimentIds: ["{experiment}"]}) { datasetSummaries { name digest context } } }`,
      ),
      ask("an echo", `{ test(inputString: "x") { output } }`),
      ask(
        "an unknown run",
        `{ mlflowGetRun(input: {runId: "nobody"}) { run { info { runName } } } test(inputString: "x") { output } }`,
      ),
      ask(
        "an unknown experiment",
        `{ mlflowGetExperiment(input: {experimentId: "99999999"}) { apiError { code } } }`,
      ),
      ask(
        "a bad filter",
        `{ mlflowSearchRuns(input: {experimentIds: ["{experiment}"], filter: "metrics.loss = 'x'"}) { nextPageToken } }`,
      ),
      ask("too deep", `${"{ run ".repeat(11)}{ __typename }${" }".repeat(11)}`),
      ask("too many selections", `{ mlflowGetRun { ${"__typename ".repeat(1001)} } }`),
      ask("too many root fields", `{ ${"__typename ".repeat(11)} }`),
      ask("no query", ""),
      ask("no GraphQL", "{ mlflowGetRun("),
    ],
  },
  {
    name: "web interface: what there is none of",
    steps: [
      newExperiment(),
      post("traces", `${ui}traces/search`, {
        locations: [{ type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: "{experiment}" } }],
        filter: "attributes.timestamp_ms > 1",
        max_results: 25,
        order_by: ["timestamp DESC"],
      }),
      post("traces anywhere", `${ui}traces/search`, { locations: [], max_results: 1 }),
      post("too many traces", `${ui}traces/search`, { locations: [], max_results: 501 }),
      get("traces by id", `${ui}traces/batchGet`, { trace_ids: ["tr-1"] }),
      post("traces without spans by id", `${ui}traces/batchGetInfos`, { trace_ids: ["tr-1"] }),
      get("a trace", `${ui}traces/tr-1`),
      get("the spans of a trace", `${ui}get-trace-artifact`, { request_id: "tr-1" }),
      get("the spans of no trace", `${ui}get-trace-artifact`),
      traceMetrics("a count", {}),
      traceMetrics("a count by status", { dimensions: ["trace_status"] }),
      traceMetrics("a series", { time_interval_seconds: 86400, start_time_ms: 1, end_time_ms: 2 }),
      traceMetrics("a series without an end", { time_interval_seconds: 86400, start_time_ms: 1 }),
      traceMetrics("a mean", { metric_name: "latency", aggregations: [{ aggregation_type: "AVG" }] }),
      traceMetrics("an unknown number", { metric_name: "nobody" }),
      traceMetrics("no number", { metric_name: "" }),
      traceMetrics("a count of assessments", { view_type: "ASSESSMENTS", metric_name: "assessment_count" }),
      traceMetrics("costs", {
        view_type: "SPANS",
        metric_name: "total_cost",
        aggregations: [{ aggregation_type: "SUM" }],
      }),
      post("evaluation datasets", `${ui}datasets/search`, {
        experiment_ids: ["{experiment}"],
        max_results: 20,
      }),
      get("an evaluation dataset", `${ui}datasets/d-1`),
      get("scorers", `${ui}scorers/list`, { experiment_id: "{experiment}" }),
      get("a scorer", `${ui}scorers/get`, { experiment_id: "{experiment}", name: "s" }),
      post("issues", `${ui}issues/search`, { experiment_id: "{experiment}" }),
      get("an issue", `${ui}issues/i`),
      get("review queues", `${ui}review-queues/list`, { experiment_id: "{experiment}" }),
      get("a review queue", `${ui}review-queues/get`, { queue_id: "q" }),
      get("a job", `${ui}jobs/j`),
      post("jobs", `${ui}prompt-optimization/jobs/search`, { experiment_id: "{experiment}" }),
      get("MCP servers", `${ui}mcp-servers`, { max_results: "25" }),
      get("an MCP server", `${ui}mcp-servers/m`),
      get("endpoints of the gateway", `${ui}gateway/endpoints/list`),
      get("an endpoint of the gateway", `${ui}gateway/endpoints/get`, { endpoint_id: "e" }),
      get("secrets of the gateway", `${ui}gateway/secrets/list`),
      get("the gateway of old", `${old}gateway-proxy`, { gateway_path: "api/2.0/endpoints/" }),
      get("the assistant", `${ui}assistant/config`),
      get("telemetry", `${ui}ui-telemetry`),
      post("records of telemetry", `${ui}ui-telemetry`, { records: [] }),
      post("delete the demo", `${ui}demo/delete`, {}),
    ],
  },
];
