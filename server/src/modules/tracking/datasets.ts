import { createBatch } from "../../kernel/batch.ts";
import { badRequest, type PlinthError } from "../../kernel/errors.ts";
import {
  insertInputs,
  insertOutputs,
  selectDatasetSummaries,
  selectOutputs,
  selectRunLinks,
  type Dataset,
  type DatasetSummary,
  type ModelOutput,
  type NewInputs,
} from "./datasets.sql.ts";
import type { Scope } from "../identity/index.ts";
import type { TrackingDeps } from "./deps.ts";
import type { KeyValue } from "./experiments.sql.ts";
import { checkLength } from "./limits.ts";
import { rawJson, type RawJson } from "./python-json.ts";
import { runNotActive, runNotFound } from "./run-data-plan.ts";
import { selectRunStates, type RunState } from "./run-data.sql.ts";
import { touchRuns, type RunPlace } from "./runs.sql.ts";

export type { Dataset, DatasetSummary, ModelOutput } from "./datasets.sql.ts";

/** A dataset as a run used it, in MLflow's shape: no `tags` when there are none. */
export type DatasetInput = { tags?: KeyValue[]; dataset: Dataset };

export type RunInputs = { runId: string; datasets: readonly DatasetInput[]; modelIds: readonly string[] };

type QueuedInputs = RunInputs & { workspaceId: number };

export type RunLinks = {
  datasets: DatasetInput[];
  modelInputs: { model_id: string }[];
  modelOutputs: { model_id: string; step: number | RawJson }[];
};

export type Datasets = {
  /** Concurrent calls share a statement. What a run is linked to already stays as it is. */
  logInputs(scope: Scope, inputs: RunInputs): Promise<void>;
  /** All of them, or none. */
  logOutputs(scope: Scope, runId: string, models: readonly ModelOutput[]): Promise<void>;
  searchDatasets(scope: Scope, experimentIds: readonly string[]): Promise<DatasetSummary[]>;
  /**
   * Inputs and outputs of many runs by their internal ids, in one statement; runs without any are not
   * in it. A step beyond 2^53 is raw JSON, so all of it can be given to `JSON.stringify`.
   */
  loadRunLinks(runIds: readonly number[]): Promise<Map<number, RunLinks>>;
};

const MAX_SUMMARIES = 1000;

/** MLflow's limits, and for ids of models what an index can hold. */
const sizes = { name: 500, digest: 36, source: 65_535, schema: 1_048_575, profile: 16_777_215 } as const;
const tagSizes = { key: 255, value: 500 } as const;
const MODEL_ID = 255;

export function createDatasets(deps: TrackingDeps): Datasets {
  const { database } = deps;

  const inputs = createBatch<QueuedInputs, void>({
    name: "log_inputs",
    concurrency: 1,
    maxWeight: 500,
    weight: (item) => 1 + item.datasets.length + item.modelIds.length,
    onBatch: deps.onBatch,
    run: (items) => writeInputs(deps, items),
  });

  return {
    async logInputs({ workspaceId }, item) {
      for (const input of item.datasets) checkDatasetInput(input);
      for (const id of item.modelIds) checkLength("model_id", MODEL_ID, id);
      await inputs.add({ ...item, workspaceId });
    },
    async logOutputs({ workspaceId }, runId, models) {
      const unique = new Map<string, ModelOutput>();
      for (const model of models) {
        checkLength("model_id", MODEL_ID, model.model_id);
        const same = unique.get(model.model_id);
        if (same !== undefined && same.step !== model.step) throw outputChanged(runId, same);
        unique.set(model.model_id, model);
      }
      const [state] = await selectRunStates(database, [runId]);
      const refusal = refuse({ workspaceId, runId }, state);
      if (refusal !== undefined) throw refusal;
      await database.transaction(async (transaction) => {
        const id = (state as RunState).run_id;
        await insertOutputs(transaction, id, [...unique.values()]);
        await touchRuns(transaction, [id]);
        const stored = await selectOutputs(transaction, id, [...unique.keys()]);
        const changed = stored.find(({ model_id, step }) => unique.get(model_id)?.step !== step);
        if (changed !== undefined) throw outputChanged(runId, changed);
      });
    },
    async searchDatasets({ workspaceId }, experimentIds) {
      const numbers = (await deps.ids.numbersOf(experimentIds)).filter((number) => number !== undefined);
      return selectDatasetSummaries(database, { workspaceId, experimentIds: numbers }, MAX_SUMMARIES);
    },
    async loadRunLinks(runIds) {
      const links = new Map<number, RunLinks>();
      if (runIds.length === 0) return links;
      const datasets = new Map<number, Dataset>();
      for (const row of await selectRunLinks(database, runIds)) {
        if (row.kind === "dataset") {
          datasets.set(row.dataset_id as number, row.dataset as Dataset);
          continue;
        }
        const id = row.run_id as number;
        const link = links.get(id) ?? { datasets: [], modelInputs: [], modelOutputs: [] };
        links.set(id, link);
        const model_id = row.model_id as string;
        if (row.kind === "i") link.modelInputs.push({ model_id });
        else if (row.kind === "o") link.modelOutputs.push({ model_id, step: stepJson(row.step ?? 0) });
        else
          link.datasets.push(datasetInput(datasets.get(row.dataset_id as number) as Dataset, row.tags ?? {}));
      }
      return links;
    },
  };
}

const stepJson = (step: number | bigint): number | RawJson =>
  typeof step === "bigint" ? rawJson(String(step)) : step;

function datasetInput(dataset: Dataset, tags: Record<string, string>): DatasetInput {
  const list = Object.entries(tags).map(([key, value]) => ({ key, value }));
  if (list.length === 0) return { dataset };
  return { tags: list.toSorted((a, b) => (a.key < b.key ? -1 : 1)), dataset };
}

async function writeInputs(
  deps: TrackingDeps,
  items: readonly QueuedInputs[],
): Promise<(PlinthError | undefined)[]> {
  const states = await selectRunStates(deps.database, [...new Set(items.map((item) => item.runId))]);
  const runs = new Map(states.map((state) => [state.run_uuid, state]));
  const answers = items.map((item) => refuse(item, runs.get(item.runId)));
  const accepted = items.filter((_item, index) => answers[index] === undefined);
  const added = collect(accepted, runs);
  if (added.datasets.length > 0 || added.models.length > 0) {
    // Another process can win a dataset each time, but every time one more of them is there.
    while (!(await insertInputs(deps.database, added)));
  }
  return answers;
}

/** Each dataset once, in the one order in which all writers take them; of two alike the first counts. */
function collect(items: readonly RunInputs[], runs: ReadonlyMap<string, RunState>): NewInputs {
  const datasets = new Map<string, NewInputs["datasets"][number]>();
  const links = new Map<string, { run_id: number; dataset: string; tags: Record<string, string> }>();
  const models = new Map<string, NewInputs["models"][number]>();
  for (const item of items) {
    const { run_id, experiment_id } = runs.get(item.runId) as RunState;
    for (const { dataset, tags } of item.datasets) {
      const place = JSON.stringify([experiment_id, dataset.name, dataset.digest]);
      const link = `${run_id} ${place}`;
      if (!datasets.has(place)) datasets.set(place, { ...dataset, experiment_id });
      if (links.has(link)) continue;
      links.set(link, {
        run_id,
        dataset: place,
        tags: Object.fromEntries((tags ?? []).map((tag) => [tag.key, tag.value])),
      });
    }
    for (const model_id of item.modelIds) models.set(`${run_id} ${model_id}`, { run_id, model_id });
  }
  const places = [...datasets.keys()].toSorted();
  const ordinals = new Map(places.map((place, ordinal) => [place, ordinal]));
  return {
    datasets: places.map((place) => datasets.get(place) as NewInputs["datasets"][number]),
    links: [...links.values()].map((link) => ({ ...link, dataset: ordinals.get(link.dataset) as number })),
    models: [...models.values()].toSorted(
      (a, b) => a.run_id - b.run_id || (a.model_id < b.model_id ? -1 : 1),
    ),
  };
}

function refuse({ workspaceId, runId }: RunPlace, run: RunState | undefined): PlinthError | undefined {
  if (run?.workspace_id !== workspaceId) return runNotFound(runId);
  return run.deleted ? runNotActive(runId) : undefined;
}

const outputChanged = (runId: string, { model_id, step }: ModelOutput): PlinthError =>
  badRequest(`Model '${model_id}' is already an output of run '${runId}', at step ${step}.`);

function checkDatasetInput({ dataset, tags }: DatasetInput): void {
  for (const field of ["name", "digest", "source", "schema", "profile"] as const) {
    const value = dataset[field];
    if (value !== undefined) checkLength(field, sizes[field], value);
  }
  checkLength("source_type", tagSizes.key, dataset.source_type);
  const seen = new Set<string>();
  for (const { key, value } of tags ?? []) {
    checkLength("key", tagSizes.key, key);
    checkLength("value", tagSizes.value, value);
    if (seen.has(key)) throw badRequest(`Tag '${key}' of dataset '${dataset.name}' is given more than once.`);
    seen.add(key);
  }
}
