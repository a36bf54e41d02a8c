import { edits } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Tracking } from "../../modules/tracking/index.ts";
import { checkCount, checkKey, checkLength, limits, truncate } from "../../modules/tracking/limits.ts";
import type { Int, KeyValue, MetricPoint } from "../../modules/tracking/run-data-plan.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyValue, runIdOf } from "./fields.ts";
import { onRun, onRunAndModels } from "./tracking-needs.ts";
import {
  double,
  int64,
  isObject,
  message,
  nested,
  pythonJson,
  repeated,
  string,
  type Values,
} from "./wire.ts";

const metric = {
  key: string,
  value: double,
  timestamp: int64,
  step: int64,
  model_id: string,
  dataset_name: string,
  dataset_digest: string,
};

export function runDataEndpoints(tracking: Tracking): Endpoint[] {
  return [
    {
      method: "POST",
      path: "/2.0/mlflow/runs/log-metric",
      access: edits("run"),
      needs: (values) => onRunAndModels(values, [values]),
      request: message({ run_id: string, run_uuid: string, ...metric }),
      checks: {
        run_id: ["required", "string"],
        key: ["required", "string"],
        value: ["required", "double"],
        timestamp: ["int", "required"],
        step: ["int"],
        model_id: ["string"],
        dataset_name: ["string"],
        dataset_digest: ["string"],
      },
      async handle(values, { scope }) {
        const metrics = [readMetric(values, noPath)];
        await tracking.logData(scope, {
          runId: runIdOf(values),
          metrics,
          params: [],
          tags: [],
          single: true,
        });
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/runs/log-parameter",
      access: edits("run"),
      needs: onRun("edit"),
      request: message({ run_id: string, run_uuid: string, key: string, value: string }),
      checks: { run_id: ["required", "string"], key: ["required", "string"], value: ["string"] },
      async handle(values, { scope }) {
        const params = [readParam(values, noPath)];
        await tracking.logData(scope, {
          runId: runIdOf(values),
          metrics: [],
          params,
          tags: [],
          single: true,
        });
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/runs/set-tag",
      access: edits("run"),
      needs: onRun("edit"),
      request: message({ run_id: string, run_uuid: string, key: string, value: string }),
      checks: { run_id: ["required", "string"], key: ["required", "string"], value: ["string"] },
      async handle(values, { scope }) {
        const tags = [readTag(values, noPath)];
        await tracking.logData(scope, {
          runId: runIdOf(values),
          metrics: [],
          params: [],
          tags,
          single: true,
        });
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/runs/log-batch",
      access: edits("run"),
      needs: (values) => onRunAndModels(values, values["metrics"]),
      request: message({
        run_id: string,
        metrics: repeated(nested(message(metric))),
        params: repeated(nested(keyValue)),
        tags: repeated(nested(keyValue)),
      }),
      checks: {
        run_id: ["string", "required"],
        metrics: ["array", present("metrics", ["key", "value", "timestamp"])],
        params: ["array", present("params", ["key"])],
        tags: ["array", present("tags", ["key"])],
      },
      async handle(values, { scope, source }) {
        const batch = readBatch(values, source);
        await tracking.logData(scope, { runId: values["run_id"] as string, ...batch, single: false });
        return "{}";
      },
    },
  ];
}

const RUN_ID = /^[a-zA-Z0-9][\p{L}\p{N}_-]{0,255}$/u;

function readBatch(
  values: Values,
  source: Record<string, unknown>,
): { metrics: MetricPoint[]; params: KeyValue[]; tags: KeyValue[] } {
  const runId = values["run_id"] as string;
  if (!RUN_ID.test(runId))
    throw invalidParameter(`Invalid value ${pythonJson(runId)} for parameter 'run_id' supplied.`);
  const list = (name: string): Values[] => {
    const read = (values[name] ?? []) as Values[];
    const sent = source[name];
    // Reading ended at a value of the wrong type: to store the rest would lose data without a word.
    if (Array.isArray(sent) && sent.length !== read.length) {
      throw invalidParameter(
        `Invalid value for parameter '${name}' supplied: an entry of the request has a field of the wrong type.`,
      );
    }
    return read;
  };
  const metrics = list("metrics").map((one, index) => readMetric(one, () => `metrics[${index}].`));
  const params = list("params").map((one, index) => readParam(one, () => `params[${index}].`));
  const tags = list("tags").map((one, index) => readTag(one, () => `tags[${index}].`));
  checkCount("metrics", limits.batchMetrics, metrics.length);
  checkCount("params", limits.batchParams, params.length);
  checkCount("tags", limits.batchTags, tags.length);
  const total = metrics.length + params.length + tags.length;
  checkCount("metrics, params, and tags", limits.batchEntities, total);
  const seen = new Set<string>();
  const repeatedKeys = params
    .filter(({ key }) => seen.has(key) || !seen.add(key))
    .map(({ key }) => `'${key}'`);
  if (repeatedKeys.length > 0) {
    throw invalidParameter(
      `Duplicate parameter keys have been submitted: [${repeatedKeys.join(", ")}]. Please ensure the request ` +
        "contains only one param value per param key.",
    );
  }
  return { metrics, params, tags };
}

/** Checks that every entry of a list has its fields, whose absence the wire format cannot tell from empty. */
function present(list: string, fields: readonly string[]): (value: unknown) => void {
  return (value) => {
    if (!Array.isArray(value)) return;
    (value as unknown[]).forEach((entry, index) => {
      for (const field of fields) {
        const found = isObject(entry) ? entry[field] : undefined;
        if (found !== undefined && found !== null && found !== "") continue;
        throw invalidParameter(
          `Missing value for required parameter '${list}[${index}].${field}'. ` +
            "See the API docs for more information about request parameters.",
        );
      }
    });
  };
}

/** Where an entry stands in the request, written only when something is wrong with it. */
type Path = () => string;

const noPath: Path = () => "";

const MAX_DOUBLE = Number.MAX_VALUE;

function readMetric(values: Values, path: Path): MetricPoint {
  const key = (values["key"] ?? "") as string;
  const value = (values["value"] ?? 0) as number;
  const timestamp = (values["timestamp"] ?? 0) as Int;
  checkKey(key, () => `${path()}name`);
  if (timestamp < 0) {
    throw invalidParameter(
      `Invalid value ${timestamp} for parameter '${path()}timestamp' supplied: metric '${key}' ` +
        `(value=${pythonFloat(value)}). Timestamp must be a nonnegative long (64-bit integer) `,
    );
  }
  checkLength("Metric name", limits.key, key);
  const modelId = values["model_id"] as string | undefined;
  const datasetName = values["dataset_name"] as string | undefined;
  const datasetDigest = values["dataset_digest"] as string | undefined;
  if (!datasetName !== !datasetDigest) {
    throw invalidParameter("Both dataset_name and dataset_digest must be provided if one is provided");
  }
  const point: MetricPoint = {
    key,
    value: Math.max(-MAX_DOUBLE, Math.min(MAX_DOUBLE, value)),
    timestamp,
    step: (values["step"] ?? 0) as Int,
  };
  if (modelId) point.modelId = modelId;
  if (datasetName) point.datasetName = datasetName;
  if (datasetDigest) point.datasetDigest = datasetDigest;
  return point;
}

const pythonFloat = (value: number): string =>
  Number.isInteger(value) ? `${value}.0` : String(value).toLowerCase();

function readParam(values: Values, path: Path): KeyValue {
  const key = (values["key"] ?? "") as string;
  checkKey(key, () => `${path()}key`);
  checkLength("Param key", limits.key, key);
  return { key, value: truncate(limits.paramValue, (values["value"] ?? "") as string) };
}

function readTag(values: Values, path: Path): KeyValue {
  const key = (values["key"] ?? "") as string;
  checkKey(key, () => `${path()}key`);
  checkLength(() => `${path()}key`, limits.key, key);
  return { key, value: truncate(limits.tagValue, (values["value"] ?? "") as string) };
}
