import { reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Tracking } from "../../modules/tracking/index.ts";
import type { PointColumns } from "../../modules/tracking/metric-history.sql.ts";
import type { RunPoints } from "../../modules/tracking/metric-history.ts";
import type { Int } from "../../modules/tracking/run-data-plan.ts";
import type { Endpoint } from "./endpoint.ts";
import { runIdOf } from "./fields.ts";
import { doubleTextJson } from "../../kernel/json.ts";
import { needs, type Need } from "./guard.ts";
import { onRun } from "./tracking-needs.ts";
import { int64, json, message, repeated, string } from "./wire.ts";

const MAX_RUNS = 100;
const MAX_BULK_POINTS = 25_000;
const MAX_SAMPLE = 2500;

export function metricHistoryEndpoints(tracking: Tracking): Endpoint[] {
  return [
    {
      method: "GET",
      path: "/2.0/mlflow/metrics/get-history",
      access: reads("run"),
      needs: onRun("read"),
      request: message({
        run_id: string,
        run_uuid: string,
        metric_key: string,
        page_token: string,
        max_results: int64,
      }),
      checks: { run_id: ["string", "required"], metric_key: ["string", "required"], page_token: ["string"] },
      async handle(values, { scope }) {
        const maxResults = values["max_results"] as Int | undefined;
        if (maxResults !== undefined && maxResults <= 0) {
          throw invalidParameter(
            `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be a positive integer.`,
          );
        }
        const pageToken = values["page_token"] as string | undefined;
        const key = values["metric_key"] as string;
        const { points, nextPageToken } = await tracking.getHistory(scope, {
          runId: runIdOf(values),
          key,
          ...(maxResults === undefined ? {} : { maxResults: Math.min(Number(maxResults), 1_000_000) }),
          ...(pageToken ? { pageToken } : {}),
        });
        const list = pointsJson(points, key, "");
        const parts = [
          ...(list === "" ? [] : [`"metrics":[${list}]`]),
          ...(nextPageToken === undefined ? [] : [`"next_page_token":"${nextPageToken}"`]),
        ];
        return `{${parts.join(",")}}`;
      },
    },
    {
      method: "GET",
      path: "/2.0/mlflow/metrics/get-history-bulk-interval",
      access: reads("run"),
      needs: (values) => onRuns(values["run_ids"]),
      request: message({
        run_ids: repeated(string),
        metric_key: string,
        start_step: int64,
        end_step: int64,
        max_results: int64,
      }),
      checks: {
        run_ids: ["required", "array", atMostRuns],
        metric_key: ["required", "string"],
        start_step: ["int"],
        end_step: ["int"],
        max_results: ["int", withinSample],
      },
      async handle(values, { scope }) {
        const key = values["metric_key"] as string;
        const startStep = values["start_step"] as Int | undefined;
        const endStep = values["end_step"] as Int | undefined;
        if ((startStep === undefined) !== (endStep === undefined)) {
          throw invalidParameter("If either start step or end step are specified, both must be specified.");
        }
        if (startStep !== undefined && endStep !== undefined && startStep > endStep) {
          throw invalidParameter(
            "end_step must be greater than start_step. " +
              `Found start_step=${startStep} and end_step=${endStep}.`,
          );
        }
        const found = await tracking.getHistorySample(scope, {
          runIds: values["run_ids"] as string[],
          key,
          maxResults: Number(values["max_results"] ?? MAX_SAMPLE),
          ...(startStep === undefined ? {} : { startStep }),
          ...(endStep === undefined ? {} : { endStep }),
        });
        const list = runPointsJson(found, key);
        return list === "" ? "{}" : `{"metrics":[${list}]}`;
      },
    },
    {
      method: "GET",
      path: "/2.0/mlflow/metrics/get-history-bulk",
      access: reads("run"),
      needs: (values) => onRuns(values["run_id"]),
      request: message({ run_id: repeated(string), metric_key: json, max_results: int64 }),
      checks: { max_results: ["int"] },
      async handle(values, { scope }) {
        const runIds = (values["run_id"] ?? []) as string[];
        if (runIds.length === 0) {
          throw invalidParameter("GetMetricHistoryBulk request must specify at least one run_id.");
        }
        if (runIds.length > MAX_RUNS) {
          throw invalidParameter(
            `GetMetricHistoryBulk request cannot specify more than ${MAX_RUNS} run_ids. ` +
              `Received ${runIds.length} run_ids.`,
          );
        }
        const key = values["metric_key"] as string | undefined;
        if (key === undefined)
          throw invalidParameter("GetMetricHistoryBulk request must specify a metric_key.");
        const wanted = Number(values["max_results"] ?? MAX_BULK_POINTS);
        const maxResults = Math.max(0, Math.min(wanted, MAX_BULK_POINTS));
        const found = await tracking.getHistoryBulk(scope, { runIds, key, maxResults });
        return `{"metrics":[${runPointsJson(found, key)}]}`;
      },
    },
  ];
}

const onRuns = (ids: unknown): Need[] =>
  [...new Set((ids ?? []) as string[])].map((id) => needs("read", { type: "run", id }));

function atMostRuns(value: unknown): void {
  if (Array.isArray(value) && value.length > MAX_RUNS) {
    throw invalidParameter(
      `GetMetricHistoryBulkInterval request must specify at most ${MAX_RUNS} run_ids. ` +
        `Received ${value.length} run_ids. See the API docs for more information about request parameters.`,
    );
  }
}

function withinSample(value: unknown): void {
  if (value === undefined || value === null) return;
  const number = Number(value);
  if (!(number >= 1 && number <= MAX_SAMPLE)) {
    throw invalidParameter(
      `max_results must be between 1 and ${MAX_SAMPLE}. ` +
        "See the API docs for more information about request parameters.",
    );
  }
}

const runPointsJson = (found: readonly RunPoints[], key: string): string =>
  found
    .map(({ runId, points }) => pointsJson(points, key, `,"run_id":${JSON.stringify(runId)}`))
    .filter((part) => part !== "")
    .join(",");

function pointsJson(points: PointColumns, key: string, suffix: string): string {
  const { values, timestamps, steps } = points;
  const start = `{"key":${JSON.stringify(key)},"value":`;
  const between = `${suffix}},${start}`;
  let list = "";
  for (let index = 0; index < values.length; index += 1) {
    list += index === 0 ? start : between;
    list += doubleTextJson(values[index] as string);
    list += `,"timestamp":${timestamps[index]},"step":${steps[index]}`;
  }
  return list === "" ? "" : `${list}${suffix}}`;
}
