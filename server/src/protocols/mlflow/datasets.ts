import { edits, reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Dataset, DatasetInput } from "../../modules/tracking/datasets.ts";
import type { Tracking } from "../../modules/tracking/index.ts";
import type { Int } from "../../modules/tracking/run-data-plan.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyValues } from "./experiments.ts";
import { keyValue } from "./fields.ts";
import { needs } from "./guard.ts";
import { onRunAndModels } from "./tracking-needs.ts";
import { int64, message, nested, pythonJson, repeated, string, type Values } from "./wire.ts";

const dataset = message({
  name: string,
  digest: string,
  source_type: string,
  source: string,
  schema: string,
  profile: string,
});

const datasetInput = message({ tags: repeated(nested(keyValue)), dataset: nested(dataset) });

const MAX_EXPERIMENTS = 20;

export function datasetEndpoints(tracking: Tracking): Endpoint[] {
  return [
    {
      method: "POST",
      path: "/2.0/mlflow/runs/log-inputs",
      access: edits("run"),
      needs: (values) => onRunAndModels(values, values["models"]),
      request: message({
        run_id: string,
        datasets: repeated(nested(datasetInput)),
        models: repeated(nested(message({ model_id: string }))),
      }),
      checks: { run_id: ["required", "string"], datasets: ["array"], models: ["array"] },
      async handle(values, { scope }) {
        await tracking.logInputs(scope, {
          runId: checkRunId(values["run_id"] as string),
          datasets: ((values["datasets"] ?? []) as Values[]).map(readDatasetInput),
          modelIds: ((values["models"] ?? []) as Values[]).map((model) => textOf(model["model_id"])),
        });
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/runs/outputs",
      access: edits("run"),
      needs: (values) => onRunAndModels(values, values["models"]),
      request: message({
        run_id: string,
        models: repeated(nested(message({ model_id: string, step: int64 }))),
      }),
      checks: { run_id: ["required", "string"], models: ["required", "array"] },
      async handle(values, { scope }) {
        const models = ((values["models"] ?? []) as Values[]).map((model) => ({
          model_id: textOf(model["model_id"]),
          step: (model["step"] ?? 0) as Int,
        }));
        await tracking.logOutputs(scope, values["run_id"] as string, models);
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/experiments/search-datasets",
      access: reads("dataset"),
      needs: (values) =>
        ((values["experiment_ids"] ?? []) as string[]).map((id) => needs("read", { type: "experiment", id })),
      request: message({ experiment_ids: repeated(string) }),
      async handle(values, { scope }) {
        const summaries = await tracking.searchDatasets(
          scope,
          checkExperiments((values["experiment_ids"] ?? []) as string[]),
        );
        if (summaries.length === 0) return "{}";
        const list = summaries.map(({ experiment_id, name, digest, context }) => ({
          experiment_id: tracking.experimentIdOf(experiment_id),
          name,
          digest,
          ...(context === null ? {} : { context }),
        }));
        return { dataset_summaries: list };
      },
    },
  ];
}

const textOf = (value: unknown): string => (value ?? "") as string;

function readDatasetInput(input: Values): DatasetInput {
  const { name, digest, source_type, source, schema, profile } = (input["dataset"] ?? {}) as Partial<Dataset>;
  return {
    tags: keyValues(input["tags"]),
    dataset: {
      name: name ?? "",
      digest: digest ?? "",
      source_type: source_type ?? "",
      source: source ?? "",
      ...(schema ? { schema } : {}),
      ...(profile ? { profile } : {}),
    },
  };
}

const RUN_ID = /^[a-zA-Z0-9][\p{L}\p{N}_-]{0,255}$/u;

function checkRunId(id: string): string {
  if (RUN_ID.test(id)) return id;
  throw invalidParameter(`Invalid value ${pythonJson(id)} for parameter 'run_id' supplied.`);
}

function checkExperiments(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) {
    throw invalidParameter("SearchDatasets request must specify at least one experiment_id.");
  }
  if (ids.length > MAX_EXPERIMENTS) {
    throw invalidParameter(
      `SearchDatasets request cannot specify more than ${MAX_EXPERIMENTS} experiment_ids. ` +
        `Received ${ids.length} experiment_ids.`,
    );
  }
  return ids;
}
