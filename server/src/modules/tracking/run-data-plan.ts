import type { Queryable } from "../../kernel/database.ts";
import { invalidParameter, notFound, type PlinthError } from "../../kernel/errors.ts";
import {
  selectModelIds,
  selectParams,
  type ModelMetrics,
  type RunState,
  type Series,
  type Texts,
} from "./run-data.sql.ts";
import { pythonText } from "./search-text.ts";

export type Int = number | bigint;

export type MetricPoint = {
  key: string;
  /** Infinities arrive clipped to the largest double, as MLflow stores them; NaN stays NaN. */
  value: number;
  timestamp: Int;
  step: Int;
  modelId?: string;
  datasetName?: string;
  datasetDigest?: string;
};

export type KeyValue = { key: string; value: string };

/** One request's data: all of it is stored, or none. */
export type RunData = {
  /** Of the request: a run of another one is not there. */
  workspaceId: number;
  runId: string;
  metrics: readonly MetricPoint[];
  params: readonly KeyValue[];
  tags: readonly KeyValue[];
  /** How a changed parameter is reported: MLflow words it differently for one and for a batch. */
  single: boolean;
};

export const RUN_NAME_TAG = "mlflow.runName";

/** What a batch is planned from. */
export type Ground = {
  items: readonly RunData[];
  runs: ReadonlyMap<string, RunState>;
  idOf: (key: string) => number;
};

type PlannedSeries = { newest: Series; points: MetricPoint[] };

export type Plan = {
  runIds: Set<number>;
  answers: (PlinthError | undefined)[];
  series: Map<string, PlannedSeries>;
  params: Texts;
  tags: Texts;
  names: Map<number, string>;
  models: ModelMetrics;
};

/** Decides for every request whether it is taken, in order, and gathers the rows of those that are. */
export async function planBatch(queryable: Queryable, ground: Ground): Promise<Plan> {
  const { items, runs, idOf } = ground;
  const stored = await storedParams(queryable, ground);
  const models = await knownModels(queryable, items);
  const newParams = new Map<string, { run: RunState; key: number; value: string }>();
  const newTags = new Map<string, { run: RunState; key: number; value: string }>();
  const plan: Plan = {
    answers: [],
    runIds: new Set(),
    series: new Map(),
    params: emptyTexts(),
    tags: emptyTexts(),
    names: new Map(),
    models: emptyModelMetrics(),
  };
  for (const item of items) {
    const refusal = refuse(item, { runs, stored, newParams, models, keyOf: idOf });
    plan.answers.push(refusal);
    if (refusal !== undefined) continue;
    const run = runs.get(item.runId) as RunState;
    plan.runIds.add(run.run_id);
    for (const { key, value } of item.params) {
      const id = idOf(key);
      const place = `${run.run_id}:${id}`;
      if (!stored.has(place)) newParams.set(place, { run, key: id, value });
    }
    for (const { key, value } of item.tags) {
      // A run cannot be left without a name: MLflow ignores an empty one.
      if (key === RUN_NAME_TAG && value === "") continue;
      const id = idOf(key);
      newTags.set(`${run.run_id}:${id}`, { run, key: id, value });
      if (key === RUN_NAME_TAG) plan.names.set(run.run_id, value);
    }
    addMetrics(plan, item, { run, idOf });
  }
  fillTexts(plan.params, newParams);
  fillTexts(plan.tags, newTags);
  return plan;
}

function addMetrics(
  plan: Plan,
  item: RunData,
  context: { run: RunState; idOf: (key: string) => number },
): void {
  // By the key's text within a request: a look by (run, key) for each point costs three times as much.
  const known = new Map<string, PlannedSeries>();
  for (const metric of item.metrics) {
    let series = known.get(metric.key);
    if (series === undefined) {
      series = planSeries(plan, metric, context);
      known.set(metric.key, series);
    }
    if (metric.modelId !== undefined) {
      addModelMetric(plan.models, { metric, key: series.newest.key_id, runId: context.run.run_id });
    }
    if (series.points.length > 0 && isSame(metric, series.newest)) continue;
    series.points.push(metric);
    if (series.points.length === 1 || isNewer(metric, series.newest)) {
      series.newest.value = metric.value;
      series.newest.timestamp = metric.timestamp;
      series.newest.step = metric.step;
    }
  }
}

/** The series of a metric of a run, which other requests of the batch may have added to already. */
function planSeries(
  plan: Plan,
  { key, value, timestamp, step }: MetricPoint,
  { run, idOf }: { run: RunState; idOf: (key: string) => number },
): PlannedSeries {
  const id = idOf(key);
  const place = `${run.run_id}:${id}`;
  const found = plan.series.get(place);
  if (found !== undefined) return found;
  const { run_id, experiment_id } = run;
  const series: PlannedSeries = {
    newest: { run_id, key_id: id, experiment_id, value, timestamp, step },
    points: [],
  };
  plan.series.set(place, series);
  return series;
}

type Judgement = {
  runs: ReadonlyMap<string, RunState>;
  stored: ReadonlyMap<string, string>;
  newParams: ReadonlyMap<string, { value: string }>;
  /** By their ids, the workspaces they are in. */
  models: ReadonlyMap<string, number>;
  keyOf: (key: string) => number;
};

function refuse(item: RunData, judgement: Judgement): PlinthError | undefined {
  const run = judgement.runs.get(item.runId);
  if (run?.workspace_id !== item.workspaceId) return runNotFound(item.runId);
  if (run.deleted) return runNotActive(item.runId);
  const changed: { key: string; old_value: string; new_value: string }[] = [];
  for (const { key, value } of item.params) {
    const place = `${run.run_id}:${judgement.keyOf(key)}`;
    const old = judgement.stored.get(place) ?? judgement.newParams.get(place)?.value;
    if (old !== undefined && old !== value) changed.push({ key, old_value: old, new_value: value });
  }
  const [first] = changed;
  if (first !== undefined)
    return item.single ? paramChanged(item.runId, first) : paramsChanged(item.runId, changed);
  const unknown = item.metrics.find(
    (metric) => metric.modelId !== undefined && judgement.models.get(metric.modelId) !== item.workspaceId,
  );
  if (unknown !== undefined) return notFound(`Logged model with ID '${unknown.modelId}' not found.`);
  return undefined;
}

export const runNotFound = (runId: string): PlinthError => notFound(`Run with id=${runId} not found`);

export const runNotActive = (runId: string): PlinthError =>
  invalidParameter(`The run ${runId} must be in the 'active' state. Current state is deleted.`);

type Changed = { key: string; old_value: string; new_value: string };

const paramChanged = (runId: string, { key, old_value, new_value }: Changed): PlinthError =>
  invalidParameter(
    `Changing param values is not allowed. Param with key='${key}' was already logged with value='${old_value}' ` +
      `for run ID='${runId}'. Attempted logging new value '${new_value}'.`,
  );

const paramsChanged = (runId: string, changed: readonly Changed[]): PlinthError => {
  const list = changed.map(
    ({ key, old_value, new_value }) =>
      `{'key': ${pythonText(key)}, 'old_value': ${pythonText(old_value)}, 'new_value': ${pythonText(new_value)}}`,
  );
  return invalidParameter(
    `Changing param values is not allowed. Params were already logged='[${list.join(", ")}]' for run ID='${runId}'.`,
  );
};

async function storedParams(
  queryable: Queryable,
  { items, runs, idOf }: Ground,
): Promise<Map<string, string>> {
  const wanted = { runIds: [] as number[], keyIds: [] as number[] };
  for (const item of items) {
    const run = runs.get(item.runId);
    if (run === undefined) continue;
    for (const { key } of item.params) {
      wanted.runIds.push(run.run_id);
      wanted.keyIds.push(idOf(key));
    }
  }
  if (wanted.runIds.length === 0) return new Map();
  const rows = await selectParams(queryable, wanted);
  return new Map(rows.map((row) => [`${row.run_id}:${row.key_id}`, row.value]));
}

async function knownModels(queryable: Queryable, items: readonly RunData[]): Promise<Map<string, number>> {
  const wanted = new Set<string>();
  for (const item of items) {
    for (const metric of item.metrics) if (metric.modelId !== undefined) wanted.add(metric.modelId);
  }
  return wanted.size === 0 ? new Map<string, number>() : selectModelIds(queryable, [...wanted]);
}

/** (step, timestamp, value) decide which of two points is the newer. */
export function isNewer(a: Point, b: Point): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  // NaN counts as zero here, as it does in MLflow's tables.
  return (a.value || 0) > (b.value || 0);
}

type Point = { step: Int; timestamp: Int; value: number };

export const isSame = (a: Point, b: Point): boolean =>
  a.step === b.step && a.timestamp === b.timestamp && (a.value === b.value || Object.is(a.value, b.value));

function addModelMetric(
  models: ModelMetrics,
  one: { metric: MetricPoint; key: number; runId: number },
): void {
  models.modelIds.push(one.metric.modelId as string);
  models.keyIds.push(one.key);
  models.runIds.push(one.runId);
  models.steps.push(one.metric.step);
  models.timestamps.push(one.metric.timestamp);
  models.values.push(Number.isNaN(one.metric.value) ? 0 : one.metric.value);
  models.datasetNames.push(one.metric.datasetName ?? null);
  models.datasetDigests.push(one.metric.datasetDigest ?? null);
}

/** Sorted by (run, key): rows are locked in one order by all writers. */
function fillTexts(
  texts: Texts,
  rows: ReadonlyMap<string, { run: RunState; key: number; value: string }>,
): void {
  const sorted = [...rows.values()].toSorted((a, b) => a.run.run_id - b.run.run_id || a.key - b.key);
  for (const { run, key, value } of sorted) {
    texts.runIds.push(run.run_id);
    texts.keyIds.push(key);
    texts.experimentIds.push(run.experiment_id);
    texts.values.push(value);
  }
}

const emptyTexts = (): Texts => ({ runIds: [], keyIds: [], experimentIds: [], values: [] });

const emptyModelMetrics = (): ModelMetrics => ({
  modelIds: [],
  keyIds: [],
  runIds: [],
  steps: [],
  timestamps: [],
  values: [],
  datasetNames: [],
  datasetDigests: [],
});
