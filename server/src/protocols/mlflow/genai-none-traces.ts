import { manages, reads } from "../../kernel/access.ts";
import { badRequest, invalidParameter, notFound } from "../../kernel/errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { empty, needsOf, refused, unknown } from "./genai-none.ts";
import { enumOf, int64, json, message, nested, repeated, string, type Check, type Values } from "./wire.ts";

const V2 = "/2.0/mlflow/traces";
const V3 = "/3.0/mlflow/traces";
const MAX_RESULTS = 500;

const noTrace = (id: (field: string) => string): string =>
  `Trace with ID '${id("trace_id") || id("request_id")}' not found.`;

const atMostResults: Check = (value) => {
  if (!(Number(value) > MAX_RESULTS)) return;
  throw invalidParameter(
    `Invalid value ${Number(value)} for parameter 'max_results' supplied:  Hint: Value was of type 'int'. ` +
      "See the API docs for more information about request parameters.",
  );
};

const array: readonly Check[] = ["array"];

/** Traces and their assessments, of which there are none. */
export function noTraceEndpoints(): Endpoint[] {
  const search = {
    request: message({
      locations: repeated(json),
      experiment_ids: repeated(json),
      filter: string,
      max_results: int64,
      order_by: repeated(string),
      page_token: string,
    }),
    checks: {
      locations: array,
      filter: ["string"],
      max_results: ["int", atMostResults],
      order_by: array,
      page_token: ["string"],
    },
  } as const;
  const trace = { what: "traces" };
  return [
    empty(`POST ${V3}/search`, "trace", search),
    empty(`GET ${V2}`, "trace", { ...search, checks: { max_results: search.checks.max_results } }),
    empty(`GET ${V3}/batchGet`, "trace"),
    empty(`POST ${V3}/batchGetInfos`, "trace"),
    metricsEndpoint(),
    refused(`POST ${V3}`, "trace", { ...trace, needs: ["trace"] }),
    refused(`POST ${V2}`, "trace", trace),
    ...unknown(
      [
        `GET ${V3}/:trace_id`,
        `GET ${V3}/get`,
        `PATCH ${V3}/:trace_id/tags`,
        `DELETE ${V3}/:trace_id/tags`,
        `POST ${V3}/:trace_id/assessments`,
        `GET ${V3}/:trace_id/assessments/:assessment_id`,
        `PATCH ${V3}/:trace_id/assessments/:assessment_id`,
        `DELETE ${V3}/:trace_id/assessments/:assessment_id`,
        `PATCH ${V2}/:request_id`,
        `GET ${V2}/:request_id/info`,
        `PATCH ${V2}/:request_id/tags`,
        `DELETE ${V2}/:request_id/tags`,
      ],
      "trace",
      noTrace,
    ),
    ...["2.0", "3.0"].map((version) => artifactEndpoint(version)),
    ...[V2, V3].map((path) => deleteEndpoint(path)),
    refused(`POST ${V3}/calculate-filter-correlation`, "trace", {
      ...trace,
      needs: ["experiment_ids", "filter_string1", "filter_string2"],
    }),
    refused(`POST ${V2}/link-to-run`, "trace", { ...trace, needs: ["run_id"] }),
    refused(`POST ${V2}/link-prompts`, "trace", { ...trace, needs: ["trace_id"] }),
  ];
}

function artifactEndpoint(version: string): Endpoint {
  return {
    method: "GET",
    path: `/${version}/mlflow/get-trace-artifact`,
    access: reads("trace"),
    needs: needsOf(reads("trace")),
    request: message({ request_id: string }),
    handle(values) {
      const id = values["request_id"];
      if (!id) throw badRequest('Request must include the "request_id" query parameter.');
      throw notFound(`Trace with ID ${(id as string).slice(0, 200)} is not found.`);
    },
  };
}

function deleteEndpoint(path: string): Endpoint {
  return {
    method: "POST",
    path: `${path}/delete-traces`,
    access: manages("trace"),
    needs: needsOf(manages("trace")),
    request: message({
      experiment_id: string,
      max_timestamp_millis: int64,
      max_traces: int64,
      request_ids: repeated(string),
    }),
    checks: {
      experiment_id: ["required", "string"],
      max_timestamp_millis: ["int"],
      max_traces: ["int"],
      request_ids: array,
    },
    handle: () => ({ traces_deleted: 0 }),
  };
}

const views = {
  TRACES: [
    "trace_count",
    "session_count",
    "latency",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
  ],
  SPANS: ["span_count", "latency", "input_cost", "output_cost", "total_cost"],
  ASSESSMENTS: ["assessment_count", "assessment_value"],
} as const;

const viewNames = Object.keys(views) as (keyof typeof views)[];

/** Counts of nothing are 0, averages and percentiles of nothing are not there. */
function metricsEndpoint(): Endpoint {
  return {
    method: "POST",
    path: `${V3}/metrics`,
    access: reads("trace"),
    needs: needsOf(reads("trace")),
    request: message({
      experiment_ids: repeated(string),
      view_type: enumOf({ TRACES: 1, SPANS: 2, ASSESSMENTS: 3 }),
      metric_name: string,
      aggregations: repeated(nested(message({ aggregation_type: string }))),
      dimensions: repeated(string),
      filters: repeated(string),
      time_interval_seconds: int64,
      start_time_ms: int64,
      end_time_ms: int64,
      max_results: int64,
      page_token: string,
    }),
    checks: {
      experiment_ids: ["array", "required"],
      view_type: ["required"],
      metric_name: ["string", "required"],
      aggregations: ["array", "required"],
      dimensions: array,
      filters: array,
      time_interval_seconds: ["int"],
      start_time_ms: ["int"],
      end_time_ms: ["int"],
      max_results: ["int"],
      page_token: ["string"],
    },
    handle(values) {
      const name = checkMetric(values);
      const isSeries = values["time_interval_seconds"] !== undefined;
      const isGrouped = ((values["dimensions"] ?? []) as string[]).length > 0;
      if (!name.endsWith("_count") || isSeries || isGrouped) return {};
      // As text: MLflow's clients tell 0.0 from 0.
      return `{"data_points":[{"metric_name":"${name}","values":{"COUNT":0.0}}]}`;
    },
  };
}

function checkMetric(values: Values): string {
  const view = viewNames[((values["view_type"] ?? 0) as number) - 1];
  if (view === undefined) {
    throw invalidParameter(`view_type must be one of ${listed(viewNames)}.`);
  }
  const name = (values["metric_name"] ?? "") as string;
  if (!views[view].some((one) => one === name)) {
    throw invalidParameter(`metric_name must be one of ${listed(views[view])}, got '${name.slice(0, 200)}'`);
  }
  const { time_interval_seconds: interval, start_time_ms: start, end_time_ms: end } = values;
  if (interval !== undefined && (start === undefined || end === undefined)) {
    throw invalidParameter("start_time_ms and end_time_ms are required if time_interval_seconds is set");
  }
  return name;
}

const listed = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join(", ")}]`;
